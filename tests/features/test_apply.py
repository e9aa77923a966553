"""Apply: for oneself and for another person, in every script, and resumed after a call that was cut off.

`pytest -n0 -s -k "test_apply and aloud"` prints the Bengali conversations, for whoever wants to read them aloud.
"""

import re
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession
from sqlalchemy import select

from core.gsm7 import count_septets
from db.database import Database
from db.tables import applications, audit, drafts
from services.catalogue.loader import DATA_FOLDER
from tests.support.citizen_steps import (
    ANSWERS,
    PIN,
    apply_for_birth_certificate,
    open_birth_certificate,
    register,
    submit_application,
    tracking_number_in,
)
from tests.support.phone import Phone, admin_url, build_settings, run_gateway
from tests.support.servers import RedisServer
from tests.support.sms_phone import SmsPhone, open_sms_phone, wait_until

OTHER = "+8801711000002"
FORM = ("00", "1", "1", "1", "1")
"""From anywhere to the question for whom a birth certificate is."""


@pytest.fixture
async def phone(tmp_path: Path) -> AsyncIterator[Phone]:
    """A phone whose owner has an account and stands at the main menu."""
    async with run_gateway(build_settings(tmp_path)) as url, ClientSession() as http:
        phone = Phone(http, url)
        await register(phone)
        yield phone


async def audit_actions(tmp_path: Path) -> list[tuple[str, str, str]]:
    async with Database(f"sqlite+aiosqlite:///{tmp_path}/ekdial.db") as database:
        rows = await database.fetch(select(audit.c.actor_kind, audit.c.act, audit.c.subject).order_by(audit.c.id))
        return [tuple(row) for row in rows]


async def test_for_oneself_in_english(phone: Phone, tmp_path: Path) -> None:
    assert await phone.enter(*FORM) == (
        "Birth certificate\nWho is it for?\n1 For me\n2 For another person\n"
        "3 For a child or somebody without a phone\n0 Back"
    )
    assert await phone.enter("1") == "1/5 Whose certificate is it? Type the full name\n0 Back"
    confirm = await phone.enter(*ANSWERS)
    assert confirm == (
        "Birth certificate\nRahim Uddin, 21-11-2025, Male, Karim Uddin, Ayesha Begum\n"
        "Fee Tk 50. Ready in 7 days\n1 Apply\n2 Change something\n3 What to bring\n0 Back"
    )
    assert await phone.enter("3") == (
        "Bring to Mirpur office: Vaccine card or discharge slip, Parents' ID cards\n1 Apply\n0 Back"
    )
    assert await phone.enter("1") == "To send it, type your current PIN\n1 I forgot it\n0 Back"
    assert await phone.enter("9753") == "That PIN is not right. Tries left: 4. Type your PIN\n1 I forgot it\n0 Back"
    received = await phone.enter(PIN)
    number = tracking_number_in(received)
    assert received.startswith("Received. Tracking number ")
    assert received.endswith("Papers to bring: 2\nFee Tk 50: pay it now or later\n1 Pay now\n0 Main menu")
    sms = await phone.wait_for_sms("Birth certificate received")
    assert tracking_number_in(sms) == number
    assert "Bring to Mirpur office: Vaccine card or discharge slip, Parents' ID cards" in sms
    assert ("citizen", "handed_in", number) in await audit_actions(tmp_path)


async def test_one_answer_is_changed_and_the_others_stay(phone: Phone) -> None:
    await open_birth_certificate(phone)
    await phone.enter(*ANSWERS)
    assert await phone.enter("2") == (
        "What do you want to change?\n1 Rahim Uddin\n2 21-11-2025\n3 Male\n4 Karim Uddin\n5 Ayesha Begum\n0 Back"
    )
    confirm = await phone.enter("4", "Salma Khatun")
    assert "Rahim Uddin, 21-11-2025, Male, Salma Khatun, Ayesha Begum" in confirm
    assert (await submit_application(phone)).startswith("Received. ")


async def test_too_many_wrong_pins_send_nothing_and_lose_nothing(phone: Phone) -> None:
    await open_birth_certificate(phone)
    await phone.enter(*ANSWERS, "1")
    screen = await phone.enter("9753", "9753", "9753", "9753", "9753")
    assert screen.startswith("Too many wrong tries.")
    assert phone.ended


@pytest.mark.calls_only(reason="the page has the letters of each language, and asks in that of the browser")
async def test_in_bengali_with_latin_letters_aloud(tmp_path: Path) -> None:
    async with run_gateway(build_settings(tmp_path)) as url, ClientSession() as http:
        phone = Phone(http, url)
        await register(phone, "2")
        keys = ("00", "1", "1", "1", "1", "1", *ANSWERS, "3", "0", "2", "1", "Rahima Khatun", "1", PIN)
        said = [(key, await phone.enter(key)) for key in keys]
    for key, screen in said:
        cost = count_septets(screen)
        assert cost is not None, f"{screen!r} is in plain letters"
        assert cost + len("CON ") <= 160, screen
        print(f"\n> {key}\n{screen}")  # noqa: T201 - so that a person can read it
    assert said[5][1] == "1/5 Jar sonod, tar puro nam din\n0 Firun"
    assert said[-2][1] == "Abedon pathate ekhonkar PIN din\n1 PIN bhule gechi\n0 Firun"
    assert said[-1][1].startswith("Abedon peyechi. Tracking number ")
    assert "Rahima Khatun" in said[-3][1]


BY_SMS = (
    ("আবেদন ১০১", "SMS-এ পাঠানো পিনটি দিন"),
    ("{pin}", "কার জন্য? জন্ম সনদ\n1 নিজের জন্য"),
    ("১", "১/৫"),
    ("রহিম উদ্দিন", "২/৫"),
    ("২১-১১-২০২৫", "৩/৫"),
    ("২", "৪/৫"),
    ("করিম উদ্দিন", "৫/৫"),
    ("আয়েশা বেগম", "জন্ম সনদ: রহিম উদ্দিন"),
    ("১", "আবেদন পাঠাতে এখনকার পিন দিন"),
    ("{pin}", "একডায়াল: জন্ম সনদ"),
)
"""What is texted to apply for a birth certificate, and how each answer begins."""


async def test_in_bengali_script_by_sms_aloud(tmp_path: Path) -> None:
    async with run_gateway(build_settings(tmp_path)) as url, open_sms_phone(url) as phone:
        pin = re.search(r"^\d{4,6}", await phone.send_sms("নিবন্ধন আমিনা বেগম", expect=2), re.MULTILINE)[0]
        for text, begins in BY_SMS:
            reply = await phone.send_sms(text.format(pin=pin))
            assert reply.startswith(begins), reply
            print(f"\n> {text.format(pin=pin)}\n{reply}")  # noqa: T201 - so that a person can read it
        assert "সাথে আনবেন: টিকা কার্ড বা হাসপাতালের ছাড়পত্র" in reply
        status = await phone.send_sms(f"অবস্থা {tracking_number_in(reply)}")
    assert status.startswith("জন্ম সনদ\n")


async def test_for_another_person_who_is_told_and_refuses(phone: Phone, tmp_path: Path) -> None:
    async with open_sms_phone(phone.url, OTHER) as other, open_sms_phone(phone.url, "+8801711000003") as nobody:
        await phone.enter(*FORM, "2")
        assert (await phone.enter("0171-234")).startswith("That is not a mobile number\n")
        assert (await phone.enter(phone.msisdn)).startswith("That is your own number\n")
        assert (await phone.enter("+33612345678")).startswith("Numbers from that country cannot be used here\n")
        assert await phone.enter("01711 000002") == (
            "1/5 Whose certificate is it? Type the full name\n(about the person it is for)\n0 Back"
        )
        confirm = await phone.enter(*ANSWERS)
        assert confirm.startswith(f"Birth certificate\nFor {OTHER}\nRahim Uddin, ")
        number = tracking_number_in(await submit_application(phone))
        [told] = await other.receive(0)
        assert tracking_number_in(told) == number, "in the language of their country"
        assert told.startswith("একডায়াল: আপনার জন্য আবেদন করা হয়েছে: জন্ম সনদ")
        assert "Amina" not in told
        unknown = await refuse(nobody, f"NO {number}")
        assert unknown.startswith("No application for this phone has that number.")
        assert await refuse(nobody, "NO 123456789012") == unknown, "a wrong number tells no more than a right one"
        assert (await refuse(other, f"না {number}")).startswith("আবেদনটি প্রত্যাহার করা হয়েছে।")
    assert tracking_number_in(await phone.wait_for_sms("the person you applied for does not want it")) == number
    await phone.dial()
    assert "Withdrawn" in await phone.enter("2", number)
    assert ("citizen", "refused", number) in await audit_actions(tmp_path)


async def test_for_a_child_or_somebody_without_a_phone(phone: Phone, tmp_path: Path) -> None:
    """Finding 1.2: it needs no number, uses and changes nothing of the applicant's profile, and the applicant gets the SMS."""
    assert (await open_passport(phone, "3")).startswith("1/4 Type your full name"), "everything is asked"
    confirm = await phone.enter(
        "Rahima Khatun", "21-11-2020", "1", f"{datetime.now(UTC).date() + timedelta(days=9):%d%m%Y}"
    )
    assert "For a child or somebody without a phone\n" in confirm
    number = tracking_number_in(await submit_application(phone))
    assert tracking_number_in(await phone.wait_for_sms("received")) == number
    await sign_in_again(phone)
    assert (await open_passport(phone, "1")).startswith("From your profile:\nName: Amina Begum\n1 Use these"), (
        "not learnt"
    )
    async with Database(f"sqlite+aiosqlite:///{tmp_path}/ekdial.db") as database:
        columns = (applications.c.applied_for, applications.c.beneficiary)
        assert [tuple(row) for row in await database.fetch(select(*columns))] == [("dependent", None)]
        [details] = (await database.fetch(select(audit.c.details).where(audit.c.act == "handed_in"))).scalars()
    assert details["for"] == "dependent"


@pytest.mark.calls_only(reason="a sign-in on the page is no call that drops")
async def test_the_draft_for_a_child_is_taken_up_for_the_child(phone: Phone) -> None:
    await phone.enter(*FORM, "3", *ANSWERS[:3])
    await phone.dial()
    await phone.enter("2")
    await phone.enter("1", "1", "1", "1")
    await phone.enter(PIN)
    assert "/2 Type the mother's full name" in await phone.enter("1")
    assert "For a child or somebody without a phone\n" in await phone.enter(*ANSWERS[3:])


async def test_answers_about_a_child_are_not_used_for_oneself(phone: Phone) -> None:
    await phone.enter(*FORM, "3")
    await phone.enter(ANSWERS[0])
    assert (await phone.enter("0", "0", "1")).startswith("1/5 ")


async def test_for_a_child_by_sms(tmp_path: Path) -> None:
    async with run_gateway(build_settings(tmp_path)) as url, open_sms_phone(url) as phone:
        pin = re.search(r"^\d{4,6}", await phone.send_sms("REG Amina Begum", expect=2), re.MULTILINE)[0]
        await phone.send_sms("APPLY 101")
        assert "\n3 For a child or somebody without a phone" in await phone.send_sms(pin)
        assert (await phone.send_sms("for a child or somebody without a phone")).startswith("1/5 ")
        for answer in ANSWERS:
            confirm = await phone.send_sms(answer)
        assert "For a child or somebody without a phone" in confirm


async def refuse(phone: SmsPhone, text: str) -> str:
    """Refuse an application and type the code that goes to this phone; the answer."""
    asked = await phone.send_sms(text, expect=2)
    code = re.search(r"\b\d{6}\b", asked)
    assert code, asked
    return await phone.send_sms(code[0])


async def test_ones_own_application_is_withdrawn_from_ones_own_list(phone: Phone, tmp_path: Path) -> None:
    number = await apply_for_birth_certificate(phone)
    await phone.dial()
    await phone.enter("2", "1", PIN)
    status = await phone.enter("1")
    key = next(line[0] for line in (await read_all_pages(phone, status)).splitlines() if line.endswith("Withdraw it"))
    assert (await phone.enter(key)).endswith(
        "Withdraw it? This cannot be undone\n1 Yes, withdraw it\n2 No, keep it\n0 Back"
    )
    assert await phone.enter("1") == "To withdraw it, type your current PIN\n1 I forgot it\n0 Back"
    assert "is withdrawn." in await phone.enter(PIN)
    assert ("citizen", "withdrawn", number) in await audit_actions(tmp_path)
    assert "Withdrawn" in await phone.enter("1")


async def read_all_pages(phone: Phone, screen: str) -> str:
    """A screen with all its pages."""
    pages = [screen]
    while "98 More" in pages[-1]:
        pages.append(await phone.enter("98"))
    return "\n".join(pages)


async def open_passport(phone: Phone, whom: str) -> str:
    """From any screen to what the form of a passport appointment begins with."""
    await phone.enter("00", "1", "1")
    listed = await read_all_pages(phone, await phone.enter("98"))
    key = next(line.split()[0] for line in listed.splitlines() if "Passport" in line)
    return await phone.enter(key, "1", whom)


async def sign_in_again(phone: Phone) -> None:
    """Sign in with a new call: the last one ended with an application whose fee no wallet of this phone can pay."""
    assert phone.ended
    await phone.redial()
    await phone.enter("5", PIN)


async def test_what_a_profile_knows_is_used_and_what_was_given_is_learned(phone: Phone) -> None:
    assert await open_passport(phone, "1") == (
        "From your profile:\nName: Amina Begum\n1 Use these\n2 Type them again\n0 Back"
    )
    assert await phone.enter("1") == "1/3 Type the date of birth, like 21111990\n0 Back", "what is known is not asked"
    confirm = await phone.enter("21-11-1990", "1", f"{datetime.now(UTC).date() + timedelta(days=9):%d-%m-%Y}")
    assert "Amina Begum, 21-11-1990, New passport" in confirm
    await submit_application(phone)
    await sign_in_again(phone)
    assert (await open_passport(phone, "1")).startswith("From your profile:\nName: Amina Begum\nBorn: 21-11-1990\n")


async def test_nothing_of_ones_own_profile_is_used_for_another_person(phone: Phone) -> None:
    await open_passport(phone, "1")
    assert (await phone.enter("1")).startswith("1/3 ")
    assert (await phone.enter("0", "0", "2")).startswith("Type that person's mobile number.")
    assert (await phone.enter("01711000002")).startswith("1/4 Type your full name"), "everything is asked"


@pytest.fixture
def emptied_redis(redis_server: RedisServer) -> RedisServer:
    redis_server.empty()
    return redis_server


@pytest.mark.africastalking_wire("without its sessions a store makes it replay the path")
async def test_a_form_left_unfinished_waits_when_redis_was_emptied(tmp_path: Path, emptied_redis: RedisServer) -> None:
    settings = build_settings(tmp_path, REDIS__URL=emptied_redis.url)
    async with run_gateway(settings) as url, ClientSession() as http:
        phone = Phone(http, url)
        await register(phone)
        await open_birth_certificate(phone)
        await phone.enter(*ANSWERS[:3])
        emptied_redis.empty()  # eleven minutes later nothing of a call is left in the store either
        assert (await phone.dial()).startswith("Ekdial\n"), "no call is offered to go on with"
        await phone.enter("1", "1", "1", "1")
        offer = await phone.enter(PIN)
        assert offer.startswith("Birth certificate\nYou started this on ")
        assert offer.endswith("\n1 Go on\n2 Start again\n0 Back")
        assert await phone.enter("1") == "1/2 Type the mother's full name\n0 Back"
        confirm = await phone.enter(*ANSWERS[3:])
        assert "Rahim Uddin, 21-11-2025, Male, Karim Uddin, Ayesha Begum" in confirm
        number = tracking_number_in(await submit_application(phone))
        assert tracking_number_in(await phone.wait_for_sms("Birth certificate received")) == number
        await phone.dial()
        await phone.enter("1", "1", "1", "1")
        assert (await phone.enter(PIN)).startswith("Birth certificate\nWho is it for?"), (
            "what is handed in is not offered"
        )


@pytest.mark.africastalking_wire("without its sessions a store makes it replay the path")
async def test_a_path_heard_again_walks_the_draft_as_it_was_the_first_time(
    tmp_path: Path, emptied_redis: RedisServer
) -> None:
    settings = build_settings(tmp_path, REDIS__URL=emptied_redis.url)
    async with run_gateway(settings) as url, ClientSession() as http:
        phone = Phone(http, url)
        await register(phone)
        await open_birth_certificate(phone)
        await phone.enter(*ANSWERS[:2])
        emptied_redis.empty()
        await phone.dial()
        await phone.enter("1", "1", "1", "1", PIN, "1")
        for answer in ANSWERS[2:]:
            emptied_redis.empty()  # with each key press the whole path is walked from its beginning
            screen = await phone.enter(answer)
        assert "Rahim Uddin, 21-11-2025, Male, Karim Uddin, Ayesha Begum" in screen
        emptied_redis.empty()
        number = tracking_number_in(await submit_application(phone))
        emptied_redis.empty()
        assert tracking_number_in(await phone.resend()) == number
    async with Database(f"sqlite+aiosqlite:///{tmp_path}/ekdial.db") as database:
        [draft] = (await database.fetch(select(drafts))).all()
    assert draft.ended_by, "one form is one application, however often it is heard"


@pytest.mark.africastalking_wire("without its sessions a store makes it replay the path")
async def test_starting_again_lays_the_old_form_aside_for_good(tmp_path: Path) -> None:
    settings = build_settings(tmp_path)
    async with run_gateway(settings) as url, ClientSession() as http:
        phone = Phone(http, url)
        await register(phone)
        await open_birth_certificate(phone)
        await phone.enter(*ANSWERS[:3])
    async with run_gateway(settings) as url, ClientSession() as http:  # another day, and another session store
        phone = Phone(http, url)
        await phone.dial()
        await phone.enter("1", "1", "1", "1")
        assert "You started this on" in await phone.enter(PIN)
        assert (await phone.enter("2")).startswith("Birth certificate\nWho is it for?")
        assert (await phone.enter("1")).startswith("1/5 ")
        await phone.enter("00", "1", "1", "1")
        assert (await phone.enter("1")).startswith("Birth certificate\nWho is it for?"), "nothing was answered yet"


WARD = """
[services.birth_certificate.fields.ward]
kind = "number"
labels.en = "Type the number of the ward"
labels.bn = "ওয়ার্ড নম্বর দিন"
labels.hi = "वार्ड नंबर लिखें"

[services.trade_licence]
"""


async def test_what_changes_while_a_form_is_filled_in_is_told_and_asked_for(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(DATA_FOLDER, tmp_path / "data"))
    async with run_gateway(build_settings(tmp_path, CATALOGUE__FOLDER=str(folder))) as url, ClientSession() as http:
        phone = Phone(http, url)
        await register(phone)
        await open_birth_certificate(phone)
        await phone.enter(*ANSWERS)
        file = folder / "dncc.toml"
        edited = file.read_text(encoding="utf-8").replace("\n[services.trade_licence]\n", WARD, 1)
        beside = file.with_suffix(".toml~")
        beside.write_text(edited.replace("fee = 5000\n", "fee = 6000\n", 1), encoding="utf-8")
        beside.rename(file)
        await wait_until(lambda: wait_for_reload(phone))
        assert await phone.enter("1") == (
            "This form has changed. What you typed is kept, a few questions are left.\n1 Go on\n0 Back"
        )
        assert await phone.enter("1") == "1/1 Type the number of the ward\n0 Back"
        confirm = await phone.enter("7")
        assert "Karim Uddin, Ayesha Begum, 7\nFee Tk 60." in confirm
        assert (await submit_application(phone)).startswith("Received.")


async def wait_for_reload(phone: Phone) -> bool:
    async with phone.http.get(f"{admin_url(phone.url)}/metrics") as response:
        return 'ekdial_catalogue_edits_total{outcome="taken"} 1.0' in await response.text()
