"""What keeping the books takes, put together without a gateway."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from assembly.aside import aside
from services.payments import Payments, Refunds
from services.payments.ledger import Ledger
from services.payments.telling import Telling
from settings import Settings


@dataclass(frozen=True, slots=True)
class Books:
    """Everything that staff asks of payments."""

    ledger: Ledger
    payments: Payments
    refunds: Refunds
    zone: ZoneInfo


@asynccontextmanager
async def bookkeeping(settings: Settings) -> AsyncIterator[Books]:
    """All of it, for as long as the block lasts; a running gateway does what is noted here. Raises as `aside` does."""
    async with aside(settings) as on:
        telling = Telling(on.messages, on.say)
        payments = Payments(on.records, on.seal, settings.payments.wallet, telling)
        yield Books(Ledger(on.records), payments, Refunds(on.records, telling), on.zone)
