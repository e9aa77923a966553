"""The sandbox: SMS are delivered to inboxes in this process, which the simulator shows."""

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from config.settings import Settings
from providers.entry import ProviderEntry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sms.provider import SmsProvider


@asynccontextmanager
async def _open_sms(settings: Settings) -> "AsyncIterator[SmsProvider]":
    from providers.sandbox.sms import SandboxSmsProvider

    yield SandboxSmsProvider(sender=settings.sms.short_code)


ENTRY: Final = ProviderEntry(name="sandbox", open_sms=_open_sms)
