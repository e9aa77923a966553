"""Connections for transactions: callers before others, a share for others, and a queue that stays short."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.deadline import Deadline, OverloadedError
from db.connection_slots import CALLERS_IN_A_ROW, ConnectionSlots


def caller() -> Deadline:
    return Deadline(monotonic(), 8.0)


class Holders:
    """Tasks that hold a slot until they may go."""

    def __init__(self, slots: ConnectionSlots) -> None:
        self.slots = slots
        self.order: list[str] = []
        self._releases: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def start(self, name: str, deadline: Deadline | None) -> asyncio.Task[None]:
        self._releases[name] = asyncio.Event()

        async def hold() -> None:
            async with self.slots.hold(deadline):
                self.order.append(name)
                await self._releases[name].wait()

        self._tasks[name] = asyncio.create_task(hold())
        await settle()
        return self._tasks[name]

    async def release(self, name: str) -> None:
        self._releases[name].set()
        await settle()

    async def release_all(self) -> None:
        for release in self._releases.values():
            release.set()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@asynccontextmanager
async def open_holders(size: int, **limits: float) -> AsyncIterator[Holders]:
    holders = Holders(ConnectionSlots(size, **limits))  # type: ignore[arg-type]
    try:
        yield holders
    finally:
        await holders.release_all()


async def test_others_use_at_most_half_and_callers_the_rest() -> None:
    async with open_holders(4) as holders:
        for name in ("o1", "o2", "o3"):
            await holders.start(name, None)
        await holders.start("c1", caller())
        await holders.start("c2", caller())
        assert holders.order == ["o1", "o2", "c1", "c2"]


async def test_a_caller_is_served_before_others_that_waited_longer() -> None:
    async with open_holders(1) as holders:
        await holders.start("o1", None)
        await holders.start("o2", None)
        await holders.start("c1", caller())
        await holders.release("o1")
        assert holders.order == ["o1", "c1"]


async def test_others_are_slow_under_a_stream_of_callers_and_never_stopped() -> None:
    async with open_holders(1) as holders:
        await holders.start("first", caller())
        await holders.start("other", None)
        for number in range(2 * CALLERS_IN_A_ROW):
            await holders.start(f"c{number}", caller())
        for name in ("first", *(f"c{number}" for number in range(2 * CALLERS_IN_A_ROW))):
            await holders.release(name)
        assert "other" in holders.order


async def test_a_caller_beyond_the_queue_is_refused_at_once() -> None:
    async with open_holders(1, max_waiting_callers=2) as holders:
        for name in ("c1", "c2", "c3"):
            await holders.start(name, caller())
        refused = await holders.start("c4", caller())
        assert isinstance(refused.exception(), OverloadedError)
        assert holders.slots.waiting_callers == 2


async def test_nobody_waits_longer_than_a_transaction_may_begin() -> None:
    async with open_holders(1) as holders:
        await holders.start("c1", caller())
        with pytest.raises(OverloadedError):
            async with holders.slots.hold(Deadline(monotonic() - 7.9, 8.0)):
                pass


@given(st.lists(st.tuples(st.sampled_from(["caller", "other", "release", "cancel"]), st.integers(0, 30)), max_size=60))
def test_no_slot_is_lost_whatever_is_cancelled(acts: Sequence[tuple[str, int]]) -> None:
    async def run() -> None:
        slots = ConnectionSlots(3)
        holders = Holders(slots)
        tasks: list[asyncio.Task[None]] = []
        for number, (act, which) in enumerate(acts):
            if act in {"caller", "other"}:
                tasks.append(await holders.start(str(number), caller() if act == "caller" else None))
            elif tasks:
                name = list(holders._releases)[which % len(tasks)]
                if act == "cancel":
                    holders._tasks[name].cancel()
                else:
                    holders._releases[name].set()  # in the same iteration as the next act
        await holders.release_all()
        for number in range(3):
            await holders.start(f"last {number}", caller())
        assert holders.order[-3:] == ["last 0", "last 1", "last 2"], "all three are free again"
        await holders.release_all()

    asyncio.run(run())
