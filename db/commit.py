"""Commit for somebody who waits: not after the deadline, and once begun to its end, so that they are told the truth."""

import asyncio
from time import monotonic

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncTransaction

from core.deadline import Deadline, OutcomeUnknownError


async def commit_in_time(transaction: AsyncTransaction, deadline: Deadline) -> None:
    """Commit, and wait for the answer until `deadline.answer_by`, even where this task is cancelled meanwhile.

    Raises:
        OverloadedError: too little time is left, and nothing is committed.
        OutcomeUnknownError: no answer came in time.
        DBAPIError: the commit failed.
        CancelledError: this task was cancelled; `deadline.may_have_recorded` says whether after the commit.
    """
    deadline.check_commit()
    deadline.commits += 1
    commit = asyncio.ensure_future(transaction.commit())
    cancellation = await _wait_until_done(commit, deadline.answer_by)
    if not commit.done():
        commit.cancel()  # the connection is closed with it
        await asyncio.wait({commit})
        raise OutcomeUnknownError("the database did not answer a commit in time")
    try:
        commit.result()
    except DBAPIError as error:
        if not error.connection_invalidated:  # the database itself says that it did not commit
            deadline.commits -= 1
        raise
    if cancellation is not None:
        raise cancellation


async def _wait_until_done(task: "asyncio.Future[None]", until: float) -> asyncio.CancelledError | None:
    """Wait until the task is done or the time is over; a cancellation of our own task meanwhile is returned."""
    cancellation: asyncio.CancelledError | None = None
    while not task.done() and (left := until - monotonic()) > 0:
        try:
            await asyncio.wait({task}, timeout=left)
        except asyncio.CancelledError as error:
            cancellation = error
    return cancellation
