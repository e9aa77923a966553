"""Africa's Talking: USSD, SMS, voice and SIM swap checks. See docs/providers/africastalking.md."""

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from config.settings import Settings
from providers.africastalking.settings import AfricasTalkingSettings
from providers.entry import ProviderEntry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from services.citizens.number_checks import SimSwapProvider
    from sms.provider import SmsProvider, SmsWebhooks
    from ussd.provider import ResponseUssdProvider, ShortCodeConfig
    from voice.provider import VoiceProvider


def _build_ussd(_: Settings, config: "ShortCodeConfig") -> "ResponseUssdProvider":
    from providers.africastalking.ussd import AfricasTalkingUssd

    return AfricasTalkingUssd(config)


def _build_voice(_: Settings) -> "VoiceProvider":
    from providers.africastalking.voice import AfricasTalkingVoice

    return AfricasTalkingVoice()


def _build_sms_webhooks(_: Settings) -> "SmsWebhooks":
    from providers.africastalking.sms_webhooks import AfricasTalkingSmsWebhooks

    return AfricasTalkingSmsWebhooks()


@asynccontextmanager
async def _open_sms(settings: Settings) -> "AsyncIterator[SmsProvider]":
    from aiohttp import ClientSession, DummyCookieJar

    from providers.africastalking.sms import AfricasTalkingSms

    account = settings.provider_section(AfricasTalkingSettings)
    async with ClientSession(cookie_jar=DummyCookieJar()) as session:
        yield AfricasTalkingSms(
            session,
            username=account.username,
            api_key=account.api_key.get_secret_value(),
            base_url=account.base_url,
            sender_id=account.sender_id,
            deadline=account.deadline,
        )


@asynccontextmanager
async def _open_sim_swap(settings: Settings) -> "AsyncIterator[SimSwapProvider | None]":
    account = settings.provider_section(AfricasTalkingSettings)
    if not account.sim_swap:
        yield None
        return
    from aiohttp import ClientSession, DummyCookieJar

    from providers.africastalking.insights import AfricasTalkingSimSwap

    async with ClientSession(cookie_jar=DummyCookieJar()) as session:
        yield AfricasTalkingSimSwap(
            session,
            username=account.username,
            api_key=account.api_key.get_secret_value(),
            base_url=account.base_url,
            recent_days=account.sim_swap_days,
            deadline=account.sim_swap_deadline,
        )


ENTRY: Final = ProviderEntry(
    name=AfricasTalkingSettings.provider,
    settings=AfricasTalkingSettings,
    build_ussd=_build_ussd,
    build_voice=_build_voice,
    build_sms_webhooks=_build_sms_webhooks,
    open_sms=_open_sms,
    open_sim_swap=_open_sim_swap,
)
