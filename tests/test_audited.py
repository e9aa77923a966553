"""The audit: journeys of citizens, operators and departments are walked, and every act is there with ids alone."""

import json
from pathlib import Path

from aiohttp import ClientSession

from services.audit_lines import Wanted, acts
from services.records.database import Records
from tests.journeys.steps import ANSWERS, PIN, applies
from tests.phone import settings_for
from tests.rows.officers import officer
from tests.rows.test_row_09_pay import follows, pay_key, presses
from tests.rows.test_row_10_complain import complains
from tests.rows.test_row_14_assisted import CITIZEN, OPERATOR, Village

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


async def walks(village: Village, folder: Path) -> None:
    """A citizen and an operator for them; then the department, that reads and answers both."""
    await village.acts()
    await village.applies()
    number = await applies(village.citizen)
    await village.citizen.types(pay_key(await follows(village.citizen, number)), "1")
    assert await presses(village.citizen, "4826") == "paid"
    await village.citizen.sms("paid for")
    await village.citizen.redials()
    complaint = await complains(village.citizen, "1", number, "1", STORY)
    office = await officer(village.citizen, folder)
    assert (await office.asks(f"/applications/{number}"))[0] == 200
    assert (await office.asks(f"/complaints/{complaint}"))[0] == 200
    event = {"status": "ready", "note": {"en": ANSWER}}
    assert (await office.reports(number, event))[0] == 201
    assert (await office.reports(complaint, {**event, "status": "answered"}, kind="complaints"))[0] == 201


async def test_every_act_of_every_journey_is_there_and_nothing_of_a_person(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, PAYMENTS__AFTER_CALL="0")
    async with ClientSession() as http:
        village = Village(settings, http)
        await village.opens()
        try:
            await walks(village, tmp_path)
        finally:
            await village.stack.aclose()

    async with Records(settings.database.url.get_secret_value()) as records:
        noted = [act async for act in acts(records, Wanted())]

    kinds = {(act["actor_kind"], act["act"], act["subject_kind"], act["channel"]) for act in noted}
    assert kinds >= EXPECTED, EXPECTED - kinds
    assert all(act["on_behalf_of"] for act in noted if (act["actor_kind"], act["act"]) == ("operator", "handed_in"))
    kept = json.dumps(noted, ensure_ascii=False)
    assert [told for told in PERSONAL if told in kept] == []
