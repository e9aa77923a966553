"""A department's system as docs/connector.md describes it, on a real socket: a model, and as strict as possible.

It refuses what is not signed, not authorized or not of the right shape, takes an application once for its idempotency
key, answers a repeat as it did before, and tells of moves by signed webhooks. `then` lays down other behaviour.
"""

import asyncio
import base64
import hmac
import json
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Self

from aiohttp import ClientSession, web

TOKEN = "a token for tests"
SECRET = "whsec_" + base64.b64encode(b"a secret for tests, 32 octets...").decode()
TOLERANCE = 300  # seconds
FIELDS = {
    "tracking_number": str,
    "service": str,
    "office": str,
    "submitted": str,
    "promised": (str, type(None)),
    "applicant": dict,
    "operator": (dict, type(None)),
    "beneficiary": (dict, type(None)),
    "applied_for": str,
    "form": dict,
    "documents": list,
    "fee": dict,
}
ANSWER_FIELDS = {
    "type": str,
    "tracking_number": str,
    "text": str,
    "at": str,
    "channel": str,
    "operator": (dict, type(None)),
}
CHANGEABLE_FIELDS = {"fee", "documents"}  # between two tries: the fee may have been paid, the catalogue changed

Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse | None]]
"""A response to a valid request; None: the usual response."""


def signature(message_id: str, timestamp: str, body: bytes, secret: str = SECRET) -> str:
    """The value of `webhook-signature`: Base64 of an HMAC-SHA256 of id, time and body, joined by dots."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, "sha256")).decode()


def sign_headers(message_id: str, body: bytes, timestamp: float | None = None, secret: str = SECRET) -> dict[str, str]:
    """The headers of a webhook."""
    stamp = str(int(time.time() if timestamp is None else timestamp))
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": signature(message_id, stamp, body, secret),
    }


@dataclass
class StoredApplication:
    """An application as the department stores it."""

    application: Mapping[str, Any]
    reference: str
    status: str = "received"
    note: Mapping[str, str] = field(default_factory=dict)


class DepartmentServer:
    """One department's system, always on the same port; it runs between `start` and `stop`."""

    def __init__(self, *, token: str = TOKEN, secret: str = SECRET, tolerance: float = TOLERANCE) -> None:
        self.token, self.secret, self.tolerance = token, secret, tolerance
        self.applications: dict[str, StoredApplication] = {}
        self.answers: dict[str, Mapping[str, Any]] = {}
        self.requests: list[tuple[str, str]] = []
        self.problems: list[str] = []
        self.submission_counts: Counter[str] = Counter()
        self.concurrent_requests = self.max_concurrent_requests = 0
        self.closing = asyncio.Event()
        self.request_arrived = asyncio.Condition()
        self._planned_behaviours: dict[str, deque[Behaviour]] = {}
        self._default_behaviours: dict[str, Behaviour] = {}
        self._port = 0
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/ekdial"

    def connector_settings(self, **extra: object) -> str:
        """The connector's settings, as JSON for a variable of the gateway's environment."""
        return json.dumps({"url": self.url, "token": self.token, "secret": self.secret, **extra})

    async def start(self) -> None:
        """Start, also after a stop."""
        app = web.Application()
        app.add_routes(
            [
                web.post("/ekdial/applications", self._build_handler("submit", self._handle_submit)),
                web.get("/ekdial/applications/{number}", self._build_handler("status", self._handle_status)),
                web.post("/ekdial/events", self._build_handler("event", self._handle_event)),
                web.get("/ekdial/health", self._build_handler("health", self._handle_health)),
            ]
        )
        self.closing = asyncio.Event()
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop: connections are refused."""
        self.closing.set()
        if self._runner:
            await self._runner.cleanup()
        self._runner = None

    def respond_with(self, operation: str, *behaviours: Behaviour) -> Self:
        """Plan the responses to the next requests of an operation: `submit`, `event`, `status` or `health`."""
        self._planned_behaviours.setdefault(operation, deque()).extend(behaviours)
        return self

    def respond_always_with(self, operation: str, behaviour: Behaviour | None) -> Self:
        """Respond to every request of an operation like this; None: as usual again."""
        if behaviour is None:
            self._default_behaviours.pop(operation, None)
        else:
            self._default_behaviours[operation] = behaviour
        return self

    def request_count(self, operation: str) -> int:
        """The number of requests of an operation."""
        return sum(asked == operation for asked, _ in self.requests)

    async def wait_until(self, predicate: Callable[[], bool]) -> None:
        """Wait until the predicate holds; it is evaluated after each request."""
        async with asyncio.timeout(30), self.request_arrived:
            await self.request_arrived.wait_for(predicate)

    async def send_webhook(
        self, http: ClientSession, url: str, message_id: str, event: Mapping[str, Any] | bytes, **headers: str
    ) -> tuple[int, Mapping[str, Any]]:
        """Send a webhook; the status and the JSON of the response."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        async with http.post(
            url, data=body, headers={**sign_headers(message_id, body, secret=self.secret), **headers}
        ) as answer:
            return answer.status, await answer.json(content_type=None)

    async def move_application(
        self, http: ClientSession, url: str, tracking_number: str, status: str, *, message_id: str = "", **note: str
    ) -> tuple[int, Mapping[str, Any]]:
        """Change the status of an application, and send the webhook about it."""
        if tracking_number in self.applications:
            self.applications[tracking_number].status, self.applications[tracking_number].note = status, note
        said = {"type": "application.moved", "tracking_number": tracking_number, "status": status, "note": note}
        return await self.send_webhook(http, url, message_id or f"msg_{tracking_number}_{status}", said)

    def _build_handler(self, operation: str, respond: Callable[[web.Request, bytes], web.Response]):
        async def handle(request: web.Request) -> web.StreamResponse:
            body = await request.read()
            self.concurrent_requests += 1
            self.max_concurrent_requests = max(self.max_concurrent_requests, self.concurrent_requests)
            self.requests.append((operation, request.path))
            await self._notify_waiters()
            try:
                plan = self._planned_behaviours.get(operation)
                behaviour = plan.popleft() if plan else self._default_behaviours.get(operation)
                answered = await behaviour(request) if behaviour else None
                return answered or self._respond_if_authorised(request, body, respond)
            finally:
                self.concurrent_requests -= 1
                await self._notify_waiters()

        return handle

    async def _notify_waiters(self) -> None:
        async with self.request_arrived:
            self.request_arrived.notify_all()

    def _respond_if_authorised(
        self, request: web.Request, body: bytes, respond: Callable[[web.Request, bytes], web.Response]
    ) -> web.Response:
        if fault := self._find_authorisation_problem(request, body):
            self.problems.append(fault)
            return problem_response(401, fault)
        return respond(request, body)

    def _find_authorisation_problem(self, request: web.Request, body: bytes) -> str:
        message, stamp = request.headers.get("webhook-id", ""), request.headers.get("webhook-timestamp", "0")
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return "the token is not ours"
        if abs(time.time() - int(stamp)) > self.tolerance:
            return "it was not signed now"
        given = request.headers.get("webhook-signature", "").split()
        right = signature(message, stamp, body, self.secret)
        return "" if any(hmac.compare_digest(right, one) for one in given) else "the signature is not right"

    def _handle_submit(self, request: web.Request, body: bytes) -> web.Response:
        said = json.loads(body)
        if fault := _find_application_problem(request, said):
            self.problems.append(fault)
            return problem_response(422, fault)
        number = said["tracking_number"]
        known = self.applications.get(number)
        if known is None:
            self.submission_counts[number] += 1
            known = self.applications[number] = StoredApplication(said, f"DEP-{len(self.applications) + 1:06}")
            return _accepted_response(number, known, 201)
        if any(known.application[name] != said[name] for name in FIELDS if name not in CHANGEABLE_FIELDS):
            self.problems.append("the same key came with something else")
        return _accepted_response(number, known, 200)

    def _handle_event(self, request: web.Request, body: bytes) -> web.Response:
        said = json.loads(body)
        if fault := _find_answer_problem(request, said):
            self.problems.append(fault)
            return problem_response(422, fault)
        if said["tracking_number"] not in self.applications:
            return problem_response(404, "no such application")
        self.answers[request.headers["webhook-id"]] = said
        return web.Response(status=204)

    def _handle_status(self, request: web.Request, body: bytes) -> web.Response:
        number = request.match_info["number"]
        if request.headers["webhook-id"] != f"status_{number}":
            return problem_response(401, "another number was signed")
        if number not in self.applications:
            return problem_response(404, "no such application")
        kept = self.applications[number]
        return web.json_response({"tracking_number": number, "status": kept.status, "note": dict(kept.note)})

    def _handle_health(self, request: web.Request, body: bytes) -> web.Response:
        return web.json_response({"status": "ok"})


def _find_application_problem(request: web.Request, application: Mapping[str, Any]) -> str:
    """The problem of an application; empty if there is none."""
    if request.content_type != "application/json":
        return "it is not JSON"
    if set(application) != set(FIELDS):
        return f"other fields: {sorted(set(application) ^ set(FIELDS))}"
    if wrong := [name for name, kind in FIELDS.items() if not isinstance(application[name], kind)]:
        return f"of another type: {wrong}"
    return (
        _find_number_problem(request, application["tracking_number"])
        or _find_date_problem(application)
        or _find_content_problem(application)
    )


def _find_answer_problem(request: web.Request, event: Mapping[str, Any]) -> str:
    """The problem of an event; empty if there is none."""
    if set(event) != set(ANSWER_FIELDS):
        return f"other fields: {sorted(set(event) ^ set(ANSWER_FIELDS))}"
    if wrong := [name for name, kind in ANSWER_FIELDS.items() if not isinstance(event[name], kind)]:
        return f"of another type: {wrong}"
    if event["type"] != "application.answered" or datetime.fromisoformat(event["at"]).tzinfo is None:
        return "no answer"
    return "" if request.headers.get("Idempotency-Key") == request.headers["webhook-id"] else "another id was signed"


def _find_number_problem(request: web.Request, tracking_number: str) -> str:
    if request.headers.get("Idempotency-Key") != tracking_number or not (
        tracking_number.isdigit() and len(tracking_number) == 12
    ):
        return "the idempotency key is not the tracking number"
    return "" if request.headers.get("webhook-id") == f"app_{tracking_number}" else "another number was signed"


def _find_date_problem(application: Mapping[str, Any]) -> str:
    if application["promised"] is not None:
        date.fromisoformat(application["promised"])
    return "" if datetime.fromisoformat(application["submitted"]).tzinfo else "submitted has no time zone"


def _find_content_problem(application: Mapping[str, Any]) -> str:
    if set(application["applicant"]) != {*("name", "number", "language", "channel")} or not application["applicant"][
        "number"
    ].startswith("+"):
        return "no applicant"
    if application["beneficiary"] is not None and set(application["beneficiary"]) != {"number"}:
        return "no beneficiary"
    if (application["applied_for"] == "another") != (application["beneficiary"] is not None):
        return "not for whom it is"
    if any(set(paper) != {"code", "on_file"} for paper in application["documents"]):
        return "no documents"
    fee = application["fee"]
    if set(fee) != {"amount_minor", "currency", "state"} or fee["state"] not in {
        "none",
        "due",
        "pending",
        "paid",
        "refunded",
    }:
        return "no fee"
    return ""


def _accepted_response(tracking_number: str, application: StoredApplication, status: int) -> web.Response:
    return web.json_response({"tracking_number": tracking_number, "reference": application.reference}, status=status)


def problem_response(status: int, detail: str) -> web.Response:
    body = {"type": "about:blank", "title": "Refused", "status": status, "detail": detail}
    return web.json_response(body, status=status, content_type="application/problem+json")


def respond(status: int, body: bytes | Mapping[str, Any] = b"{}", **headers: str) -> Behaviour:
    """The same response to any request."""
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=octets, content_type="application/json", headers=headers)

    return answer


def accept_then(server: DepartmentServer, behaviour: Behaviour) -> Behaviour:
    """Store the application, but respond otherwise."""

    async def answer(request: web.Request) -> web.StreamResponse | None:
        server._respond_if_authorised(request, await request.read(), server._handle_submit)
        return await behaviour(request)

    return answer


async def drop_connection(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def hang(server: DepartmentServer) -> Behaviour:
    """No response before the server closes."""

    async def answer(_: web.Request) -> web.StreamResponse:
        await server.closing.wait()
        return web.Response()

    return answer


def respond_when(event: asyncio.Event) -> Behaviour:
    """The usual response, after the event is set."""

    async def answer(_: web.Request) -> None:
        await event.wait()

    return answer
