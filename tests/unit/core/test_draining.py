"""A server that drains resets nothing that is on its way, and ends as soon as nobody is there."""

import asyncio
from collections import Counter
from contextlib import asynccontextmanager

import pytest
import uvloop
from aiohttp import web
from structlog.testing import capture_logs

from core.http import draining
from core.http.draining import Drain
from core.http.fast_response import build_text_response
from core.http.fast_router import FastPathRunner
from core.http.limits import HttpLimits

FAST = b"POST /fast HTTP/1.1\r\nHost: gateway\r\nContent-Length: 0\r\n\r\n"
SLOW = b"GET /slow HTTP/1.1\r\nHost: gateway\r\n\r\n"
PATIENCE = 20.0  # seconds after which something hangs


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(draining, "POLL_INTERVAL", 0.005)
    monkeypatch.setattr(draining, "IDLE_GRACE", 0.02)


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request):
    """Runs a coroutine on an event loop of its own."""

    def run(coroutine):
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(asyncio.wait_for(coroutine, PATIENCE))

    return run


class Server:
    """A server with a fast path and a slow one, which is answered once `released` is set."""

    def __init__(self, drain):
        self.drain = drain
        self.released = asyncio.Event()
        self.clients = []
        app = web.Application()
        app.add_routes([web.post("/fast", self.respond), web.get("/slow", self.respond_slowly)])
        limits = HttpLimits(trusted_proxies=(), max_connections_per_address=1000)
        self.runner = FastPathRunner(app, frozenset({"/fast"}), limits=limits, drain=drain, shutdown_timeout=0.1)

    async def respond(self, request):
        return build_text_response(request, "CON 1 English")

    async def respond_slowly(self, _):
        await self.released.wait()
        return web.Response(text="done")

    @property
    def address(self):
        return self.runner.addresses[0]


@asynccontextmanager
async def serve(**limits):
    server = Server(Drain(**{"seconds": PATIENCE, "finish_seconds": PATIENCE, **limits}))
    await server.runner.setup()
    await web.TCPSite(server.runner, "127.0.0.1", 0).start()
    try:
        yield server
    finally:
        await server.runner.cleanup()
        for client in server.clients:
            client.writer.close()
            await asyncio.sleep(0)


class Client:
    """One connection."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    def send(self, data=FAST):
        self.writer.write(data)

    async def read(self):
        """The head of the next response, in lower case; its body is skipped."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        await self.reader.readexactly(int(head.partition(b"content-length:")[2].split()[0]))
        return head

    async def ask(self, data=FAST):
        self.send(data)
        return await self.read()

    async def read_end(self):
        return await self.reader.read()


async def connect(server, address=None):
    client = Client(*await asyncio.open_connection(*(address or server.address)))
    server.clients.append(client)
    return client


async def wait_for(condition):
    while not condition():  # noqa: ASYNC110 (several objects)
        await asyncio.sleep(0.001)


def test_answers_close_their_connections_and_new_ones_are_served(run):
    async def drain():
        async with serve() as server:
            old = await connect(server)
            assert b"connection: close" not in await old.ask()
            ending = asyncio.create_task(server.runner.cleanup())
            await wait_for(lambda: server.drain.is_active)

            assert b"connection: close" in await old.ask()
            assert await old.read_end() == b""
            new = await connect(server)
            assert b"connection: close" in await new.ask()
            server.drain.cut_short()
            await ending

    run(drain())


def test_an_idle_connection_stays_until_the_end_of_the_drain(run):
    async def drain():
        async with serve() as server:
            idle = await connect(server)
            await idle.ask()
            ending = asyncio.create_task(server.runner.cleanup())
            await wait_for(lambda: server.drain.is_active)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(idle.read_end(), 0.1)

            server.drain.cut_short()
            assert await idle.read_end() == b""
            await ending

    run(drain())


def test_what_is_in_flight_is_answered_after_the_listener_is_closed(run):
    async def drain():
        async with serve(seconds=0) as server:
            slow, half, address = await connect(server), await connect(server), server.address
            slow.send(SLOW)
            half.send(FAST[:10])
            await asyncio.sleep(0.05)
            ending = asyncio.create_task(server.runner.cleanup())
            await wait_for(lambda: not server.runner.addresses)
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(*address)
            await asyncio.sleep(0.05)

            half.send(FAST[10:])
            assert b"connection: close" in await half.read()
            server.released.set()
            assert b"connection: close" in await slow.read()
            await ending

    run(drain())


def test_a_request_that_never_ends_is_cut_off_in_the_end(run):
    async def drain():
        async with serve(seconds=0, finish_seconds=0.1) as server:
            slow = await connect(server)
            slow.send(SLOW)
            await asyncio.sleep(0.05)
            with capture_logs() as logs:
                await server.runner.cleanup()
            assert logs[-1] == {"event": "server_drained", "log_level": "info", "cut_off": 1}

    run(drain())


def test_under_steady_load_nothing_is_reset(run):
    async def call(server, address, outcomes):
        client = None
        while True:
            try:
                client = client or await connect(server, address)
            except ConnectionRefusedError:
                return
            try:
                head = await client.ask()
            except (ConnectionError, asyncio.IncompleteReadError) as error:
                outcomes[type(error).__name__] += 1
                return
            outcomes["answered"] += 1
            if b"connection: close" in head:
                client.writer.close()
                client = None

    async def drain():
        outcomes = Counter()
        async with serve() as server:
            calls = [asyncio.create_task(call(server, server.address, outcomes)) for _ in range(50)]
            await wait_for(lambda: outcomes["answered"] > 100)
            ending = asyncio.create_task(server.runner.cleanup())
            await wait_for(lambda: outcomes["answered"] > 300)
            server.drain.cut_short()
            await asyncio.gather(*calls)
            await ending
        assert set(outcomes) == {"answered"}

    run(drain())


def test_a_request_that_arrives_with_the_end_of_the_drain_is_answered(run):
    """The event loop has not read it yet when idle connections are closed."""

    async def drain():
        async with serve(seconds=0) as server:
            client = await connect(server)
            await client.ask()
            await asyncio.sleep(0.05)
            (connection,) = server.runner.server.open_connections
            client.send()
            draining._close_idle([connection])
            assert b"200 ok" in await client.read()

    run(drain())


@pytest.mark.parametrize("was_connected", [True, False])
def test_where_nobody_is_connected_the_drain_is_over(run, monkeypatch, was_connected):
    monkeypatch.setattr(draining, "QUIET_SECONDS", 0.05)

    async def drain():
        async with serve(seconds=2 * PATIENCE) as server:
            if was_connected:
                client = await connect(server)
                await client.ask()
                client.writer.close()
            await server.runner.cleanup()

    run(drain())


def test_a_drain_goes_on_while_connections_that_were_closed_are_opened_anew(run, monkeypatch):
    """A proxy whose connection was closed with an answer sends its next request on another."""
    monkeypatch.setattr(draining, "QUIET_SECONDS", 0.2)

    async def drain():
        async with serve(seconds=2 * PATIENCE) as server:
            old = await connect(server)
            await old.ask()
            await asyncio.sleep(0.3)
            ending = asyncio.create_task(server.runner.cleanup())
            await wait_for(lambda: server.drain.is_active)
            await old.ask()
            await asyncio.sleep(0.1)
            assert b"connection: close" in await (await connect(server)).ask()
            await ending

    run(drain())
