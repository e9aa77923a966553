"""Row 10, complain: of an application or a service, with a number and a status; answered, judged, and raised when late."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession

from assembly.complaints import Beneath, Grievances, Offices, grievances_of
from assembly.conversation import edition_of
from assembly.countries import office_zones
from assembly.services import messages_of
from assembly.texts import names_of, sayer
from embedded import secret_of
from menus.words import load_all
from sealing import Seal
from services.catalogue.shelf import Shelf
from services.numbers import tracking_number
from services.records.database import Records
from services.records.migrate import upgrade
from settings import Settings
from tests.journeys.steps import PIN, applies, registers, tracking_in
from tests.phone import Phone, running, settings_for
from tests.rows.officers import officer
from tests.servers import RedisServer
from tests.test_privacy import everything_in, everything_said
from tests.texting import Texter, texter

STORY = "The clerk asked me for two hundred"
ANSWER = {"en": "The clerk was warned. Please come on Monday"}


def shown(number: str) -> str:
    return f"{number[:4]} {number[4:8]} {number[8:]}"


def grievances_at(settings: Settings, records: Records, clock: Callable[[], datetime]) -> Grievances:
    """Those of the gateway with these settings, as another process of it has them, at another time."""
    shelf = Shelf(edition_of(settings.catalogue))
    seal, words = Seal(secret_of(settings).encode()), load_all(names_of(shelf))
    stands_on = Beneath(records, messages_of(settings, records, seal), seal, sayer(words, settings), None, clock)
    return grievances_of(settings, stands_on, Offices(shelf, settings, office_zones(settings, shelf)))


async def complains(phone: Phone, *keys: str) -> str:
    """From the main menu by these keys to a complaint's number."""
    kept = await phone.types("00", "4", "1", *keys)
    assert phone.ended
    assert kept.startswith("We have your complaint. Its number is ")
    return tracking_in(kept)


async def test_row_10_from_the_status_of_an_application_to_an_answer_that_settles_it(
    phone: Phone, tmp_path: Path
) -> None:
    await registers(phone)
    number = await applies(phone)
    await phone.dials()
    assert (await phone.types("2", number, "2")).startswith("Birth certificate\nWhat went wrong?\n1 It is late\n")
    assert await phone.types("2") == "Tell it in your own words\n1 Send without words\n0 Back"
    kept = await phone.types(STORY)
    assert phone.ended
    assert shown(number) in kept
    complaint = tracking_in(kept)
    assert shown(complaint) in await phone.sms("we have your complaint")

    office = await officer(phone, tmp_path)
    _, case = await office.asks(f"/complaints/{complaint}")
    assert (case["reason"], case["text"]) == ("money", STORY)
    status, _ = await office.reports(complaint, {"status": "answered", "note": ANSWER}, kind="complaints")
    assert status == 201
    assert ANSWER["en"] in await phone.sms("is answered")
    await phone.dials()
    answered = await phone.types("4", "3", complaint)
    assert answered.startswith(f"Complaint {shown(complaint)}\nAnswered, ")
    assert "1 Yes, it is settled" in answered + await phone.types("98") if "98 More" in answered else answered
    assert (await phone.types("1")).startswith("Thank you. The complaint is closed.")
    await phone.dials()
    assert "\nClosed, " in await phone.types("2", complaint)


async def test_row_10_a_stranger_sees_where_a_complaint_stands_and_cannot_judge_it(
    phone: Phone, tmp_path: Path
) -> None:
    await registers(phone)
    number = await applies(phone)
    await phone.dials()
    await phone.types("2", number, "2", "3")
    complaint = tracking_in(await phone.types(STORY))
    office = await officer(phone, tmp_path)
    await office.reports(complaint, {"status": "answered", "note": ANSWER}, kind="complaints")
    stranger = Phone(phone.http, phone.url, "+919000000001")
    await stranger.dials()
    status = await stranger.types("1", "2", complaint)
    assert status.startswith(f"Complaint {shown(complaint)}\nAnswered, ")
    for other in (STORY, "settled", "Amina", "Rahim"):
        assert other not in status


async def test_row_10_about_a_service_found_by_its_name_its_number_or_the_list(phone: Phone) -> None:
    await registers(phone)
    by_name = await phone.types("00", "4", "1", "2", "passport")
    assert by_name.splitlines()[0] in {"Which service?", "Passport"} or "What went wrong?" in by_name
    assert (await phone.types("00", "4", "1", "2", "102")).startswith("NID correction\nWhat went wrong?")
    assert (await phone.types("00", "4", "1", "2", "qqqqqq")).startswith("We found no such service. Type another name")
    listed = await phone.types("1", "1", "1")
    assert "What went wrong?" in listed
    kept = await phone.types("6", "1")
    assert phone.ended
    assert tracking_in(kept)


async def test_row_10_about_nothing_in_particular_and_without_words(phone: Phone) -> None:
    await phone.dials()
    await phone.types("1")
    complaint = await complains(phone, "3", "5", "1")
    assert shown(complaint) in await phone.sms("we have your complaint")


async def test_row_10_about_one_of_ones_own_applications(phone: Phone) -> None:
    await registers(phone)
    number = await applies(phone)
    await phone.dials()
    assert (await phone.types("4", "1", "1")).startswith("Type the 12-digit tracking number\n1 My applications")
    listed = await phone.types("1", PIN)
    assert listed.startswith("Which application?\n1 Birth certificate: Received")
    assert (await phone.types("1")).startswith("Birth certificate\nWhat went wrong?")
    assert shown(number) in await phone.types("1", "1")


async def test_row_10_a_repeat_and_a_lost_session_complain_once(phone: Phone) -> None:
    await phone.dials()
    await phone.types("1", "4", "1", "3", "5")
    first = await phone.types("1")
    assert await phone.again() == first
    await phone.sms("we have your complaint")


async def test_row_10_by_sms_a_complaint_has_a_number_and_that_number_a_status(handset: Texter) -> None:
    kept = await handset.texts(f"COMPLAIN {STORY}")
    number = tracking_in(kept)
    status = await handset.texts(f"STATUS {number}")
    assert status.startswith(f"Complaint {shown(number)}\nReceived, ")
    assert STORY not in status
    assert (await handset.texts(number)).startswith(f"Complaint {shown(number)}")


async def test_row_10_by_sms_the_menus_take_a_complaint_by_numbered_replies(handset: Texter) -> None:
    await handset.texts("MENU")
    assert (await handset.texts("4")).startswith("Complain or suggest\n1 Complain\n2 Rate or suggest\n")
    await handset.texts("1")
    await handset.texts("3")
    await handset.texts("2")
    assert (await handset.texts(STORY)).startswith("We have your complaint. Its number is ")


async def test_row_10_by_sms_the_answer_is_judged_by_a_reply(phone: Phone, handset: Texter, tmp_path: Path) -> None:
    await registers(phone)
    about = await applies(phone)
    await handset.hears(0)  # the receipt
    before = len(handset.inbox.messages)
    number = tracking_in(await handset.texts(f"COMPLAIN {about} {STORY}"))
    office = await officer(phone, tmp_path)
    await office.reports(number, {"status": "answered", "note": ANSWER}, kind="complaints")
    assert f"Send STATUS {number}" in (await handset.hears(before, 2))[1]
    asked = await handset.texts(f"STATUS {number}")
    assert "Is it settled?\n1 Yes, it is settled\n2 No, not settled" in asked
    heard = await handset.texts("2", expect=2)
    assert "It goes to a higher officer." in heard
    assert f"your complaint {shown(number)} goes to a higher officer: " in heard


async def test_row_10_what_is_not_answered_in_time_goes_to_the_next_level_and_is_told(
    tmp_path: Path, database_url: str
) -> None:
    await upgrade(database_url)
    settings = settings_for(tmp_path, DATABASE__URL=database_url)
    async with (
        running(settings) as url,
        ClientSession() as http,
        Records(database_url) as records,
        texter(url) as hears,
    ):
        phone = Phone(http, url)
        await registers(phone)
        number = await applies(phone)
        await phone.dials()
        complaint = tracking_in(await phone.types("2", number, "2", "1", "1"))
        await phone.sms("we have your complaint")
        later = grievances_at(settings, records, lambda: datetime.now(UTC) + timedelta(days=400))
        assert await later.escalation.step() == 1
        assert await later.escalation.step() == 0
        assert shown(complaint) in await phone.sms("goes to a higher officer: ")
        await phone.dials()
        status = await phone.types("2", complaint)
        assert status.startswith(f"Complaint {shown(complaint)}\nWith a higher officer, ")
        assert sum("higher officer" in message.text for message in hears.inbox.messages) == 1


@pytest.mark.parametrize("unicode", ["true", "false"])
@pytest.mark.parametrize("key", ["2", "3"])
async def test_row_10_every_language_complains_and_is_told_the_number(tmp_path: Path, key: str, unicode: str) -> None:
    async with running(settings_for(tmp_path, USSD__UNICODE=unicode)) as url, ClientSession() as http:
        phone = Phone(http, url)
        await phone.dials()
        kept = await phone.types(key, "4", "1", "3", "2", "1")
        number = tracking_in(kept if phone.ended else kept + await phone.types("98"))
        assert shown(number) in await phone.sms(shown(number))


async def test_row_10_nothing_that_was_written_or_guessed_is_in_logs_metrics_or_redis(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    redis_server.empty()
    settings = settings_for(tmp_path, REDIS__URL=redis_server.url, SERVER__LOG_LEVEL="debug")
    unknown = tracking_number()
    with everything_said() as said:
        async with running(settings) as url, ClientSession() as http:
            phone = Phone(http, url)
            await phone.dials()
            complaint = tracking_in(await phone.types("1", "4", "1", "3", "2", STORY))
            await phone.dials()
            await phone.types("4", "2", "2", "1", STORY)
            await phone.dials()
            await phone.types("2", unknown, complaint)
            async with http.get(f"{url}/metrics") as answer:
                metrics = await answer.text()
            kept = everything_in(redis_server.url)
    assert 'ekdial_numbers_asked_total{kind="unknown"} 1.0' in metrics
    for one in (STORY, "asked me for", complaint, unknown, phone.number[4:]):
        assert one not in said.getvalue(), f"{one} in the logs"
        assert one not in metrics, f"{one} in the metrics"
        assert one.encode() not in kept, f"{one} can be read in Redis"
