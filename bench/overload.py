"""A gateway at three times its capacity: what is answered, refused and late in each second. `python -m bench.overload --help`.

Callers dial at a fixed rate, whatever the gateway does, as people do. A session is four key presses; the second one records the
caller's language, so the table of callers tells what was recorded.
"""

import argparse
import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

import uvloop
from sqlalchemy import select

from bench.applications import insert_applications
from bench.callers import METADATA_HEADER, REQUEST_HEAD, run_callers
from bench.hops import start_gateway
from bench.process import pin_to_last_processor
from bench.session import Exchange, build_sessions, generate_msisdns
from db.database import Database
from db.tables import callers
from tests.support.servers import new_database, real_postgres, real_redis

HANG_UP: Final = 12.0  # seconds; the provider hangs up after ten
LATE: Final = 8.0  # seconds
THINK_TIME: Final = 0.5  # seconds between two key presses
LANGUAGE_STEP: Final = 1
PAUSE: Final = 0.005  # seconds between two looks whether sessions are due
HEADER: Final = "second  load   sent  right  refused  wrong  late  lost  median ms  slowest ms  callers late ms"


@dataclass
class Second:
    """What became of the key presses of one second."""

    load: float
    verdicts: Counter[str] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    own_delay: float = 0.0  # seconds by which the callers themselves were late


@dataclass
class Tally:
    """Everything that the callers saw; `told` are the callers whose choice of a language was answered."""

    seconds: list[Second] = field(default_factory=list)
    told: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)


class Line(asyncio.Protocol):
    """One connection, with one request out."""

    def __init__(self) -> None:
        self._received = b""
        self._reply: asyncio.Future[bytes] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    async def exchange(self, body: bytes, metadata: bytes) -> bytes:
        """Send a request; the response with its head, empty where the connection broke."""
        assert self._transport is not None
        self._received, self._reply = b"", asyncio.get_running_loop().create_future()
        echoed = b"%b%b\r\n" % (METADATA_HEADER, metadata) if metadata else b""
        self._transport.write(b"%bContent-Length: %d\r\n%b\r\n%b" % (REQUEST_HEAD, len(body), echoed, body))
        async with asyncio.timeout(HANG_UP):
            return await self._reply

    def data_received(self, data: bytes) -> None:
        """Collect the response."""
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0] or 0)
        if separator and len(body) >= length:
            self._finish(self._received)

    def connection_lost(self, _: Exception | None) -> None:
        """End the request without a response."""
        self._finish(b"")

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def _finish(self, reply: bytes) -> None:
        if self._reply is not None and not self._reply.done():
            self._reply.set_result(reply)


class Callers:
    """Plays sessions on as many connections as needed."""

    def __init__(self, port: int, sessions: Iterator[Sequence[Exchange]], tally: Tally) -> None:
        self._port = port
        self._sessions = sessions
        self._tally = tally
        self._idle: list[Line] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def play(self, rate: float, seconds: int, load: float) -> None:
        """Start `rate` sessions a second, evenly."""
        for _ in range(seconds):
            self._tally.seconds.append(Second(load))
            begun, started = 0, time.monotonic()
            while (elapsed := time.monotonic() - started) < 1:
                while begun < rate * elapsed:
                    begun += 1
                    task = asyncio.create_task(self._play_session(next(self._sessions)))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
                slept_at = time.monotonic()
                await asyncio.sleep(PAUSE)
                second = self._tally.seconds[-1]
                second.own_delay = max(second.own_delay, time.monotonic() - slept_at - PAUSE)

    async def finish(self) -> None:
        """Wait for the sessions under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        for line in self._idle:
            line.close()

    async def _play_session(self, session: Sequence[Exchange]) -> None:
        metadata = b""
        for step, exchange in enumerate(session):
            second, started = self._tally.seconds[-1], time.monotonic()
            number = exchange.request_body[:40].decode()
            if step == LANGUAGE_STEP:
                self._tally.asked.add(number)
            reply = await self._press(exchange, metadata)
            head, _, body = reply.partition(b"\r\n\r\n")
            verdict = _judge(body, exchange.expected_reply)
            wait = time.monotonic() - started
            second.verdicts["sent"] += 1
            second.verdicts["late" if verdict != "lost" and wait > LATE else verdict] += 1
            second.waits.append(wait)
            if verdict != "right":
                return
            if step == LANGUAGE_STEP:
                self._tally.told.add(number)
            metadata = head.partition(METADATA_HEADER)[2].partition(b"\r\n")[0]
            await asyncio.sleep(THINK_TIME)

    async def _press(self, exchange: Exchange, metadata: bytes) -> bytes:
        try:
            line = self._idle.pop() if self._idle else await self._connect()
            reply = await line.exchange(exchange.request_body, metadata)
        except (OSError, TimeoutError):
            return b""
        if reply:
            self._idle.append(line)
        return reply

    async def _connect(self) -> Line:
        _, line = await asyncio.get_running_loop().create_connection(Line, "127.0.0.1", self._port)
        return line


def _judge(body: bytes, expected: bytes) -> str:
    if body == expected:
        return "right"
    if not body:
        return "lost"
    return "refused" if body.startswith(b"END ") else "wrong"


def render_seconds(seconds: Sequence[Second]) -> Iterator[str]:
    """One line a second."""
    for number, second in enumerate(seconds):
        counts, waits = second.verdicts, sorted(second.waits) or [0.0]
        cells = "".join(f"{counts[name]:8}" for name in ("sent", "right", "refused", "wrong", "late", "lost"))
        yield f"{number:6} {second.load:5.1f}{cells} {waits[len(waits) // 2] * 1000:9.0f} {waits[-1] * 1000:10.0f} {second.own_delay * 1000:14.0f}"


async def _run(port: int, database_url: str, sessions: Iterator[Sequence[Exchange]], plan: argparse.Namespace) -> None:
    await run_callers(port, sessions, 16, 2.0)
    capacity = plan.capacity or len(await run_callers(port, sessions, 64, 4.0)) / 4.0
    async with Database(database_url) as database:
        before = set((await database.fetch(select(callers.c.msisdn))).scalars())
        tally = Tally()
        load = Callers(port, sessions, tally)
        rate = capacity / 4  # sessions of four key presses
        for factor, seconds in ((0.5, 4), (plan.factor, plan.seconds), (0.5, 10)):
            await load.play(rate * factor, seconds, factor)
        await load.finish()
        recorded = len(set((await database.fetch(select(callers.c.msisdn))).scalars()) - before)
    print(f"capacity {capacity:.0f} key presses a second\n{HEADER}")
    print("\n".join(render_seconds(tally.seconds)))
    print(f"languages asked for {len(tally.asked)}, told {len(tally.told)}, recorded {recorded}")


def main() -> None:
    """Measure, and print a line for each second."""
    parser = argparse.ArgumentParser(prog="python -m bench.overload", description=__doc__)
    parser.add_argument("--factor", type=float, default=3.0, help="load relative to the capacity")
    parser.add_argument("--seconds", type=int, default=10, help="that the overload lasts")
    parser.add_argument("--capacity", type=float, default=0.0, help="key presses a second; measured by default")
    plan = parser.parse_args()
    print(pin_to_last_processor())
    with real_redis() as redis, real_postgres() as postgres, new_database(postgres) as database_url:
        scripts = asyncio.run(insert_applications(database_url))
        sessions = build_sessions(generate_msisdns(), scripts)
        with (
            tempfile.TemporaryDirectory() as var,
            start_gateway(redis.url, database_url, var, SERVER__MAX_CONNECTIONS_PER_ADDRESS="2000") as gateway,
        ):
            uvloop.run(_run(gateway.port, database_url, sessions, plan))


if __name__ == "__main__":
    main()
