"""Transactions for somebody who waits: none begins or commits too late, and whoever is told something is told the truth."""

import asyncio
from time import monotonic

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncTransaction

from core.deadline import Deadline, NotRecordedError, OutcomeUnknownError, OverloadedError, running_until
from db.database import Database
from db.tables import callers
from tests.unit.db.test_database import RAHIMA, caller_numbers, caller_row

SECONDS = 8.0
SHORT = 0.2  # seconds; what a test waits for in full


def deadline_at(share: float, seconds: float = SECONDS) -> Deadline:
    """A deadline of which this share is over."""
    return Deadline(monotonic() - share * seconds, seconds)


async def record_caller(database: Database, deadline: Deadline | None, *, late_by: float = 0.0) -> None:
    """Write one row; in the block, `late_by` seconds of the deadline pass."""
    with running_until(deadline):
        async with database.transaction() as transaction:
            await transaction.execute(insert(callers).values(caller_row()))
            if deadline is not None:
                deadline.started -= late_by


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> "CommitPlan":
    plan = CommitPlan()
    original = AsyncTransaction.commit

    async def commit(transaction: AsyncTransaction) -> None:
        plan.begun.set()
        if plan.error is not None:
            await transaction.rollback()
            raise plan.error
        await plan.may_go_on.wait()
        await original(transaction)

    monkeypatch.setattr(AsyncTransaction, "commit", commit)
    return plan


class CommitPlan:
    """What commits do: they wait until they may go on, or fail with `error`."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.error: Exception | None = None


async def test_a_transaction_in_time_is_committed_and_counts_as_a_commit(database: Database) -> None:
    deadline = deadline_at(0.1)
    await record_caller(database, deadline)
    assert await caller_numbers(database) == [RAHIMA]
    assert deadline.may_have_recorded


async def test_no_transaction_begins_when_too_little_time_is_left(database: Database) -> None:
    deadline = deadline_at(0.81)
    with pytest.raises(OverloadedError):
        await record_caller(database, deadline)
    assert await caller_numbers(database) == []
    assert not deadline.may_have_recorded


async def test_what_became_late_in_its_statements_is_not_committed(database: Database) -> None:
    deadline = deadline_at(0.5)
    with pytest.raises(OverloadedError):
        await record_caller(database, deadline, late_by=0.4 * SECONDS)
    assert await caller_numbers(database) == []
    assert not deadline.may_have_recorded


async def test_background_work_has_no_deadline(database: Database) -> None:
    await record_caller(database, None)
    assert await caller_numbers(database) == [RAHIMA]


async def test_a_commit_that_has_begun_is_awaited_although_the_caller_is_cancelled(
    database: Database, commits: CommitPlan
) -> None:
    deadline = deadline_at(0.1)
    commits.may_go_on.clear()
    writing = asyncio.create_task(record_caller(database, deadline))
    await commits.begun.wait()
    writing.cancel()
    await asyncio.sleep(0)
    assert not writing.done()
    commits.may_go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert await caller_numbers(database) == [RAHIMA]
    assert deadline.may_have_recorded


async def test_a_commit_without_an_answer_has_an_unknown_outcome_and_leaves_the_database_usable(
    database: Database, commits: CommitPlan
) -> None:
    deadline = deadline_at(0.0, SHORT)
    commits.may_go_on.clear()
    with pytest.raises(OutcomeUnknownError):
        await record_caller(database, deadline)
    assert deadline.may_have_recorded
    commits.may_go_on.set()
    await record_caller(database, None)
    assert await caller_numbers(database) == [RAHIMA]


@pytest.mark.parametrize("is_broken", [False, True])
async def test_a_failed_commit_is_certain_unless_the_connection_broke(
    database: Database, commits: CommitPlan, is_broken: bool
) -> None:
    deadline = deadline_at(0.1)
    commits.error = OperationalError("COMMIT", {}, Exception(), connection_invalidated=is_broken)
    with pytest.raises(OperationalError):
        await record_caller(database, deadline)
    assert deadline.may_have_recorded is is_broken
    assert await caller_numbers(database) == []


@pytest.mark.parametrize("share", [share / 20 for share in range(20)])
async def test_wherever_the_time_runs_out_the_caller_knows_what_was_recorded(database: Database, share: float) -> None:
    """`share` of the deadline is over at the begin; more of it passes in the block, in steps of a twentieth."""
    for step in range(20 - round(share * 20)):
        deadline = deadline_at(share)
        try:
            await record_caller(database, deadline, late_by=step / 20 * SECONDS)
        except NotRecordedError:
            assert await caller_numbers(database) == []
            assert not deadline.may_have_recorded
        else:
            assert await caller_numbers(database) == [RAHIMA]
            assert deadline.may_have_recorded
            assert share < 0.8
            assert share + step / 20 < 0.9
            async with database.transaction() as transaction:
                await transaction.execute(callers.delete())


async def test_a_write_in_a_batch_is_dropped_when_it_is_too_late_and_the_others_are_written(database: Database) -> None:
    upsert = database.bulk_upsert(
        callers, (callers.c.msisdn, callers.c.language, callers.c.session, callers.c.chosen_at)
    )
    row = caller_row()
    with running_until(deadline_at(0.9)), pytest.raises(OverloadedError):
        await upsert([row])
    assert await caller_numbers(database) == []
    with running_until(deadline_at(0.1)):
        await upsert([row])
    assert (await database.fetch(select(callers.c.language))).scalars().all() == ["bn"]
