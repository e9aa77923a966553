"""Handing an application in: recorded once with its first event, and the citizen is told."""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy import select

from services.applications.values import (
    COLLISIONS,
    NumbersExhausted,
    Receipt,
    Submission,
    digest_of,
    form_of,
)
from services.given import Clock, Say, Sealing, utc_now
from services.messages import Kind, Message, Messages
from services.numbers import tracking_number
from services.records.database import Records, Transaction
from services.records.tables import application_events, applications

BY_SMS: Final = "sms"  # the channel on which the receipt is the reply: it does not wait for the morning
TellElsewhere: TypeAlias = Callable[[Transaction, int, str, Mapping[str, object], str], Awaitable[None]]
"""Queues a receipt where else an account wants it: within which transaction, account, language, facts, effect."""


class _Made(NamedTuple):
    """An application that was recorded just now."""

    id: int
    tracking_number: str
    promised: date
    at: datetime


_AS_GIVEN = (
    *("account", "number", "service", "office", "department"),
    *("fee_minor", "currency", "language", "channel"),
)


class Applications:
    """Where applications are handed in. `zone` is where its days begin and end."""

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

    async def _insert(self, transaction: Transaction, new: Submission, effect: str) -> _Made | None:
        """None when the effect has an application already, or the number that was drawn belongs to another one."""
        now, number = self._clock(), tracking_number()
        promised = now.astimezone(self._zone).date() + timedelta(days=new.days)
        row = {
            **{name: getattr(new, name) for name in _AS_GIVEN},
            "tracking_number": number,
            "form": self._seal.close(json.dumps(dict(new.form)).encode(), form_of(number)),
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
        event = {"status": "received", "note": {}, "digest": digest_of(made.tracking_number, "received", {})}
        row = {**event, "application": made.id, "effect": effect, "created_at": made.at}
        await transaction.execute(self._records.insert(application_events), row)
        facts: dict[str, object] = {"service": new.service, "number": made.tracking_number, "promised": made.promised}
        facts["date"] = made.at.astimezone(self._zone).date()
        text = self._say(new.language, "received", facts)
        kind: Kind = "receipt_reply" if new.channel == BY_SMS else "receipt"
        await self._messages.queue(transaction, Message(new.number, text, kind, f"{effect}/received"))
        if self._tell_elsewhere:
            await self._tell_elsewhere(transaction, new.account, new.language, facts, f"{effect}/received")


async def _received_before(transaction: Transaction, effect: str) -> Receipt | None:
    known = select(applications.c.tracking_number, applications.c.promised).where(applications.c.effect == effect)
    row = (await transaction.execute(known)).one_or_none()
    return Receipt(row.tracking_number, row.promised, again=True) if row else None
