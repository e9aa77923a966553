"""The audit: journeys of citizens, operators and departments are walked, and every act is there with ids alone."""

import json
from pathlib import Path

import pytest
from aiohttp import ClientSession

from db.database import Database
from services.audit.export import AuditFilter, read_entries
from tests.support.assisted_scenario import CITIZEN, OPERATOR, AssistedScenario
from tests.support.citizen_steps import (
    ANSWERS,
    PIN,
    answer_wallet,
    apply_for_birth_certificate,
    pay_key,
    submit_complaint,
    track_application,
)
from tests.support.department_officer import open_department_client
from tests.support.phone import build_settings

STORY, OPINION, ANSWER = "The clerk of Mirpur was rude", "The queue was long", "We are sorry, Amina"
PERSONAL = (
    *(CITIZEN, CITIZEN[-8:], OPERATOR, OPERATOR[-8:], "Amina Begum", "Karim Mia", "Mirpur School", PIN),
    *(ANSWERS[0], ANSWERS[3], STORY, OPINION, ANSWER),
)
EXPECTED = {
    ("citizen", "registered", "account", "ussd"),
    ("citizen", "handed_in", "application", "ussd"),
    ("citizen", "pay", "payment", "ussd"),
    ("gateway", "paid", "payment", "ussd"),
    ("citizen", "complaint_made", "complaint", "ussd"),
    ("staff", "key_added", "key", "terminal"),
    ("department", "application_read", "application", "api"),
    ("department", "application_moved", "application", "api"),
    ("department", "complaint_read", "complaint", "api"),
    ("department", "complaint_moved", "complaint", "api"),
    ("operator", "handed_in", "application", "ussd"),
}


async def walk_journeys(scenario: AssistedScenario, folder: Path) -> None:
    """A citizen and an operator for them; then the department, that reads and answers both."""
    await scenario.start_acting()
    await scenario.apply_for_citizen()
    number = await apply_for_birth_certificate(scenario.citizen)
    await scenario.citizen.enter(pay_key(await track_application(scenario.citizen, number)), "1")
    assert await answer_wallet(scenario.citizen, "4826") == "paid"
    await scenario.citizen.wait_for_sms("paid for")
    await scenario.citizen.redial()
    complaint = await submit_complaint(scenario.citizen, "1", number, "3", STORY)
    office = await open_department_client(scenario.citizen, folder)
    assert (await office.get(f"/applications/{number}"))[0] == 200
    assert (await office.get(f"/complaints/{complaint}"))[0] == 200
    event = {"status": "ready", "note": {"en": ANSWER}}
    assert (await office.post_event(number, event))[0] == 201
    assert (await office.post_event(complaint, {**event, "status": "answered"}, kind="complaints"))[0] == 201


@pytest.mark.calls_only(reason="the channel is named")
async def test_every_act_of_every_journey_is_there_and_nothing_of_a_person(tmp_path: Path) -> None:
    settings = build_settings(tmp_path, PAYMENTS__PUSH_DELAY="0")
    async with ClientSession() as http:
        scenario = AssistedScenario(settings, http)
        await scenario.start()
        try:
            await walk_journeys(scenario, tmp_path)
        finally:
            await scenario.stack.aclose()

    async with Database(settings.database.url.get_secret_value()) as database:
        noted = [act async for act in read_entries(database, AuditFilter())]

    kinds = {(act["actor_kind"], act["act"], act["subject_kind"], act["channel"]) for act in noted}
    assert kinds >= EXPECTED, EXPECTED - kinds
    assert all(act["on_behalf_of"] for act in noted if (act["actor_kind"], act["act"]) == ("operator", "handed_in"))
    kept = json.dumps(noted, ensure_ascii=False)
    assert [told for told in PERSONAL if told in kept] == []
