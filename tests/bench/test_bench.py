"""The benchmark runs, checks every answer, and says so loudly when one is wrong."""

import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from itertools import repeat
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bench.callers import METADATA, WrongAnswer, call
from bench.session import ROUTE, callers, followed, greeted, sessions
from tests.servers import DATABASE_VARIABLE, REDIS_VARIABLE, PostgresServer, RedisServer

ROOT = Path(__file__).parents[2]


def test_it_runs_and_every_answer_is_right(redis_server: RedisServer, postgres_server: PostgresServer) -> None:
    redis_server.empty()
    environment = {**os.environ, REDIS_VARIABLE: redis_server.url, DATABASE_VARIABLE: postgres_server.url}
    environment.pop("PYTEST_XDIST_WORKER", None)
    command = [sys.executable, "-m", "bench.hops", "--quick"]
    run = subprocess.run(  # noqa: S603 - our own
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert run.returncode == 0, run.stderr
    assert "every one the right one" in run.stdout
    rows = re.findall(r"^\| (.+?) \| +([\d,]+) \| ([\d.]+) \|", run.stdout, re.MULTILINE)
    assert [name for name, _, _ in rows] == [
        "bare aiohttp handler",
        "Ekdial, records in SQLite",
        "Ekdial, records in PostgreSQL",
    ]
    assert rows[0][2] == "1.00", "the bare handler is what the others are beside"


class Served:
    """A server that says what it is told to say, and keeps the headers that it got."""

    def __init__(self) -> None:
        self.says = "CON Hello"
        self.brought: list[str | None] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.brought.append(request.headers.get("at-ussd-hop-metadata"))
        if not self.says:
            assert request.transport is not None
            request.transport.close()
        return web.Response(text=self.says, headers={METADATA.decode().strip(": "): f"hop.{len(self.brought)}"})


@pytest.fixture
async def served() -> AsyncIterator[tuple[Served, int]]:
    said = Served()
    app = web.Application()
    app.add_routes([web.post(ROUTE, said.answer)])
    async with TestServer(app) as server:
        assert server.port is not None
        yield said, server.port


async def test_hops_are_counted_until_time_is_up(served: tuple[Served, int]) -> None:
    said, port = served
    took = await call(port, sessions(callers(), [greeted()]), connections=2, seconds=0.05)
    assert len(took) == len(said.brought) >= 2
    assert all(seconds > 0 for seconds in took)


async def test_what_an_answer_tells_to_bring_back_comes_with_the_next_hop_of_the_call(
    served: tuple[Served, int],
) -> None:
    said, port = served
    await call(port, sessions(callers(), [greeted()]), connections=1, seconds=0.2)
    assert said.brought[:6] == [None, "hop.1", "hop.2", "hop.3", None, "hop.5"]


@pytest.mark.parametrize("says", ["CON Good-bye", "CON", ""], ids=["another text", "a part of it", "nothing at all"])
async def test_a_wrong_answer_ends_it_with_what_was_asked_and_answered(served: tuple[Served, int], says: str) -> None:
    said, port = served
    said.says = says
    with pytest.raises(WrongAnswer, match=r"(?s)sessionId=ATUid_.*--- was answered\n.*--- and not\nCON Hello"):
        await call(port, sessions(callers(), [greeted()]), connections=1, seconds=5)


def test_every_session_is_somebody_elses_and_scripts_take_turns() -> None:
    scripts = [followed("111111111118", "CON first"), followed("222222222226", "CON second")]
    played = sessions(callers(), scripts)
    first, second, third = (next(played) for _ in repeat(None, 3))
    assert [session[-1].right for session in (first, second, third)] == [b"CON first", b"CON second", b"CON first"]
    assert len({session[0].asks for session in (first, second, third)}) == 3
    assert b"text=1%2A2%2A111111111118&" in first[-1].asks
