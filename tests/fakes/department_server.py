"""A department's own system as docs/connector.md describes it, on a real socket: a model, and as strict as one can be.

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
    "beneficiary": (dict, type(None)),
    "form": dict,
    "documents": list,
    "fee": dict,
}
MAY_MOVE_ON = {"fee", "documents"}  # between two tries: the fee may have been paid, the catalogue changed

Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse | None]]
"""Instead of the right answer; None: the right one after all."""


def signature(message: str, stamp: str, body: bytes, secret: str = SECRET) -> str:
    """What `webhook-signature` is to hold: Base64 of an HMAC-SHA256 of id, time and body, joined by dots."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.digest(key, f"{message}.{stamp}.".encode() + body, "sha256")).decode()


def signed(message: str, body: bytes, at: float | None = None, secret: str = SECRET) -> dict[str, str]:
    """The headers of a webhook."""
    stamp = str(int(time.time() if at is None else at))
    return {
        "Content-Type": "application/json",
        "webhook-id": message,
        "webhook-timestamp": stamp,
        "webhook-signature": signature(message, stamp, body, secret),
    }


@dataclass
class Kept:
    """An application as the department has it."""

    application: Mapping[str, Any]
    reference: str
    status: str = "received"
    note: Mapping[str, str] = field(default_factory=dict)


class DepartmentServer:
    """One department's system; up between `starts` and `stops`, always on the same port."""

    def __init__(self, *, token: str = TOKEN, secret: str = SECRET, tolerance: float = TOLERANCE) -> None:
        self.token, self.secret, self.tolerance = token, secret, tolerance
        self.kept: dict[str, Kept] = {}
        self.asked: list[tuple[str, str]] = []
        self.faults: list[str] = []
        self.handed_in: Counter[str] = Counter()
        self.at_once = self.most_at_once = 0
        self.closing = asyncio.Event()
        self.heard = asyncio.Condition()
        self._plans: dict[str, deque[Behaviour]] = {}
        self._always: dict[str, Behaviour] = {}
        self._port = 0
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        await self.starts()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stops()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/ekdial"

    def settings(self, **more: object) -> str:
        """The connector to it, as a variable of the gateway's environment has it."""
        return json.dumps({"url": self.url, "token": self.token, "secret": self.secret, **more})

    async def starts(self) -> None:
        """Up; again, where it was down."""
        app = web.Application()
        app.add_routes(
            [
                web.post("/ekdial/applications", self._answers("submit", self._submit)),
                web.get("/ekdial/applications/{number}", self._answers("status", self._status)),
                web.get("/ekdial/health", self._answers("health", self._health)),
            ]
        )
        self.closing = asyncio.Event()
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]

    async def stops(self) -> None:
        """Down: connections are refused."""
        self.closing.set()
        if self._runner:
            await self._runner.cleanup()
        self._runner = None

    def then(self, what: str, *behaviours: Behaviour) -> Self:
        """Answer the next `submit`, `status` or `health` like so, one each."""
        self._plans.setdefault(what, deque()).extend(behaviours)
        return self

    def always(self, what: str, behaviour: Behaviour | None) -> Self:
        """Answer each like so from now on; None: as is right again."""
        if behaviour is None:
            self._always.pop(what, None)
        else:
            self._always[what] = behaviour
        return self

    def count(self, what: str) -> int:
        """How often it was asked that."""
        return sum(asked == what for asked, _ in self.asked)

    async def until(self, true: Callable[[], bool]) -> None:
        """Return when this is so; it can become so whenever something is asked."""
        async with asyncio.timeout(30), self.heard:
            await self.heard.wait_for(true)

    async def tells(
        self, http: ClientSession, url: str, message: str, said: Mapping[str, Any] | bytes, **headers: str
    ) -> tuple[int, Mapping[str, Any]]:
        """Send a webhook; the status and the JSON it is answered with."""
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        async with http.post(
            url, data=body, headers={**signed(message, body, secret=self.secret), **headers}
        ) as answer:
            return answer.status, await answer.json(content_type=None)

    async def moves(
        self, http: ClientSession, url: str, number: str, status: str, *, message: str = "", **note: str
    ) -> tuple[int, Mapping[str, Any]]:
        """Move an application here and tell the gateway of it."""
        if number in self.kept:
            self.kept[number].status, self.kept[number].note = status, note
        said = {"type": "application.moved", "tracking_number": number, "status": status, "note": note}
        return await self.tells(http, url, message or f"msg_{number}_{status}", said)

    def _answers(self, what: str, right: Callable[[web.Request, bytes], web.Response]):
        async def answer(request: web.Request) -> web.StreamResponse:
            body = await request.read()
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self.asked.append((what, request.path))
            await self._noted()
            try:
                plan = self._plans.get(what)
                behaviour = plan.popleft() if plan else self._always.get(what)
                answered = await behaviour(request) if behaviour else None
                return answered or self._strictly(request, body, right)
            finally:
                self.at_once -= 1
                await self._noted()

        return answer

    async def _noted(self) -> None:
        async with self.heard:
            self.heard.notify_all()

    def _strictly(
        self, request: web.Request, body: bytes, right: Callable[[web.Request, bytes], web.Response]
    ) -> web.Response:
        if fault := self._unauthorized(request, body):
            self.faults.append(fault)
            return problem(401, fault)
        return right(request, body)

    def _unauthorized(self, request: web.Request, body: bytes) -> str:
        message, stamp = request.headers.get("webhook-id", ""), request.headers.get("webhook-timestamp", "0")
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return "the token is not ours"
        if abs(time.time() - int(stamp)) > self.tolerance:
            return "it was not signed now"
        given = request.headers.get("webhook-signature", "").split()
        right = signature(message, stamp, body, self.secret)
        return "" if any(hmac.compare_digest(right, one) for one in given) else "the signature is not right"

    def _submit(self, request: web.Request, body: bytes) -> web.Response:
        said = json.loads(body)
        if fault := _misshapen(request, said):
            self.faults.append(fault)
            return problem(422, fault)
        number = said["tracking_number"]
        known = self.kept.get(number)
        if known is None:
            self.handed_in[number] += 1
            known = self.kept[number] = Kept(said, f"DEP-{len(self.kept) + 1:06}")
            return _taken(number, known, 201)
        if any(known.application[name] != said[name] for name in FIELDS if name not in MAY_MOVE_ON):
            self.faults.append("the same key came with something else")
        return _taken(number, known, 200)

    def _status(self, request: web.Request, body: bytes) -> web.Response:
        number = request.match_info["number"]
        if request.headers["webhook-id"] != f"status_{number}":
            return problem(401, "another number was signed")
        if number not in self.kept:
            return problem(404, "no such application")
        kept = self.kept[number]
        return web.json_response({"tracking_number": number, "status": kept.status, "note": dict(kept.note)})

    def _health(self, request: web.Request, body: bytes) -> web.Response:
        return web.json_response({"status": "ok"})


def _misshapen(request: web.Request, said: Mapping[str, Any]) -> str:
    """What is wrong with an application; empty where nothing is."""
    if request.content_type != "application/json":
        return "it is not JSON"
    if set(said) != set(FIELDS):
        return f"other fields: {sorted(set(said) ^ set(FIELDS))}"
    if wrong := [name for name, kind in FIELDS.items() if not isinstance(said[name], kind)]:
        return f"of another type: {wrong}"
    return _misnumbered(request, said["tracking_number"]) or _undated(said) or _people_and_papers(said)


def _misnumbered(request: web.Request, number: str) -> str:
    if request.headers.get("Idempotency-Key") != number or not (number.isdigit() and len(number) == 12):
        return "the idempotency key is not the tracking number"
    return "" if request.headers.get("webhook-id") == f"app_{number}" else "another number was signed"


def _undated(said: Mapping[str, Any]) -> str:
    if said["promised"] is not None:
        date.fromisoformat(said["promised"])
    return "" if datetime.fromisoformat(said["submitted"]).tzinfo else "submitted has no time zone"


def _people_and_papers(said: Mapping[str, Any]) -> str:
    if set(said["applicant"]) != {"number", "language", "channel"} or not said["applicant"]["number"].startswith("+"):
        return "no applicant"
    if said["beneficiary"] is not None and set(said["beneficiary"]) != {"number"}:
        return "no beneficiary"
    if any(set(paper) != {"code", "on_file"} for paper in said["documents"]):
        return "no documents"
    fee = said["fee"]
    if set(fee) != {"amount_minor", "currency", "state"} or fee["state"] not in {"none", "due", "pending", "paid"}:
        return "no fee"
    return ""


def _taken(number: str, kept: Kept, status: int) -> web.Response:
    return web.json_response({"tracking_number": number, "reference": kept.reference}, status=status)


def problem(status: int, detail: str) -> web.Response:
    body = {"type": "about:blank", "title": "Refused", "status": status, "detail": detail}
    return web.json_response(body, status=status, content_type="application/problem+json")


def saying(status: int, body: bytes | Mapping[str, Any] = b"{}", **headers: str) -> Behaviour:
    """An answer, whatever was asked."""
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=octets, content_type="application/json", headers=headers)

    return answer


def takes_and(server: DepartmentServer, behaviour: Behaviour) -> Behaviour:
    """It takes the application, and answers something else."""

    async def answer(request: web.Request) -> web.StreamResponse | None:
        server._strictly(request, await request.read(), server._submit)
        return await behaviour(request)

    return answer


async def hangs_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def silent(server: DepartmentServer) -> Behaviour:
    """No answer before the server closes."""

    async def answer(_: web.Request) -> web.StreamResponse:
        await server.closing.wait()
        return web.Response()

    return answer


def late(event: asyncio.Event) -> Behaviour:
    """The right answer, once the event is set."""

    async def answer(_: web.Request) -> None:
        await event.wait()

    return answer
