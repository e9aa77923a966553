"""Wallets that hold no money: the simulator's phone shows the prompt, and whoever holds it types any four digits.

PIN 0000 is the wrong one and 9999 finds no money; a prompt that nobody answers runs out. The prompts are rows, so that
they are there for every process and after a restart.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import Row, select, update

from services.given import Clock, utc_now
from services.payments.port import Answer, Asked, Declined, Outcome, Push, Pushed, Report, Return, Returned
from services.records.database import Records
from services.records.tables import sandbox_prompts

LIVES: Final = timedelta(minutes=2)
WRONG_PIN, NO_MONEY = "0000", "9999"
MOST_WAITING: Final = 50

Said: TypeAlias = Literal["paid", "cancelled", "wrong_pin", "no_money", "gone"]
Heard: TypeAlias = Callable[[str, Report], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a phone shows: an amount in hundredths and what it is for."""

    id: str
    to: str = field(repr=False)
    amount_minor: int
    currency: str
    about: str
    ends: datetime


class Sandbox:
    """The wallets of all payers."""

    name = "sandbox"

    def __init__(self, records: Records, *, clock: Clock = utc_now, lives: timedelta = LIVES) -> None:
        self._records = records
        self._clock = clock
        self._lives = lives
        self._listeners: dict[str, set[asyncio.Queue[Prompt]]] = {}
        self.currencies: Mapping[str, int] = {"BDT": 1, "INR": 1, "KES": 1}
        self.tells: Heard = _nobody  # who takes our callbacks

    def reaches(self, number: str) -> bool:  # noqa: ARG002 - everybody plays along
        """Everybody."""
        return True

    async def ask(self, push: Push) -> Answer:
        """Put it before the payer, unless their phone shows this one already."""
        row = {
            "request": f"sandbox_{secrets.token_hex(12)}",
            "key": push.key,
            "payer": push.payer,
            "amount_minor": push.amount_minor,
            "currency": push.currency,
            "about": push.about,
            "status": "pending",
            "asked_at": self._clock(),
            "ends_at": self._clock() + self._lives,
        }
        async with self._records.transaction() as transaction:
            await transaction.execute(self._records.insert_once(sandbox_prompts), row)
        made = await self._one(sandbox_prompts.c.key == push.key)
        assert made is not None  # noqa: S101 - it was just written
        self._tell(_prompt(made))
        return Pushed(made.request)

    async def query(self, asked: Asked) -> Report:
        """What became of it; of what was never put before anybody, nothing ever will."""
        row = await self._one(sandbox_prompts.c.key == asked.key)
        if row is None:
            return Report("failed", "NeverAsked")
        if row.status == "pending" and row.ends_at <= self._clock():
            await self._end(row.request, "expired")
            row = await self._one(sandbox_prompts.c.key == asked.key)
        return _report(row)

    async def give_back(self, back: Return) -> Returned | Declined:
        """Give it back, as far as it was paid."""
        mine = (sandbox_prompts.c.key == back.key, sandbox_prompts.c.status == "paid")
        enough = sandbox_prompts.c.returned_minor + back.amount_minor <= sandbox_prompts.c.amount_minor
        given = update(sandbox_prompts).where(*mine, enough)
        given = given.values(returned_minor=sandbox_prompts.c.returned_minor + back.amount_minor)
        async with self._records.transaction() as transaction:
            done = await transaction.execute(given)
        return Returned(f"R{secrets.token_hex(4).upper()}") if done.rowcount else Declined("NotPaid")

    async def waiting(self, number: str) -> Sequence[Prompt]:
        """The prompts on this phone that nobody has answered, oldest first."""
        open_ = (sandbox_prompts.c.payer == number, sandbox_prompts.c.status == "pending")
        shown = select(sandbox_prompts).where(*open_, sandbox_prompts.c.ends_at > self._clock())
        rows = await self._records.read(shown.order_by(sandbox_prompts.c.asked_at).limit(MOST_WAITING))
        return [_prompt(row) for row in rows]

    @asynccontextmanager
    async def listen(self, number: str) -> AsyncIterator[asyncio.Queue[Prompt]]:
        """A queue of what is put before this phone from now on, by this process."""
        queue: asyncio.Queue[Prompt] = asyncio.Queue()
        self._listeners.setdefault(number, set()).add(queue)
        try:
            yield queue
        finally:
            self._listeners[number].discard(queue)
            if not self._listeners[number]:
                del self._listeners[number]

    async def press(self, request: str, pin: str | None) -> Said:
        """What the phone's holder does: types a PIN, or declines. The payment is told, as by a callback."""
        said = _said(pin)
        if not await self._end(request, said):
            return "gone"
        row = await self._one(sandbox_prompts.c.request == request)
        assert row is not None  # noqa: S101 - it was just ended
        await self.tells(row.key, _report(row))
        return said

    async def _end(self, request: str, status: Outcome) -> bool:
        receipt = f"SB{secrets.token_hex(4).upper()}" if status == "paid" else None
        now = self._clock()
        in_time = sandbox_prompts.c.ends_at <= now if status == "expired" else sandbox_prompts.c.ends_at > now
        waits = (sandbox_prompts.c.request == request, sandbox_prompts.c.status == "pending", in_time)
        async with self._records.transaction() as transaction:
            ended = await transaction.execute(
                update(sandbox_prompts).where(*waits).values(status=status, receipt=receipt)
            )
        return ended.rowcount == 1

    async def _one(self, where: Any) -> Row[Any] | None:
        return (await self._records.read(select(sandbox_prompts).where(where))).one_or_none()

    def _tell(self, prompt: Prompt) -> None:
        for queue in self._listeners.get(prompt.to, ()):
            queue.put_nowait(prompt)


async def _nobody(_key: str, _report: Report) -> None:
    """Until somebody takes our callbacks, they are lost, and found by asking."""


def _said(pin: str | None) -> Literal["paid", "cancelled", "wrong_pin", "no_money"]:
    """A PIN is looked at and forgotten."""
    if pin is None:
        return "cancelled"
    if pin == NO_MONEY:
        return "no_money"
    return "paid" if len(pin) == len(WRONG_PIN) and pin.isdecimal() and pin != WRONG_PIN else "wrong_pin"


def _prompt(row: Row[Any]) -> Prompt:
    return Prompt(row.request, row.payer, row.amount_minor, row.currency, row.about, row.ends_at)


def _report(row: Any) -> Report:
    amount = row.amount_minor if row.status == "paid" else None
    return Report(row.status, request=row.request, receipt=row.receipt or "", amount_minor=amount)
