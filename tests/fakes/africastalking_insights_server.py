"""Africa's Talking's Insights API on a real socket: queues a check of SIM swaps, and reports to a webhook.

The response is that of the SDK's own test; statuses and the notification are those that users of the API published. A
request that does not have the SDK's form gets 400.
"""

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Self

from aiohttp import ClientSession, web
from multidict import CIMultiDictProxy

USERNAME, API_KEY = "sandbox", "atsk_made_up_for_tests"


@dataclass(frozen=True)
class RecordedRequest:
    """One request."""

    method: str
    path: str
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def fields(self) -> dict[str, Any]:
        return json.loads(self.body)


@dataclass
class InsightsServer:
    """Queues every check, unless `respond_with` plans the next responses. With a `webhook` it reports `status` to it."""

    requests: list[RecordedRequest] = field(default_factory=list)
    webhook: str = ""
    status: str = "Swapped"
    last_date: str = "01-01-1900"

    def __post_init__(self) -> None:
        self._planned: deque[web.Response] = deque()
        self._ids = count(1)
        self._reports: set[asyncio.Task[int]] = set()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/v1/sim-swap", self._handle_check)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/version1"
        """The base URL of the gateway: that of SMS."""
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*self._reports, return_exceptions=True)
        await self._runner.cleanup()

    def respond_with(self, *responses: web.Response) -> None:
        """Respond to the next requests like this, one each; after them checks are queued again."""
        self._planned.extend(responses)

    async def _handle_check(self, request: web.Request) -> web.Response:
        recorded = RecordedRequest(request.method, request.path, request.headers, await request.read())
        self.requests.append(recorded)
        if problem := _find_problem(recorded):
            return json_response({"errorMessage": problem}, 400)
        if recorded.headers["apiKey"] != API_KEY:
            return web.Response(status=401, text="The supplied authentication is invalid")
        if self._planned:
            return self._planned.popleft()
        entries = [entry(one, next(self._ids)) for one in recorded.fields["phoneNumbers"]]
        if self.webhook:
            reports = (notify(self.webhook, one["requestId"], self.status, self.last_date) for one in entries)
            self._reports |= set(map(asyncio.create_task, reports))
        return json_response(answer(*entries))


async def notify(webhook: str, request_id: str, status: str = "Swapped", last_date: str | None = "01-01-1900") -> int:
    """Post a notification to the gateway, and return the status of its response."""
    body = notification(request_id, status, last_date)
    async with ClientSession() as http, http.post(webhook, json=body) as response:
        return response.status


def notification(request_id: str, status: str = "Swapped", last_date: str | None = "01-01-1900") -> dict[str, Any]:
    """The body of a notification. Days are written 31-12-2026; 01-01-1900: none that the network remembers."""
    body = {
        "status": status,
        "lastSimSwapDate": last_date,
        "providerRefId": "fe3b-46fd-931c-b2ef3a64da93311064104",
        "requestId": request_id,
        "transactionId": "738e202b-ea2f-43e5-b451-a85334e90fb5",
    }
    return {name: value for name, value in body.items() if value is not None}


def request_id(number: int = 1) -> str:
    """The id of the check with this number, counted from 1."""
    return f"ATSwpid_{number:032x}"


def answer(*entries: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a response."""
    return {
        "transactionId": "a4f740c9-b0e4-4e89-a55d-8244d77383d2",
        "status": "Processed",
        "totalCost": {"amount": len(entries), "currencyCode": "KES"},
        "responses": list(entries),
    }


def entry(msisdn: str, number: int = 1, status: str = "Queued", **other: Any) -> dict[str, Any]:
    """The entry of one number in a response."""
    return {
        "phoneNumber": {
            "carrierName": "Safaricom",
            "countryCode": 254,
            "networkCode": "Safaricom",
            "number": msisdn,
            "numberType": "Mobile",
        },
        "status": status,
        "requestId": request_id(number),
        "cost": {"amount": 1, "currencyCode": "KES"},
        **other,
    }


def json_response(body: object, status: int = 200) -> web.Response:
    """Not web.json_response: the SDK reads JSON only where the content type is exactly this."""
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    return web.Response(status=status, body=octets, headers={"Content-Type": "application/json"})


def _find_problem(request: RecordedRequest) -> str:
    if "apiKey" not in request.headers:
        return "Must have apiKey header"
    if {request.headers.get("Accept"), request.headers.get("Content-Type")} != {"application/json"}:
        return "Asked for something else than JSON, or sent something else"
    try:
        fields = request.fields
    except ValueError:
        return "Not JSON"
    if fields.keys() != {"username", "phoneNumbers"} or not isinstance(fields["phoneNumbers"], list):
        return "Request has a username and phoneNumbers"
    return "" if fields["username"] == USERNAME else "No such user"
