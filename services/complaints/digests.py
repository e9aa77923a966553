"""What people think of a department, put together for it at the end of every day or week: counted, averaged, in their words.

A period is written for once, whatever happens: the digest is claimed, filled and queued in one transaction. What came
while nothing ran, or was written a moment too late, is in the next one; nothing is passed on twice.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from statistics import fmean
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import Row, select, update

from services.complaints.values import Office, Offices, feedback_of
from services.given import Clock, Say, Sealing, utc_now
from services.messages import Message, Messages
from services.records.database import Records, Transaction
from services.records.tables import feedback, feedback_digests

QUOTED: Final = 200  # in a letter; how many more there are is said, and all of them are to be had by the API
RATINGS: Final = (5, 4, 3, 2, 1)

Every: TypeAlias = Literal["day", "week"]


class Digests:
    """Writes them to departments that have an address."""

    def __init__(
        self,
        records: Records,
        messages: Messages,
        seal: Sealing,
        offices: Offices,
        write: Say,
        *,
        every: Every = "week",
        clock: Clock = utc_now,
    ) -> None:
        """`write` gives the texts of letters; their first line is the subject."""
        self._records = records
        self._messages = messages
        self._seal = seal
        self._offices = offices
        self._write = write
        self._every = every
        self._clock = clock

    async def step(self) -> int:
        """Write to every department that has an address and feedback of a period that is over; how many letters that is."""
        readers = feedback.c.department.in_(
            self._offices.readers()
        )  # what others have grows, and nobody fetches it here
        waiting = select(feedback.c.department).distinct().where(readers, feedback.c.digest.is_(None))
        departments = (await self._records.read(waiting)).scalars().all()
        return sum([await self._digest(department) for department in sorted(departments)])

    async def _digest(self, department: str) -> bool:
        office = self._offices.office(department)
        over = self._over(office)
        async with self._records.transaction() as transaction:
            rows = await self._claimed(transaction, department, over)
            if rows:
                effect = f"digest:{department}:{over.date().isoformat()}"
                text = self._write(office.language, "feedback", self._told(rows, over.date(), office))
                await self._messages.queue(transaction, Message(office.email, text, "digest", effect, "email"))
        return bool(rows)

    def _over(self, office: Office) -> datetime:
        """The moment at which the last period ended there: midnight, or that before Monday."""
        now = self._clock().astimezone(office.zone)
        day = now.date() - timedelta(days=now.weekday() if self._every == "week" else 0)
        return datetime(day.year, day.month, day.day, tzinfo=office.zone)

    async def _claimed(self, transaction: Transaction, department: str, over: datetime) -> Sequence[Row[Any]]:
        """The rows of this digest, oldest first; none where there are none, or it was written before."""
        theirs = (feedback.c.department == department, feedback.c.digest.is_(None), feedback.c.created_at < over)
        held = select(feedback).where(*theirs).order_by(feedback.c.id).with_for_update(skip_locked=True)
        rows = (await transaction.execute(held)).all()
        if not rows:
            return ()
        row = {"department": department, "period": over.date().isoformat(), "many": len(rows)}
        inserted = self._records.insert_once(feedback_digests).returning(feedback_digests.c.id)
        made = await transaction.execute(inserted, {**row, "created_at": self._clock()})
        digest = made.scalar_one_or_none()
        if digest is None:
            return ()
        passed_on = update(feedback).where(feedback.c.id.in_([row.id for row in rows])).values(digest=digest)
        await transaction.execute(passed_on)
        return rows

    def _told(self, rows: Sequence[Row[Any]], over: date, office: Office) -> Mapping[str, object]:
        ratings = Counter(row.rating for row in rows if row.rating)
        quoted = [said for row in rows if (said := self._quoted(row, office))]
        return {
            "until": over - timedelta(days=1),
            "many": len(rows),
            "rated": ratings.total() or None,
            "average": f"{fmean(ratings.elements()):.1f}" if ratings else None,
            "ratings": ", ".join(f"{one}: {ratings[one]}" for one in RATINGS if ratings[one]),
            "words": "\n".join(quoted[:QUOTED]),
            "unquoted": max(0, len(quoted) - QUOTED) or None,
        }

    def _quoted(self, row: Row[Any], office: Office) -> str:
        """One person's words in one line, with what they are about; nothing where there are none."""
        words = " ".join(self._seal.open(row.text, feedback_of(row.effect)).decode().split())
        about = self._offices.named(row.service, office.language)
        return f"- {' · '.join(filter(None, (row.rating and f'{row.rating}/5', about, words)))}" if words else ""
