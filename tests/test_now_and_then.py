"""Work beside the routes goes on whatever fails, takes no longer than it may, and ends with its block."""

import asyncio
from itertools import pairwise

from structlog.testing import capture_logs

from assembly.now_and_then import Chore, beside, now_and_then


def chore(done, name, problem="it could not be done", within=5.0):
    """Notes its name each time; a name that is an error is raised."""

    async def work():
        done.put_nowait(name)
        if isinstance(name, Exception):
            raise name

    return Chore(work, problem, within)


async def test_chores_take_their_turns_and_one_that_fails_is_logged_and_done_again():
    done, failure = asyncio.Queue(), ConnectionResetError("of +8801712345678")
    with capture_logs() as logs:
        async with now_and_then(0, chore(done, failure), chore(done, "other")), asyncio.timeout(5):
            took = [await done.get() for _ in range(6)]
    assert all(one != next_one for one, next_one in pairwise(took))
    assert logs[0]["event"] == "it could not be done"
    assert logs[0]["error"] == "ConnectionResetError"
    assert "8801712345678" not in str(logs)


async def test_a_chore_that_takes_too_long_is_ended_and_logged():
    with capture_logs() as logs:
        await Chore(asyncio.Event().wait, "it could not be done", within=0.01).tried()
    assert [(line["event"], line["error"]) for line in logs] == [("it could not be done", "TimeoutError")]


async def test_what_is_to_rest_first_is_not_done_at_once_and_ends_with_its_block():
    done = asyncio.Queue()
    async with now_and_then(60, chore(done, "late"), first=60):
        await asyncio.sleep(0)
    assert done.empty()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_work_beside_a_block_is_cancelled_when_the_block_ends():
    begun = asyncio.Event()

    async def work():
        begun.set()
        await asyncio.Event().wait()

    async with beside(work()), asyncio.timeout(5):
        await begun.wait()
    assert asyncio.all_tasks() == {asyncio.current_task()}
