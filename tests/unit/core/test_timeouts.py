"""A timeout behaves as `asyncio.timeout`, and holds where a cancellation is lost."""

import asyncio
from contextlib import suppress

import pytest

from core import timeouts
from core.timeouts import Timeout


async def wait_in_vain(timeout):
    async with timeout:
        await asyncio.Event().wait()


BOTH = pytest.mark.parametrize("build_timeout", [asyncio.timeout, Timeout])


@BOTH
async def test_a_block_that_takes_too_long_raises(build_timeout):
    with pytest.raises(TimeoutError):
        await wait_in_vain(build_timeout(0))
    assert asyncio.current_task().cancelling() == 0


@BOTH
async def test_a_block_that_ends_in_time_does_not_raise(build_timeout):
    async with build_timeout(60):
        await asyncio.sleep(0)


@BOTH
async def test_an_error_of_the_block_is_raised_as_it_is(build_timeout):
    with pytest.raises(LookupError):
        async with build_timeout(60):
            raise LookupError


@BOTH
async def test_the_cancellation_of_another_stays_a_cancellation(build_timeout):
    async def wait():
        async with build_timeout(60):
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@BOTH
async def test_the_inner_of_two_raises_first_and_the_outer_still_holds(build_timeout):
    async def wait_twice():
        async with build_timeout(0.05):
            with suppress(TimeoutError):
                await wait_in_vain(build_timeout(0))
            raised.append("inner")
            await asyncio.Event().wait()

    raised = []
    with pytest.raises(TimeoutError):
        await wait_twice()
    assert raised == ["inner"]


@BOTH
async def test_a_block_that_ends_although_its_time_is_over_does_not_raise(build_timeout):
    async with build_timeout(0):
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
    assert asyncio.current_task().cancelling() == 0


async def test_a_cancellation_that_a_library_loses_is_made_again(monkeypatch):
    monkeypatch.setattr(timeouts, "CANCEL_INTERVAL", 0)

    async def lose_three_cancellations():
        async with Timeout(0):
            while len(lost) < 3:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError as error:
                    lost.append(error)
            await asyncio.Event().wait()

    lost = []
    with pytest.raises(TimeoutError):
        await lose_three_cancellations()
    assert asyncio.current_task().cancelling() == 0
