"""Attempts to sign in: each counts before it is judged, so that attempts at the same time cannot outrun the lock-out."""

from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import Update, func, select, update

from core.types import UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import staff
from services.citizens.lockout import FailedAttempts

AttemptState: TypeAlias = Literal["counted", "last", "refused"]
"""`last`: the member is locked unless this attempt turns out right. `refused`: it counts for nothing, even if it is right."""

UNLOCKED: Final = {"failures": 0, "locked_until": None}
"""The columns of a member who has no failed attempt."""


class StaffAttempts:
    """Counts the attempts of each member: every fifth failure in a row locks, for longer each time.

    For a login that nobody has, and for one that is locked, the database does the same amount of work.
    """

    def __init__(self, database: Database, *, clock: UtcClock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def begin(self, member: int | None) -> AttemptState:
        """Count an attempt as failed until `forgive` or `take_back`. It is refused where the member is locked, or None."""
        state: AttemptState = "refused"
        async with self._database.transaction() as transaction:
            if member is not None:
                state = await self._count(transaction, member)
            if state == "refused":
                await write_nothing(transaction)
        return state

    async def forgive(self, transaction: Transaction, member: int) -> None:
        """Forget every failed attempt: the member has signed in."""
        await transaction.execute(_update(member).values(UNLOCKED))

    async def take_back(self, member: int) -> None:
        """Count the attempt that `begin` counted as none: the password was right, and the code is still missing.

        Earlier failures stay, so that whoever has the password does not get more tries for the code with it.
        """
        async with self._database.transaction() as transaction:
            values = {"failures": staff.c.failures - 1, "locked_until": None}
            await transaction.execute(_update(member).where(staff.c.failures > 0).values(values))

    async def count_lockout(self, transaction: Transaction, member: int) -> None:
        """Count that the member was locked, for administrators to see."""
        await transaction.execute(_update(member).values(lockouts=staff.c.lockouts + 1))

    async def _count(self, transaction: Transaction, member: int) -> AttemptState:
        query = select(staff.c.failures, staff.c.locked_until).where(staff.c.id == member).with_for_update()
        row = (await transaction.execute(query)).one_or_none()
        now = self._clock()
        if row is None or (attempts := FailedAttempts(row.failures, row.locked_until)).is_locked(now):
            return "refused"
        after = attempts.add_failure(now)
        values: dict[str, Any] = {"failures": after.failures, "locked_until": after.locked_until}
        await transaction.execute(_update(member).values(values))
        return "last" if after.is_locked(now) else "counted"


async def write_nothing(transaction: Transaction) -> None:
    """Write one row as it is, so that the commit takes the time of one that writes."""
    first = select(func.min(staff.c.id)).scalar_subquery()
    await transaction.execute(update(staff).where(staff.c.id == first).values(failures=staff.c.failures))


def _update(member: int) -> Update:
    return update(staff).where(staff.c.id == member)
