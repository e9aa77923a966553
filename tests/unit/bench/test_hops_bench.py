"""The benchmark of USSD requests runs, checks every reply, and fails on a wrong one."""

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

from bench.callers import METADATA_HEADER, WrongReplyError, run_callers
from bench.session import USSD_ROUTE, build_sessions, generate_msisdns, hello_script, tracking_script
from tests.support.servers import DATABASE_VARIABLE, REDIS_VARIABLE, PostgresServer, RedisServer

ROOT = Path(__file__).parents[3]


def test_the_benchmark_runs_and_every_reply_is_right(
    redis_server: RedisServer, postgres_server: PostgresServer
) -> None:
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


class FakeGateway:
    """A server with a given response, which records the headers of requests."""

    def __init__(self) -> None:
        self.response_text = "CON Hello"
        self.headers: list[str | None] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.headers.append(request.headers.get("at-ussd-hop-metadata"))
        if not self.response_text:
            assert request.transport is not None
            request.transport.close()
        return web.Response(
            text=self.response_text, headers={METADATA_HEADER.decode().strip(": "): f"hop.{len(self.headers)}"}
        )


@pytest.fixture
async def fake_gateway() -> AsyncIterator[tuple[FakeGateway, int]]:
    said = FakeGateway()
    app = web.Application()
    app.add_routes([web.post(USSD_ROUTE, said.answer)])
    async with TestServer(app) as server:
        assert server.port is not None
        yield said, server.port


async def test_requests_are_counted_until_time_is_up(fake_gateway: tuple[FakeGateway, int]) -> None:
    said, port = fake_gateway
    took = await run_callers(port, build_sessions(generate_msisdns(), [hello_script()]), connections=2, seconds=0.05)
    assert len(took) == len(said.headers) >= 2
    assert all(seconds > 0 for seconds in took)


async def test_the_metadata_of_a_reply_is_echoed_with_the_next_request(
    fake_gateway: tuple[FakeGateway, int],
) -> None:
    said, port = fake_gateway
    await run_callers(port, build_sessions(generate_msisdns(), [hello_script()]), connections=1, seconds=0.2)
    assert said.headers[:6] == [None, "hop.1", "hop.2", "hop.3", None, "hop.5"]


@pytest.mark.parametrize("says", ["CON Good-bye", "CON", ""], ids=["another text", "a part of it", "nothing at all"])
async def test_a_wrong_reply_ends_the_benchmark_with_request_and_reply(
    fake_gateway: tuple[FakeGateway, int], says: str
) -> None:
    said, port = fake_gateway
    said.response_text = says
    with pytest.raises(WrongReplyError, match=r"(?s)sessionId=ATUid_.*--- was answered\n.*--- and not\nCON Hello"):
        await run_callers(port, build_sessions(generate_msisdns(), [hello_script()]), connections=1, seconds=5)


def test_every_session_has_a_new_caller_and_scripts_take_turns() -> None:
    scripts = [tracking_script("111111111118", "CON first"), tracking_script("222222222226", "CON second")]
    played = build_sessions(generate_msisdns(), scripts)
    first, second, third = (next(played) for _ in repeat(None, 3))
    assert [session[-1].expected_reply for session in (first, second, third)] == [
        b"CON first",
        b"CON second",
        b"CON first",
    ]
    assert len({session[0].request_body for session in (first, second, third)}) == 3
    assert b"text=1%2A2%2A111111111118&" in first[-1].request_body
