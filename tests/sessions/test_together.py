import asyncio
from collections.abc import Sequence
from contextvars import ContextVar

import pytest

from together import Together

name: ContextVar[str] = ContextVar("name", default="nobody")


class Desk:
    """Answers in upper case, remembers what was asked together, and can be held up."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.called = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, asks: list[str]) -> list[str]:
        self.batches.append(asks)
        self.called.set()
        await self.open.wait()
        return [ask.upper() for ask in asks]


async def everybody(together: Together[str, str], asks: Sequence[str]) -> list[str | BaseException]:
    return await asyncio.gather(*(together(ask) for ask in asks), return_exceptions=True)


async def test_asks_of_one_turn_go_together_and_each_gets_its_own_answer():
    desk = Desk()
    assert await everybody(Together(desk), ["a", "b", "c"]) == ["A", "B", "C"]
    assert desk.batches == [["a", "b", "c"]]


async def test_one_ask_alone_is_asked_at_once():
    desk = Desk()
    together = Together(desk)
    assert [await together("a"), await together("b")] == ["A", "B"]
    assert desk.batches == [["a"], ["b"]]


async def test_what_is_asked_while_a_run_is_out_goes_with_the_next():
    desk = Desk()
    together = Together(desk)
    desk.open.clear()
    first = asyncio.ensure_future(together("a"))
    await desk.called.wait()
    later = [asyncio.ensure_future(together(ask)) for ask in "bc"]
    await asyncio.sleep(0)
    desk.open.set()
    assert await asyncio.gather(first, *later) == ["A", "B", "C"]
    assert desk.batches == [["a"], ["b", "c"]]


async def test_a_run_never_gets_more_than_most():
    desk = Desk()
    assert await everybody(Together(desk, most=2), "abcde") == ["A", "B", "C", "D", "E"]
    assert desk.batches == [["a", "b"], ["c", "d"], ["e"]]


async def test_a_cancelled_asker_harms_nobody_else():
    desk = Desk()
    together = Together(desk)
    desk.open.clear()
    asked = [asyncio.ensure_future(together(ask)) for ask in "abc"]
    await desk.called.wait()
    asked[0].cancel()
    await asyncio.sleep(0)
    desk.open.set()
    told = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(told[0], asyncio.CancelledError)
    assert told[1:] == ["B", "C"]


async def test_an_asker_who_left_before_the_run_is_not_asked_for():
    desk = Desk()
    together = Together(desk)
    left, stayed = asyncio.ensure_future(together("a")), asyncio.ensure_future(together("b"))
    left.cancel()
    assert await stayed == "B"
    assert desk.batches == [["b"]]


async def test_when_all_have_left_nothing_is_asked():
    desk = Desk()
    together = Together(desk)
    left = asyncio.ensure_future(together("a"))
    left.cancel()
    with pytest.raises(asyncio.CancelledError):
        await left
    assert await together("b") == "B"
    assert desk.batches == [["b"]]


async def test_what_run_raises_is_raised_to_all_and_the_next_turn_is_served():
    async def run(asks: list[str]) -> list[str]:
        if "bad" in asks:
            raise ConnectionError("no line")
        return asks

    together = Together(run)
    told = await everybody(together, ["a", "bad"])
    assert [str(error) for error in told] == ["no line", "no line"]
    assert await together("a") == "a"


async def test_an_exception_in_place_of_an_answer_is_raised_to_that_asker_alone():
    async def run(asks: list[str]) -> list[str | BaseException]:
        return [KeyError(ask) if ask == "b" else ask for ask in asks]

    told = await everybody(Together(run), "abc")
    assert (told[0], told[2]) == ("a", "c")
    assert isinstance(told[1], KeyError)


async def test_a_missing_answer_is_an_error_for_all_not_a_wait_for_ever():
    async def run(asks: list[str]) -> list[str]:
        return asks[1:]

    told = await everybody(Together(run), "ab")
    assert [str(error) for error in told] == ["2 asked together, 1 were answered"] * 2


async def test_a_run_belongs_to_nobody_s_context():
    seen = []

    async def run(asks: list[str]) -> list[str]:
        seen.append(name.get())
        return asks

    name.set("first asker")
    await Together(run)("a")
    assert seen == ["nobody"]


def test_when_the_loop_ends_nobody_is_left_waiting_and_the_next_loop_is_served():
    async def run(asks: list[str]) -> list[str]:
        if "a" in asks:
            called.set()
            await asyncio.Event().wait()
        return asks

    called = asyncio.Event()
    together = Together(run)

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


async def test_a_run_that_waits_some_turns_takes_what_is_asked_in_them():
    desk = Desk()
    together = Together(desk, turns=2)
    first = asyncio.ensure_future(together("a"))
    await asyncio.sleep(0)
    assert await asyncio.gather(first, together("b")) == ["A", "B"]
    assert desk.batches == [["a", "b"]]
