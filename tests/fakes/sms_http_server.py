"""A provider of SMS over HTTP, on a real socket: it knows the requests that it may get, and refuses any other with 400."""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web
from multidict import CIMultiDictProxy

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
CONTENT_TYPES = {"form": FORM, "json": JSON, "query": ""}


@dataclass(frozen=True)
class ExpectedRequest:
    """A request that the provider takes: everything that it has, and nothing else but the headers of the client."""

    method: str
    path: str
    query: Sequence[tuple[str, str]]
    body_format: str
    fields: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ArrivedRequest:
    """A request as it arrived; its fields are decoded by this server, not by the code under test."""

    method: str
    path: str
    query: Sequence[tuple[str, str]]
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def content_type(self) -> str:
        return self.headers.get("Content-Type", "").partition(";")[0]

    @property
    def fields(self) -> Mapping[str, Any]:
        if self.content_type == JSON:
            return json.loads(self.body)
        pairs = parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=bool(self.body))
        assert len(dict(pairs)) == len(pairs), "a field came twice"
        return dict(pairs)


Behaviour = Callable[["SmsHttpServer", web.Request], Awaitable[web.StreamResponse]]


@dataclass
class SmsHttpServer:
    """Takes the expected requests. It gives the planned answers in turn, and the last one again and again.

    `complaints` has what was wrong with the requests that it refused. Without expected requests it takes every one.
    """

    expected: Sequence[ExpectedRequest] = ()
    requests: list[ArrivedRequest] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._planned: deque[Behaviour] = deque()
        self.closing = asyncio.Event()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.closing.set()
        await self._runner.cleanup()

    def respond_with(self, *behaviours: Behaviour) -> Self:
        """Answer the next requests like this, one each, and every later one like the last."""
        self._planned.extend(behaviours)
        return self

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        arrived = ArrivedRequest(
            request.method,
            urlsplit(request.raw_path).path,
            parse_qsl(urlsplit(request.raw_path).query, keep_blank_values=True),
            request.headers,
            await request.read(),
        )
        self.requests.append(arrived)
        if self.expected and (complaint := find_complaint(arrived, self.expected)):
            self.complaints.append(complaint)
            return web.Response(status=400, text="This is no request of mine.")
        behaviour = self._planned.popleft() if len(self._planned) > 1 else self._planned[0]
        return await behaviour(self, request)


def find_complaint(arrived: ArrivedRequest, expected: Sequence[ExpectedRequest]) -> str:
    """What keeps the request from being one of those expected; empty where it is one."""
    reasons = [_compare(arrived, one) for one in expected]
    return "" if "" in reasons else " | ".join(reasons)


def _compare(arrived: ArrivedRequest, expected: ExpectedRequest) -> str:
    if (arrived.method, arrived.path) != (expected.method, expected.path):
        return f"{arrived.method} {arrived.path} is not {expected.method} {expected.path}"
    if sorted(arrived.query) != sorted(expected.query):
        return f"the query has {arrived.query}"
    if arrived.content_type != CONTENT_TYPES[expected.body_format]:
        return f"the body is {arrived.content_type}"
    if arrived.fields != expected.fields:
        return f"the fields are {arrived.fields}"
    wrong = [name for name, value in expected.headers.items() if arrived.headers.get(name) != value]
    return f"the headers {wrong} are wrong" if wrong else ""


def respond(status: int = 200, body: str | bytes = "", headers: Mapping[str, str] | None = None) -> Behaviour:
    """This answer, with exactly these headers."""
    octets = body.encode() if isinstance(body, str) else body

    async def behave(_server: SmsHttpServer, _request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=octets, headers=dict(headers or {}))

    return behave


async def drop_connection(_server: SmsHttpServer, request: web.Request) -> web.StreamResponse:
    """Reset the connection after the message has arrived."""
    _transport(request).abort()
    return web.Response()


def drop_connection_midway(head: bytes) -> Behaviour:
    """The beginning of a good answer that says it has 300 bytes more."""

    async def behave(_server: SmsHttpServer, request: web.Request) -> web.StreamResponse:
        _transport(request).write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + head)
        _transport(request).close()
        return web.Response()

    return behave


async def hang(server: SmsHttpServer, _request: web.Request) -> web.StreamResponse:
    """Never answer, although the message has arrived."""
    await server.closing.wait()
    return web.Response()


def respond_slowly(body: str, interval: float) -> Behaviour:
    """A good answer, one byte at a time, `interval` seconds apart."""

    async def behave(server: SmsHttpServer, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for octet in body.encode():
            if server.closing.is_set() or _transport(request).is_closing():
                break
            await response.write(bytes([octet]))
            await asyncio.sleep(interval)
        return response

    return behave


def _transport(request: web.Request) -> asyncio.Transport:
    assert request.transport is not None
    return request.transport
