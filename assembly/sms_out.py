"""SMS on their way out, put together: who carries them, and the worker that hands them over."""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientSession, DummyCookieJar

from assembly.gateway import Gateway
from settings import Settings
from sms.meters import Meters
from sms.outbox import Outbox
from sms.provider import Provider
from sms.providers.africastalking import AfricasTalking
from sms.providers.sandbox import Sandbox
from sms.segments import folded
from sms.throttle import Throttle


class SmsHeld(Exception):
    """No SMS goes out before a person has mended the account at the provider; the outbox's log says what."""


@asynccontextmanager
async def carrier(settings: Settings) -> AsyncIterator[Provider]:
    """Whoever carries SMS here."""
    if settings.sms.provider == "sandbox":
        yield Sandbox(sender=settings.sms.short_code)
        return
    account = settings.africastalking
    async with ClientSession(cookie_jar=DummyCookieJar()) as session:
        yield AfricasTalking(
            session,
            username=account.username,
            api_key=account.api_key.get_secret_value(),
            base_url=account.base_url,
            sender_id=account.sender_id,
            deadline=account.deadline,
        )


def outbox_of(gateway: Gateway) -> Outbox:
    """The worker of this process."""
    settings = gateway.settings
    return Outbox(
        gateway.conversation.services.messages,
        gateway.provider,
        throttle=Throttle(settings.sms.segments_per_second),
        meters=Meters(gateway.registry),
        spelled=folded,
        worker=f"{socket.gethostname()}:{os.getpid()}",
        parallel=settings.sms.parallel,
        grace=settings.africastalking.deadline + 5,
    )


async def flowing(outbox: Outbox) -> None:
    """Returns while SMS go out.

    Raises:
        SmsHeld: none does.
    """
    if outbox.held:
        raise SmsHeld
