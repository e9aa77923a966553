"""Operators: people at a village centre who act for citizens. Staff enrols them, and they sign in with a PIN of their own.

What is done under an effect is done once: the same effect again is told what came of it first.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import Executable, Row, select, update

from services.audit import Act, Audit
from services.given import Clock, Say, Sealing, utc_now
from services.lockout import Tally
from services.messages import Message, Messages
from services.pins import Pins, new_pin
from services.records.database import Records, Transaction
from services.records.tables import operator_events, operators

Tried: TypeAlias = Literal["in", "first", "wrong", "locked", "unknown"]
Run: TypeAlias = Callable[[Executable], Awaitable[Any]]
STAFF: Final = "server.py"  # what the audit calls whoever runs the program
_OPEN: Final = {"pin_failures": 0, "pin_locked_until": None}


class NumberEnrolled(Exception):
    """A number belongs to one operator; what is to change about that one is changed, not added once more."""

    def __init__(self, operator: int) -> None:
        super().__init__(f"Operator {operator} has this number already; operator list shows it")


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Whom staff enrols. Limits that are None are everybody's."""

    number: str = field(repr=False)
    name: str = field(repr=False)
    centre: str
    language: str
    consents_a_day: int | None = None
    applications_a_day: int | None = None


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator as they are enrolled."""

    id: int
    number: str = field(repr=False)
    name: str = field(repr=False)
    centre: str
    pin_chosen: bool
    created: datetime
    suspended: datetime | None
    consents_a_day: int | None = None
    applications_a_day: int | None = None


@dataclass(frozen=True, slots=True)
class SignIn:
    """What became of a PIN. `first`: it is right, and one of their own is to be chosen now."""

    outcome: Tried
    operator: int = 0
    left: int = 0
    until: datetime | None = None


class Operators:
    """All of them. Names are sealed; every number is E.164."""

    def __init__(
        self, records: Records, messages: Messages, pins: Pins, seal: Sealing, say: Say, *, clock: Clock = utc_now
    ) -> None:
        self._records = records
        self._messages = messages
        self._pins = pins
        self._seal = seal
        self._say = say
        self._clock = clock
        self._audit = Audit(records, clock=clock)

    async def add(self, new: Newcomer) -> tuple[int, str]:
        """Enrol somebody, and send them their PIN by SMS; their id, and the PIN.

        Raises:
            NumberEnrolled: an operator has this number.
        """
        pin = new_pin()
        row = {
            "number": new.number,
            "name": self._seal.close(new.name.encode(), _about(new.number)),
            "centre": new.centre,
            "pin_hash": await self._pins.hashed(pin),
            "pin_chosen": False,
            "consents_a_day": new.consents_a_day,
            "applications_a_day": new.applications_a_day,
            "created_at": self._clock(),
        }
        made = self._records.insert_once(operators).returning(operators.c.id)
        async with self._records.transaction() as transaction:
            operator = (await transaction.execute(made, row)).scalar_one_or_none()
            if operator is not None:
                await self._note(transaction, "operator_added", operator)
                await self._send_pin(transaction, operator, new, pin)
        if operator is None:
            raise NumberEnrolled(await self._id_of(new.number))
        return operator, pin

    async def listed(self) -> tuple[Operator, ...]:
        """Everybody who was ever enrolled, oldest first."""
        rows = await self._records.read(select(operators).order_by(operators.c.id))
        return tuple(map(self._opened, rows))

    async def of_number(self, number: str) -> Operator | None:
        """The operator with this number, suspended or not."""
        row = (await self._records.read(select(operators).where(operators.c.number == number))).one_or_none()
        return self._opened(row) if row else None

    async def suspend(self, operator: int) -> bool:
        """Cut them off from now on; False where there is none, or they are suspended already."""
        return await self._set_suspended(operator, self._clock())

    async def resume(self, operator: int) -> bool:
        """Let them sign in again; False where there is none, or they are not suspended."""
        return await self._set_suspended(operator, None)

    async def reset_pin(self, operator: int, language: str) -> str | None:
        """Send them another PIN, and open their account if it was closed; the PIN, or None where there is none."""
        pin, now = new_pin(), self._clock()
        fresh = {"pin_hash": await self._pins.hashed(pin), "pin_chosen": False, **_OPEN}
        changed = update(operators).where(operators.c.id == operator).values(fresh).returning(operators)
        async with self._records.transaction() as transaction:
            row = (await transaction.execute(changed)).one_or_none()
            if row is None:
                return None
            await self._note(transaction, "operator_pin_reset", operator, f"/{now.timestamp()}")
            known = self._opened(row)
            again = Newcomer(known.number, known.name, known.centre, language)
            await self._send_pin(transaction, operator, again, pin, f"/{now.timestamp()}")
        return pin

    async def sign_in(self, number: str, pin: str, effect: str) -> SignIn:
        """Try a PIN from this number, which must be the enrolled one. Five wrong ones close the account for a while."""
        if earlier := await _tried_before(self._records.read, effect):
            return earlier
        row = (await self._records.read(select(operators).where(operators.c.number == number))).one_or_none()
        right = await self._pins.matches(pin, row.pin_hash if row else "")
        if row is None or row.suspended_at:
            return SignIn("unknown")
        return await self._decide(row.id, right=right and not _tally(row).closed(self._clock()), effect=effect)

    async def choose_pin(self, operator: int, pin_hash: str, effect: str) -> None:
        """Give them the PIN that they chose."""
        chosen = {"pin_hash": pin_hash, "pin_chosen": True, **_OPEN}
        async with self._records.transaction() as transaction:
            if await self._insert_event(transaction, operator, "pin_chosen", effect, SignIn("in", operator)):
                await transaction.execute(update(operators).where(operators.c.id == operator).values(chosen))

    async def _decide(self, operator: int, *, right: bool, effect: str) -> SignIn:
        """Tries made at once are counted one by one."""
        now = self._clock()
        held = select(operators).where(operators.c.id == operator).with_for_update()
        async with self._records.transaction() as transaction:
            row = (await transaction.execute(held)).one()
            if earlier := await _tried_before(transaction.execute, effect):
                return earlier
            result, after = _judged(row, right=right, now=now)
            await self._insert_event(transaction, operator, "pin", effect, result)
            changed = {"pin_failures": after.failures, "pin_locked_until": after.until}
            await transaction.execute(update(operators).where(operators.c.id == operator).values(changed))
        return result

    async def _insert_event(
        self, transaction: Transaction, operator: int, kind: str, effect: str, result: SignIn
    ) -> bool:
        """Whether this is the first time that something of this kind comes of this effect."""
        row = {
            "operator": operator,
            "kind": kind,
            "outcome": result.outcome,
            "tries_left": result.left,
            "locked_until": result.until,
            "effect": effect,
            "created_at": self._clock(),
        }
        noted = self._records.insert_once(operator_events).returning(operator_events.c.id)
        return (await transaction.execute(noted, row)).scalar_one_or_none() is not None

    async def _set_suspended(self, operator: int, since: datetime | None) -> bool:
        now, act = self._clock(), "operator_suspended" if since else "operator_resumed"
        otherwise = operators.c.suspended_at.is_(None) if since else operators.c.suspended_at.is_not(None)
        changed = update(operators).where(operators.c.id == operator, otherwise).values(suspended_at=since)
        async with self._records.transaction() as transaction:
            if not (await transaction.execute(changed)).rowcount:
                return False
            await self._note(transaction, act, operator, f"/{now.timestamp()}")
        return True

    async def _send_pin(self, transaction: Transaction, operator: int, to: Newcomer, pin: str, when: str = "") -> None:
        text = self._say(to.language, "operator_pin", {"pin": pin, "operator": operator, "centre": to.centre})
        await self._messages.queue(transaction, Message(to.number, text, "pin", f"operator:{operator}{when}/pin"))

    async def _note(self, transaction: Transaction, act: str, operator: int, when: str = "") -> None:
        noted = Act("staff", STAFF, act, "operator", str(operator), "terminal", f"operator:{operator}{when}")
        await self._audit.note(transaction, noted)

    async def _id_of(self, number: str) -> int:
        found = await self._records.read(select(operators.c.id).where(operators.c.number == number))
        return int(found.scalar_one())

    def _opened(self, row: Row[Any]) -> Operator:
        name = self._seal.open(row.name, _about(row.number)).decode()
        told = (row.centre, row.pin_chosen, row.created_at, row.suspended_at, row.consents_a_day)
        return Operator(row.id, row.number, name, *told, row.applications_a_day)


def name_of(seal: Sealing, row: Row[Any]) -> str:
    """What the operator is called whose row this is, or part of it."""
    return seal.open(row.name, _about(row.operator_number)).decode()


def _judged(row: Row[Any], *, right: bool, now: datetime) -> tuple[SignIn, Tally]:
    """The result of a try, and the tally after it."""
    tally = _tally(row)
    if tally.closed(now):
        return SignIn("locked", until=tally.until), tally
    if right:
        return SignIn("in" if row.pin_chosen else "first", row.id), Tally()
    after = tally.after_wrong(now)
    if after.closed(now):
        return SignIn("locked", until=after.until), after
    return SignIn("wrong", left=after.left), after


async def _tried_before(run: Run, effect: str) -> SignIn | None:
    tried = select(operator_events).where(operator_events.c.effect == effect, operator_events.c.kind == "pin")
    row = (await run(tried)).one_or_none()
    if row is None:
        return None
    is_in = row.outcome in {"in", "first"}
    return SignIn(row.outcome, row.operator if is_in else 0, row.tries_left, row.locked_until)


def _tally(row: Row[Any]) -> Tally:
    return Tally(row.pin_failures, row.pin_locked_until)


def _about(number: str) -> str:
    return f"operator:{number}"
