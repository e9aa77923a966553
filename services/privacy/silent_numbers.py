"""Releases the numbers of accounts that were silent for long, and deletes released accounts that nobody claims."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from core.claim_worker import result_or_log
from core.types import UtcClock, utc_now
from db.database import Database
from db.tables import accounts, callers, consents, missed_calls, payments
from services.audit.models import Actor
from services.citizens.number_release import NumberReleases, ReleaseRequest
from services.privacy.models import DataRequest

BATCH_SIZE: Final = 100
RELEASER: Final = Actor("gateway", "silent_numbers", "job")


class SilentNumbers:
    """Finds numbers that nobody uses. An account is in use while somebody signs in to it, or calls from its number."""

    def __init__(
        self,
        *,
        database: Database,
        releases: NumberReleases,
        delete_account: Callable[[DataRequest], Awaitable[None]],
        release_after: timedelta | None,
        delete_after: timedelta,
        clock: UtcClock = utc_now,
    ) -> None:
        """Without `release_after` no silent number is released; `delete_after` is the time since a release."""
        self._database = database
        self._releases = releases
        self._delete_account = delete_account
        self._release_after = release_after
        self._delete_after = delete_after
        self._clock = clock

    async def release_due(self) -> int:
        """Release at most BATCH_SIZE numbers, the longest silent first; their number."""
        if self._release_after is None:
            return 0
        before = self._clock() - self._release_after
        last_used_at = func.coalesce(accounts.c.last_used_at, accounts.c.created_at)
        since = before.date()
        query = (
            select(accounts.c.id, accounts.c.msisdn)
            .where(accounts.c.closed_at.is_(None), accounts.c.released_at.is_(None), last_used_at < before)
            .where(
                ~_exists(callers.c.msisdn, or_(callers.c.chosen_at >= before, callers.c.seen_on >= since)),
                ~_exists(missed_calls.c.msisdn, missed_calls.c.begun_at >= before),
                ~_exists(consents.c.msisdn, consents.c.given_at >= before),
                ~_exists(payments.c.payer, and_(payments.c.status == "paid", payments.c.ended_at >= before)),
            )
            .order_by(last_used_at)
            .limit(BATCH_SIZE)
        )
        rows = (await self._database.fetch(query)).all()
        for row in rows:
            key = f"silence:{row.id}:{self._clock().date()}"
            releasing = self._releases.release(ReleaseRequest(row.msisdn, "silence", RELEASER, key))
            await result_or_log(releasing, "silent_number_not_released", account=row.id)
        return len(rows)

    async def delete_unclaimed(self) -> int:
        """Delete at most BATCH_SIZE accounts that were released long ago, as their holders could; their number."""
        before = self._clock() - self._delete_after
        query = (
            select(accounts.c.id, accounts.c.msisdn, accounts.c.language)
            .where(accounts.c.closed_at.is_(None), accounts.c.released_at < before)
            .order_by(accounts.c.released_at)
            .limit(BATCH_SIZE)
        )
        rows = (await self._database.fetch(query)).all()
        for row in rows:
            key = f"unclaimed-{row.id}:1"
            deleting = self._delete_account(DataRequest(row.id, row.msisdn, row.language, "job", key, RELEASER))
            await result_or_log(deleting, "unclaimed_account_not_deleted", account=row.id)
        return len(rows)


def _exists(column: ColumnElement[str], condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(column == accounts.c.msisdn, condition)
