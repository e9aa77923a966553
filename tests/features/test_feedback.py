"""Feedback: a department receives ratings and comments once, without names."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import ClientSession

from app.container import build_complaint_services, build_messages
from app.menu import read_catalogue
from app.texts import build_email_renderer, build_name_lookups, build_sms_renderer
from core.crypto import Cipher
from db.database import Database
from db.migrate import upgrade
from menus.rendering.localization import load_locales
from services.catalogue.current import CurrentCatalogue
from tests.support.citizen_steps import tracking_number_in
from tests.support.department_officer import open_department_client
from tests.support.phone import MSISDN, Phone, build_settings, run_gateway
from tests.support.sms_phone import SmsPhone

WISH = "Please open on Saturdays"
READER = "feedback@department.example"


async def submit_feedback(phone: Phone, *keys: str) -> str:
    """From the first call by these keys to a feedback's number."""
    await phone.dial()
    kept = await phone.enter("1", "4", "2", *keys)
    assert phone.ended
    assert kept.startswith("Thank you. We will pass it on to the right office.")
    return tracking_number_in(kept)


async def test_a_rating_and_words_reach_the_department_of_the_service(phone: Phone, tmp_path: Path) -> None:
    await phone.dial()
    rating = await phone.enter("1", "4", "2", "1", "101")
    assert rating.startswith("Birth certificate\nHow was it?\n1 Very bad\n2 Bad\n")
    kept = await phone.enter("4", WISH)
    number = tracking_number_in(kept)
    assert "The number of your suggestion is " in kept, (
        "field report, section 1: whose number it was, nobody could tell"
    )
    told = await phone.wait_for_sms("thank you for your suggestion")
    assert tracking_number_in(told) == number, "the SMS keeps it"
    assert WISH not in told
    status, page = await (await open_department_client(phone, tmp_path)).get("/feedback")
    assert status == 200
    [one] = page["items"]
    assert (one["feedback_number"], one["service"], one["rating"], one["text"]) == (
        number,
        "birth_certificate",
        4,
        WISH,
    )
    assert MSISDN[4:] not in str(page)
    await phone.dial()
    assert "Suggestion " in await phone.enter("2", number)


async def test_in_general_and_without_words(phone: Phone, tmp_path: Path) -> None:
    assert await submit_feedback(phone, "2", "5", "1")
    _, page = await (await open_department_client(phone, tmp_path)).get("/feedback")
    assert page["items"] == [], "it concerns no department in particular"


async def test_by_sms_in_one_s_own_words(sms_phone: SmsPhone) -> None:
    kept = await sms_phone.send_sms(f"FEEDBACK {WISH}")
    assert kept.startswith("Thank you. We will pass it on to the right office.")
    number = tracking_number_in(kept)
    before = len(sms_phone.inbox.messages)
    status = await sms_phone.send_sms(f"STATUS {number}")
    assert len(sms_phone.inbox.messages) == before + 1, "the reply had the number, and no other SMS came"
    assert status.startswith("Suggestion ")
    assert WISH not in status


async def test_the_department_is_written_to_once_for_a_period(tmp_path: Path, database_url: str) -> None:
    await upgrade(database_url)
    settings = build_settings(tmp_path, DATABASE__URL=database_url, COMPLAINTS__EMAIL=READER, COMPLAINTS__DIGEST="day")
    async with run_gateway(settings) as url, ClientSession() as http, Database(database_url) as database:
        for caller, rating in (("+8801700000011", "5"), ("+8801700000012", "2")):
            await submit_feedback(Phone(http, url, caller), "2", rating, WISH)
        catalogue = CurrentCatalogue(read_catalogue(settings.catalogue))
        cipher, words = (
            Cipher(settings.keys.secret.get_secret_value().encode()),
            load_locales(build_name_lookups(catalogue)),
        )
        messages = build_messages(settings, database, cipher)
        digests = build_complaint_services(
            settings=settings,
            database=database,
            messages=messages,
            cipher=cipher,
            current_catalogue=catalogue,
            render_sms=build_sms_renderer(words, settings),
            render_email=build_email_renderer(words, settings),
            clock=lambda: datetime.now(UTC) + timedelta(days=1),
        ).digests
        assert digests
        assert [await digests.queue_due() for _ in range(3)] == [1, 0, 0]
        [email] = await messages.claim("test", 10, "email")
    assert email.to == READER
    subject, *lines = email.text.splitlines()
    assert subject.startswith("Ekdial: feedback up to ")
    assert subject.endswith(": 2")
    assert "Average: 3.5" in lines
    assert "How many gave each rating: 5: 1, 2: 1" in lines
    assert f"- 5/5 · {WISH}" in lines
    assert "8801700" not in email.text
