"""Row 11, feedback: a rating and words, passed on to the department that they concern, once, without a name."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import ClientSession

from assembly.complaints import Beneath, Offices, grievances_of
from assembly.conversation import edition_of
from assembly.countries import office_zones
from assembly.services import messages_of
from assembly.texts import letter_sayer, names_of, sayer
from embedded import secret_of
from menus.words import load_all
from sealing import Seal
from services.catalogue.shelf import Shelf
from services.records.database import Records
from services.records.migrate import upgrade
from tests.journeys.steps import tracking_in
from tests.phone import NUMBER, Phone, running, settings_for
from tests.rows.officers import officer
from tests.texting import Texter

WISH = "Please open on Saturdays"
READER = "feedback@department.example"


async def rates(phone: Phone, *keys: str) -> str:
    """From the first call by these keys to a feedback's number."""
    await phone.dials()
    kept = await phone.types("1", "4", "2", *keys)
    assert phone.ended
    assert kept.startswith("Thank you. We pass it on to the office that it concerns.")
    return tracking_in(kept)


async def test_row_11_a_rating_and_words_reach_the_department_of_the_service(phone: Phone, tmp_path: Path) -> None:
    await phone.dials()
    rating = await phone.types("1", "4", "2", "1", "101")
    assert rating.startswith("Birth certificate\nHow was it?\n1 Very bad\n2 Bad\n")
    number = tracking_in(await phone.types("4", WISH))
    status, page = await (await officer(phone, tmp_path)).asks("/feedback")
    assert status == 200
    [one] = page["items"]
    assert (one["feedback_number"], one["service"], one["rating"], one["text"]) == (
        number,
        "birth_certificate",
        4,
        WISH,
    )
    assert NUMBER[4:] not in str(page)
    await phone.dials()
    assert "Suggestion " in await phone.types("2", number)


async def test_row_11_in_general_and_without_words(phone: Phone, tmp_path: Path) -> None:
    assert await rates(phone, "2", "5", "1")
    _, page = await (await officer(phone, tmp_path)).asks("/feedback")
    assert page["items"] == [], "it concerns no department in particular"


async def test_row_11_by_sms_in_one_s_own_words(handset: Texter) -> None:
    kept = await handset.texts(f"FEEDBACK {WISH}")
    assert kept.startswith("Thank you. We pass it on to the office that it concerns.")
    number = tracking_in(kept)
    status = await handset.texts(f"STATUS {number}")
    assert status.startswith("Suggestion ")
    assert WISH not in status


async def test_row_11_the_department_is_written_to_once_for_a_period(tmp_path: Path, database_url: str) -> None:
    await upgrade(database_url)
    settings = settings_for(tmp_path, DATABASE__URL=database_url, COMPLAINTS__EMAIL=READER, COMPLAINTS__DIGEST="day")
    async with running(settings) as url, ClientSession() as http, Records(database_url) as records:
        for caller, rating in (("+8801700000011", "5"), ("+8801700000012", "2")):
            await rates(Phone(http, url, caller), "2", rating, WISH)
        shelf = Shelf(edition_of(settings.catalogue))
        seal, words = Seal(secret_of(settings).encode()), load_all(names_of(shelf))
        messages = messages_of(settings, records, seal)
        texts = sayer(words, settings), letter_sayer(words, settings)
        tomorrow = Beneath(records, messages, seal, *texts, lambda: datetime.now(UTC) + timedelta(days=1))
        digests = grievances_of(settings, tomorrow, Offices(shelf, settings, office_zones(settings, shelf))).digests
        assert digests
        assert [await digests.step() for _ in range(3)] == [1, 0, 0]
        [letter] = await messages.claim("test", 10, "email")
    assert letter.to == READER
    subject, *lines = letter.text.splitlines()
    assert subject.startswith("Ekdial: what people think, until ")
    assert subject.endswith(": 2")
    assert "Average: 3.5" in lines
    assert "How many gave what: 5: 1, 2: 1" in lines
    assert f"- 5/5 · {WISH}" in lines
    assert "8801700" not in letter.text
