"""Applications: handed in once, followed by their tracking number, moved on by the department they belong to."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any, Final, Literal, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, select, update

from services.given import Clock, Say, Sealing, Texts, utc_now
from services.messages import Kind, Message, Messages
from services.numbers import tracking_number
from services.records.database import Records, Transaction
from services.records.tables import accounts, application_events, applications

STATUSES: Final = (
    *("received", "under_review", "more_information", "approved"),
    *("rejected", "ready", "delivered", "withdrawn"),
)
FINAL: Final = frozenset(
    {"delivered", "withdrawn"}
)  # a rejection can be appealed; what was handed over was handed over
LISTED: Final = 20
BY_SMS: Final = "sms"  # the channel on which the receipt is the reply: it does not wait for the morning
COLLISIONS: Final = 5  # in a row, out of 10**11 numbers: the draw is broken, not unlucky

Reason: TypeAlias = Literal["unknown", "no_such_status", "final", "conflict"]
TellElsewhere: TypeAlias = Callable[[Transaction, int, str, Mapping[str, object], str], Awaitable[None]]
"""Queues a receipt where else an account wants it: within which transaction, account, language, facts, effect."""


class NumbersExhausted(RuntimeError):
    """Every tracking number that was drawn is in use: the source of chance does not work."""


@dataclass(frozen=True, slots=True)
class Submission:
    """An application as it is handed in. `days`: calendar days in which it is promised; the fee in hundredths."""

    account: int
    number: str = field(repr=False)
    service: str
    office: str
    department: str
    form: Mapping[str, str] = field(repr=False)
    days: int
    fee_minor: int
    currency: str
    language: str
    channel: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a citizen holds afterwards: the number to follow it by, and the day it is promised for.

    `again`: it was handed in by an earlier call with the same effect, and its SMS went out then.
    """

    tracking_number: str
    promised: date
    again: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Status:
    """What anyone who has the number may know: nothing about a person. Days are days where the gateway stands."""

    number: str
    service: str
    status: str
    changed: date
    promised: date | None
    note: Texts


@dataclass(frozen=True, slots=True)
class Event:
    """One step of an application's way."""

    status: str
    note: Texts
    at: datetime


@dataclass(frozen=True, slots=True)
class Filed:
    """An application as its department sees it: the form is open, `number` is the citizen's, events oldest first."""

    tracking_number: str
    number: str = field(repr=False)
    service: str
    office: str
    form: Mapping[str, str] = field(repr=False)
    language: str
    channel: str
    status: str
    note: Texts
    promised: date | None
    received: datetime
    changed: datetime
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """An application was moved. `again`: that was done by an earlier call with the same key, and not once more now."""

    tracking_number: str
    status: str
    note: Texts
    at: datetime
    again: bool = False


@dataclass(frozen=True, slots=True)
class NotMoved:
    """It was not, for one of four reasons.

    `unknown`: this department has no such application; `no_such_status`: none of STATUSES; `final`: it is
    delivered or withdrawn; `conflict`: the key was used for something else.
    """

    reason: Reason


class _Made(NamedTuple):
    """An application that was recorded just now."""

    id: int
    tracking_number: str
    promised: date
    at: datetime


_TOLD = tuple(
    applications.c[name] for name in ("tracking_number", "service", "status", "changed_at", "promised", "note")
)
_AS_GIVEN = (
    *("account", "number", "service", "office", "department"),
    *("fee_minor", "currency", "language", "channel"),
)
_AS_FILED = ("tracking_number", "number", "service", "office", "language", "channel", "status", "note", "promised")


class Applications:
    """Every application. `zone` is where its days begin and end."""

    def __init__(
        self,
        records: Records,
        messages: Messages,
        seal: Sealing,
        say: Say,
        zone: ZoneInfo,
        *,
        tell_elsewhere: TellElsewhere | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._records = records
        self._tell_elsewhere = tell_elsewhere
        self._messages = messages
        self._seal = seal
        self._say = say
        self._zone = zone
        self._clock = clock
        self.status = records.lookup(applications.c.tracking_number, _TOLD, self._told)
        """What became of the application with a tracking number; None when there is none."""

    async def submit(self, new: Submission, effect: str) -> Receipt:
        """Record the application and its first event, and tell the citizen; the same effect gets the same receipt."""
        async with self._records.transaction() as transaction:
            for _ in range(COLLISIONS):
                made = await self._insert(transaction, new, effect)
                if made is not None:
                    await self._receive(transaction, made, new, effect)
                    return Receipt(made.tracking_number, made.promised)
                if receipt := await _received_before(transaction, effect):
                    return receipt
        raise NumbersExhausted("No free tracking number was drawn; the source of chance does not work.")

    async def own(self, account: int) -> tuple[Status, ...]:
        """The account's latest twenty, newest first."""
        latest = (
            select(*_TOLD).where(applications.c.account == account).order_by(applications.c.id.desc()).limit(LISTED)
        )
        return tuple(map(self._told, await self._records.read(latest)))

    async def send_status(self, to: str, tracking_number: str, language: str, effect: str) -> bool:
        """Send what became of it by SMS; False when there is no application with this number."""
        status = await self.status(tracking_number)
        if status is None:
            return False
        await self._messages.send(Message(to, self._status_said(status, language), "info", f"{effect}/status"))
        return True

    async def send_latest(self, to: str, language: str, effect: str) -> bool:
        """Send what became of the newest application of this number's account; False, and an SMS that says so, when none."""
        newest = (
            select(*_TOLD).join(accounts).where(accounts.c.number == to).order_by(applications.c.id.desc()).limit(1)
        )
        row = (await self._records.read(newest)).one_or_none()
        text = self._status_said(self._told(row), language) if row else self._say(language, "no_application", {})
        await self._messages.send(Message(to, text, "link", f"{effect}/status"))
        return row is not None

    async def filed(self, department: str, tracking_number: str) -> Filed | None:
        """The whole application for the department it belongs to; None for every other."""
        found = await self._records.read(_of_department(department, tracking_number))
        row = found.one_or_none()
        if row is None:
            return None
        asked = select(application_events).where(application_events.c.application == row.id)
        events = await self._records.read(asked.order_by(application_events.c.id))
        return self._opened(row, tuple(Event(event.status, event.note, event.created_at) for event in events))

    async def move(self, department: str, tracking_number: str, status: str, note: Texts, key: str) -> Moved | NotMoved:
        """Move an application of this department to `status`, and tell the citizen by SMS in their language.

        `key` is the department's own; the same key with the same words is answered as before and does nothing.
        """
        if status not in STATUSES:
            return NotMoved("no_such_status")
        event: dict[str, Any] = {"status": status, "note": dict(note), "digest": _digest(tracking_number, status, note)}
        effect = f"api:{sha256(json.dumps([department, key]).encode()).hexdigest()}"
        async with self._records.transaction() as transaction:
            found = await transaction.execute(_of_department(department, tracking_number).with_for_update())
            row = found.one_or_none()
            if row is None:
                return NotMoved("unknown")
            if earlier := await _moved_before(transaction, tracking_number, effect, event["digest"]):
                return earlier
            if row.status in FINAL:
                return NotMoved("final")
            return await self._move(transaction, row, event, effect)

    async def _insert(self, transaction: Transaction, new: Submission, effect: str) -> _Made | None:
        """None when the effect has an application already, or the number that was drawn belongs to another one."""
        now, number = self._clock(), tracking_number()
        promised = now.astimezone(self._zone).date() + timedelta(days=new.days)
        row = {
            **{name: getattr(new, name) for name in _AS_GIVEN},
            "tracking_number": number,
            "form": self._seal.close(json.dumps(dict(new.form)).encode(), _about(number)),
            "promised": promised,
            "status": "received",
            "note": {},
            "effect": effect,
            "created_at": now,
            "changed_at": now,
        }
        inserted = self._records.insert_once(applications).returning(applications.c.id)
        application = (await transaction.execute(inserted, row)).scalar_one_or_none()
        return None if application is None else _Made(application, number, promised, now)

    async def _receive(self, transaction: Transaction, made: _Made, new: Submission, effect: str) -> None:
        event = {"status": "received", "note": {}, "digest": _digest(made.tracking_number, "received", {})}
        row = {**event, "application": made.id, "effect": effect, "created_at": made.at}
        await transaction.execute(self._records.insert(application_events), row)
        facts: dict[str, object] = {"service": new.service, "number": made.tracking_number, "promised": made.promised}
        facts["date"] = made.at.astimezone(self._zone).date()
        text = self._say(new.language, "received", facts)
        kind: Kind = "receipt_reply" if new.channel == BY_SMS else "receipt"
        await self._messages.queue(transaction, Message(new.number, text, kind, f"{effect}/received"))
        if self._tell_elsewhere:
            await self._tell_elsewhere(transaction, new.account, new.language, facts, f"{effect}/received")

    async def _move(
        self, transaction: Transaction, row: Row[Any], event: Mapping[str, Any], effect: str
    ) -> Moved | NotMoved:
        now, moved = self._clock(), (event["status"], event["note"])
        noted = {**event, "application": row.id, "effect": effect, "created_at": now}
        inserted = self._records.insert_once(application_events).returning(application_events.c.id)
        if (await transaction.execute(inserted, noted)).scalar_one_or_none() is None:
            return NotMoved("conflict")  # at this very moment the key was used for another application
        changed = {"status": event["status"], "note": event["note"], "changed_at": now}
        await transaction.execute(update(applications).where(applications.c.id == row.id).values(changed))
        text = self._say(row.language, "moved", _facts(row.tracking_number, row.service, *moved))
        await self._messages.queue(transaction, Message(row.number, text, "status", f"{effect}/moved"))
        return Moved(row.tracking_number, *moved, at=now)

    def _status_said(self, status: Status, language: str) -> str:
        facts = _facts(status.number, status.service, status.status, status.note)
        return self._say(language, "status", {**facts, "changed": status.changed, "promised": status.promised})

    def _told(self, row: Sequence[Any]) -> Status:
        number, service, status, changed, promised, note = row
        return Status(number, service, status, changed.astimezone(self._zone).date(), promised, note)

    def _opened(self, row: Row[Any], events: tuple[Event, ...]) -> Filed:
        form = json.loads(self._seal.open(row.form, _about(row.tracking_number)))
        plain = {name: getattr(row, name) for name in _AS_FILED}
        return Filed(**plain, form=form, received=row.created_at, changed=row.changed_at, events=events)


def _of_department(department: str, tracking_number: str) -> Select[Any]:
    return select(applications).where(
        applications.c.tracking_number == tracking_number, applications.c.department == department
    )


async def _received_before(transaction: Transaction, effect: str) -> Receipt | None:
    known = select(applications.c.tracking_number, applications.c.promised).where(applications.c.effect == effect)
    row = (await transaction.execute(known)).one_or_none()
    return Receipt(row.tracking_number, row.promised, again=True) if row else None


async def _moved_before(
    transaction: Transaction, tracking_number: str, effect: str, digest: bytes
) -> Moved | NotMoved | None:
    known = select(application_events).where(application_events.c.effect == effect)
    row = (await transaction.execute(known)).one_or_none()
    if row is None:
        return None
    if row.digest != digest:
        return NotMoved("conflict")
    return Moved(tracking_number, row.status, row.note, row.created_at, again=True)


def _digest(tracking_number: str, status: str, note: Texts) -> bytes:
    """The same for the same words, in whatever order the languages of the note came."""
    return sha256(json.dumps([tracking_number, status, dict(note)], sort_keys=True).encode()).digest()


def _facts(number: str, service: str, status: str, note: Texts) -> dict[str, object]:
    return {"number": number, "service": service, "status": status, "note": note}


def _about(tracking_number: str) -> str:
    return f"application:{tracking_number}"
