"""Complaints and suggestions, in a citizen's own words; each gets a number that it can be named by."""

from dataclasses import dataclass, field

from sqlalchemy import Select, select

from services.applications import COLLISIONS, NumbersExhausted
from services.given import Clock, Sealing, utc_now
from services.numbers import tracking_number
from services.records.database import Records, Transaction
from services.records.tables import applications, complaints, feedback


@dataclass(frozen=True, slots=True)
class Complaint:
    """What somebody complains of. `about` is the tracking number of an application, or empty."""

    number: str = field(repr=False)
    text: str = field(repr=False)
    language: str
    channel: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What somebody would have otherwise."""

    number: str = field(repr=False)
    text: str = field(repr=False)
    language: str
    channel: str


@dataclass(frozen=True, slots=True)
class Filed:
    """A complaint that was recorded: its twelve digits, and the tracking number it is tied to, or empty."""

    complaint_number: str
    about: str


class Complaints:
    """All of them; what people wrote is sealed in the tables."""

    def __init__(self, records: Records, seal: Sealing, *, clock: Clock = utc_now) -> None:
        self._records = records
        self._seal = seal
        self._clock = clock

    async def complain(self, new: Complaint, effect: str) -> Filed:
        """Record a complaint as received; the same effect gets the same number.

        A tracking number that no application has ties it to none, and is part of the words, where nothing is lost.
        """
        async with self._records.transaction() as transaction:
            application = (await transaction.execute(_application(new.about))).scalar_one_or_none()
            for _ in range(COLLISIONS):
                if number := await self._insert(transaction, new, application, effect):
                    return Filed(number, new.about if application else "")
                if filed := await _filed_before(transaction, effect):
                    return filed
        raise NumbersExhausted("No free complaint number was drawn; the source of chance does not work.")

    async def suggest(self, new: Suggestion, effect: str) -> str:
        """Record a suggestion; its twelve digits, the same for the same effect."""
        known = select(feedback.c.feedback_number).where(feedback.c.effect == effect)
        async with self._records.transaction() as transaction:
            for _ in range(COLLISIONS):
                if number := await self._insert_suggestion(transaction, new, effect):
                    return number
                if earlier := (await transaction.execute(known)).scalar_one_or_none():
                    return str(earlier)
        raise NumbersExhausted("No free feedback number was drawn; the source of chance does not work.")

    async def _insert_suggestion(self, transaction: Transaction, new: Suggestion, effect: str) -> str | None:
        """As `_insert`."""
        number = tracking_number()
        row = {
            "feedback_number": number,
            "number": new.number,
            "text": self._seal.close(new.text.encode(), f"feedback:{effect}"),
            "language": new.language,
            "channel": new.channel,
            "effect": effect,
            "created_at": self._clock(),
        }
        inserted = self._records.insert_once(feedback).returning(feedback.c.id)
        return number if (await transaction.execute(inserted, row)).scalar_one_or_none() else None

    async def _insert(
        self, transaction: Transaction, new: Complaint, application: int | None, effect: str
    ) -> str | None:
        """Its number; None when the effect has a complaint already, or the number that was drawn belongs to another."""
        now, number = self._clock(), tracking_number()
        row = {
            "complaint_number": number,
            "number": new.number,
            "application": application,
            "text": self._seal.close(new.text.encode(), f"complaint:{number}"),
            "status": "received",
            "language": new.language,
            "channel": new.channel,
            "effect": effect,
            "created_at": now,
            "changed_at": now,
        }
        inserted = self._records.insert_once(complaints).returning(complaints.c.id)
        return number if (await transaction.execute(inserted, row)).scalar_one_or_none() else None


def _application(tracking: str) -> Select[tuple[int]]:
    return select(applications.c.id).where(applications.c.tracking_number == tracking)


async def _filed_before(transaction: Transaction, effect: str) -> Filed | None:
    about = complaints.outerjoin(applications, applications.c.id == complaints.c.application)
    known = select(complaints.c.complaint_number, applications.c.tracking_number).select_from(about)
    row = (await transaction.execute(known.where(complaints.c.effect == effect))).one_or_none()
    return Filed(row.complaint_number, row.tracking_number or "") if row else None
