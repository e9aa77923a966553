"""A department's system for tests, and the department API alone over real services, for it to talk to."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from callbacks import MOST
from services.keys import Keys
from tests.desk import SEAL, Desk
from tests.grievances import House
from web.api import applications, complaints, feedback
from web.api.cursors import Cursors
from web.api.limits import Limits
from web.api.lists import Lists
from web.api.openapi import document
from web.api.routes import routes

OURS, THEIRS = "dncc", "brta"  # birth certificates are the city corporation's; driving licences are not
NOBODYS = "123456789015"


@dataclass(frozen=True)
class Office:
    """A department's system: it knows the gateway's address and has a key."""

    http: ClientSession
    url: str
    key: str

    async def asks(self, path, **options):
        """What a GET is answered with: status and body."""
        return await self.does("GET", path, **options)

    async def reports(self, number, event, key="key-1", kind="applications", **options):
        """What an event is answered with."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
        return await self.does("POST", f"/{kind}/{number}/events", headers=headers, data=body, **options)

    async def does(self, method, path, headers=None, **options):
        """The status and the body, once it is what its kind says."""
        status, _, body = await self.hears(method, f"/api/v1{path}", headers, **options)
        return status, body

    async def hears(self, method, address, headers=None, **options):
        """The headers too; `address` is that of a link."""
        headers = {"Authorization": f"Bearer {self.key}"} | (headers or {})
        async with self.http.request(method, f"{self.url}{address}", headers=headers, **options) as response:
            body = json.loads(await response.read())
            kind = response.content_type
            assert kind == ("application/json" if response.ok else "application/problem+json"), body
            assert response.ok or is_a_problem(body, response.status)
            return response.status, response.headers, body

    async def reads_all(self, path):
        """Every item of a list, by following its links; and the last page."""
        items, address = [], f"/api/v1{path}"
        while address:
            status, headers, page = await self.hears("GET", address)
            assert status == 200, page
            assert headers.get("Link") == (f'<{page["next"]}>; rel="next"' if page["next"] else None)
            items += page["items"]
            address = page["next"]
        return items, page


def is_a_problem(body, status):
    """RFC 9457: these four members, the status as in the response, sentences for people."""
    return body["status"] == status and body["type"] == "about:blank" and body["title"] and body["detail"].endswith(".")


def offered(filings, cases, lists):
    """Every operation there is."""
    return (
        *applications.operations(filings, lists),
        *complaints.operations(cases, lists),
        *feedback.operations(cases, lists),
    )


@asynccontextmanager
async def doors_open(desk: Desk, redis, *, per_minute=10_000) -> AsyncIterator[str]:
    """The address of the department API over a desk's services."""
    operations = offered(desk.filings, House(desk).cases, Lists(Cursors(SEAL), desk.clock))
    app = web.Application(client_max_size=MOST)
    limits = Limits(redis, per_minute)
    app.add_routes(
        routes(operations, Keys(desk.records, clock=desk.clock).holder, limits.take, document(operations, ""))
    )
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")
