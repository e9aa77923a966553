import asyncio
import gc
import hashlib
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

import pytest

from sessions.redis_batching import (
    CLAIM_SCRIPT,
    CLAIM_SHA,
    COMPARE_AND_SET_SCRIPT,
    COMPARE_AND_SET_SHA,
    SCRIPTS_BY_SHA,
    BatchingExecutor,
    Command,
    claim_keys,
    compare_and_set,
    delete_keys,
    get_values,
    with_script_body,
)
from sessions.store import StoreUnavailableError

name: ContextVar[str] = ContextVar("name", default="nobody")


class FakeRedisServer:
    """Brings the replies it was given, trip by trip, remembers what it was sent, and can be held up."""

    def __init__(self, *replies: Sequence[Any]) -> None:
        self.replies = list(replies)
        self.sent: list[Sequence[Command]] = []
        self.received_batches: list[str] = []
        self.called = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, commands: Sequence[Command]) -> list[Any]:
        self.sent.append(commands)
        self.received_batches.append(name.get())
        self.called.set()
        await self.open.wait()
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return list(reply)


async def test_requests_of_one_kind_become_one_command_and_each_gets_its_reply():
    server = FakeRedisServer([[b"one", None], [0, 2], [1, 0], 1])
    want = BatchingExecutor(server)
    answers = await asyncio.gather(
        want(get_values, "s1"),
        want(claim_keys, "c1", "me", 60),
        want(compare_and_set, "s2", b"", b"new", 300),
        want(delete_keys, "s9"),
        want(get_values, "s2"),
        want(claim_keys, "c3", "you", 61),
        want(compare_and_set, "s4", b"\0\0\0\7", b"newer", 301),
        want(delete_keys, "s8"),
    )
    assert answers == [b"one", 0, 1, 1, None, 2, 0, 1]
    assert server.sent == [
        [
            ("MGET", "s1", "s2"),
            ("EVALSHA", CLAIM_SHA, 2, "c1", "c3", "me", 60, "you", 61),
            ("EVALSHA", COMPARE_AND_SET_SHA, 2, "s2", "s4", b"", b"new", 300, b"\0\0\0\7", b"newer", 301),
            ("UNLINK", "s9", "s8"),
        ]
    ]


async def test_requests_during_a_batch_go_with_the_next_batch():
    server = FakeRedisServer([[b"a"]], [[b"b", b"c"]], [[b"d"]])
    want = BatchingExecutor(server)
    server.open.clear()
    first = want(get_values, "a")
    await server.called.wait()
    later = [want(get_values, "b"), want(get_values, "c")]
    server.open.set()
    assert await asyncio.gather(first, *later) == [b"a", b"b", b"c"]
    assert await want(get_values, "d") == b"d"
    assert server.sent == [[("MGET", "a")], [("MGET", "b", "c")], [("MGET", "d")]]


async def test_a_cancelled_request_does_not_affect_others():
    server = FakeRedisServer([[b"a", b"b"]])
    want = BatchingExecutor(server)
    server.open.clear()
    left, stayed = want(get_values, "a"), want(get_values, "b")
    await server.called.wait()
    left.cancel()
    server.open.set()
    assert await stayed == b"b"


async def test_a_failed_batch_raises_in_each_of_its_requests_and_the_next_one_runs(caplog):
    server = FakeRedisServer(StoreUnavailableError("no answer"), [[b"a"]])
    want = BatchingExecutor(server)
    first, second = want(get_values, "a"), want(claim_keys, "c", "me", 60)
    with pytest.raises(StoreUnavailableError):
        await first
    await asyncio.sleep(0)
    del second  # nobody asks what became of it, as one who was told of the first would not
    gc.collect()
    assert not caplog.records
    assert await want(get_values, "a") == b"a"


async def test_a_batch_runs_in_a_context_of_its_own():
    server = FakeRedisServer([[b"a"]])
    name.set("first asker")
    assert await BatchingExecutor(server)(get_values, "a") == b"a"
    assert server.received_batches == ["nobody"]


def test_an_executor_works_in_the_next_event_loop():
    server = FakeRedisServer([[b"b"]])
    want = BatchingExecutor(server)

    async def leave_early() -> None:
        server.open.clear()
        want(get_values, "a")
        await server.called.wait()

    asyncio.run(leave_early())
    server.open, server.called = asyncio.Event(), asyncio.Event()
    server.open.set()

    async def asks() -> bytes:
        return await want(get_values, "b")

    assert asyncio.run(asks()) == b"b"


@pytest.mark.parametrize(("sha", "script"), [(CLAIM_SHA, CLAIM_SCRIPT), (COMPARE_AND_SET_SHA, COMPARE_AND_SET_SCRIPT)])
def test_a_script_is_called_by_its_sha(sha, script):
    assert sha == hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
    assert SCRIPTS_BY_SHA[sha] == script


def test_a_missing_script_is_sent_with_its_body():
    assert with_script_body(("EVALSHA", CLAIM_SHA, 1, "c1", "me", 60)) == ("EVAL", CLAIM_SCRIPT, 1, "c1", "me", 60)


async def test_what_nobody_waits_for_any_more_is_not_sent():
    server = FakeRedisServer([None], [[1, 1]])
    server.open.clear()
    execute = BatchingExecutor(server)
    first = asyncio.ensure_future(execute(get_values, "s0"))
    await server.called.wait()
    saves = [execute(compare_and_set, f"s{number}", b"", f"new {number}".encode(), 300) for number in range(3)]
    only = execute(claim_keys, "c1", "me", 60)
    saves[1].cancel()
    only.cancel()
    server.open.set()
    await first
    assert [await saves[0], await saves[2]] == [1, 1]
    assert server.sent[1:] == [
        [("EVALSHA", COMPARE_AND_SET_SHA, 2, "s0", "s2", b"", b"new 0", 300, b"", b"new 2", 300)]
    ]
