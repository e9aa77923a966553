import hashlib
from collections.abc import Sequence
from typing import Any

import pytest

from sessions.wants import (
    CLAIM,
    CLAIM_SHA,
    SCRIPTS,
    WRITE,
    WRITE_SHA,
    Claim,
    Command,
    Drop,
    Read,
    Write,
    in_full,
    in_one_trip,
)


class Server:
    """Brings the replies it was given, and remembers what it was sent."""

    def __init__(self, *replies: Any) -> None:
        self.replies = replies
        self.sent: Sequence[Command] = ()

    async def __call__(self, commands: Sequence[Command]) -> list[Any]:
        self.sent = commands
        return list(self.replies)


async def test_all_wants_of_a_kind_are_one_command_and_each_ask_gets_its_own_replies():
    server = Server([b"one", None, b"three"], [0, 2], [1, 0], 1)
    asks = [
        (Read("s1"), Claim("c1", "me", 60)),
        (Write("s2", b"", b"new", 300),),
        (Drop("s9"),),
        (Read("s2"),),
        (Read("s3"), Claim("c3", "you", 61)),
        (Write("s4", b"\0\0\0\7", b"newer", 301),),
        (Drop("s8"),),
    ]
    assert await in_one_trip(asks, server) == [[b"one", 0], [1], [1], [None], [b"three", 2], [0], [1]]
    assert server.sent == [
        ("MGET", "s1", "s2", "s3"),
        ("EVALSHA", CLAIM_SHA, 2, "c1", "c3", "me", 60, "you", 61),
        ("EVALSHA", WRITE_SHA, 2, "s2", "s4", b"", b"new", 300, b"\0\0\0\7", b"newer", 301),
        ("UNLINK", "s9", "s8"),
    ]


async def test_what_nobody_wants_is_not_sent():
    server = Server([b"one"])
    assert await in_one_trip([(Read("s1"),)], server) == [[b"one"]]
    assert server.sent == [("MGET", "s1")]


@pytest.mark.parametrize(("sha", "script"), [(CLAIM_SHA, CLAIM), (WRITE_SHA, WRITE)])
def test_a_script_is_called_by_its_own_hash(sha, script):
    assert sha == hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
    assert SCRIPTS[sha] == script


def test_a_server_that_does_not_know_a_script_is_given_it_in_full():
    assert in_full(("EVALSHA", CLAIM_SHA, 1, "c1", "me", 60)) == ("EVAL", CLAIM, 1, "c1", "me", 60)
