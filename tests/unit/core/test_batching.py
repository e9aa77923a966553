import asyncio
from collections.abc import Sequence
from contextvars import ContextVar
from time import monotonic

import pytest

from core.batching import Batcher
from core.deadline import Deadline, NotRecordedError, OverloadedError, current_deadline, running_until

name: ContextVar[str] = ContextVar("name", default="nobody")


class RecordingRunner:
    """Returns items in upper case, records the batches, and can be delayed."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.call_started = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, asks: list[str]) -> list[str]:
        self.batches.append(asks)
        self.call_started.set()
        await self.open.wait()
        return [ask.upper() for ask in asks]


async def submit_all(together: Batcher[str, str], asks: Sequence[str]) -> list[str | BaseException]:
    return await asyncio.gather(*(together(ask) for ask in asks), return_exceptions=True)


async def test_calls_of_one_loop_iteration_are_one_batch_with_a_result_each():
    desk = RecordingRunner()
    assert await submit_all(Batcher(desk), ["a", "b", "c"]) == ["A", "B", "C"]
    assert desk.batches == [["a", "b", "c"]]


async def test_a_single_call_runs_at_once():
    desk = RecordingRunner()
    together = Batcher(desk)
    assert [await together("a"), await together("b")] == ["A", "B"]
    assert desk.batches == [["a"], ["b"]]


async def test_calls_during_a_batch_go_into_the_next():
    desk = RecordingRunner()
    together = Batcher(desk)
    desk.open.clear()
    first = asyncio.ensure_future(together("a"))
    await desk.call_started.wait()
    later = [asyncio.ensure_future(together(ask)) for ask in "bc"]
    await asyncio.sleep(0)
    desk.open.set()
    assert await asyncio.gather(first, *later) == ["A", "B", "C"]
    assert desk.batches == [["a"], ["b", "c"]]


async def test_a_batch_has_at_most_max_batch_size_items():
    desk = RecordingRunner()
    assert await submit_all(Batcher(desk, max_batch_size=2), "abcde") == ["A", "B", "C", "D", "E"]
    assert desk.batches == [["a", "b"], ["c", "d"], ["e"]]


async def test_a_cancelled_caller_does_not_disturb_the_others():
    desk = RecordingRunner()
    together = Batcher(desk)
    desk.open.clear()
    asked = [asyncio.ensure_future(together(ask)) for ask in "abc"]
    await desk.call_started.wait()
    asked[0].cancel()
    await asyncio.sleep(0)
    desk.open.set()
    told = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(told[0], asyncio.CancelledError)
    assert told[1:] == ["B", "C"]


async def test_the_item_of_a_cancelled_caller_is_left_out():
    desk = RecordingRunner()
    together = Batcher(desk)
    left, stayed = asyncio.ensure_future(together("a")), asyncio.ensure_future(together("b"))
    left.cancel()
    assert await stayed == "B"
    assert desk.batches == [["b"]]


async def test_a_batch_without_callers_does_not_run():
    desk = RecordingRunner()
    together = Batcher(desk)
    left = asyncio.ensure_future(together("a"))
    left.cancel()
    with pytest.raises(asyncio.CancelledError):
        await left
    assert await together("b") == "B"
    assert desk.batches == [["b"]]


async def test_an_exception_of_run_goes_to_all_callers_and_the_next_batch_runs():
    async def run(asks: list[str]) -> list[str]:
        if "bad" in asks:
            raise ConnectionError("no line")
        return asks

    together = Batcher(run)
    told = await submit_all(together, ["a", "bad"])
    assert [str(error) for error in told] == ["no line", "no line"]
    assert await together("a") == "a"


async def test_an_exception_among_the_results_goes_to_its_caller_only():
    async def run(asks: list[str]) -> list[str | BaseException]:
        return [KeyError(ask) if ask == "b" else ask for ask in asks]

    told = await submit_all(Batcher(run), "abc")
    assert (told[0], told[2]) == ("a", "c")
    assert isinstance(told[1], KeyError)


async def test_a_missing_result_is_an_error_for_all_callers():
    async def run(asks: list[str]) -> list[str]:
        return asks[1:]

    told = await submit_all(Batcher(run), "ab")
    assert [str(error) for error in told] == ["a batch of 2 items has 1 results"] * 2


async def test_a_batch_runs_outside_the_context_of_its_callers():
    seen = []

    async def run(asks: list[str]) -> list[str]:
        seen.append(name.get())
        return asks

    name.set("first asker")
    await Batcher(run)("a")
    assert seen == ["nobody"]


def test_callers_of_an_ended_loop_are_cancelled_and_the_next_loop_is_served():
    async def run(asks: list[str]) -> list[str]:
        if "a" in asks:
            called.set()
            await asyncio.Event().wait()
        return asks

    called = asyncio.Event()
    together = Batcher(run)

    async def asks() -> str:
        return await together("a")

    async def leave_early() -> asyncio.Task[str]:
        asked = asyncio.create_task(asks())
        await called.wait()
        return asked

    assert asyncio.run(leave_early()).cancelled()

    async def asks_later() -> str:
        return await together("b")

    assert asyncio.run(asks_later()) == "b"


async def test_loop_turns_collect_the_calls_of_several_iterations():
    desk = RecordingRunner()
    together = Batcher(desk, loop_turns=2)
    first = asyncio.ensure_future(together("a"))
    await asyncio.sleep(0)
    assert await asyncio.gather(first, together("b")) == ["A", "B"]
    assert desk.batches == [["a", "b"]]


async def test_items_that_are_late_are_dropped_before_the_work_and_the_others_get_their_results():
    runner = RecordingRunner()
    batcher = Batcher(runner)
    with running_until(Deadline(monotonic() - 7.9, 8.0)):
        late = batcher("late")
    with running_until(Deadline(monotonic(), 8.0)):
        timely = batcher("timely")
    assert await timely == "TIMELY"
    with pytest.raises(OverloadedError):
        await late
    assert runner.batches == [["timely"]]


async def test_a_batch_has_the_latest_deadline_of_its_callers_and_none_where_one_has_none():
    found = []

    async def record_deadline(items):
        found.append(current_deadline())
        return items

    batcher = Batcher(record_deadline)
    early, late = (Deadline(monotonic() - past, 8.0) for past in (2.0, 1.0))
    for deadlines in ((early, late), (early, None)):
        waiting = []
        for deadline in deadlines:
            with running_until(deadline):
                waiting.append(batcher("a"))
        await asyncio.gather(*waiting)
    assert found == [late, None]


@pytest.mark.parametrize(
    ("result", "may_have_recorded"), [("done", True), (OSError(), True), (NotRecordedError(), False)]
)
async def test_a_write_counts_as_a_commit_unless_it_certainly_failed(result, may_have_recorded):
    async def write(items):
        return [result for _ in items]

    deadline = Deadline(monotonic(), 8.0)
    with running_until(deadline):
        written = Batcher(write, commits=True)("a")
    await asyncio.gather(written, return_exceptions=True)
    assert deadline.may_have_recorded is may_have_recorded
