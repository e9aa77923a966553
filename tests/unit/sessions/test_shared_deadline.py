"""The shared deadline behaves as asyncio.timeout: late tasks get TimeoutError, other cancellations stay cancellations."""

import asyncio

import pytest

from sessions.shared_deadline import SharedDeadline

SOON = 0.02  # seconds


async def wait_forever(deadline: SharedDeadline) -> None:
    with deadline:
        await asyncio.Event().wait()


async def return_at_once(deadline: SharedDeadline) -> str:
    with deadline:
        await asyncio.sleep(0)
        return "done"


async def test_a_late_task_gets_a_timeout_error() -> None:
    with pytest.raises(TimeoutError):
        await wait_forever(SharedDeadline(SOON))


async def test_a_late_task_can_continue_afterwards() -> None:
    deadline = SharedDeadline(SOON)
    with pytest.raises(TimeoutError):
        await wait_forever(deadline)
    assert await return_at_once(deadline) == "done"
    await asyncio.sleep(SOON * 2)


async def test_each_task_has_its_own_deadline() -> None:
    deadline = SharedDeadline(SOON)
    ended: list[str] = []

    async def one(name: str) -> None:
        with pytest.raises(TimeoutError):
            await wait_forever(deadline)
        ended.append(name)

    async with asyncio.TaskGroup() as together:
        together.create_task(one("first"))
        await asyncio.sleep(SOON / 2)
        together.create_task(one("second"))
        assert await return_at_once(deadline) == "done"
    assert ended == ["first", "second"]


async def test_the_timer_restarts_after_it_was_idle() -> None:
    deadline = SharedDeadline(SOON)
    for _ in range(2):
        late = await asyncio.gather(*(wait_forever(deadline) for _ in range(3)), return_exceptions=True)
        assert [type(error) for error in late] == [TimeoutError] * 3


async def test_a_task_cancelled_by_others_is_not_late() -> None:
    task = asyncio.create_task(wait_forever(SharedDeadline(60)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_task_cancelled_by_others_at_the_deadline_is_cancelled() -> None:
    deadline = SharedDeadline(SOON)

    async def cleans_up_slowly() -> None:
        with deadline:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await asyncio.Event().wait()

    task = asyncio.create_task(cleans_up_slowly())
    await asyncio.sleep(SOON * 3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_in_the_block_is_raised_unchanged() -> None:
    with pytest.raises(ZeroDivisionError), SharedDeadline(SOON):
        1 / 0  # noqa: B018
