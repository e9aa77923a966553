"""The department API: reading applications, changing their status, and the SMS to the citizen."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer
from structlog.testing import capture_logs

from core.types import utc_now
from db.database import Database
from db.migrate import upgrade
from services.departments.api_keys import ApiKeyHolder, ApiKeys
from tests.support.citizen_steps import apply_for_birth_certificate, register
from tests.support.department_api import OTHER_DEPARTMENT, OWN_DEPARTMENT, UNKNOWN_NUMBER, DepartmentClient
from tests.support.phone import Phone, build_settings, run_gateway
from tests.support.services import CIPHER
from tests.support.staff import staff_act
from web.api import applications
from web.api.pagination import CursorCodec, PageReader
from web.api.routes import build_routes


@dataclass(frozen=True)
class ApiScenario:
    """A citizen with an application, the department it belongs to, and another department."""

    phone: Phone
    own_department: DepartmentClient
    other_department: DepartmentClient
    number: str


@asynccontextmanager
async def open_scenario(settings, language):
    async with run_gateway(settings) as url, ClientSession() as http:
        phone = Phone(http, url)
        await register(phone, language)
        number = await apply_for_birth_certificate(phone)
        async with Database(settings.database.url.get_secret_value()) as database:
            ours, theirs = [
                DepartmentClient(http, url, await ApiKeys(database).create(whose, staff_act()))
                for whose in (OWN_DEPARTMENT, OTHER_DEPARTMENT)
            ]
        yield ApiScenario(phone, ours, theirs, number)


@pytest.fixture
async def scenario(tmp_path):
    async with open_scenario(build_settings(tmp_path), "1") as scenario:
        yield scenario


@pytest.fixture
async def scenario_on_every_backend(tmp_path, database_url):
    """The same for a Bengali caller whose screen shows Latin letters only, on each database."""
    await upgrade(database_url)
    async with open_scenario(build_settings(tmp_path, DATABASE__URL=database_url), "2") as scenario:
        yield scenario


# Reading and reporting -----------------------------------------------------------------------------------------------


async def test_an_office_reads_what_a_citizen_typed(scenario_on_every_backend):
    status, filed = await scenario_on_every_backend.own_department.get(
        f"/applications/{scenario_on_every_backend.number}"
    )

    assert status == 200
    assert filed["tracking_number"] == scenario_on_every_backend.number
    assert (filed["service"], filed["status"], filed["note"]) == ("birth_certificate", "received", {})
    assert filed["form"]["holder"] == "Rahim Uddin"
    assert filed["applicant"] == {
        "name": "Amina Begum",
        "number": "+8801700000001",
        "language": "bn",
        "channel": "ussd",
    }
    assert [event["status"] for event in filed["events"]] == ["received"]
    assert filed["received"] == filed["changed"] == filed["events"][0]["at"]


async def test_a_move_is_told_to_the_citizen_in_their_language_and_tracking_shows_it(scenario_on_every_backend):
    note = {"en": "Bring your old card.", "bn": "পুরোনো কার্ড আনুন।", "bn_Latn": "Purono card anun."}

    status, moved = await scenario_on_every_backend.own_department.post_event(
        scenario_on_every_backend.number, {"status": "ready", "note": note}
    )

    assert status == 201
    assert moved == {
        "tracking_number": scenario_on_every_backend.number,
        "status": "ready",
        "note": note,
        "at": moved["at"],
    }
    sms = await scenario_on_every_backend.phone.wait_for_sms(containing="পুরোনো")
    shown = f"{scenario_on_every_backend.number[:4]} {scenario_on_every_backend.number[4:8]} {scenario_on_every_backend.number[8:]}"
    assert shown in sms
    assert "Purono card anun." in await scenario_on_every_backend.phone.dial(
        f"*123*2*{scenario_on_every_backend.number}#"
    )


async def test_the_citizen_sees_each_move_the_next_time_they_look(scenario):
    for status, said in (
        ("under_review", "Being checked"),
        ("more_information", "More information"),
        ("rejected", "Not approved"),
    ):
        assert (await scenario.own_department.post_event(scenario.number, {"status": status}, key=status))[0] == 201
        await scenario.phone.dial()
        assert said in await scenario.phone.enter("00", "2", scenario.number)

    _, filed = await scenario.own_department.get(f"/applications/{scenario.number}")
    assert [event["status"] for event in filed["events"]] == [
        "received",
        "under_review",
        "more_information",
        "rejected",
    ]


async def test_a_note_without_the_citizens_language_is_said_in_english(scenario_on_every_backend):
    await scenario_on_every_backend.own_department.post_event(
        scenario_on_every_backend.number, {"status": "approved", "note": {"en": "Well done."}}
    )

    assert "Well done." in await scenario_on_every_backend.phone.wait_for_sms(containing="Well done.")


async def test_a_long_note_in_every_script_is_kept_as_it_was_written(scenario_on_every_backend):
    note = {"bn": "ক্ষমা\u200c " * 20, "hi": "क्‍ष " * 30, "en": "Line one\nline two " + "x" * 100}

    _, moved = await scenario_on_every_backend.own_department.post_event(
        scenario_on_every_backend.number, {"status": "approved", "note": note}
    )

    assert moved["note"] == {language: text.strip() for language, text in note.items()}


# The same key twice --------------------------------------------------------------------------------------------------


async def test_the_same_report_twice_is_one_move_and_one_sms(scenario_on_every_backend):
    event = {"status": "ready", "note": {"en": "Come and get it.", "bn": "এসে নিন।"}}
    first = await scenario_on_every_backend.own_department.post_event(scenario_on_every_backend.number, event)

    again = await scenario_on_every_backend.own_department.post_event(
        scenario_on_every_backend.number, {**event, "note": dict(reversed(event["note"].items()))}
    )

    headers = {"Content-Type": "application/json", "Idempotency-Key": "key-1"}
    path = f"/api/v1/applications/{scenario_on_every_backend.number}/events"
    _, replayed, _ = await scenario_on_every_backend.own_department.request(
        "POST", path, headers, data=json.dumps(event)
    )

    assert replayed["Idempotency-Replayed"] == "true"
    assert (first[0], again[0]) == (201, 200)
    assert first[1] == again[1]
    _, filed = await scenario_on_every_backend.own_department.get(f"/applications/{scenario_on_every_backend.number}")
    assert [one["status"] for one in filed["events"]] == ["received", "ready"]


async def test_the_same_report_many_times_at_once_is_one_move(scenario_on_every_backend):
    event = {"status": "ready"}

    answers = await asyncio.gather(
        *(
            scenario_on_every_backend.own_department.post_event(scenario_on_every_backend.number, event)
            for _ in range(5)
        )
    )

    assert sorted(status for status, _ in answers) == [200, 200, 200, 200, 201]
    assert len({json.dumps(body) for _, body in answers}) == 1


@pytest.mark.parametrize("other", [{"status": "approved"}, {"status": "ready", "note": {"en": "Today."}}])
async def test_the_same_key_for_something_else_is_refused(scenario_on_every_backend, other):
    await scenario_on_every_backend.own_department.post_event(scenario_on_every_backend.number, {"status": "ready"})

    status, problem = await scenario_on_every_backend.own_department.post_event(scenario_on_every_backend.number, other)

    assert (status, problem["title"]) == (409, "Key used before")
    _, filed = await scenario_on_every_backend.own_department.get(f"/applications/{scenario_on_every_backend.number}")
    assert filed["status"] == "ready"


async def test_what_is_final_moves_no_further_but_answers_a_repeat(scenario_on_every_backend):
    first = await scenario_on_every_backend.own_department.post_event(
        scenario_on_every_backend.number, {"status": "delivered"}
    )

    assert (
        await scenario_on_every_backend.own_department.post_event(
            scenario_on_every_backend.number, {"status": "delivered"}
        )
    )[1] == first[1]
    status, problem = await scenario_on_every_backend.own_department.post_event(
        scenario_on_every_backend.number, {"status": "ready"}, key="key-2"
    )

    assert (status, problem["title"]) == (409, "Final")


async def test_a_status_goes_backwards_with_a_word_why(scenario):
    """A minor of section 4 of the field report."""
    post = scenario.own_department.post_event
    await post(scenario.number, {"status": "ready"})
    status, problem = await post(scenario.number, {"status": "received"}, key="key-2")
    assert (status, problem["title"]) == (422, "Reason missing")
    assert problem["errors"] == [{"where": "note", "problem": problem["detail"]}]
    assert (await post(scenario.number, {"status": "ready"}, key="key-3"))[0] == 200, "it has the status already"
    backwards = {"status": "received", "note": {"en": "We lost a page."}}
    assert (await post(scenario.number, backwards, key="key-2"))[0] == 201, "the key was not used up"


# Who may ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Bearer ek_00000000_x", "Basic dXNlcjpwYXNz", "ek_00000000_x", "Bearer কী"],
)
async def test_without_a_key_that_is_known_nothing_is_told(department_client, authorization):
    for method, path in (("GET", ""), ("POST", "/events")):
        answer = await department_client.request_json(
            method,
            f"/applications/{UNKNOWN_NUMBER}{path}",
            headers={"Authorization": authorization, "Idempotency-Key": "1"},
        )
        assert (answer[0], answer[1]["title"]) == (401, "Key not known")


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "Bearer  ", " Bearer   "])
async def test_the_scheme_is_known_in_any_case_and_with_more_blanks(department_client, scheme):
    headers = {"Authorization": f"{scheme}{department_client.key}"}
    async with department_client.http.get(f"{department_client.url}/api/v1/applications", headers=headers) as response:
        assert response.status == 200


async def test_a_refusal_names_the_scheme(department_client):
    async with department_client.http.get(f"{department_client.url}/api/v1/applications/{UNKNOWN_NUMBER}") as response:
        assert (response.status, response.headers["WWW-Authenticate"]) == (401, "Bearer")


async def test_a_revoked_key_is_refused_from_then_on(department_client, tmp_path):
    assert (await department_client.get(f"/applications/{UNKNOWN_NUMBER}"))[0] == 404

    async with Database(f"sqlite+aiosqlite:///{tmp_path}/ekdial.db") as database:
        assert await ApiKeys(database).revoke(department_client.key.split("_")[1], staff_act())

    assert (await department_client.get(f"/applications/{UNKNOWN_NUMBER}"))[0] == 401


async def test_a_key_sees_its_own_department_and_cannot_tell_anothers_from_none(scenario_on_every_backend):
    event = {"status": "rejected"}
    for client, number in (
        (scenario_on_every_backend.other_department, scenario_on_every_backend.number),
        (scenario_on_every_backend.own_department, UNKNOWN_NUMBER),
    ):
        asked = await client.get(f"/applications/{number}")
        reported = await client.post_event(number, event)
        assert asked == reported
        assert (asked[0], asked[1]["detail"]) == (404, "Your department has no application with this tracking number.")

    _, filed = await scenario_on_every_backend.own_department.get(f"/applications/{scenario_on_every_backend.number}")
    assert filed["status"] == "received"


async def test_two_departments_may_use_the_same_key_for_different_things(scenario):
    assert (await scenario.other_department.post_event(scenario.number, {"status": "ready"}))[0] == 404
    assert (await scenario.own_department.post_event(scenario.number, {"status": "approved"}))[0] == 201


# What is refused -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["", "k" * 129])
async def test_a_report_needs_a_key_of_a_length_that_can_be_kept(department_client, key):
    status, problem = await department_client.post_event(UNKNOWN_NUMBER, {"status": "ready"}, key=key)

    assert (status, problem["title"]) == (400, "No Idempotency-Key")


@pytest.mark.parametrize(
    "body", [b"", b"status=ready", b'{"status": "ready"', b"\xff\xfe", b"[" * 5000, b'{"status": "\\ud800"}']
)
async def test_what_is_not_json_is_400(department_client, body):
    status, problem = await department_client.post_event(UNKNOWN_NUMBER, body)

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
async def test_what_is_not_as_it_must_be_is_422_with_every_place(department_client, event, where):
    status, problem = await department_client.post_event(UNKNOWN_NUMBER, event)

    assert (status, [error["where"] for error in problem["errors"]]) == (422, where)
    assert all(error["problem"] for error in problem["errors"])


async def test_a_body_beyond_16_kib_is_413(department_client):
    at_most = json.dumps({"status": "ready"}).encode().ljust(16 * 1024)

    assert (await department_client.post_event(UNKNOWN_NUMBER, at_most + b" "))[0] == 413
    assert (await department_client.post_event(UNKNOWN_NUMBER, at_most))[0] == 404


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
        ("GET", f"/applications/{UNKNOWN_NUMBER}/", 404),
        ("POST", f"/applications/{UNKNOWN_NUMBER}", 405),
        ("GET", f"/applications/{UNKNOWN_NUMBER}/events", 405),
        ("PUT", f"/applications/{UNKNOWN_NUMBER}/events", 405),
    ],
)
async def test_an_address_or_a_method_that_there_is_none_of_is_a_problem_too(department_client, method, path, status):
    assert (await department_client.request_json(method, path))[0] == status


async def test_a_method_that_there_is_none_of_names_those_there_are(department_client):
    async with department_client.http.delete(
        f"{department_client.url}/api/v1/applications/{UNKNOWN_NUMBER}"
    ) as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET,HEAD,OPTIONS")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "json"])
async def test_a_body_that_is_not_sent_as_json_is_415(department_client, kind):
    headers = {"Idempotency-Key": "1", "Content-Type": kind}

    status, problem = await department_client.request_json(
        "POST", f"/applications/{UNKNOWN_NUMBER}/events", headers, data=b'{"status": "ready"}'
    )

    assert (status, problem["detail"]) == (415, "Send the header Content-Type: application/json.")


@pytest.mark.parametrize("headers", [{"Content-Type": "application/json; charset=utf-8"}, {}])
async def test_json_may_name_its_charset_and_what_names_no_type_is_taken_for_json(department_client, headers):
    address, given = (
        f"{department_client.url}/api/v1/applications/{UNKNOWN_NUMBER}/events",
        {"Idempotency-Key": "1", **headers},
    )
    given["Authorization"] = f"Bearer {department_client.key}"

    async with department_client.http.post(
        address, headers=given, data=b'{"status": "ready"}', skip_auto_headers=["Content-Type"]
    ) as response:
        assert response.status == 404


async def test_head_is_as_get_without_a_body_and_options_says_what_there_is(department_client):
    headers = {"Authorization": f"Bearer {department_client.key}"}
    async with department_client.http.head(f"{department_client.url}/api/v1/applications", headers=headers) as response:
        assert (response.status, await response.read()) == (200, b"")
        assert int(response.headers["Content-Length"]) > 0
    for path, allowed in (
        ("applications", "GET,HEAD,OPTIONS"),
        (f"applications/{UNKNOWN_NUMBER}/events", "OPTIONS,POST"),
    ):
        async with department_client.http.options(f"{department_client.url}/api/v1/{path}") as response:
            assert (response.status, response.headers["Allow"]) == (204, allowed)


class FailingApplications:
    """Applications whose database fails, with personal data in the error."""

    async def find_holder(self, key):
        return ApiKeyHolder(OWN_DEPARTMENT, "00000000")

    async def count_request(self, key):
        return None

    async def get(self, department, tracking_number, *, by):
        raise RuntimeError("refused row: +8801700000001, Rahima Begum")

    async def move(self, department, tracking_number, status, note, key, *, by):
        raise RuntimeError("refused row: +8801700000001, Rahima Begum")


async def test_a_failure_of_ours_is_a_problem_and_its_words_stay_with_us():
    failing = FailingApplications()
    app = web.Application()
    operations = applications.build_operations(failing, PageReader(CursorCodec(CIPHER), utc_now))
    app.add_routes(build_routes(operations, api_keys=failing, rate_limiter=failing, build_openapi_json=bytes))
    async with TestClient(TestServer(app)) as http:
        client = DepartmentClient(http, "", "any")

        with capture_logs() as logged:
            answers = [
                await client.get(f"/applications/{UNKNOWN_NUMBER}"),
                await client.post_event(UNKNOWN_NUMBER, {"status": "ready"}),
            ]

    assert {(status, problem["title"]) for status, problem in answers} == {(500, "Failed")}
    assert [(line["event"], line["error"]) for line in logged] == [("department_api_failed", "RuntimeError")] * 2
    assert "Rahima" not in f"{logged}{answers}"
