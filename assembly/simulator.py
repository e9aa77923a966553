"""The phone on the desk put together: what it shows, and the numbers it knows."""

from aiohttp import web

from assembly.gateway import Gateway
from assembly.ussd import line_of
from settings import Settings
from sms.providers.sandbox import Sandbox
from web.simulator.routes import Network, PhoneSettings, add_routes


def add_phone(app: web.Application, gateway: Gateway) -> None:
    """Its page, where the settings want it and SMS stay in the sandbox."""
    if gateway.settings.simulated and isinstance(gateway.provider, Sandbox):
        add_routes(app, _phone(gateway.settings), gateway.provider, gateway.conversation.services.cash.sandbox)


def _phone(settings: Settings) -> PhoneSettings:
    return PhoneSettings(
        service_code=settings.ussd.service_codes[0],
        networks=_networks(settings),
        sms_code=settings.sms.short_code,
        missed_calls=settings.missed_calls.numbers,
        languages=settings.languages.offered,
        token=settings.africastalking.callback_token.get_secret_value(),
    )


def _networks(settings: Settings) -> tuple[Network, ...]:
    """The sandbox's, Grameenphone and Safaricom, which are like everywhere, and those that the settings tell of."""
    line = line_of(settings)
    shown = {"99999": line.budget, "47001": line.budget, "63902": line.budget, **line.networks}
    return tuple(Network(code, "", one.unicode, one.septets, one.units) for code, one in shown.items())
