"""The contract of every department, for the built-in registry and the HTTP connector, and the connector's own rules."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from core.http.aiohttp_client import open_http_client
from core.http.signatures import parse_secret
from services.departments.base import AccessDeniedError, BusyError, UnavailableError
from services.departments.http_connector import DepartmentEndpoint, HttpConnector, serialize_application
from services.departments.models import Accepted, ApplicationStatus, Rejected
from services.departments.registry import BuiltInRegistry
from tests.fakes.department_server import (
    SECRET,
    TOKEN,
    DepartmentServer,
    drop_connection,
    hang,
    problem_response,
    respond,
)
from tests.support.department_deliveries import CODE, FORM, NOW, build_application
from tests.support.services import RAHIMA, birth_certificate_submission

# What both promise -----------------------------------------------------------------------------------------------------


class RegistryContext:
    """The registry, with an officer at the console."""

    def __init__(self, services) -> None:
        self.services = services
        self.department = BuiltInRegistry(services.database, CODE)

    async def submit_application(self) -> str:
        await self.services.register()
        receipt = await self.services.applications.submit(birth_certificate_submission(department=CODE), "s1:20")
        return receipt.tracking_number

    async def report_status(self, number: str, status: str, note: dict[str, str]) -> None:
        await self.services.department_applications.move(CODE, number, status, note, "k1")


class HttpContext:
    """A department's own system, with somebody who uses it."""

    def __init__(self, connector: HttpConnector, server: DepartmentServer) -> None:
        self.server = server
        self.department = connector

    async def submit_application(self) -> str:
        return "123456789015"

    async def report_status(self, number: str, status: str, note: dict[str, str]) -> None:
        self.server.applications[number].status, self.server.applications[number].note = status, note


@pytest.fixture(params=["built in", "over HTTP"])
def department_context(request, services, connector, server):
    """Each kind of department."""
    return RegistryContext(services) if request.param == "built in" else HttpContext(connector, server)


async def test_an_application_is_taken_once_however_often_it_is_handed_in(department_context):
    number = await department_context.submit_application()
    first = await department_context.department.submit(build_application(number))
    assert isinstance(first, Accepted)
    assert first.reference
    assert await department_context.department.submit(build_application(number)) == first


async def test_its_status_is_what_was_made_of_it_there(department_context):
    number = await department_context.submit_application()
    await department_context.department.submit(build_application(number))
    assert await department_context.department.fetch_status(number) == ApplicationStatus("received", {})
    await department_context.report_status(number, "ready", {"en": "Bring your old card."})
    assert await department_context.department.fetch_status(number) == ApplicationStatus(
        "ready", {"en": "Bring your old card."}
    )


async def test_a_number_that_it_does_not_know_has_no_status(department_context):
    assert await department_context.department.fetch_status("999999999999") is None


async def test_it_says_that_it_is_there(department_context):
    await department_context.department.check_health()


# What goes to a system of its own --------------------------------------------------------------------------------------


async def test_the_application_arrives_as_it_is_described(connector, server):
    await connector.submit(build_application(beneficiary="+8801711000009"))
    assert server.problems == []
    assert server.applications["123456789015"].application == {
        "tracking_number": "123456789015",
        "service": "birth_certificate",
        "office": "mirpur",
        "submitted": "2026-11-21T06:00:00+00:00",
        "promised": "2026-11-28",
        "applicant": {"name": "Rahima Begum", "number": RAHIMA, "language": "bn", "channel": "ussd"},
        "operator": None,
        "beneficiary": {"number": "+8801711000009"},
        "applied_for": "another",
        "form": FORM,
        "documents": [{"code": "vaccine_card", "on_file": False}, {"code": "parents_id", "on_file": True}],
        "fee": {"amount_minor": 5000, "currency": "BDT", "state": "due"},
    }


async def test_a_system_that_knows_us_by_a_token_alone_gets_no_signature(server):
    async with open_http_client(deadline=5.0, max_bytes=65_536) as client:
        with pytest.raises(AccessDeniedError, match="401"):
            await HttpConnector(client, DepartmentEndpoint(server.url, TOKEN)).submit(build_application())
    assert server.problems == ["it was not signed now"]


# What its answers mean -------------------------------------------------------------------------------------------------

MEANS = [
    (respond(429, **{"Retry-After": "7"}), BusyError, timedelta(seconds=7)),
    (respond(429), BusyError, None),
    (respond(503, **{"Retry-After": "999999"}), UnavailableError, timedelta(hours=1)),
    (respond(503, **{"Retry-After": "soon"}), UnavailableError, None),
    (respond(500), UnavailableError, None),
    (respond(504), UnavailableError, None),
    (respond(408), UnavailableError, None),
    (respond(204, b""), UnavailableError, None),
    (respond(200, b"{"), UnavailableError, None),
    (respond(200, b"[]"), UnavailableError, None),
    (respond(201, {"reference": "R1"}), UnavailableError, None),
    (respond(201, {"tracking_number": "123456789015"}), UnavailableError, None),
    (respond(201, {"tracking_number": "123456789015", "reference": ""}), UnavailableError, None),
    (respond(201, {"tracking_number": "123456789015", "reference": "R" * 129}), UnavailableError, None),
    (respond(201, {"tracking_number": "999999999999", "reference": "R1"}), UnavailableError, None),
    (respond(200, b" " * 70_000), UnavailableError, None),
    (drop_connection, UnavailableError, None),
    (respond(302, Location="/elsewhere"), AccessDeniedError, None),
    (respond(401), AccessDeniedError, None),
    (respond(403), AccessDeniedError, None),
    (respond(404), AccessDeniedError, None),
    (respond(405), AccessDeniedError, None),
]


@pytest.mark.parametrize(("behaviour", "kind", "wait"), MEANS)
async def test_what_may_get_better_is_tried_again(connector, server, behaviour, kind, wait):
    server.respond_with("submit", behaviour)
    with pytest.raises(kind) as failed:
        await connector.submit(build_application())
    assert type(failed.value) is kind
    assert failed.value.retry_after == wait


@pytest.mark.parametrize("status", [400, 406, 409, 410, 413, 415, 422, 451])
async def test_what_cannot_get_better_is_refused_with_what_was_said(connector, server, status):
    async def refuses(_):
        return problem_response(status, "The mother's name is missing.")

    server.respond_with("submit", refuses)
    refused = await connector.submit(build_application())
    assert refused == Rejected(f"HTTP {status}", "Refused: The mother's name is missing.")


async def test_a_reference_may_be_a_number(connector, server):
    server.respond_with("submit", respond(201, {"tracking_number": "123456789015", "reference": 4711}))
    assert await connector.submit(build_application()) == Accepted("4711")


@pytest.mark.parametrize(
    "body", [b"\xff\xfe", b"<html>", b"[1]", b'{"detail": 5}', b"x" * 2000, b'{"detail": "\\u001b[2J"}']
)
async def test_a_refusal_in_any_words_is_a_refusal(connector, server, body):
    server.respond_with("submit", respond(422, body))
    refused = await connector.submit(build_application())
    assert isinstance(refused, Rejected)
    assert len(refused.detail) <= 500
    assert refused.detail.isprintable()


async def test_a_date_to_wait_for_is_understood(server):
    async with open_http_client(deadline=5.0, max_bytes=65_536) as client:
        server.tolerance = 10**12
        connector = HttpConnector(
            client, DepartmentEndpoint(server.url, TOKEN, (parse_secret(SECRET),)), clock=lambda: NOW
        )
        server.respond_with("submit", respond(503, **{"Retry-After": "Sat, 21 Nov 2026 06:00:30 GMT"}))
        with pytest.raises(UnavailableError) as failed:
            await connector.submit(build_application())
        assert failed.value.retry_after == timedelta(seconds=30)


async def test_one_that_is_down_or_says_nothing_is_unavailable(server):
    async with open_http_client(deadline=0.05, max_bytes=65_536) as client:
        connector = HttpConnector(client, DepartmentEndpoint(server.url, TOKEN, (parse_secret(SECRET),)))
        server.respond_with("submit", hang(server))
        for _ in range(2):
            with pytest.raises(UnavailableError):
                await connector.submit(build_application())
            await server.stop()
        with pytest.raises(UnavailableError):
            await connector.check_health()


@pytest.mark.parametrize(
    "said",
    [
        b"{",
        {"tracking_number": "999999999999", "status": "ready"},
        {"tracking_number": "123456789015"},
        {"tracking_number": "123456789015", "status": "ready", "note": {"fr": "Oui"}},
        {"tracking_number": "123456789015", "status": "ready", "note": {"en": "x" * 161}},
        {"tracking_number": "123456789015", "status": "ready", "note": {"en": "a\u0007b"}},
        {"tracking_number": "123456789015", "status": "ready", "note": "Bring it"},
    ],
)
async def test_a_status_that_cannot_be_read_is_none(connector, server, said):
    server.respond_with("status", respond(200, said))
    with pytest.raises(UnavailableError):
        await connector.fetch_status("123456789015")


async def test_nothing_of_a_person_is_in_what_is_printed_of_a_request_or_an_application():
    said = repr(build_application(beneficiary="+8801711000009")) + repr(
        DepartmentEndpoint("https://example.org", TOKEN, (b"key",))
    )
    for secret in (RAHIMA, "আয়েশা", "19950000000000001", "+8801711000009", TOKEN):
        assert secret not in said


async def test_many_at_once_share_one_connector(connector, server):
    numbers = [f"{number:012}" for number in range(30)]
    taken = await asyncio.gather(*(connector.submit(build_application(number)) for number in numbers))
    assert len({one.reference for one in taken}) == 30
    assert json.dumps(sorted(server.applications)) == json.dumps(numbers)


def test_a_number_that_was_released_is_sent_to_no_department():
    application = build_application(beneficiary="#12")
    applicant = replace(application.applicant, msisdn="#12")
    sent = serialize_application(replace(application, applicant=applicant))
    assert (sent["applicant"]["number"], sent["beneficiary"]) == (None, {"number": None})
