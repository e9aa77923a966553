import asyncio
import gc
import hashlib
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

import pytest

from sessions.store import StoreDown
from sessions.wants import (
    CLAIM,
    CLAIM_SHA,
    SCRIPTS,
    WRITE,
    WRITE_SHA,
    Apart,
    Command,
    Trips,
    claims,
    drops,
    in_full,
    reads,
    writes,
)

name: ContextVar[str] = ContextVar("name", default="nobody")


class Server:
    """Brings the replies it was given, trip by trip, remembers what it was sent, and can be held up."""

    def __init__(self, *replies: Sequence[Any]) -> None:
        self.replies = list(replies)
        self.sent: list[Sequence[Command]] = []
        self.seen: list[str] = []
        self.called = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, commands: Sequence[Command]) -> list[Any]:
        self.sent.append(commands)
        self.seen.append(name.get())
        self.called.set()
        await self.open.wait()
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return list(reply)


async def test_all_wants_of_a_kind_are_one_command_and_each_gets_its_own_reply():
    server = Server([[b"one", None], [0, 2], [1, 0], 1])
    want = Trips(server)
    answers = await asyncio.gather(
        want(reads, "s1"),
        want(claims, "c1", "me", 60),
        want(writes, "s2", b"", b"new", 300),
        want(drops, "s9"),
        want(reads, "s2"),
        want(claims, "c3", "you", 61),
        want(writes, "s4", b"\0\0\0\7", b"newer", 301),
        want(drops, "s8"),
    )
    assert answers == [b"one", 0, 1, 1, None, 2, 0, 1]
    assert server.sent == [
        [
            ("MGET", "s1", "s2"),
            ("EVALSHA", CLAIM_SHA, 2, "c1", "c3", "me", 60, "you", 61),
            ("EVALSHA", WRITE_SHA, 2, "s2", "s4", b"", b"new", 300, b"\0\0\0\7", b"newer", 301),
            ("UNLINK", "s9", "s8"),
        ]
    ]


async def test_what_is_wanted_while_a_trip_is_out_goes_with_the_next():
    server = Server([[b"a"]], [[b"b", b"c"]], [[b"d"]])
    want = Trips(server)
    server.open.clear()
    first = want(reads, "a")
    await server.called.wait()
    later = [want(reads, "b"), want(reads, "c")]
    server.open.set()
    assert await asyncio.gather(first, *later) == [b"a", b"b", b"c"]
    assert await want(reads, "d") == b"d"
    assert server.sent == [[("MGET", "a")], [("MGET", "b", "c")], [("MGET", "d")]]


async def test_who_left_harms_nobody_else():
    server = Server([[b"a", b"b"]])
    want = Trips(server)
    server.open.clear()
    left, stayed = want(reads, "a"), want(reads, "b")
    await server.called.wait()
    left.cancel()
    server.open.set()
    assert await stayed == b"b"


@pytest.mark.parametrize("way", [Trips, Apart])
async def test_a_failed_trip_is_raised_to_all_who_were_on_it_and_the_next_one_is_made(way, caplog):
    down = StoreDown("no answer")
    server = Server(down, *([down] if way is Apart else []), [[b"a"]])
    want = way(server)
    first, second = want(reads, "a"), want(claims, "c", "me", 60)
    with pytest.raises(StoreDown):
        await first
    await asyncio.sleep(0)
    del second  # nobody asks what became of it, as one who was told of the first would not
    gc.collect()
    assert not caplog.records
    assert await want(reads, "a") == b"a"


async def test_a_trip_belongs_to_nobody_s_context():
    server = Server([[b"a"]])
    name.set("first asker")
    assert await Trips(server)(reads, "a") == b"a"
    assert server.seen == ["nobody"]


def test_when_the_loop_ends_the_next_loop_is_served():
    server = Server([[b"b"]])
    want = Trips(server)

    async def leave_early() -> None:
        server.open.clear()
        want(reads, "a")
        await server.called.wait()

    asyncio.run(leave_early())
    server.open, server.called = asyncio.Event(), asyncio.Event()
    server.open.set()

    async def asks() -> bytes:
        return await want(reads, "b")

    assert asyncio.run(asks()) == b"b"


async def test_apart_each_want_is_a_trip():
    server = Server([[b"one"]], [1], [[0]])
    want = Apart(server)
    assert [await want(reads, "s1"), await want(drops, "s1"), await want(claims, "c1", "me", 60)] == [b"one", 1, 0]
    assert server.sent == [[("MGET", "s1")], [("UNLINK", "s1")], [("EVALSHA", CLAIM_SHA, 1, "c1", "me", 60)]]


@pytest.mark.parametrize(("sha", "script"), [(CLAIM_SHA, CLAIM), (WRITE_SHA, WRITE)])
def test_a_script_is_called_by_its_own_hash(sha, script):
    assert sha == hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
    assert SCRIPTS[sha] == script


def test_a_server_that_does_not_know_a_script_is_given_it_in_full():
    assert in_full(("EVALSHA", CLAIM_SHA, 1, "c1", "me", 60)) == ("EVAL", CLAIM, 1, "c1", "me", 60)
