"""SMS that the waiting question cannot take: what is read as if nothing were asked, and what the question keeps."""

import re
from collections.abc import AsyncIterator
from itertools import count

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from core.reference_numbers import generate_tracking_number
from tests.support.citizen_steps import ANSWERS, PIN, apply_for_birth_certificate, register, tracking_number_in
from tests.support.phone import Phone, build_settings, run_gateway
from tests.support.sms_phone import SmsPhone, open_sms_phone

NEW_NUMBERS = (f"+88017100{number:05}" for number in count(1))
LIMITS = (
    *(
        "UNVERIFIED_SMS__PER_NUMBER_PER_HOUR",
        "UNVERIFIED_SMS__PER_NUMBER_PER_DAY",
        "UNVERIFIED_SMS__PER_PREFIX_PER_HOUR",
    ),
    *("CODES__PER_PREFIX_PER_HOUR", "CODES__UNVERIFIED_PER_PREFIX_PER_HOUR"),
)
UNLIMITED = dict.fromkeys(LIMITS, "100000")
NOT_UNDERSTOOD = "Sorry, we did not understand that."
UNKNOWN_NUMBER = "No application has this number"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """One gateway for all of these; every test is somebody else."""
    async with run_gateway(build_settings(tmp_path_factory.mktemp("gateway"), **UNLIMITED)) as url:
        yield url


@pytest_asyncio.fixture(loop_scope="module")
async def phone(gateway: str) -> AsyncIterator[SmsPhone]:
    async with open_sms_phone(gateway, next(NEW_NUMBERS)) as phone:
        yield phone


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def applied_number(gateway: str) -> str:
    """The tracking number of an application that somebody made by dialling."""
    async with ClientSession() as http:
        caller = Phone(http, gateway, next(NEW_NUMBERS))
        await register(caller)
        return await apply_for_birth_certificate(caller)


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def send_all(phone: SmsPhone, *texts: str) -> str:
    """Send one after the other; the reply to the last."""
    for text in texts:
        reply = await phone.send_sms(text)
    return reply


def group(number: str) -> str:
    return f"{number[:4]} {number[4:8]} {number[8:]}"


UNKNOWN = "STATUS 123456789018"
WAITING = {
    "a number that was not found": (UNKNOWN,),
    "a number that is missing": ("STATUS",),
    "a number refused once": ("STATUS", "what number?"),
    "a menu": ("MENU",),
    "a number out of the menu": ("MENU", "2"),
    "a list": ("SERVICES",),
    "a language": ("LANG",),
    "a greeting": ("HI",),
}
"""What was sent before, of everything that waits for a number or a choice."""
OTHERWISE = {
    "SERVICES birth": "Services\n1 Birth certificate",
    "HELP": "Ekdial. Send STATUS",
    "STATSU 123456789012": "Did you mean STATUS?",
    "please stop sending these sms": "Did you mean STOP?",
    "COMPLAIN": "What went wrong?",
}


@pytest.mark.parametrize("waiting", WAITING)
async def test_a_keyword_or_a_near_miss_is_heard_by_every_question(phone: SmsPhone, waiting: str) -> None:
    for text, reply in OTHERWISE.items():
        await send_all(phone, *WAITING[waiting])
        assert (await phone.send_sms(text)).startswith(reply), text


@pytest.mark.parametrize("waiting", WAITING)
async def test_the_name_of_a_service_is_heard_by_every_question(phone: SmsPhone, waiting: str) -> None:
    for text in ("জন্ম সনদ", "birth certificate", "jonmo sonod", "जन्म प्रमाण पत्र"):
        await send_all(phone, *WAITING[waiting])
        reply = await phone.send_sms(text)
        assert re.search("Birth certificate|জন্ম সনদ|जन्म प्रमाण पत्र", reply), (text, reply)


@pytest.mark.parametrize("waiting", [name for name in WAITING if name != "a list"])
@pytest.mark.parametrize("written", ["{number}", "Application No. {grouped}", "STATUS {number}", "token no {number}"])
async def test_a_tracking_number_is_heard_by_every_question(
    phone: SmsPhone, applied_number: str, waiting: str, written: str
) -> None:
    await send_all(phone, *WAITING[waiting])
    reply = await phone.send_sms(written.format(number=applied_number, grouped=group(applied_number)))
    assert group(applied_number) in reply
    assert "Birth certificate" in reply


async def test_a_name_of_a_service_needs_no_keyword(phone: SmsPhone) -> None:
    """2.3. Its words are of no one language, so the answer is in that of the country."""
    assert (await phone.send_sms("Birth certificate")).startswith("সেবা\n1 জন্ম সনদ")
    assert (await phone.send_sms("1")).startswith("জন্ম সনদ: ফি ৳৫০")


@pytest.mark.parametrize("question", ["STATUS", "REG", UNKNOWN])
async def test_one_question_is_not_asked_twice(phone: SmsPhone, question: str) -> None:
    await phone.send_sms(question)
    replies = [await phone.send_sms(text) for text in ("why so? 1!", "who are you? 1!")]
    assert replies[-1].startswith(NOT_UNDERSTOOD)
    assert (await phone.send_sms("MENU")).startswith("Ekdial\n")


async def test_a_question_that_is_not_asked_again_still_takes_its_answer(phone: SmsPhone, applied_number: str) -> None:
    await send_all(phone, "STATUS", "what number?", "who are you?")
    assert group(applied_number) in await phone.send_sms(applied_number)
    await send_all(phone, "REG", "why? 1!", "who are you? 1!")
    assert "Your name: Amina Begum\n" in await phone.send_sms("Amina Begum", expect=2)


@pytest.mark.parametrize("typed", ["STATSU", "birth certificate", "জন্ম সনদ", "no idea", "my paper no {number}"])
async def test_a_question_for_a_secret_keeps_what_is_typed(phone: SmsPhone, applied_number: str, typed: str) -> None:
    await send_all(phone, "REG")
    await phone.send_sms("Amina Begum", expect=2)
    reply = await phone.send_sms(typed.format(number=group(applied_number)))
    assert "Your name: Amina Begum\n" in reply
    assert "Services" not in reply
    assert "Did you mean" not in reply


@pytest.mark.parametrize(("text", "word"), [("এসএমএস বন্ধ করুন", "বন্ধ"), ("please stop sending text reminders", "STOP")])
async def test_a_question_for_a_pin_hears_who_wants_no_sms(phone: SmsPhone, text: str, word: str) -> None:
    await phone.send_sms("REG")
    await phone.send_sms("Amina Begum", expect=2)
    assert word in (await phone.send_sms(text)).split("\n")[0]
    assert "+880 1550-060060" in await phone.send_sms("HELP")


async def test_what_means_something_is_no_answer_to_a_call_that_was_cut_off(phone: SmsPhone) -> None:
    caller = Phone(phone.http, phone.url, phone.msisdn)
    await caller.dial()
    await caller.enter("1", "2")
    assert (await phone.send_sms("STATSU")).startswith("Did you mean STATUS?")
    assert (await phone.send_sms("birth certificate")).startswith("Services\n1 Birth certificate")


async def test_a_form_keeps_its_numbers_and_is_left_for_a_name_or_a_keyword(phone: SmsPhone) -> None:
    caller = Phone(phone.http, phone.url, phone.msisdn)
    await register(caller)
    await caller.enter("00")
    await send_all(phone, "APPLY 101", PIN, "1")
    date_question = await phone.send_sms(ANSWERS[0])
    assert (await phone.send_sms(generate_tracking_number())).endswith(date_question)
    assert (await phone.send_sms("STATSU")).startswith("Did you mean STATUS?")
    assert (await phone.send_sms("what day?")).endswith(date_question), "a near miss does not end the form"
    assert (await phone.send_sms("trade licence")).startswith("Services\n1 Trade licence")


NAMES = {
    "REG A.K.M. Fazlul Haque": "A.K.M. Fazlul Haque",
    "REG Md Abdullah Al Mamun Khan": "Md Abdullah Al Mamun Khan",
    "REG A R Rahman": "A R Rahman",
    "reg a r rahman": "a r rahman",
    "REG Dr. A.P.J. Abdul Kalam": "Dr. A.P.J. Abdul Kalam",
    "REG Amina": "Amina",
    "REG D'Souza": "D'Souza",
    "REG O'Brien": "O'Brien",
    "REG Amina Khatun, Dhaka": "Amina Khatun",
    "REG Abdul Hai": "Abdul Hai",
    "REG Amar Singh": "Amar Singh",
    "REG Seba Khatun": "Seba Khatun",
    "REG Md. Mominul Hai": "Md. Mominul Hai",
    "নিবন্ধন এ কে এম ফজলুল হক": "এ কে এম ফজলুল হক",
    "पंजीकरण डॉ. ए. पी. जे. अब्दुल कलाम": "डॉ. ए. पी. जे. अब्दुल कलाम",
}


@pytest.mark.parametrize("text", NAMES)
async def test_a_name_is_taken_and_said_back(phone: SmsPhone, text: str) -> None:
    both = await phone.send_sms(text, expect=2)
    assert re.search(f"(Your name|আপনার নাম|आपका नाम): {re.escape(NAMES[text])}\n", both), both
    assert re.search(r"^\d{4} ", both, re.MULTILINE), both


@pytest.mark.parametrize(
    "text",
    [
        "Registration failed",
        "নিবন্ধন হয়নি",
        "पंजीकरण नहीं हुआ",
        "REG not working",
        "registration problem",
        "REG 25",
        "nibondhon hoyni",
        "panjikaran nahi hua",
        "registration birth certificate",
        "REG status",
        "register a shop",
    ],
)
async def test_a_sentence_makes_no_account(phone: SmsPhone, text: str) -> None:
    reply = await phone.send_sms(text)
    assert re.search("your full name|পুরো নাম|पूरा नाम", reply), reply
    assert len(phone.inbox.messages) == 1, "and no PIN"


@pytest.mark.parametrize("text", ["not working", "হয়নি", "registration failed", "STATUS", "অবস্থা"])
async def test_a_sentence_or_a_keyword_is_no_answer_to_the_question_for_a_name(phone: SmsPhone, text: str) -> None:
    assert (await phone.send_sms("REG")).startswith("Please send your full name")
    await phone.send_sms(text)
    await phone.send_sms("REG")
    both = await phone.send_sms("Rai", expect=2)
    assert re.search("(Your name|আপনার নাম): Rai\n", both), both


async def test_the_number_of_a_complaint_asks_for_its_status(phone: SmsPhone, applied_number: str) -> None:
    complaint = tracking_number_in(await phone.send_sms("COMPLAIN The office was closed"))
    status = await phone.send_sms(f"STATUS {complaint}")
    for written in ("Complaint no {number}", "COMPLAIN {number}", "complaint number {number}"):
        assert await phone.send_sms(written.format(number=group(complaint))) == status, written
    assert (await phone.send_sms(f"COMPLAIN {applied_number}")).startswith("What went wrong?")
    assert (await phone.send_sms(f"COMPLAIN {applied_number} nobody came")).startswith("We have your complaint.")


@pytest.mark.parametrize(
    "typed", ["1234{zwnj}56789018", "1234–5678–9018", "1234,5678,9018", "#123456789018", "I23456789O18"]
)
async def test_a_number_in_an_answer_is_read_as_without_a_conversation(phone: SmsPhone, typed: str) -> None:
    await phone.send_sms("STATUS")
    digits = typed.format(zwnj="\u200c")
    assert (await phone.send_sms(digits)).startswith((UNKNOWN_NUMBER, "There is a slip"))


async def test_a_joiner_in_a_word_makes_no_difference_to_the_search(phone: SmsPhone) -> None:
    plain = await phone.send_sms("সেবা জন্ম")
    assert await phone.send_sms("সেবা জন্\u200cম") == plain
    assert "\n2 " not in plain
