"""Handing an application in: recorded once with its first event, and the citizen is told."""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import select

from services.applications.drafts import Drafts
from services.applications.values import (
    COLLISIONS,
    NumbersExhausted,
    Receipt,
    Submission,
    ZoneOf,
    digest_of,
    form_of,
)
from services.audit import Act, Audit
from services.channels import BY_SMS
from services.closed import still_open
from services.given import Clock, Say, Sealing, utc_now
from services.messages import Kind, Message, Messages
from services.numbers import tracking_number
from services.records.database import Records, Transaction
from services.records.tables import application_events, applications

TellElsewhere: TypeAlias = Callable[[Transaction, int, str, Mapping[str, object], str], Awaitable[None]]
"""Queues a receipt where else an account wants it: within which transaction, account, language, facts, effect."""
HandedIn: TypeAlias = Callable[[Transaction, int, Submission, str], Awaitable[None]]
"""Hands it on to whoever works on it: within which transaction, the application's id, what it says, its tracking number."""
Learn: TypeAlias = Callable[[Transaction, int, Mapping[str, str], str], Awaitable[None]]
"""Keeps what a citizen told of themselves: within which transaction, account, profile key to answer, effect."""
LanguageOf: TypeAlias = Callable[[str], Awaitable[str]]
"""The language in which a number is written to."""


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
    """Where applications are handed in. `zone_of` is where a department's days begin and end."""

    def __init__(
        self,
        records: Records,
        messages: Messages,
        seal: Sealing,
        say: Say,
        zone_of: ZoneOf,
        *,
        tell_elsewhere: TellElsewhere | None = None,
        handed_in: HandedIn | None = None,
        learn: Learn | None = None,
        drafts: Drafts | None = None,
        language_of: LanguageOf | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._records = records
        self._audit = Audit(records, clock=clock)
        self._tell_elsewhere = tell_elsewhere
        self._handed_in = handed_in
        self._learn = learn
        self._drafts = drafts
        self._language_of = language_of
        self._messages = messages
        self._seal = seal
        self._say = say
        self._zone_of = zone_of
        self._clock = clock

    async def submit(self, new: Submission, effect: str, pressed: str = "") -> Receipt:
        """Record the application and its first event, and tell everybody; the same effect gets the same receipt.

        `effect` is that under which its form was opened, `pressed` that of the key press which hands it in.

        Raises:
            AccountClosed: whose it would be was deleted meanwhile.
        """
        async with self._records.transaction() as transaction:
            for _ in range(COLLISIONS):
                made = await self._insert(transaction, new, effect)
                if made is not None:
                    await still_open(transaction, new.account, pressed or effect)
                    await self._receive(transaction, made, new, effect)
                    await self._hand_on(transaction, made, new, effect, pressed or effect)
                    return Receipt(made.tracking_number, made.promised)
                if receipt := await _received_before(transaction, effect):
                    return receipt
        raise NumbersExhausted("No free tracking number was drawn; the source of chance does not work.")

    async def _insert(self, transaction: Transaction, new: Submission, effect: str) -> _Made | None:
        """None when the effect has an application already, or the number that was drawn belongs to another one."""
        now, number = self._clock(), tracking_number()
        promised = now.astimezone(self._zone_of(new.department)).date() + timedelta(days=new.days)
        row = {
            **{name: getattr(new, name) for name in _AS_GIVEN},
            "tracking_number": number,
            "beneficiary": new.beneficiary or None,
            "on_file": list(new.on_file),
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
        facts = self._told(made, new)
        text = self._say(new.language, "received", facts)
        # to whom wrote an SMS, the receipt is the reply: it does not wait for the morning
        kind: Kind = "receipt_reply" if new.channel == BY_SMS else "receipt"
        await self._messages.queue(transaction, Message(new.number, text, kind, f"{effect}/received"))
        if self._tell_elsewhere:
            await self._tell_elsewhere(transaction, new.account, new.language, facts, f"{effect}/received")
        if new.beneficiary:
            await self._tell_other(transaction, made, new, effect)

    async def _tell_other(self, transaction: Transaction, made: _Made, new: Submission, effect: str) -> None:
        """Tell the other person, in their language, and how to say that they do not want it."""
        language = await self._language_of(new.beneficiary) if self._language_of else new.language
        text = self._say(language, "applied_for_you", {"service": new.service, "number": made.tracking_number})
        await self._messages.queue(transaction, Message(new.beneficiary, text, "status", f"{effect}/received/other"))

    async def _hand_on(self, transaction: Transaction, made: _Made, new: Submission, effect: str, pressed: str) -> None:
        """What else follows of it, written with it or not at all."""
        await self._audit.note(transaction, _act(made, new, effect))
        if self._learn and new.profile:
            await self._learn(transaction, new.account, new.profile, pressed)
        if self._drafts:
            await self._drafts.end(transaction, new.account, effect, pressed)
        if self._handed_in:
            await self._handed_in(transaction, made.id, new, made.tracking_number)

    def _told(self, made: _Made, new: Submission) -> dict[str, Any]:
        """The facts that a receipt says."""
        return {
            "service": new.service,
            "number": made.tracking_number,
            "promised": made.promised,
            "date": made.at.astimezone(self._zone_of(new.department)).date(),
            "bring": list(new.bring),
            "bring_to": new.office if new.bring else "",
            "due": [new.fee_minor, new.currency] if new.to_pay_at else None,
            "to_pay_at": new.to_pay_at,
            "to_pay_here": [new.fee_minor, new.currency] if new.fee_minor and not new.to_pay_at else None,
        }


def _act(made: _Made, new: Submission, effect: str) -> Act:
    return Act(
        actor_kind="citizen",
        actor=str(new.account),
        act="handed_in",
        subject_kind="application",
        subject=made.tracking_number,
        channel=new.channel,
        effect=effect,
        details={"service": new.service, "for": "another" if new.beneficiary else "self"},
    )


async def _received_before(transaction: Transaction, effect: str) -> Receipt | None:
    known = select(applications.c.tracking_number, applications.c.promised).where(applications.c.effect == effect)
    row = (await transaction.execute(known)).one_or_none()
    return Receipt(row.tracking_number, row.promised, again=True) if row else None
