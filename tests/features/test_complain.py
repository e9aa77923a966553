"""Complain: about an application or a service, with a number, a status, a verdict and escalation."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession
from sqlalchemy import update

from app.container import ComplaintServices, build_complaint_services, build_messages
from app.menu import read_catalogue
from app.texts import build_name_lookups, build_sms_renderer
from config.settings import Settings
from core.crypto import Cipher
from core.reference_numbers import generate_tracking_number
from db.database import Database
from db.migrate import upgrade
from db.tables import applications
from menus.rendering.localization import load_locales
from services.catalogue.current import CurrentCatalogue
from tests.support.citizen_steps import PIN, apply_for_birth_certificate, register, submit_complaint, tracking_number_in
from tests.support.databases import migrated_sqlite_url
from tests.support.department_officer import open_department_client
from tests.support.phone import Phone, admin_url, build_settings, run_gateway
from tests.support.privacy import capture_all_logs, redis_contents, remove_measurements
from tests.support.servers import RedisServer
from tests.support.sms_phone import SmsPhone, open_sms_phone

STORY = "The clerk asked me for two hundred"
ANSWER = {"en": "The clerk was warned. Please come on Monday"}


def format_number(number: str) -> str:
    return f"{number[:4]} {number[4:8]} {number[8:]}"


def open_complaint_services(settings: Settings, database: Database, clock: Callable[[], datetime]) -> ComplaintServices:
    """The complaint services of another process of this gateway, at another time."""
    catalogue = CurrentCatalogue(read_catalogue(settings.catalogue))
    cipher, words = (
        Cipher(settings.keys.secret.get_secret_value().encode()),
        load_locales(build_name_lookups(catalogue)),
    )
    return build_complaint_services(
        settings=settings,
        database=database,
        messages=build_messages(settings, database, cipher),
        cipher=cipher,
        current_catalogue=catalogue,
        render_sms=build_sms_renderer(words, settings),
        render_email=None,
        clock=clock,
    )


async def test_from_the_status_of_an_application_to_an_answer_that_settles_it(phone: Phone, tmp_path: Path) -> None:
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    await phone.dial()
    asked = await phone.enter("2", number, "2")
    assert asked.startswith("Birth certificate\nWhat went wrong?\n2 Asked for money\n")
    assert await phone.enter("2") == "Tell us in your own words\n1 Send without a message\n0 Back"
    kept = await phone.enter(STORY)
    assert phone.ended
    assert format_number(number) in kept
    complaint = tracking_number_in(kept)
    assert format_number(complaint) in await phone.wait_for_sms("we have your complaint")

    client = await open_department_client(phone, tmp_path)
    _, case = await client.get(f"/complaints/{complaint}")
    assert (case["reason"], case["text"]) == ("money", STORY)
    status, _ = await client.post_event(complaint, {"status": "answered", "note": ANSWER}, kind="complaints")
    assert status == 201
    assert ANSWER["en"] in await phone.wait_for_sms("is answered")
    await phone.dial()
    answered = await phone.enter("4", "3", complaint)
    assert answered.startswith(f"Complaint {format_number(complaint)}\nAnswered, ")
    assert "1 Yes, it is settled" in answered + await phone.enter("98") if "98 More" in answered else answered
    assert (await phone.enter("1")).startswith("Thank you. The complaint is closed.")
    await phone.dial()
    assert "\nClosed, " in await phone.enter("2", complaint)


async def test_a_stranger_sees_where_a_complaint_stands_and_cannot_judge_it(phone: Phone, tmp_path: Path) -> None:
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    await phone.dial()
    await phone.enter("2", number, "2", "3")
    complaint = tracking_number_in(await phone.enter(STORY))
    client = await open_department_client(phone, tmp_path)
    await client.post_event(complaint, {"status": "answered", "note": ANSWER}, kind="complaints")
    stranger = Phone(phone.http, phone.url, "+919000000001")
    await stranger.dial()
    status = await stranger.enter("1", "2", complaint)
    assert status.startswith(f"Complaint {format_number(complaint)}\nAnswered, ")
    for other in (STORY, "settled", "Amina", "Rahim"):
        assert other not in status


async def test_about_a_service_found_by_its_name_its_number_or_the_list(phone: Phone) -> None:
    await register(phone)
    by_name = await phone.enter("00", "4", "1", "2", "passport")
    assert by_name.splitlines()[0] in {"Which service?", "Passport"} or "What went wrong?" in by_name
    assert (await phone.enter("00", "4", "1", "2", "102")).startswith("NID correction\nWhat went wrong?")
    assert (await phone.enter("00", "4", "1", "2", "qqqqqq")).startswith("We found no such service. Type another name")
    listed = await phone.enter("1", "1", "1")
    assert "What went wrong?" in listed
    kept = await phone.enter("6", "1")
    assert phone.ended
    assert tracking_number_in(kept)


async def test_about_nothing_in_particular_and_without_words(phone: Phone) -> None:
    await phone.dial()
    await phone.enter("1")
    complaint = await submit_complaint(phone, "3", "5", "1")
    assert format_number(complaint) in await phone.wait_for_sms("we have your complaint")


async def test_about_one_of_ones_own_applications(phone: Phone) -> None:
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    await phone.dial()
    assert (await phone.enter("4", "1", "1")).startswith("Type the 12-digit tracking number\n1 My applications")
    listed = await phone.enter("1", PIN)
    assert listed.startswith("Which application?\n1 Birth certificate: Submitted")
    assert (await phone.enter("1")).startswith("Birth certificate\nWhat went wrong?")
    assert format_number(number) in await phone.enter("2", "1")


async def test_nothing_is_late_before_the_promised_day(phone: Phone, tmp_path: Path) -> None:
    """Field report, section 2: "It is late" was accepted on the day of applying."""
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    await phone.dial()
    asked = await phone.enter("2", number, "2")
    assert "It is late" not in asked
    assert (await phone.enter("1")).startswith("Please choose 2 to 6\n")
    async with open_sms_phone(phone.url, phone.msisdn) as texting:
        await texting.send_sms("LANG EN")
        await texting.send_sms("MENU")
        for answer in ("4", "1", "1"):
            await texting.send_sms(answer)
        assert "It is late" not in await texting.send_sms(number)
        assert "Please choose 2 to 6" in await texting.send_sms("It is late")

    async with Database(migrated_sqlite_url(tmp_path / "ekdial.db")) as database, database.transaction() as transaction:
        await transaction.execute(update(applications).values(promised=datetime.now(UTC).date() - timedelta(days=3)))
    await phone.redial()
    late = await phone.enter("2", number)
    while "Complain" not in late:
        late = await phone.enter("98")
    (key,) = re.findall(r"^(\d) Complain$", late, re.MULTILINE)
    assert (await phone.enter(key)).startswith("Birth certificate\nWhat went wrong?\n1 It is late\n")
    assert (await phone.enter("1")).startswith("Tell us in your own words")


async def test_of_a_service_in_general_anybody_may_say_that_it_is_late(phone: Phone) -> None:
    await phone.dial()
    assert "\n1 It is late\n" in await phone.enter("1", "4", "1", "2", "102")


async def test_a_repeat_and_a_lost_session_complain_once(phone: Phone) -> None:
    await phone.dial()
    await phone.enter("1", "4", "1", "3", "5")
    first = await phone.enter("1")
    assert await phone.resend() == first
    await phone.wait_for_sms("we have your complaint")


async def test_by_sms_a_complaint_has_a_number_and_that_number_a_status(sms_phone: SmsPhone) -> None:
    kept = await sms_phone.send_sms(f"COMPLAIN {STORY}")
    number = tracking_number_in(kept)
    status = await sms_phone.send_sms(f"STATUS {number}")
    assert status.startswith(f"Complaint {format_number(number)}\nSubmitted, ")
    assert STORY not in status
    assert format_number(number) in await sms_phone.send_sms(number)


async def test_by_sms_the_menus_take_a_complaint_by_numbered_replies(sms_phone: SmsPhone) -> None:
    await sms_phone.send_sms("MENU")
    assert (await sms_phone.send_sms("4")).startswith("Complain or suggest\n1 Complain\n2 Rate or suggest\n")
    await sms_phone.send_sms("1")
    await sms_phone.send_sms("3")
    await sms_phone.send_sms("2")
    assert (await sms_phone.send_sms(STORY)).startswith("We have your complaint. Its number is ")


@pytest.mark.calls_only(reason="signing in to the page sends a code")
async def test_by_sms_the_answer_is_judged_by_a_reply(phone: Phone, sms_phone: SmsPhone, tmp_path: Path) -> None:
    await register(phone)
    about = await apply_for_birth_certificate(phone)
    await sms_phone.receive(0)  # the receipt
    before = len(sms_phone.inbox.messages)
    number = tracking_number_in(await sms_phone.send_sms(f"COMPLAIN {about} {STORY}"))
    client = await open_department_client(phone, tmp_path)
    await client.post_event(number, {"status": "answered", "note": ANSWER}, kind="complaints")
    assert f"Send STATUS {number}" in (await sms_phone.receive(before, 2))[1]
    asked = await sms_phone.send_sms(f"STATUS {number}")
    assert "Is it settled?\n1 Yes, it is settled\n2 No, not settled" in asked
    assert (await sms_phone.send_sms("2")).startswith("To go to a senior officer, type your current PIN\n")
    heard = await sms_phone.send_sms(PIN, expect=2)
    assert "It goes to a more senior officer." in heard
    assert f"your complaint {format_number(number)} has gone to a more senior officer: " in heard


async def test_what_is_not_answered_in_time_goes_to_the_next_level_and_is_told(
    tmp_path: Path, database_url: str
) -> None:
    await upgrade(database_url)
    settings = build_settings(tmp_path, DATABASE__URL=database_url)
    async with (
        run_gateway(settings) as url,
        ClientSession() as http,
        Database(database_url) as database,
        open_sms_phone(url) as hears,
    ):
        phone = Phone(http, url)
        await register(phone)
        number = await apply_for_birth_certificate(phone)
        await phone.dial()
        complaint = tracking_number_in(await phone.enter("2", number, "2", "2", "1"))
        await phone.wait_for_sms("we have your complaint")
        later = open_complaint_services(settings, database, lambda: datetime.now(UTC) + timedelta(days=400))
        assert await later.escalation.escalate_overdue() == 1
        assert await later.escalation.escalate_overdue() == 0
        assert format_number(complaint) in await phone.wait_for_sms("has gone to a more senior officer: ")
        await phone.dial()
        status = await phone.enter("2", complaint)
        assert status.startswith(f"Complaint {format_number(complaint)}\nWith a senior officer, ")
        assert sum("more senior officer" in message.text for message in hears.inbox.messages) == 1


@pytest.mark.parametrize("unicode", ["true", "false"])
@pytest.mark.parametrize("key", ["2", "3"])
async def test_every_language_complains_and_is_told_the_number(tmp_path: Path, key: str, unicode: str) -> None:
    async with run_gateway(build_settings(tmp_path, USSD__UNICODE=unicode)) as url, ClientSession() as http:
        phone = Phone(http, url)
        await phone.dial()
        kept = await phone.enter(key, "4", "1", "3", "2", "1")
        number = tracking_number_in(kept if phone.ended else kept + await phone.enter("98"))
        assert format_number(number) in await phone.wait_for_sms(format_number(number))


async def test_nothing_that_was_written_or_guessed_is_in_logs_metrics_or_redis(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    redis_server.empty()
    settings = build_settings(tmp_path, REDIS__URL=redis_server.url, SERVER__LOG_LEVEL="debug")
    unknown = generate_tracking_number()
    with capture_all_logs() as said:
        async with run_gateway(settings) as url, ClientSession() as http:
            phone = Phone(http, url)
            await phone.dial()
            complaint = tracking_number_in(await phone.enter("1", "4", "1", "3", "2", STORY))
            await phone.dial()
            await phone.enter("4", "2", "2", "1", STORY)
            await phone.dial()
            await phone.enter("2", unknown, complaint)
            async with http.get(f"{admin_url(url)}/metrics") as answer:
                metrics = await answer.text()
            kept = redis_contents(redis_server.url)
    assert 'ekdial_numbers_asked_total{kind="unknown"} 1.0' in metrics
    for one in (STORY, "asked me for", complaint, unknown, phone.msisdn[4:]):
        assert one not in said.getvalue(), f"{one} in the logs"
        assert one not in remove_measurements(metrics), f"{one} in the metrics"
        assert one.encode() not in kept, f"{one} can be read in Redis"
