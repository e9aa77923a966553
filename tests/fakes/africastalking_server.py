"""Africa's Talking's SMS interface as its captures show it, on a real socket; asked wrongly it answers 400."""

import asyncio
import json
import re
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Self
from urllib.parse import parse_qsl

from aiohttp import web
from multidict import CIMultiDictProxy

USERNAME, API_KEY = "sandbox", "atsk_made_up_for_tests"
FORM = "application/x-www-form-urlencoded"
FIELDS = {"username", "to", "message", "from", "bulkSMSMode", "enqueue"}
NAMES = {
    100: "Processed",
    101: "Success",  # "Sent" in the documentation, "Success" on the wire
    102: "Queued",
    401: "RiskHold",
    402: "InvalidSenderId",
    403: "InvalidPhoneNumber",
    404: "UnsupportedNumberType",
    405: "InsufficientBalance",
    406: "UserInBlacklist",
    407: "CouldNotRoute",
    409: "DoNotDisturbRejection",
    500: "InternalServerError",
    501: "GatewayError",
    502: "RejectedByGateway",
}
TAKEN = {100, 101, 102}
PRICE = "KES 0.8000"


@dataclass(frozen=True)
class Asked:
    """One request, as it came; `connection` tells which of the server's connections brought it."""

    method: str
    path: str
    headers: CIMultiDictProxy[str]
    body: bytes
    connection: int

    @property
    def fields(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


Behaviour = Callable[["AfricasTalkingServer", web.Request, Asked], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Taken:
    """One message that was taken, and would be on its way to a phone now."""

    to: str
    text: str
    id: str


@dataclass
class AfricasTalkingServer:
    """Takes every message unless `then` lays down, for the next requests in turn, how they are answered, or `by` for each."""

    asked: list[Asked] = field(default_factory=list)
    ids: Callable[[int], str] = "ATXid_{:032x}".format
    by: Callable[[Asked], Behaviour] = lambda _: taken()
    phones: list[Taken] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._plan: deque[Behaviour] = deque()
        self._sent = count(1)
        self._connections: dict[object, int] = {}
        self.closing = asyncio.Event()
        self.arrived = asyncio.Event()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/version1/messaging", self._messaging)
        app.router.add_route("*", "/elsewhere", self._elsewhere)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/version1"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.closing.set()
        await self._runner.cleanup()

    def then(self, *behaviours: Behaviour) -> Self:
        """Answer the next requests like this, one each; after them messages are taken again."""
        self._plan.extend(behaviours)
        return self

    def new_id(self) -> str:
        return self.ids(next(self._sent))

    async def _messaging(self, request: web.Request) -> web.StreamResponse:
        asked = await self._heard(request)
        if complaint := _complaint(asked):
            return _text(400, complaint)
        if asked.headers["apiKey"] != API_KEY:
            return _text(401, "The supplied authentication is invalid")
        behaviour = self._plan.popleft() if self._plan else self.by(asked)
        return await behaviour(self, request, asked)

    async def _elsewhere(self, request: web.Request) -> web.StreamResponse:
        """Where a redirect leads; it says yes to everything, which a client must never get to hear."""
        asked = await self._heard(request)
        return _json(_said(self, {"to": asked.fields.get("to", "+254700000001")}, 101))

    async def _heard(self, request: web.Request) -> Asked:
        connection = self._connections.setdefault(request.transport, len(self._connections))
        asked = Asked(request.method, request.path, request.headers, await request.read(), connection)
        self.asked.append(asked)
        self.arrived.set()
        return asked


def taken(code: int = 101) -> Behaviour:
    """201: every recipient that is a number gets `code`, any other 403."""
    return _answering(lambda server, asked: _json(_said(server, asked.fields, code)))


def refused(message: str = "InvalidSenderId") -> Behaviour:
    """201 with no recipients: the request itself was refused."""
    return says({"SMSMessageData": {"Message": message, "Recipients": []}})


def says(body: object, status: int = 201, headers: Mapping[str, str] | None = None) -> Behaviour:
    """This JSON, or these very bytes, under Africa's Talking's content type unless `headers` give another."""
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Content-Type": "application/json", **(headers or {})}
    return _answering(lambda _server, _asked: web.Response(status=status, body=octets, headers=sent))


def says_plainly(status: int, text: str, **headers: str) -> Behaviour:
    """Plain text, as for a wrong key or too many requests."""
    return _answering(lambda _server, _asked: _text(status, text, headers))


def redirects(status: int = 302) -> Behaviour:
    """Another address, where a client that follows is told that all went well."""
    return says_plainly(status, "", Location="/elsewhere")


async def hangs_up(_server: AfricasTalkingServer, request: web.Request, _asked: Asked) -> web.StreamResponse:
    """The message has arrived; then the connection is reset without a word."""
    _transport(request).abort()
    return web.Response()


async def hangs_up_midway(_server: AfricasTalkingServer, request: web.Request, _asked: Asked) -> web.StreamResponse:
    """The connection is closed in the middle of a good answer."""
    head = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 300\r\n\r\n"
    _transport(request).write(head + b'{"SMSMessageData":{"Mess')
    _transport(request).close()
    return web.Response()


async def never_answers(server: AfricasTalkingServer, _request: web.Request, _asked: Asked) -> web.StreamResponse:
    """The message has arrived, and that is the last that is heard."""
    await server.closing.wait()
    return web.Response()


def dripping(seconds: float) -> Behaviour:
    """A good answer, an octet every so many seconds, so that no pause between two is ever long."""

    async def behave(server: AfricasTalkingServer, request: web.Request, asked: Asked) -> web.StreamResponse:
        response = web.StreamResponse(status=201, headers={"Content-Type": "application/json"})
        await response.prepare(request)
        with suppress(ConnectionResetError):  # whoever listened has had enough
            for octet in json.dumps(_said(server, asked.fields, 101)).encode():
                await response.write(bytes([octet]))
                with suppress(TimeoutError):
                    await asyncio.wait_for(server.closing.wait(), seconds)
        return response

    return behave


drips = dripping(0.02)


async def says_it_twice(server: AfricasTalkingServer, request: web.Request, asked: Asked) -> web.StreamResponse:
    """A good answer, and then, unasked, the same once more on the same connection."""
    body = json.dumps(_said(server, asked.fields, 101)).encode()
    head = f"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    _transport(request).write((head + body) * 2)
    _transport(request).close()
    return web.Response()


def late(seconds: float) -> Behaviour:
    """Takes the message, and says so after a while."""

    async def behave(server: AfricasTalkingServer, _request: web.Request, asked: Asked) -> web.StreamResponse:
        said = _said(server, asked.fields, 101)
        await asyncio.sleep(seconds)
        return _json(said)

    return behave


def takes_and(then: Behaviour) -> Behaviour:
    """The message is on its way to a phone, and the sender is told something else."""

    async def behave(server: AfricasTalkingServer, request: web.Request, asked: Asked) -> web.StreamResponse:
        _said(server, asked.fields, 101)
        return await then(server, request, asked)

    return behave


def waits_for(gate: asyncio.Event) -> Behaviour:
    """Takes the message, and says so when `gate` opens."""

    async def behave(server: AfricasTalkingServer, _request: web.Request, asked: Asked) -> web.StreamResponse:
        await gate.wait()
        return _json(_said(server, asked.fields, 101))

    return behave


def _answering(answer: Callable[[AfricasTalkingServer, Asked], web.Response]) -> Behaviour:
    async def behave(server: AfricasTalkingServer, _request: web.Request, asked: Asked) -> web.StreamResponse:
        return answer(server, asked)

    return behave


def _complaint(asked: Asked) -> str:
    """What is wrong with a request that the real interface would not take either; empty when nothing is."""
    if "apiKey" not in asked.headers:
        return "Must have apiKey header"
    if asked.headers.get("Accept") != "application/json" or asked.headers.get("Content-Type") != FORM:
        return "Asked for something else than JSON, or sent something else than a form"
    wanting = [name for name in ("username", "to", "message") if not asked.fields.get(name)]
    unknown = sorted(asked.fields.keys() - FIELDS)
    if wanting or unknown:
        return f"Request is missing {wanting} or has unknown {unknown}"
    return "" if asked.fields["username"] == USERNAME else "No such user"


def _said(server: AfricasTalkingServer, fields: Mapping[str, str], code: int) -> object:
    entries = [_entry(server, number, code) for number in fields["to"].split(",")]
    server.phones += [
        Taken(str(entry["number"]), fields.get("message", ""), str(entry["messageId"]))
        for entry in entries
        if entry["messageId"] != "None"
    ]
    sent = sum(entry["messageId"] != "None" for entry in entries)
    message = f"Sent to {sent}/{len(entries)} Total Cost: KES {0.8 * sent:.4f}"
    return {"SMSMessageData": {"Message": message, "Recipients": entries}}


def _entry(server: AfricasTalkingServer, number: str, code: int) -> dict[str, object]:
    code = code if re.fullmatch(r"\+\d{7,15}", number, re.ASCII) else 403
    fine = code in TAKEN
    return {
        "statusCode": code,
        "number": number,
        "status": NAMES[code],
        "cost": PRICE if fine else "0",
        "messageId": server.new_id() if fine else "None",
    }


def _json(body: object) -> web.Response:
    # Not web.json_response: its `; charset=utf-8` is not what is captured, and the SDK reads such an answer as text.
    return web.Response(status=201, body=json.dumps(body).encode(), headers={"Content-Type": "application/json"})


def _text(status: int, text: str, headers: Mapping[str, str] | None = None) -> web.Response:
    sent = {"Content-Type": "text/plain", **(headers or {})}
    return web.Response(status=status, body=text.encode(), headers=sent)


def _transport(request: web.Request) -> asyncio.Transport:
    assert request.transport is not None
    return request.transport
