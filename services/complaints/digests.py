"""Feedback digests: an e-mail to a department at the end of every day or week, with counts, the average and the texts.

A period gets one digest: it is claimed, filled and queued in one transaction. Feedback that arrives while no process runs,
or too late, is in the next digest; no feedback is passed on twice.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from statistics import fmean
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import Row, select, update

from core.crypto import Cipher
from core.foreign_text import break_links
from core.typed_input import clean_text
from core.types import TextRenderer, UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import feedback, feedback_digests
from services.complaints.models import EscalationPolicy, feedback_associated_data
from services.complaints.policies import EscalationPolicies
from services.messaging.messages import Messages
from services.messaging.models import Message

MAX_QUOTES: Final = 200
"""Texts in one digest. The digest has the number of the others; the API lists all."""
RATINGS: Final = (5, 4, 3, 2, 1)

DigestPeriod: TypeAlias = Literal["day", "week"]


class FeedbackDigests:
    """Queues digests for departments with an e-mail address. The first line of `render_email` is the subject."""

    def __init__(
        self,
        database: Database,
        messages: Messages,
        cipher: Cipher,
        policies: EscalationPolicies,
        render_email: TextRenderer,
        *,
        period: DigestPeriod = "week",
        clock: UtcClock = utc_now,
    ) -> None:
        self._database = database
        self._messages = messages
        self._cipher = cipher
        self._policies = policies
        self._render_email = render_email
        self._period = period
        self._clock = clock

    async def queue_due(self) -> int:
        """Queue a digest for every department with an address and feedback of an ended period; their number."""
        # Departments without an address collect feedback for ever: the query does not read it.
        has_email = feedback.c.department.in_(self._policies.departments_with_email())
        query = select(feedback.c.department).distinct().where(has_email, feedback.c.digest.is_(None))
        departments = (await self._database.fetch(query)).scalars().all()
        return sum([await self._queue_digest(department) for department in sorted(departments)])

    async def _queue_digest(self, department: str) -> bool:
        policy = self._policies.policy_for(department)
        period_end = self._period_end(policy)
        async with self._database.transaction() as transaction:
            rows = await self._claim_rows(transaction, department, period_end)
            if rows:
                facts = self._digest_facts(rows, period_end.date(), policy)
                text = self._render_email(policy.language, "feedback", facts)
                key = f"digest:{department}:{period_end.date().isoformat()}"
                await self._messages.enqueue(transaction, Message(policy.email, text, "digest", key, "email"))
        return bool(rows)

    def _period_end(self, policy: EscalationPolicy) -> datetime:
        """The end of the last period in the department's time zone: midnight, of Sunday to Monday for weeks."""
        now = self._clock().astimezone(policy.zone)
        day = now.date() - timedelta(days=now.weekday() if self._period == "week" else 0)
        return datetime(day.year, day.month, day.day, tzinfo=policy.zone)

    async def _claim_rows(self, transaction: Transaction, department: str, period_end: datetime) -> Sequence[Row[Any]]:
        """The rows of this digest, oldest first; empty where there are none, or the digest exists already."""
        unclaimed = (
            feedback.c.department == department,
            feedback.c.digest.is_(None),
            feedback.c.created_at < period_end,
        )
        query = select(feedback).where(*unclaimed).order_by(feedback.c.id).with_for_update(skip_locked=True)
        rows = (await transaction.execute(query)).all()
        if not rows:
            return ()
        row = {"department": department, "period": period_end.date().isoformat(), "many": len(rows)}
        insert = self._database.insert_or_ignore(feedback_digests).returning(feedback_digests.c.id)
        result = await transaction.execute(insert, {**row, "created_at": self._clock()})
        digest = result.scalar_one_or_none()
        if digest is None:
            return ()
        claim = update(feedback).where(feedback.c.id.in_([row.id for row in rows])).values(digest=digest)
        await transaction.execute(claim)
        return rows

    def _digest_facts(
        self, rows: Sequence[Row[Any]], until_day: date, policy: EscalationPolicy
    ) -> Mapping[str, object]:
        ratings = Counter(row.rating for row in rows if row.rating)
        quotes = [quote for row in rows if (quote := self._quote(row, policy))]
        return {
            "until": until_day - timedelta(days=1),
            "many": len(rows),
            "rated": ratings.total() or None,
            "average": f"{fmean(ratings.elements()):.1f}" if ratings else None,
            "ratings": ", ".join(f"{rating}: {ratings[rating]}" for rating in RATINGS if ratings[rating]),
            "words": "\n".join(quotes[:MAX_QUOTES]),
            "unquoted": max(0, len(quotes) - MAX_QUOTES) or None,
        }

    def _quote(self, row: Row[Any], policy: EscalationPolicy) -> str:
        """The text of a feedback in one line, with its rating and service; empty where it has no text."""
        words = self._cipher.decrypt(row.text, feedback_associated_data(row.idempotency_key)).decode()
        text = break_links(clean_text(words))
        service = self._policies.service_name(row.service, policy.language)
        return f"- {' · '.join(filter(None, (row.rating and f'{row.rating}/5', service, text)))}" if text else ""
