"""The department API: what a department's system reads and reports, and what the citizen hears of it."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer
from structlog.testing import capture_logs

from services.given import utc_now
from services.keys import Holder, Keys
from services.records.database import Records
from services.records.migrate import upgrade
from tests.desk import SEAL
from tests.journeys.steps import applies, registers
from tests.phone import Phone, running, settings_for
from tests.web.office import NOBODYS, OURS, THEIRS, Office
from web.api import applications
from web.api.cursors import Cursors
from web.api.lists import Lists
from web.api.routes import routes


@dataclass(frozen=True)
class Scene:
    """A citizen who has applied, the office they applied to, and another office."""

    phone: Phone
    ours: Office
    theirs: Office
    number: str


@asynccontextmanager
async def scene_on(settings, language):
    async with running(settings) as url, ClientSession() as http:
        phone = Phone(http, url)
        await registers(phone, language)
        number = await applies(phone)
        async with Records(settings.database.url.get_secret_value()) as records:
            ours, theirs = [Office(http, url, await Keys(records).add(whose)) for whose in (OURS, THEIRS)]
        yield Scene(phone, ours, theirs, number)


@pytest.fixture
async def scene(tmp_path):
    async with scene_on(settings_for(tmp_path), "1") as scene:
        yield scene


@pytest.fixture
async def anywhere(tmp_path, database_url):
    """The same for a Bengali caller whose screen shows no Bengali, on each database in turn."""
    await upgrade(database_url)
    async with scene_on(settings_for(tmp_path, DATABASE__URL=database_url), "2") as scene:
        yield scene


# Reading and reporting -----------------------------------------------------------------------------------------------


async def test_an_office_reads_what_a_citizen_typed(anywhere):
    status, filed = await anywhere.ours.asks(f"/applications/{anywhere.number}")

    assert status == 200
    assert filed["tracking_number"] == anywhere.number
    assert (filed["service"], filed["status"], filed["note"]) == ("birth_certificate", "received", {})
    assert filed["form"]["holder"] == "Rahim Uddin"
    assert filed["applicant"] == {"number": "+8801700000001", "language": "bn", "channel": "ussd"}
    assert [event["status"] for event in filed["events"]] == ["received"]
    assert filed["received"] == filed["changed"] == filed["events"][0]["at"]


async def test_a_move_is_told_to_the_citizen_in_their_language_and_tracking_shows_it(anywhere):
    note = {"en": "Bring your old card.", "bn": "পুরোনো কার্ড আনুন।", "bn_Latn": "Purono card anun."}

    status, moved = await anywhere.ours.reports(anywhere.number, {"status": "ready", "note": note})

    assert status == 201
    assert moved == {"tracking_number": anywhere.number, "status": "ready", "note": note, "at": moved["at"]}
    sms = await anywhere.phone.sms(containing="পুরোনো")
    shown = f"{anywhere.number[:4]} {anywhere.number[4:8]} {anywhere.number[8:]}"
    assert shown in sms
    assert "Purono card anun." in await anywhere.phone.dials(f"*123*2*{anywhere.number}#")


async def test_the_citizen_sees_each_move_the_next_time_they_look(scene):
    for status, said in (
        ("under_review", "Being checked"),
        ("more_information", "More information"),
        ("rejected", "Not approved"),
    ):
        assert (await scene.ours.reports(scene.number, {"status": status}, key=status))[0] == 201
        await scene.phone.dials()
        assert said in await scene.phone.types("00", "2", scene.number)

    _, filed = await scene.ours.asks(f"/applications/{scene.number}")
    assert [event["status"] for event in filed["events"]] == [
        "received",
        "under_review",
        "more_information",
        "rejected",
    ]


async def test_a_note_without_the_citizens_language_is_said_in_english(anywhere):
    await anywhere.ours.reports(anywhere.number, {"status": "approved", "note": {"en": "Well done."}})

    assert "Well done." in await anywhere.phone.sms(containing="Well done.")


async def test_a_long_note_in_every_script_is_kept_as_it_was_written(anywhere):
    note = {"bn": "ক্ষমা\u200c " * 20, "hi": "क्‍ष " * 30, "en": "Line one\nline two " + "x" * 100}

    _, moved = await anywhere.ours.reports(anywhere.number, {"status": "approved", "note": note})

    assert moved["note"] == {language: text.strip() for language, text in note.items()}


# The same key twice --------------------------------------------------------------------------------------------------


async def test_the_same_report_twice_is_one_move_and_one_sms(anywhere):
    event = {"status": "ready", "note": {"en": "Come and get it.", "bn": "এসে নিন।"}}
    first = await anywhere.ours.reports(anywhere.number, event)

    again = await anywhere.ours.reports(anywhere.number, {**event, "note": dict(reversed(event["note"].items()))})

    headers = {"Content-Type": "application/json", "Idempotency-Key": "key-1"}
    path = f"/api/v1/applications/{anywhere.number}/events"
    _, replayed, _ = await anywhere.ours.hears("POST", path, headers, data=json.dumps(event))

    assert replayed["Idempotency-Replayed"] == "true"
    assert (first[0], again[0]) == (201, 200)
    assert first[1] == again[1]
    _, filed = await anywhere.ours.asks(f"/applications/{anywhere.number}")
    assert [one["status"] for one in filed["events"]] == ["received", "ready"]


async def test_the_same_report_many_times_at_once_is_one_move(anywhere):
    event = {"status": "ready"}

    answers = await asyncio.gather(*(anywhere.ours.reports(anywhere.number, event) for _ in range(5)))

    assert sorted(status for status, _ in answers) == [200, 200, 200, 200, 201]
    assert len({json.dumps(body) for _, body in answers}) == 1


@pytest.mark.parametrize("other", [{"status": "approved"}, {"status": "ready", "note": {"en": "Today."}}])
async def test_the_same_key_for_something_else_is_refused(anywhere, other):
    await anywhere.ours.reports(anywhere.number, {"status": "ready"})

    status, problem = await anywhere.ours.reports(anywhere.number, other)

    assert (status, problem["title"]) == (409, "Key used before")
    _, filed = await anywhere.ours.asks(f"/applications/{anywhere.number}")
    assert filed["status"] == "ready"


async def test_what_is_final_moves_no_further_but_answers_a_repeat(anywhere):
    first = await anywhere.ours.reports(anywhere.number, {"status": "delivered"})

    assert (await anywhere.ours.reports(anywhere.number, {"status": "delivered"}))[1] == first[1]
    status, problem = await anywhere.ours.reports(anywhere.number, {"status": "ready"}, key="key-2")

    assert (status, problem["title"]) == (409, "Final")


# Who may ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Bearer ek_00000000_x", "Basic dXNlcjpwYXNz", "ek_00000000_x", "Bearer কী"],
)
async def test_without_a_key_that_is_known_nothing_is_told(office, authorization):
    for method, path in (("GET", ""), ("POST", "/events")):
        answer = await office.does(
            method,
            f"/applications/{NOBODYS}{path}",
            headers={"Authorization": authorization, "Idempotency-Key": "1"},
        )
        assert (answer[0], answer[1]["title"]) == (401, "Key not known")


async def test_a_refusal_names_the_scheme(office):
    async with office.http.get(f"{office.url}/api/v1/applications/{NOBODYS}") as response:
        assert (response.status, response.headers["WWW-Authenticate"]) == (401, "Bearer")


async def test_a_revoked_key_is_refused_from_then_on(office, tmp_path):
    assert (await office.asks(f"/applications/{NOBODYS}"))[0] == 404

    async with Records(f"sqlite+aiosqlite:///{tmp_path}/ekdial.db") as records:
        assert await Keys(records).revoke(office.key.split("_")[1])

    assert (await office.asks(f"/applications/{NOBODYS}"))[0] == 401


async def test_a_key_sees_its_own_department_and_cannot_tell_anothers_from_none(anywhere):
    event = {"status": "rejected"}
    for office, number in ((anywhere.theirs, anywhere.number), (anywhere.ours, NOBODYS)):
        asked = await office.asks(f"/applications/{number}")
        reported = await office.reports(number, event)
        assert asked == reported
        assert (asked[0], asked[1]["detail"]) == (404, "Your department has no application with this tracking number.")

    _, filed = await anywhere.ours.asks(f"/applications/{anywhere.number}")
    assert filed["status"] == "received"


async def test_two_departments_may_use_the_same_key_for_different_things(scene):
    assert (await scene.theirs.reports(scene.number, {"status": "ready"}))[0] == 404
    assert (await scene.ours.reports(scene.number, {"status": "approved"}))[0] == 201


# What is refused -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["", "k" * 129])
async def test_a_report_needs_a_key_of_a_length_that_can_be_kept(office, key):
    status, problem = await office.reports(NOBODYS, {"status": "ready"}, key=key)

    assert (status, problem["title"]) == (400, "No Idempotency-Key")


@pytest.mark.parametrize(
    "body", [b"", b"status=ready", b'{"status": "ready"', b"\xff\xfe", b"[" * 5000, b'{"status": "\\ud800"}']
)
async def test_what_is_not_json_is_400(office, body):
    status, problem = await office.reports(NOBODYS, body)

    assert (status, problem["title"]) == (400, "Not JSON")


@pytest.mark.parametrize(
    ("event", "where"),
    [
        ([], [""]),
        ({}, ["status"]),
        ({"status": "lost"}, ["status"]),
        ({"status": 1}, ["status"]),
        ({"status": "ready", "notes": {}}, ["notes"]),
        ({"status": "ready", "note": "Come"}, ["note"]),
        ({"status": "ready", "note": {"fr": "Venez"}}, ["note.fr"]),
        ({"status": "ready", "note": {"en": ""}}, ["note.en"]),
        ({"status": "ready", "note": {"en": "  \n "}}, ["note.en"]),
        ({"status": "ready", "note": {"en": "x" * 161}}, ["note.en"]),
        ({"status": "ready", "note": {"en": 5}}, ["note.en"]),
        ({"status": "ready", "note": {"en": "nul \u0000"}}, ["note.en"]),
        ({"status": "ready", "note": {"en": "bell \u0007"}}, ["note.en"]),
        ({"status": "lost", "note": {"fr": "Venez", "en": ""}}, ["status", "note.fr", "note.en"]),
    ],
)
async def test_what_is_not_as_it_must_be_is_422_with_every_place(office, event, where):
    status, problem = await office.reports(NOBODYS, event)

    assert (status, [error["where"] for error in problem["errors"]]) == (422, where)
    assert all(error["problem"] for error in problem["errors"])


async def test_a_body_beyond_16_kib_is_413(office):
    at_most = json.dumps({"status": "ready"}).encode().ljust(16 * 1024)

    assert (await office.reports(NOBODYS, at_most + b" "))[0] == 413
    assert (await office.reports(NOBODYS, at_most))[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "", 404),
        ("GET", "/", 404),
        ("GET", "/applications/", 404),
        ("POST", "/applications", 405),
        ("DELETE", "/openapi.json", 405),
        ("GET", "/applications/12345", 404),
        ("GET", "/applications/1234567890155", 404),
        ("GET", "/applications/১২৩৪৫৬৭৮৯০১৫", 404),
        ("GET", f"/applications/{NOBODYS}/", 404),
        ("POST", f"/applications/{NOBODYS}", 405),
        ("GET", f"/applications/{NOBODYS}/events", 405),
        ("PUT", f"/applications/{NOBODYS}/events", 405),
    ],
)
async def test_an_address_or_a_method_that_there_is_none_of_is_a_problem_too(office, method, path, status):
    assert (await office.does(method, path))[0] == status


async def test_a_method_that_there_is_none_of_names_those_there_are(office):
    async with office.http.delete(f"{office.url}/api/v1/applications/{NOBODYS}") as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET,HEAD,OPTIONS")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "json"])
async def test_a_body_that_is_not_sent_as_json_is_415(office, kind):
    headers = {"Idempotency-Key": "1", "Content-Type": kind}

    status, problem = await office.does("POST", f"/applications/{NOBODYS}/events", headers, data=b'{"status": "ready"}')

    assert (status, problem["detail"]) == (415, "Send the header Content-Type: application/json.")


@pytest.mark.parametrize("headers", [{"Content-Type": "application/json; charset=utf-8"}, {}])
async def test_json_may_name_its_charset_and_what_names_no_type_is_taken_for_json(office, headers):
    address, given = f"{office.url}/api/v1/applications/{NOBODYS}/events", {"Idempotency-Key": "1", **headers}
    given["Authorization"] = f"Bearer {office.key}"

    async with office.http.post(
        address, headers=given, data=b'{"status": "ready"}', skip_auto_headers=["Content-Type"]
    ) as response:
        assert response.status == 404


async def test_head_is_as_get_without_a_body_and_options_says_what_there_is(office):
    headers = {"Authorization": f"Bearer {office.key}"}
    async with office.http.head(f"{office.url}/api/v1/applications", headers=headers) as response:
        assert (response.status, await response.read()) == (200, b"")
        assert int(response.headers["Content-Length"]) > 0
    for path, allowed in (("applications", "GET,HEAD,OPTIONS"), (f"applications/{NOBODYS}/events", "OPTIONS,POST")):
        async with office.http.options(f"{office.url}/api/v1/{path}") as response:
            assert (response.status, response.headers["Allow"]) == (204, allowed)


class Failing:
    """Applications whose database fails, with a person in its words."""

    async def holder(self, key):
        return Holder(OURS, "00000000")

    async def take(self, key):
        return None

    async def filed(self, department, tracking_number, *, by):
        raise RuntimeError("refused row: +8801700000001, Rahima Begum")

    async def move(self, department, tracking_number, status, note, key, *, by):
        raise RuntimeError("refused row: +8801700000001, Rahima Begum")


async def test_a_failure_of_ours_is_a_problem_and_its_words_stay_with_us():
    failing = Failing()
    app = web.Application()
    operations = applications.operations(failing, Lists(Cursors(SEAL), utc_now))
    app.add_routes(routes(operations, failing.holder, failing.take, b""))
    async with TestClient(TestServer(app)) as http:
        office = Office(http, "", "any")

        with capture_logs() as logged:
            answers = [
                await office.asks(f"/applications/{NOBODYS}"),
                await office.reports(NOBODYS, {"status": "ready"}),
            ]

    assert {(status, problem["title"]) for status, problem in answers} == {(500, "Failed")}
    assert [(line["event"], line["error"]) for line in logged] == [("department API failed", "RuntimeError")] * 2
    assert "Rahima" not in f"{logged}{answers}"
