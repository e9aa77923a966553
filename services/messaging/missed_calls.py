"""One answer to a caller in each cooldown, however often they call and whichever process receives the call.

An answer is begun, given, and then marked as given. If the gateway dies in between, the caller's next call gets it once
more under the same idempotency key: it is neither lost nor sent twice.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, select, update

from core.crypto import Cipher
from core.types import UtcClock, utc_now
from db.database import Database
from db.tables import missed_calls

ANSWER_TIMEOUT: Final = timedelta(seconds=30)  # far longer than giving an answer takes


@dataclass(frozen=True, slots=True)
class PendingAnswer:
    """An answer to give now, under an idempotency key; `sequence` counts the answers to this number, from 1."""

    msisdn: str = field(repr=False)
    action: str
    sequence: int
    idempotency_key: str


class AnswerCooldown:
    """The time of the last answer to each caller. It is in the database, so that losing Redis does not lose it."""

    def __init__(self, database: Database, cipher: Cipher, duration: timedelta, *, clock: UtcClock = utc_now) -> None:
        self._database = database
        self._cipher = cipher
        self._duration = duration
        self._clock = clock
        row = database.insert(missed_calls)
        self._begin_statement = row.on_conflict_do_update(
            index_elements=[missed_calls.c.msisdn, missed_calls.c.action],
            set_={
                "answer_count": missed_calls.c.answer_count + 1,
                "answered": False,
                "begun_at": row.excluded.begun_at,
            },
            where=missed_calls.c.begun_at <= bindparam("over"),
        ).returning(missed_calls.c.answer_count)

    async def begin(self, msisdn: str, action: str) -> PendingAnswer | None:
        """Return the answer to give to this call; None if the caller had this one within the cooldown."""
        now = self._clock()
        row = {"msisdn": msisdn, "action": action, "answer_count": 1, "answered": False, "begun_at": now}
        async with self._database.transaction() as transaction:
            begun = await transaction.execute(self._begin_statement, {**row, "over": now - self._duration})
            times = begun.scalar_one_or_none()
            if times is None:
                parameters = {"asked": msisdn, "with": action, "now": now, "before": now - ANSWER_TIMEOUT}
                times = (await transaction.execute(_RETRY, parameters)).scalar_one_or_none()
        return (
            PendingAnswer(msisdn, action, times, self._build_idempotency_key(msisdn, action, times)) if times else None
        )

    async def find_end(self, msisdn: str, action: str) -> datetime | None:
        """When a caller who had this answer can get it again; None where there was none."""
        begun = (await self._database.fetch(_FIND_BEGIN, {"asked": msisdn, "with": action})).scalar()
        return begun + self._duration if begun else None

    async def mark_answered(self, answer: PendingAnswer) -> None:
        """Mark an answer as given."""
        facts = {"asked": answer.msisdn, "with": answer.action, "now_given": answer.sequence}
        async with self._database.transaction() as transaction:
            await transaction.execute(_MARK_ANSWERED, facts)

    def _build_idempotency_key(self, msisdn: str, action: str, sequence: int) -> str:
        return f"missed:{self._cipher.keyed_hash('missed call', msisdn)}:{action}:{sequence}"


_this_answer = (missed_calls.c.msisdn == bindparam("asked"), missed_calls.c.action == bindparam("with"))
_RETRY = (
    update(missed_calls)
    .where(*_this_answer, missed_calls.c.answered.is_(False), missed_calls.c.begun_at <= bindparam("before"))
    .values(begun_at=bindparam("now"))
    .returning(missed_calls.c.answer_count)
)
_FIND_BEGIN = select(missed_calls.c.begun_at).where(*_this_answer)
_MARK_ANSWERED = (
    update(missed_calls)
    .where(*_this_answer, missed_calls.c.answer_count == bindparam("now_given"))
    .values(answered=True)
)
