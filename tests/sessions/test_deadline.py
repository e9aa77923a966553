"""Who is late is told so, who is not never notices, and who is cancelled by others stays cancelled."""

import asyncio

import pytest

from sessions.deadline import Deadline

SOON = 0.02  # seconds


async def takes_for_ever(deadline: Deadline) -> None:
    with deadline:
        await asyncio.Event().wait()


async def takes_no_time(deadline: Deadline) -> str:
    with deadline:
        await asyncio.sleep(0)
        return "done"


async def test_what_takes_too_long_is_ended() -> None:
    with pytest.raises(TimeoutError):
        await takes_for_ever(Deadline(SOON))


async def test_whoever_was_late_can_go_on_afterwards() -> None:
    deadline = Deadline(SOON)
    with pytest.raises(TimeoutError):
        await takes_for_ever(deadline)
    assert await takes_no_time(deadline) == "done"
    await asyncio.sleep(SOON * 2)


async def test_each_has_its_own_time() -> None:
    deadline = Deadline(SOON)
    ended: list[str] = []

    async def one(name: str) -> None:
        with pytest.raises(TimeoutError):
            await takes_for_ever(deadline)
        ended.append(name)

    async with asyncio.TaskGroup() as together:
        together.create_task(one("first"))
        await asyncio.sleep(SOON / 2)
        together.create_task(one("second"))
        assert await takes_no_time(deadline) == "done"
    assert ended == ["first", "second"]


async def test_a_second_wave_is_watched_as_the_first_one_was() -> None:
    deadline = Deadline(SOON)
    for _ in range(2):
        late = await asyncio.gather(*(takes_for_ever(deadline) for _ in range(3)), return_exceptions=True)
        assert [type(error) for error in late] == [TimeoutError] * 3


async def test_who_is_cancelled_from_outside_is_cancelled_and_not_late() -> None:
    task = asyncio.create_task(takes_for_ever(Deadline(60)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_who_is_cancelled_from_outside_as_time_runs_out_is_cancelled() -> None:
    deadline = Deadline(SOON)

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


async def test_an_error_of_ones_own_is_ones_own() -> None:
    with pytest.raises(ZeroDivisionError), Deadline(SOON):
        1 / 0  # noqa: B018
