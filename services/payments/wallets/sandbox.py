"""The sandbox wallet, which holds no money: the simulator shows the prompt, and its user types any four digits.

PIN 0000 is wrong, and 9999 has no money. A prompt expires if nobody answers. Prompts are in the database, so all processes
see them, also after a restart.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import Row, select, update

from core.currencies import CURRENCY_CODES
from core.types import UtcClock, utc_now
from db.database import Database
from db.tables import sandbox_prompts
from services.payments.wallets.base import (
    Declined,
    PaymentOutcome,
    PaymentReport,
    PushAccepted,
    PushQuery,
    PushRequest,
    PushResult,
    Refunded,
    RefundRequest,
)

PROMPT_TTL: Final = timedelta(minutes=2)
WRONG_PIN, NO_MONEY_PIN = "0000", "9999"
MAX_PENDING: Final = 50
CURRENCIES_BY_PREFIX: Final[Mapping[str, str]] = {"+880": "BDT", "+91": "INR", "+254": "KES"}
CURRENCIES: Final[Mapping[str, int]] = dict.fromkeys(CURRENCY_CODES, 1)

PromptResult: TypeAlias = Literal["paid", "cancelled", "wrong_pin", "no_money", "gone"]
ReportCallback: TypeAlias = Callable[[str, PaymentReport], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt on a phone: an amount in hundredths and its description."""

    id: str
    to: str = field(repr=False)
    amount_minor: int
    currency: str
    description: str
    expires_at: datetime


class SandboxWallet:
    """The sandbox wallets of all payers."""

    name = "sandbox"

    def __init__(self, database: Database, *, clock: UtcClock = utc_now, ttl: timedelta = PROMPT_TTL) -> None:
        self._database = database
        self._clock = clock
        self._ttl = ttl
        self._listeners: dict[str, set[asyncio.Queue[Prompt]]] = {}
        self.currencies = CURRENCIES
        self.on_report: ReportCallback = _ignore_report  # receives our callbacks

    def can_pay(self, msisdn: str, currency: str) -> bool:
        """Return whether the currency is that of the number's country; a number of another country has every currency."""
        own = next((own for prefix, own in CURRENCIES_BY_PREFIX.items() if msisdn.startswith(prefix)), currency)
        return currency == own and currency in self.currencies

    async def push(self, request: PushRequest) -> PushResult:
        """Show the prompt on the payer's phone, unless it is there already."""
        row = {
            "request": f"sandbox_{secrets.token_hex(12)}",
            "key": request.key,
            "payer": request.payer,
            "amount_minor": request.amount_minor,
            "currency": request.currency,
            "about": request.description,
            "status": "pending",
            "requested_at": self._clock(),
            "ends_at": self._clock() + self._ttl,
        }
        async with self._database.transaction() as transaction:
            await transaction.execute(self._database.insert_or_ignore(sandbox_prompts), row)
        prompt = await self._find(sandbox_prompts.c.key == request.key)
        assert prompt is not None  # nosec B101  # noqa: S101 - it was just written
        self._notify_listeners(_prompt_from_row(prompt))
        return PushAccepted(prompt.request)

    async def query_status(self, query: PushQuery) -> PaymentReport:
        """Return the outcome of a prompt; one that was never shown has failed."""
        row = await self._find(sandbox_prompts.c.key == query.key)
        if row is None:
            return PaymentReport("failed", "NeverAsked")
        if row.status == "pending" and row.ends_at <= self._clock():
            await self._end(row.request, "expired")
            row = await self._find(sandbox_prompts.c.key == query.key)
        return _report_from_row(row)

    async def refund(self, request: RefundRequest) -> Refunded | Declined:
        """Refund an amount, up to the amount paid."""
        mine = (sandbox_prompts.c.key == request.key, sandbox_prompts.c.status == "paid")
        enough = sandbox_prompts.c.returned_minor + request.amount_minor <= sandbox_prompts.c.amount_minor
        statement = update(sandbox_prompts).where(*mine, enough)
        statement = statement.values(returned_minor=sandbox_prompts.c.returned_minor + request.amount_minor)
        async with self._database.transaction() as transaction:
            done = await transaction.execute(statement)
        return Refunded(f"R{secrets.token_hex(4).upper()}") if done.rowcount else Declined("NotPaid")

    async def pending_prompts(self, msisdn: str) -> Sequence[Prompt]:
        """Return the unanswered prompts on this phone, oldest first."""
        open_ = (sandbox_prompts.c.payer == msisdn, sandbox_prompts.c.status == "pending")
        statement = select(sandbox_prompts).where(*open_, sandbox_prompts.c.ends_at > self._clock())
        rows = await self._database.fetch(statement.order_by(sandbox_prompts.c.requested_at).limit(MAX_PENDING))
        return [_prompt_from_row(row) for row in rows]

    @asynccontextmanager
    async def listen(self, msisdn: str) -> AsyncIterator[asyncio.Queue[Prompt]]:
        """Yield a queue of the prompts that this process shows on this phone from now on."""
        queue: asyncio.Queue[Prompt] = asyncio.Queue()
        self._listeners.setdefault(msisdn, set()).add(queue)
        try:
            yield queue
        finally:
            self._listeners[msisdn].discard(queue)
            if not self._listeners[msisdn]:
                del self._listeners[msisdn]

    async def answer_prompt(self, request_id: str, pin: str | None) -> PromptResult:
        """Answer a prompt with a PIN, or decline it with None, and report the outcome as by a callback."""
        outcome = _parse_pin(pin)
        if not await self._end(request_id, outcome):
            return "gone"
        row = await self._find(sandbox_prompts.c.request == request_id)
        assert row is not None  # nosec B101  # noqa: S101 - it was just ended
        await self.on_report(row.key, _report_from_row(row))
        return outcome

    async def _end(self, request_id: str, status: PaymentOutcome) -> bool:
        receipt = f"SB{secrets.token_hex(4).upper()}" if status == "paid" else None
        now = self._clock()
        in_time = sandbox_prompts.c.ends_at <= now if status == "expired" else sandbox_prompts.c.ends_at > now
        waits = (sandbox_prompts.c.request == request_id, sandbox_prompts.c.status == "pending", in_time)
        async with self._database.transaction() as transaction:
            ended = await transaction.execute(
                update(sandbox_prompts).where(*waits).values(status=status, receipt=receipt)
            )
        return ended.rowcount == 1

    async def _find(self, condition: Any) -> Row[Any] | None:
        return (await self._database.fetch(select(sandbox_prompts).where(condition))).one_or_none()

    def _notify_listeners(self, prompt: Prompt) -> None:
        for queue in self._listeners.get(prompt.to, ()):
            queue.put_nowait(prompt)


async def _ignore_report(_key: str, _report: PaymentReport) -> None:
    """Lose the callback, so that the status query finds the outcome."""


def _parse_pin(pin: str | None) -> Literal["paid", "cancelled", "wrong_pin", "no_money"]:
    """Return the outcome of a PIN, which is not stored."""
    if pin is None:
        return "cancelled"
    if pin == NO_MONEY_PIN:
        return "no_money"
    return "paid" if len(pin) == len(WRONG_PIN) and pin.isdecimal() and pin != WRONG_PIN else "wrong_pin"


def _prompt_from_row(row: Row[Any]) -> Prompt:
    return Prompt(row.request, row.payer, row.amount_minor, row.currency, row.about, row.ends_at)


def _report_from_row(row: Any) -> PaymentReport:
    amount = row.amount_minor if row.status == "paid" else None
    return PaymentReport(row.status, request_id=row.request, receipt=row.receipt or "", amount_minor=amount)
