"""USSD put together: how calls come in, and the desk that answers their hops."""

from aiohttp import web

from assembly.countries import calendar, served
from assembly.gateway import Gateway
from menus import words
from menus.layout import Layout
from screens.pages import Budget
from sessions.deadline import Deadline
from sessions.exchange import Desk
from settings import Network, Settings
from ussd.callback import Line
from ussd.hops import Hops
from ussd.routes import routes as ussd_routes


def routes(gateway: Gateway) -> list[web.RouteDef]:
    """Where a provider hands over what was dialled."""
    return ussd_routes(_desk(gateway), line_of(gateway.settings), gateway.guard, Hops(gateway.registry))


def line_of(settings: Settings) -> Line:
    """How calls come in: our short codes, and what each network's phones show."""
    ussd = settings.ussd
    budget = Budget(ussd.screen_septets, ussd.screen_units, ussd.unicode)
    networks = {code: _shown(network, budget) for code, network in ussd.networks.items()}
    return Line(ussd.service_codes, budget, networks, ussd.vouches)


def _shown(network: Network, everywhere: Budget) -> Budget:
    return Budget(
        network.screen_septets or everywhere.septets,
        network.screen_units or everywhere.units,
        everywhere.unicode if network.unicode is None else network.unicode,
    )


def _desk(gateway: Gateway) -> Desk:
    settings, conversation = gateway.settings, gateway.conversation
    return Desk(
        sessions=gateway.ground.store.sessions,
        menu=conversation.menu,
        layout=Layout(conversation.menu, words.for_screens(conversation.words)),
        language_of=conversation.services.accounts.language_of,
        served=served(settings.countries.allowed),
        today=calendar(settings),
        default_language=settings.languages.default,
        session_ttl=settings.ussd.session_ttl,
        resume_window=settings.ussd.resume_window,
        deadline=Deadline(settings.ussd.deadline),
    )
