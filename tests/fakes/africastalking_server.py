"""Africa's Talking's SMS API as captured, on a real socket. A request that the real API rejects gets 400."""

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
FORM_CONTENT_TYPE = "application/x-www-form-urlencoded"
FORM_FIELDS = {"username", "to", "message", "from", "bulkSMSMode", "enqueue"}
STATUS_NAMES = {
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
ACCEPTED_CODES = {100, 101, 102}
PRICE = "KES 0.8000"


@dataclass(frozen=True)
class RecordedRequest:
    """One request; `connection` numbers the server's connections."""

    method: str
    path: str
    headers: CIMultiDictProxy[str]
    body: bytes
    connection: int

    @property
    def fields(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


Behaviour = Callable[["AfricasTalkingServer", web.Request, RecordedRequest], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class AcceptedSms:
    """One message that the server accepted."""

    to: str
    text: str
    id: str


@dataclass
class AfricasTalkingServer:
    """Accepts every message, unless `respond_with` plans the next responses or `default_behaviour` all of them."""

    requests: list[RecordedRequest] = field(default_factory=list)
    format_id: Callable[[int], str] = "ATXid_{:032x}".format
    default_behaviour: Callable[[RecordedRequest], Behaviour] = lambda _: accept()
    accepted: list[AcceptedSms] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._planned: deque[Behaviour] = deque()
        self._id_counter = count(1)
        self._connections: dict[object, int] = {}
        self.closing = asyncio.Event()
        self.arrived = asyncio.Event()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/version1/messaging", self._handle_messaging)
        app.router.add_route("*", "/elsewhere", self._handle_redirect_target)
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

    def respond_with(self, *behaviours: Behaviour) -> Self:
        """Respond to the next requests like this, one each; after them messages are accepted again."""
        self._planned.extend(behaviours)
        return self

    def new_id(self) -> str:
        return self.format_id(next(self._id_counter))

    async def _handle_messaging(self, request: web.Request) -> web.StreamResponse:
        recorded = await self._record_request(request)
        if complaint := _find_problem(recorded):
            return _text_response(400, complaint)
        if recorded.headers["apiKey"] != API_KEY:
            return _text_response(401, "The supplied authentication is invalid")
        behaviour = self._planned.popleft() if self._planned else self.default_behaviour(recorded)
        return await behaviour(self, request, recorded)

    async def _handle_redirect_target(self, request: web.Request) -> web.StreamResponse:
        """The target of a redirect: it accepts everything, and a client must never follow."""
        recorded = await self._record_request(request)
        return _json_response(_accept_message(self, {"to": recorded.fields.get("to", "+254700000001")}, 101))

    async def _record_request(self, request: web.Request) -> RecordedRequest:
        connection = self._connections.setdefault(request.transport, len(self._connections))
        recorded = RecordedRequest(request.method, request.path, request.headers, await request.read(), connection)
        self.requests.append(recorded)
        self.arrived.set()
        return recorded


def accept(code: int = 101) -> Behaviour:
    """201: every recipient that is a number gets `code`, any other 403."""
    return _build_behaviour(lambda server, recorded: _json_response(_accept_message(server, recorded.fields, code)))


def reject(message: str = "InvalidSenderId") -> Behaviour:
    """201 without recipients: the request itself is rejected."""
    return respond_json({"SMSMessageData": {"Message": message, "Recipients": []}})


def respond_json(body: object, status: int = 201, headers: Mapping[str, str] | None = None) -> Behaviour:
    """This JSON, or exactly these bytes, with Africa's Talking's content type unless `headers` has another."""
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Content-Type": "application/json", **(headers or {})}
    return _build_behaviour(lambda _server, _recorded: web.Response(status=status, body=octets, headers=sent))


def respond_text(status: int, text: str, **headers: str) -> Behaviour:
    """Plain text, as after a wrong key or too many requests."""
    return _build_behaviour(lambda _server, _recorded: _text_response(status, text, headers))


def redirect(status: int = 302) -> Behaviour:
    """A redirect to an address that accepts everything."""
    return respond_text(status, "", Location="/elsewhere")


async def drop_connection(
    _server: AfricasTalkingServer, request: web.Request, _recorded: RecordedRequest
) -> web.StreamResponse:
    """Reset the connection after the message has arrived."""
    _transport(request).abort()
    return web.Response()


async def drop_connection_midway(
    _server: AfricasTalkingServer, request: web.Request, _recorded: RecordedRequest
) -> web.StreamResponse:
    """Close the connection in the middle of a good response."""
    head = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 300\r\n\r\n"
    _transport(request).write(head + b'{"SMSMessageData":{"Mess')
    _transport(request).close()
    return web.Response()


async def hang(server: AfricasTalkingServer, _request: web.Request, _recorded: RecordedRequest) -> web.StreamResponse:
    """Never respond, although the message has arrived."""
    await server.closing.wait()
    return web.Response()


def drip(interval: float) -> Behaviour:
    """A good response, one byte at a time, `interval` seconds apart."""

    async def behave(
        server: AfricasTalkingServer, request: web.Request, recorded: RecordedRequest
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=201, headers={"Content-Type": "application/json"})
        await response.prepare(request)
        with suppress(ConnectionResetError):  # whoever listened has had enough
            for octet in json.dumps(_accept_message(server, recorded.fields, 101)).encode():
                await response.write(bytes([octet]))
                with suppress(TimeoutError):
                    await asyncio.wait_for(server.closing.wait(), interval)
        return response

    return behave


slow_drip = drip(0.02)


async def respond_twice(
    server: AfricasTalkingServer, request: web.Request, recorded: RecordedRequest
) -> web.StreamResponse:
    """A good response, twice on the same connection."""
    body = json.dumps(_accept_message(server, recorded.fields, 101)).encode()
    head = f"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    _transport(request).write((head + body) * 2)
    _transport(request).close()
    return web.Response()


def accept_after(seconds: float) -> Behaviour:
    """Accept the message, and respond after a delay in seconds."""

    async def behave(
        server: AfricasTalkingServer, _request: web.Request, recorded: RecordedRequest
    ) -> web.StreamResponse:
        said = _accept_message(server, recorded.fields, 101)
        await asyncio.sleep(seconds)
        return _json_response(said)

    return behave


def accept_then(behaviour: Behaviour) -> Behaviour:
    """Accept the message, but respond otherwise."""

    async def behave(
        server: AfricasTalkingServer, request: web.Request, recorded: RecordedRequest
    ) -> web.StreamResponse:
        _accept_message(server, recorded.fields, 101)
        return await behaviour(server, request, recorded)

    return behave


def accept_when(event: asyncio.Event) -> Behaviour:
    """Accept the message, and respond when the event is set."""

    async def behave(
        server: AfricasTalkingServer, _request: web.Request, recorded: RecordedRequest
    ) -> web.StreamResponse:
        await event.wait()
        return _json_response(_accept_message(server, recorded.fields, 101))

    return behave


def _build_behaviour(build_response: Callable[[AfricasTalkingServer, RecordedRequest], web.Response]) -> Behaviour:
    async def behave(
        server: AfricasTalkingServer, _request: web.Request, recorded: RecordedRequest
    ) -> web.StreamResponse:
        return build_response(server, recorded)

    return behave


def _find_problem(request: RecordedRequest) -> str:
    """The problem of a request that the real API rejects too; empty for a good request."""
    if "apiKey" not in request.headers:
        return "Must have apiKey header"
    if request.headers.get("Accept") != "application/json" or request.headers.get("Content-Type") != FORM_CONTENT_TYPE:
        return "Asked for something else than JSON, or sent something else than a form"
    wanting = [name for name in ("username", "to", "message") if not request.fields.get(name)]
    unknown = sorted(request.fields.keys() - FORM_FIELDS)
    if wanting or unknown:
        return f"Request is missing {wanting} or has unknown {unknown}"
    return "" if request.fields["username"] == USERNAME else "No such user"


def _accept_message(server: AfricasTalkingServer, fields: Mapping[str, str], code: int) -> object:
    entries = [_build_recipient(server, number, code) for number in fields["to"].split(",")]
    server.accepted += [
        AcceptedSms(str(entry["number"]), fields.get("message", ""), str(entry["messageId"]))
        for entry in entries
        if entry["messageId"] != "None"
    ]
    sent = sum(entry["messageId"] != "None" for entry in entries)
    message = f"Sent to {sent}/{len(entries)} Total Cost: KES {0.8 * sent:.4f}"
    return {"SMSMessageData": {"Message": message, "Recipients": entries}}


def _build_recipient(server: AfricasTalkingServer, msisdn: str, code: int) -> dict[str, object]:
    code = code if re.fullmatch(r"\+\d{7,15}", msisdn, re.ASCII) else 403
    fine = code in ACCEPTED_CODES
    return {
        "statusCode": code,
        "number": msisdn,
        "status": STATUS_NAMES[code],
        "cost": PRICE if fine else "0",
        "messageId": server.new_id() if fine else "None",
    }


def _json_response(body: object) -> web.Response:
    # Not web.json_response: its `; charset=utf-8` is not what is captured, and the SDK reads such an answer as text.
    return web.Response(status=201, body=json.dumps(body).encode(), headers={"Content-Type": "application/json"})


def _text_response(status: int, text: str, headers: Mapping[str, str] | None = None) -> web.Response:
    sent = {"Content-Type": "text/plain", **(headers or {})}
    return web.Response(status=status, body=text.encode(), headers=sent)


def _transport(request: web.Request) -> asyncio.Transport:
    assert request.transport is not None
    return request.transport
