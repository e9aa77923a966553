"""Periodic jobs go on after failures, have a timeout, and end with their block."""

import asyncio
from contextlib import suppress
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from core.periodic import PeriodicJob, background, run_periodically


def build_job(done, name, problem="it could not be done", timeout=5.0):
    """A job that records its name; a name that is an error is raised."""

    async def work():
        done.put_nowait(name)
        if isinstance(name, Exception):
            raise name

    return PeriodicJob(work, problem, timeout)


async def test_jobs_run_in_turn_and_a_failed_job_is_logged_and_runs_again():
    done, failure = asyncio.Queue(), ConnectionResetError("of +8801712345678")
    with capture_logs() as logs:
        async with run_periodically(0, build_job(done, failure), build_job(done, "other")), asyncio.timeout(5):
            took = [await done.get() for _ in range(6)]
    assert all(one != next_one for one, next_one in pairwise(took))
    assert logs[0]["event"] == "it could not be done"
    assert logs[0]["error"] == "ConnectionResetError"
    assert "8801712345678" not in str(logs)


async def test_a_job_that_exceeds_its_timeout_is_cancelled_and_logged():
    with capture_logs() as logs:
        await PeriodicJob(asyncio.Event().wait, "it could not be done", timeout=0.01).run_once()
    assert [(line["event"], line["error"]) for line in logs] == [("it could not be done", "TimeoutError")]


async def test_an_initial_delay_postpones_the_jobs():
    done = asyncio.Queue()
    async with run_periodically(60, build_job(done, "late"), initial_delay=60):
        await asyncio.sleep(0)
    assert done.empty()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_background_work_is_cancelled_when_the_block_ends():
    begun = asyncio.Event()

    async def work():
        begun.set()
        await asyncio.Event().wait()

    async with background(work()), asyncio.timeout(5):
        await begun.wait()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_background_work_that_loses_a_cancellation_is_cancelled_again(monkeypatch):
    monkeypatch.setattr("core.periodic.CANCEL_INTERVAL", 0.01)
    begun = asyncio.Event()

    async def work():
        begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    async with asyncio.timeout(5), background(work()):
        await begun.wait()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_an_error_of_background_work_is_raised_at_the_end_of_the_block():
    async def work():
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        async with background(work()):
            await asyncio.sleep(0)
