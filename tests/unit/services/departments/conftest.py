"""A running department system, and applications for it."""

import json

import pytest
from aiohttp import ClientSession

from core.http.aiohttp_client import open_http_client
from core.http.signatures import parse_secret
from services.departments.http_connector import DepartmentEndpoint, HttpConnector
from services.departments.webhooks import DepartmentEvents
from tests.fakes.department_server import SECRET, TOKEN, DepartmentServer, sign_headers
from tests.support.department_deliveries import CODE, DeliveryServiceSet, run_webhook_route


@pytest.fixture
async def server():
    async with DepartmentServer() as server:
        yield server


@pytest.fixture
async def delivery_services(services, server):
    """The gateway's deliveries, with a connector to the server."""
    async with DeliveryServiceSet(services, server) as office:
        await services.register()
        yield office


@pytest.fixture
async def connector(server):
    async with open_http_client(deadline=5.0, max_bytes=65_536) as client:
        yield HttpConnector(client, DepartmentEndpoint(server.url, TOKEN, (parse_secret(SECRET),)))


@pytest.fixture
async def post_webhook(services, complaint_services, clock):
    """Return a function that posts an event as the department's system does, and returns status and JSON."""
    events = DepartmentEvents(
        services.database,
        move_application=services.department_applications.move,
        move_complaint=complaint_services.department_complaints.move,
        clock=clock,
    )
    async with run_webhook_route(events.record, clock) as url, ClientSession() as http:

        async def post(said, message="msg_1", code=CODE, **headers):
            body = said if isinstance(said, bytes) else json.dumps(said).encode()
            given = {**sign_headers(message, body, clock().timestamp()), **headers}
            async with http.post(f"{url}/{code}/events", data=body, headers=given) as answer:
                return answer.status, await answer.json(content_type=None)

        yield post
