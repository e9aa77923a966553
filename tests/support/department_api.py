"""A client of the department API, and a server with the API alone over real services."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from core.http.webhooks import MAX_BODY_BYTES
from core.types import utc_now
from services.citizens.number_release import NumberReleases
from services.departments.api_keys import ApiKeys
from tests.support.complaints import ComplaintServiceSet
from tests.support.services import CIPHER, ServiceSet
from web.api import applications, complaints, feedback, number_notices, payments
from web.api.openapi import build_document
from web.api.pagination import CursorCodec, PageReader
from web.api.rate_limit import RateLimiter
from web.api.routes import build_routes

OWN_DEPARTMENT, OTHER_DEPARTMENT = (
    "dncc",
    "brta",
)  # birth certificates are the city corporation's; driving licences are not
UNKNOWN_NUMBER = "123456789015"


@dataclass(frozen=True)
class DepartmentClient:
    """A client of the department API, with an API key."""

    http: ClientSession
    url: str
    key: str

    async def get(self, path, **options):
        """The status and the body of a GET."""
        return await self.request_json("GET", path, **options)

    async def post_event(self, number, event, key="key-1", kind="applications", **options):
        """The response to a status change."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
        return await self.request_json("POST", f"/{kind}/{number}/events", headers=headers, data=body, **options)

    async def post_payment(self, number, payment, key="key-1"):
        """The response to a fee in cash."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        path = f"/applications/{number}/payments"
        return await self.request_json("POST", path, headers=headers, data=json.dumps(payment).encode())

    async def post_notice(self, notice, key="key-1"):
        """The response to a network's notice about a number."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        return await self.request_json("POST", "/number-notices", headers=headers, data=json.dumps(notice).encode())

    async def request_json(self, method, path, headers=None, **options):
        """The status and the body, after a check of the content type."""
        status, _, body = await self.request(method, f"/api/v1{path}", headers, **options)
        return status, body

    async def request(self, method, address, headers=None, **options):
        """The same with the headers; `address` is a path or a link from a response."""
        headers = {"Authorization": f"Bearer {self.key}"} | (headers or {})
        async with self.http.request(method, f"{self.url}{address}", headers=headers, **options) as response:
            body = json.loads(await response.read())
            kind = response.content_type
            assert kind == ("application/json" if response.ok else "application/problem+json"), body
            assert response.ok or is_problem(body, response.status)
            return response.status, response.headers, body

    async def read_all_pages(self, path):
        """Every item of a list over all pages, and the last page."""
        items, address = [], f"/api/v1{path}"
        while address:
            status, headers, page = await self.request("GET", address)
            assert status == 200, page
            assert headers.get("Link") == (f'<{page["next"]}>; rel="next"' if page["next"] else None)
            items += page["items"]
            address = page["next"]
        return items, page


def is_problem(body, status):
    """Whether the body is a problem document (RFC 9457) with this status, and sentences for people."""
    return body["status"] == status and body["type"] == "about:blank" and body["title"] and body["detail"].endswith(".")


def all_operations(filings, cases, lists, releases=None, clock=utc_now, *, cash=None):
    """Every operation of the API."""
    return (
        *applications.build_operations(filings, lists),
        *payments.build_operations(cash),
        *complaints.build_operations(cases, lists),
        *feedback.build_operations(cases, lists),
        *number_notices.build_operations(releases, clock),
    )


@asynccontextmanager
async def run_department_api(services: ServiceSet, redis, *, per_minute=10_000) -> AsyncIterator[str]:
    """The URL of a server with the department API over these services."""
    operations = all_operations(
        services.department_applications,
        ComplaintServiceSet(services).department_complaints,
        PageReader(CursorCodec(CIPHER), services.clock),
        NumberReleases(services.database, CIPHER, clock=services.clock),
        services.clock,
        cash=services.cash_payments(),
    )
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    limits = RateLimiter(redis, per_minute)
    app.add_routes(
        build_routes(
            operations,
            api_keys=ApiKeys(services.database, clock=services.clock),
            rate_limiter=limits,
            build_openapi_json=partial(build_document, operations, ""),
        )
    )
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")
