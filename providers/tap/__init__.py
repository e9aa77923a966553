"""hSenid TAP: USSD and SMS of Robi (bdapps), Banglalink (Applink), Dialog and SLT-Mobitel. See docs/providers/tap.md."""

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from config.settings import Settings
from providers.entry import ProviderEntry
from providers.tap.settings import TapSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sms.provider import SmsProvider, SmsWebhooks
    from ussd.provider import PushUssdProvider, ShortCodeConfig
    from web.simulator.wires import ProviderWire


def _build_ussd(settings: Settings, config: "ShortCodeConfig") -> "PushUssdProvider":
    from providers.tap.applications import build_applications
    from providers.tap.ussd import TapUssd

    tap = settings.provider_section(TapSettings)
    return TapUssd(
        build_applications(tap, config.service_codes),
        screen_characters=tap.screen_characters,
        push_deadline=tap.push_deadline,
        caller_number_verified=config.caller_number_verified,
    )


def _build_sms_webhooks(settings: Settings) -> "SmsWebhooks":
    from providers.tap.applications import build_applications
    from providers.tap.webhooks import TapSmsWebhooks

    return TapSmsWebhooks(
        build_applications(settings.provider_section(TapSettings)), short_code=settings.sms.short_code
    )


@asynccontextmanager
async def _open_sms(settings: Settings) -> "AsyncIterator[SmsProvider]":
    from aiohttp import ClientSession, DummyCookieJar

    from providers.tap.applications import build_applications
    from providers.tap.client import TapClient
    from providers.tap.sms import TapSms

    tap = settings.provider_section(TapSettings)
    async with ClientSession(cookie_jar=DummyCookieJar()) as http:
        yield TapSms(TapClient(http), build_applications(tap), deadline=tap.deadline)


def _build_wire(settings: Settings, config: "ShortCodeConfig") -> "ProviderWire":
    from providers.tap.applications import build_applications
    from providers.tap.wire import TapWire

    tap = settings.provider_section(TapSettings)
    return TapWire(
        build_applications(tap, config.service_codes),
        screen_characters=tap.screen_characters,
        token=settings.webhooks.first_token,
    )


ENTRY: Final = ProviderEntry(
    name=TapSettings.provider,
    settings=TapSettings,
    build_ussd=_build_ussd,
    build_sms_webhooks=_build_sms_webhooks,
    open_sms=_open_sms,
    build_wire=_build_wire,
)
