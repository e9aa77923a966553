"""What every department promises, the built-in registry and one with a system of its own; and what only the latter can."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from assembly.fetching import fetching
from services.departments.connector import Connector, System
from services.departments.port import (
    Applicant,
    Application,
    Barred,
    Busy,
    Fee,
    Paper,
    Refused,
    Standing,
    Taken,
    Unavailable,
)
from services.departments.registry import Registry
from services.departments.signing import key_of
from tests.departments.office import CODE
from tests.desk import RAHIMA, birth_certificate
from tests.fakes.department_server import SECRET, TOKEN, DepartmentServer, hangs_up, problem, saying, silent

NOW = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)


def application(number: str = "123456789015", **other: object) -> Application:
    given = {
        "tracking_number": number,
        "service": "birth_certificate",
        "office": "union_parishad",
        "form": {"child": "আয়েশা", "nid": "19950000000000001"},
        "applicant": Applicant(RAHIMA, "bn", "ussd"),
        "beneficiary": "",
        "documents": (Paper("vaccine_card", on_file=False), Paper("parents_id", on_file=True)),
        "fee": Fee(5000, "BDT", "due"),
        "promised": NOW.date() + timedelta(days=7),
        "submitted": NOW,
    }
    return Application(**{**given, **other})


@pytest.fixture
async def connector(server):
    async with fetching(deadline=5.0, most=65_536) as client:
        yield Connector(client, System(server.url, TOKEN, (key_of(SECRET),)))


# What both promise -----------------------------------------------------------------------------------------------------


class BuiltIn:
    """The registry, and an officer at the console."""

    def __init__(self, desk) -> None:
        self.desk = desk
        self.department = Registry(desk.records, CODE)

    async def handed_in(self) -> str:
        await self.desk.registers()
        receipt = await self.desk.applications.submit(birth_certificate(department=CODE), "s1:20")
        return receipt.tracking_number

    async def moved(self, number: str, status: str, note: dict[str, str]) -> None:
        await self.desk.filings.move(CODE, number, status, note, "k1")


class OverHttp:
    """A system of its own, and somebody who works with it."""

    def __init__(self, connector: Connector, server: DepartmentServer) -> None:
        self.server = server
        self.department = connector

    async def handed_in(self) -> str:
        return "123456789015"

    async def moved(self, number: str, status: str, note: dict[str, str]) -> None:
        self.server.kept[number].status, self.server.kept[number].note = status, note


@pytest.fixture(params=["built in", "over HTTP"])
def place(request, desk, connector, server):
    """Each kind of department in turn."""
    return BuiltIn(desk) if request.param == "built in" else OverHttp(connector, server)


async def test_an_application_is_taken_once_however_often_it_is_handed_in(place):
    number = await place.handed_in()
    first = await place.department.submit(application(number))
    assert isinstance(first, Taken)
    assert first.reference
    assert await place.department.submit(application(number)) == first


async def test_its_status_is_what_was_made_of_it_there(place):
    number = await place.handed_in()
    await place.department.submit(application(number))
    assert await place.department.status(number) == Standing("received", {})
    await place.moved(number, "ready", {"en": "Bring your old card."})
    assert await place.department.status(number) == Standing("ready", {"en": "Bring your old card."})


async def test_a_number_that_it_does_not_know_has_no_status(place):
    assert await place.department.status("999999999999") is None


async def test_it_says_that_it_is_there(place):
    await place.department.health()


# What goes to a system of its own --------------------------------------------------------------------------------------


async def test_the_application_arrives_as_it_is_described(connector, server):
    await connector.submit(application(beneficiary="+8801711000009"))
    assert server.faults == []
    assert server.kept["123456789015"].application == {
        "tracking_number": "123456789015",
        "service": "birth_certificate",
        "office": "union_parishad",
        "submitted": "2026-11-21T06:00:00+00:00",
        "promised": "2026-11-28",
        "applicant": {"number": RAHIMA, "language": "bn", "channel": "ussd"},
        "beneficiary": {"number": "+8801711000009"},
        "form": {"child": "আয়েশা", "nid": "19950000000000001"},
        "documents": [{"code": "vaccine_card", "on_file": False}, {"code": "parents_id", "on_file": True}],
        "fee": {"amount_minor": 5000, "currency": "BDT", "state": "due"},
    }


async def test_a_system_that_knows_us_by_a_token_alone_gets_no_signature(server):
    async with fetching(deadline=5.0, most=65_536) as client:
        with pytest.raises(Barred, match="401"):
            await Connector(client, System(server.url, TOKEN)).submit(application())
    assert server.faults == ["it was not signed now"]


# What its answers mean -------------------------------------------------------------------------------------------------

MEANS = [
    (saying(429, **{"Retry-After": "7"}), Busy, timedelta(seconds=7)),
    (saying(429), Busy, None),
    (saying(503, **{"Retry-After": "999999"}), Unavailable, timedelta(hours=1)),
    (saying(503, **{"Retry-After": "soon"}), Unavailable, None),
    (saying(500), Unavailable, None),
    (saying(504), Unavailable, None),
    (saying(408), Unavailable, None),
    (saying(204, b""), Unavailable, None),
    (saying(200, b"{"), Unavailable, None),
    (saying(200, b"[]"), Unavailable, None),
    (saying(201, {"reference": "R1"}), Unavailable, None),
    (saying(201, {"tracking_number": "123456789015"}), Unavailable, None),
    (saying(201, {"tracking_number": "123456789015", "reference": ""}), Unavailable, None),
    (saying(201, {"tracking_number": "123456789015", "reference": "R" * 129}), Unavailable, None),
    (saying(201, {"tracking_number": "999999999999", "reference": "R1"}), Unavailable, None),
    (saying(200, b" " * 70_000), Unavailable, None),
    (hangs_up, Unavailable, None),
    (saying(302, Location="/elsewhere"), Barred, None),
    (saying(401), Barred, None),
    (saying(403), Barred, None),
    (saying(404), Barred, None),
    (saying(405), Barred, None),
]


@pytest.mark.parametrize(("behaviour", "kind", "wait"), MEANS)
async def test_what_may_get_better_is_tried_again(connector, server, behaviour, kind, wait):
    server.then("submit", behaviour)
    with pytest.raises(kind) as failed:
        await connector.submit(application())
    assert type(failed.value) is kind
    assert failed.value.wait == wait


@pytest.mark.parametrize("status", [400, 406, 409, 410, 413, 415, 422, 451])
async def test_what_cannot_get_better_is_refused_with_what_was_said(connector, server, status):
    async def refuses(_):
        return problem(status, "The mother's name is missing.")

    server.then("submit", refuses)
    refused = await connector.submit(application())
    assert refused == Refused(f"HTTP {status}", "Refused: The mother's name is missing.")


async def test_a_reference_may_be_a_number(connector, server):
    server.then("submit", saying(201, {"tracking_number": "123456789015", "reference": 4711}))
    assert await connector.submit(application()) == Taken("4711")


@pytest.mark.parametrize(
    "body", [b"\xff\xfe", b"<html>", b"[1]", b'{"detail": 5}', b"x" * 2000, b'{"detail": "\\u001b[2J"}']
)
async def test_a_refusal_in_any_words_is_a_refusal(connector, server, body):
    server.then("submit", saying(422, body))
    refused = await connector.submit(application())
    assert isinstance(refused, Refused)
    assert len(refused.said) <= 500
    assert refused.said.isprintable()


async def test_a_date_to_wait_for_is_understood(server):
    async with fetching(deadline=5.0, most=65_536) as client:
        server.tolerance = 10**12
        connector = Connector(client, System(server.url, TOKEN, (key_of(SECRET),)), clock=lambda: NOW)
        server.then("submit", saying(503, **{"Retry-After": "Sat, 21 Nov 2026 06:00:30 GMT"}))
        with pytest.raises(Unavailable) as failed:
            await connector.submit(application())
        assert failed.value.wait == timedelta(seconds=30)


async def test_one_that_is_down_or_says_nothing_is_unavailable(server):
    async with fetching(deadline=0.05, most=65_536) as client:
        connector = Connector(client, System(server.url, TOKEN, (key_of(SECRET),)))
        server.then("submit", silent(server))
        for _ in range(2):
            with pytest.raises(Unavailable):
                await connector.submit(application())
            await server.stops()
        with pytest.raises(Unavailable):
            await connector.health()


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
    server.then("status", saying(200, said))
    with pytest.raises(Unavailable):
        await connector.status("123456789015")


async def test_nothing_of_a_person_is_in_what_is_printed_of_a_request_or_an_application():
    said = repr(application(beneficiary="+8801711000009")) + repr(System("https://example.org", TOKEN, (b"key",)))
    for secret in (RAHIMA, "আয়েশা", "19950000000000001", "+8801711000009", TOKEN):
        assert secret not in said


async def test_many_at_once_share_one_connector(connector, server):
    numbers = [f"{number:012}" for number in range(30)]
    taken = await asyncio.gather(*(connector.submit(application(number)) for number in numbers))
    assert len({one.reference for one in taken}) == 30
    assert json.dumps(sorted(server.kept)) == json.dumps(numbers)
