"""A department asks for more information, and the applicant answers: on a call, by SMS, or through an operator.

4.2 of the field report: `more_information` was a dead end. From the question over the API to the citizen's phone and back.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import ClientSession
from sqlalchemy import select

from core.retry import Backoff
from db.database import Database
from db.migrate import upgrade
from db.tables import application_answers, audit
from services.departments.api_keys import ApiKeys
from tests.fakes.department_server import DepartmentServer, problem_response
from tests.support.assisted_scenario import CITIZEN, OPERATORS_PIN, AssistedScenario
from tests.support.citizen_steps import PIN, apply_for_birth_certificate, register, tracking_number_in
from tests.support.department_api import DepartmentClient
from tests.support.phone import Phone, build_settings
from tests.support.privacy import capture_all_logs
from tests.support.sms_phone import open_sms_phone
from tests.support.staff import staff_act

QUESTION = {"en": "Send the number of the vaccine card.", "bn": "টিকা কার্ডের নম্বর পাঠান।"}
ASKING = {"status": "more_information", "note": QUESTION}
KARIM = {"id": 1, "name": "Karim Mia", "centre": "mirpur"}


@pytest.fixture(autouse=True)
def short_retry_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second try comes at once."""
    monkeypatch.setattr("services.departments.delivery_worker.BACKOFF", Backoff(0.01))


@dataclass
class Scenario(AssistedScenario):
    """The phones of a citizen and an operator, the department's system, and its key to the API."""

    server: DepartmentServer | None = None
    api: DepartmentClient | None = None

    async def ask(self, number: str, key: str = "ask-1") -> None:
        status, _ = await self.api.post_event(number, ASKING, key=key)
        assert status == 201
        await self.citizen.wait_for_sms("The office needs more from you")

    async def read(self, number: str) -> dict:
        return (await self.api.get(f"/applications/{number}"))[1]

    async def apply(self) -> str:
        """Register and apply; the tracking number, once the department's system has the application."""
        await register(self.citizen)
        number = await apply_for_birth_certificate(self.citizen)
        await self.server.wait_until(lambda: number in self.server.applications)
        return number

    async def open_own(self, number: str) -> str:
        """Dial, and read every page of one's own application."""
        await self.citizen.redial()
        return await read_all(self.citizen, await self.citizen.enter("2", number))


async def read_all(phone: Phone, screen: str) -> str:
    """Every page of a screen."""
    pages = [screen]
    while "98 More" in pages[-1]:
        pages.append(await phone.enter("98"))
    return "\n".join(pages)


@asynccontextmanager
async def open_scenario(settings: dict, tmp_path: Path) -> AsyncIterator[Scenario]:
    async with DepartmentServer() as server, ClientSession() as http:
        connector = server.connector_settings(health_check_interval=0.05, deadline=0.5)
        scenario = Scenario(build_settings(tmp_path, DEPARTMENTS__DNCC=connector, **settings), http, server=server)
        await scenario.start()
        async with Database(scenario.settings.database.url.get_secret_value()) as database:
            key = await ApiKeys(database).create("dncc", staff_act())
        scenario.api = DepartmentClient(http, scenario.citizen.url, key)
        try:
            yield scenario
        finally:
            await scenario.stack.aclose()


@pytest.fixture
async def scenario(tmp_path: Path) -> AsyncIterator[Scenario]:
    async with open_scenario({}, tmp_path) as scenario:
        yield scenario


@pytest.fixture
async def scenario_on_every_database(tmp_path: Path, database_url: str) -> AsyncIterator[Scenario]:
    """The same on each database."""
    await upgrade(database_url)
    async with open_scenario({"DATABASE__URL": database_url}, tmp_path) as scenario:
        yield scenario


def answered(text: str, number: str, channel: str, operator: object = None) -> dict:
    return {
        "type": "application.answered",
        "tracking_number": number,
        "text": text,
        "channel": channel,
        "operator": operator,
    }


def sent_to(server: DepartmentServer) -> list[dict]:
    """The answers that the department's system has, without their times."""
    return [{name: value for name, value in one.items() if name != "at"} for one in server.answers.values()]


@pytest.mark.calls_only(reason="the channel is named")
async def test_the_departments_question_is_answered_on_a_call_and_the_department_goes_on(
    scenario_on_every_database: Scenario,
) -> None:
    scenario = scenario_on_every_database
    number, phone = await scenario.apply(), scenario.citizen
    await scenario.ask(number)
    sms = await phone.wait_for_sms("The office needs more from you")
    assert QUESTION["en"] in sms
    assert f"send ANSWER {number} and your text" in sms

    since = (await scenario.api.get("/applications"))[1]["next_since"]
    shown = await scenario.open_own(number)
    assert "8 Answer" in shown, shown
    asked = await phone.enter("8")
    assert QUESTION["en"] in asked
    assert "Your answer" in asked
    proof = await phone.enter("4471")
    kept = proof if "PIN" not in proof else await phone.enter(PIN)
    assert kept.startswith("Your answer is with the office."), kept

    again = await scenario.open_own(number)
    assert "Answered" in again, again
    detail = await scenario.read(number)
    assert [(one["text"], one["channel"], one["operator"]) for one in detail["answers"]] == [("4471", "ussd", None)]
    assert detail["answered"] == detail["changed"] == detail["answers"][0]["at"]
    (listed,) = (await scenario.api.get("/applications", params={"since": since}))[1]["items"]
    assert (listed["tracking_number"], listed["answered"]) == (number, detail["answered"])
    await scenario.server.wait_until(lambda: len(scenario.server.answers) == 1)
    assert sent_to(scenario.server) == [answered("4471", number, "ussd")]
    assert scenario.server.problems == []

    assert (await scenario.api.post_event(number, {"status": "approved"}, key="go-on"))[0] == 201
    assert (await scenario.read(number))["answered"] is None
    shown = await scenario.open_own(number)
    assert "Approved" in shown
    assert "8 Answer" not in shown


async def test_the_question_is_answered_by_sms_in_any_language_and_with_the_pin(scenario: Scenario) -> None:
    number = await scenario.apply()
    await scenario.ask(number)
    texts = ((f"ANSWER {number} The card number is 4471.", "The card number is 4471."), (f"জবাব {number} ৪৪৭১", "4471"))
    async with open_sms_phone(scenario.citizen.url, CITIZEN) as phone:
        assert f"ANSWER {number}" in await phone.send_sms(f"STATUS {number}")
        for sent, _ in texts:
            assert "PIN" in await phone.send_sms(sent)
            assert (await phone.send_sms(PIN)).startswith("Your answer is with the office.")
        await phone.send_sms(f"ANSWER {number}")  # without a text it is asked for
        assert "PIN" in await phone.send_sms("There is no card.")
        assert (await phone.send_sms(PIN)).startswith("Your answer is with the office.")
    written = [text for _, text in texts] + ["There is no card."]
    assert [(one["text"], one["channel"]) for one in (await scenario.read(number))["answers"]] == [
        (text, "sms") for text in written
    ]
    await scenario.server.wait_until(lambda: len(scenario.server.answers) == 3)
    assert sent_to(scenario.server) == [answered(text, number, "sms") for text in written]


@pytest.mark.calls_only(reason="the channel is named")
async def test_an_operator_answers_for_the_citizen_and_is_named(scenario: Scenario) -> None:
    """And minors of section 4: the applicant's name and the operator are in the application's JSON."""
    await scenario.start_acting()
    number = tracking_number_in(await scenario.apply_for_citizen())
    await scenario.server.wait_until(lambda: number in scenario.server.applications)
    sent = scenario.server.applications[number].application
    assert (sent["operator"], sent["applicant"]["name"]) == (KARIM, "Amina Begum")
    await scenario.ask(number)
    shown = await read_all(scenario.operator, await scenario.operator.enter("00", "2", number))
    assert "8 Answer" in shown, shown
    screen = await scenario.operator.enter("8", "4471", OPERATORS_PIN)
    assert "Your answer is with the office." in screen, screen
    detail = await scenario.read(number)
    assert (detail["operator"], detail["applicant"]["name"]) == (KARIM, "Amina Begum")
    assert [(one["text"], one["operator"]) for one in detail["answers"]] == [("4471", KARIM)]
    acts = select(audit).where(audit.c.act == "application_answered")
    assert [(row.actor_kind, row.actor, row.subject) for row in await scenario.fetch(acts)] == [
        ("operator", "1", number)
    ]
    await scenario.server.wait_until(lambda: len(scenario.server.answers) == 1)
    assert sent_to(scenario.server) == [answered("4471", number, "ussd", KARIM)]


async def test_the_answer_is_in_the_history_and_the_question_can_be_answered_there(scenario: Scenario) -> None:
    number, phone = await scenario.apply(), scenario.citizen
    await scenario.ask(number)
    await scenario.open_own(number)
    assert "More information needed" in await phone.enter("3")
    assert "8 Answer" in await read_all(phone, await phone.enter("1"))
    screen = await phone.enter("8", "4471")
    assert "Your answer" in (screen if "PIN" not in screen else await phone.enter(PIN))
    await scenario.open_own(number)
    history = (await phone.enter("3")).splitlines()
    assert "Answered" in history[1], history
    assert "More information needed" in history[2], history


async def test_what_cannot_be_answered_is_said_and_nothing_is_recorded(scenario: Scenario) -> None:
    number, stranger = await scenario.apply(), "+8801711000055"
    async with open_sms_phone(scenario.citizen.url, CITIZEN) as phone:
        assert (await phone.send_sms("ANSWER")).startswith("To answer an office, send ANSWER")
        await phone.send_sms(f"ANSWER {number} 4471")
        assert "The office asks for nothing now." in await phone.send_sms(PIN)
    await scenario.ask(number)
    async with open_sms_phone(scenario.citizen.url, CITIZEN) as phone:
        refused = await phone.send_sms(f"ANSWER {number} {'4' * 1001}")
        assert "1000" in refused or "1,000" in refused, refused
    other = Phone(scenario.http, scenario.citizen.url, stranger)
    await register(other)
    await other.redial()
    assert "8 Answer" not in await read_all(other, await other.enter("2", number)), "it is not their application"
    async with open_sms_phone(scenario.citizen.url, stranger) as phone:
        await phone.send_sms(f"ANSWER {number} 4471")
        assert (await phone.send_sms(PIN)).startswith("You have no application with this number")
    assert await scenario.fetch(select(application_answers)) == []


async def test_a_system_without_the_route_for_events_still_gets_applications(scenario: Scenario) -> None:
    number, server = await scenario.apply(), scenario.server
    server.respond_always_with("event", lambda _: respond_not_found())
    await scenario.ask(number)
    async with open_sms_phone(scenario.citizen.url, CITIZEN) as phone:
        for text in ("one", "two", "three", "four"):
            await phone.send_sms(f"ANSWER {number} {text}")
            await phone.send_sms(PIN)
    await server.wait_until(lambda: server.request_count("event") == 4)
    other = await apply_for_birth_certificate(scenario.citizen)
    await server.wait_until(lambda: other in server.applications)
    assert [one["text"] for one in (await scenario.read(number))["answers"]] == ["one", "two", "three", "four"]


def find_files(folder: Path, pattern: str) -> list[Path]:
    return list(folder.glob(pattern))


async def respond_not_found():
    return problem_response(404, "no such route")


async def test_no_log_and_no_row_tells_an_answer(tmp_path: Path) -> None:
    secret = "Zindabahar Lane 7"
    with capture_all_logs() as logs:
        async with open_scenario({}, tmp_path) as scenario:
            number = await scenario.apply()
            await scenario.ask(number)
            async with open_sms_phone(scenario.citizen.url, CITIZEN) as phone:
                await phone.send_sms(f"ANSWER {number} {secret}")
                await phone.send_sms(PIN)
            await scenario.server.wait_until(lambda: len(scenario.server.answers) == 1)
            rows = await scenario.fetch(select(application_answers))
    files = [file.read_bytes() for file in find_files(tmp_path, "ekdial.db*")]
    assert len(rows) == 1
    assert secret not in repr(rows)
    assert secret not in logs.getvalue()
    assert files
    assert not [file for file in files if secret.encode() in file]
