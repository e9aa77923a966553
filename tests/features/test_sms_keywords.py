"""Every keyword as people send it, in three scripts, and what comes back to their phone."""

import re
from collections.abc import AsyncIterator
from itertools import count

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from stdnum import damm

from core.reference_numbers import generate_tracking_number
from menus.keywords import KEYWORD_NAMES
from menus.rendering.localization import load_locales
from sms.keywords.parser import KeywordRequest, parse_keyword
from sms.segments import measure
from tests.support.citizen_steps import apply_for_birth_certificate, register, tracking_number_in
from tests.support.phone import Phone, build_settings, run_gateway
from tests.support.sms_phone import SmsPhone, open_sms_phone

WORDS = load_locales({kind: lambda code, _: code for kind in ("service", "sector", "office", "documents")})
LANGUAGES = ("en", "bn", "hi")
NEW_NUMBERS = (f"+88017000{number:05}" for number in count(1))

TELLS_HELP = re.compile("HELP|'সাহায্য'|'मदद'").search


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """One gateway for all of these; every test is somebody else."""
    async with run_gateway(build_settings(tmp_path_factory.mktemp("gateway"))) as url:
        yield url


@pytest_asyncio.fixture(loop_scope="module")
async def phone(gateway: str) -> AsyncIterator[SmsPhone]:
    async with open_sms_phone(gateway, next(NEW_NUMBERS)) as phone:
        yield phone


pytestmark = pytest.mark.asyncio(loop_scope="module")


def screen_text(language: str, name: str) -> str:
    """The first words of a screen, before anything that depends on facts."""
    return WORDS[language].screens[name].text.source.split("{")[0].split("\n")[0]


def sms_text(language: str, key: str) -> str:
    return WORDS[language].sms[key].source.split("{")[0]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def applied_number(gateway: str) -> str:
    """The tracking number of an application that somebody made by dialling."""
    async with ClientSession() as http:
        caller = Phone(http, gateway, next(NEW_NUMBERS))
        await register(caller)
        return await apply_for_birth_certificate(caller)


OPENING = [
    ("status", "ask_number", ("STATUS", "অবস্থা", "स्थिति")),
    ("reg", "texted_name", ("REG", "নিবন্ধন", "पंजीकरण")),
    ("pin", "offer_register", ("PIN", "পিন", "पिन")),
    ("apply", "sectors", ("APPLY", "আবেদন", "आवेदन")),
    ("services", "sectors", ("SERVICES", "সেবা", "सेवाएँ")),
    ("documents", "documents_start", ("DIGILOCKER", "কাগজপত্র", "दस्तावेज़")),
    ("complain", "ask_complaint", ("COMPLAIN", "অভিযোগ", "शिकायत")),
    ("answer", "answer_unnumbered", ("ANSWER", "উত্তর", "जवाब")),
    ("feedback", "ask_feedback", ("FEEDBACK", "মতামত", "सुझाव")),
    ("menu", "main", ("MENU", "মেনু", "मेनू")),
    ("lang", "change_language", ("LANG", "ভাষা", "भाषा")),
]


@pytest.mark.parametrize(
    ("language", "text", "opens"),
    [
        pytest.param(language, text, name, id=f"{keyword}-{language}")
        for keyword, name, texts in OPENING
        for language, text in zip(LANGUAGES, texts, strict=True)
    ],
)
async def test_a_keyword_alone_opens_its_conversation_in_the_language_it_is_written_in(
    phone: SmsPhone, language: str, text: str, opens: str
) -> None:
    assert (await phone.send_sms(text)).startswith(screen_text(language, opens))


@pytest.mark.parametrize(("language", "text"), [("en", "help"), ("bn", "সাহায্য"), ("hi", "मदद")])
async def test_help_tells_the_keywords(phone: SmsPhone, language: str, text: str) -> None:
    """Section 2 of the field report, minor: in the words of the language, in two segments."""
    reply = await phone.send_sms(text)
    assert reply.startswith(sms_text(language, "help"))
    assert measure(reply).segments <= 2
    told = {word: parse_keyword(word) for word in re.split(r"[ ,.:\n]+", reply) if word}
    keywords = {parsed.name for parsed in told.values() if isinstance(parsed, KeywordRequest)}
    assert keywords >= {*KEYWORD_NAMES} - {"app", "help", "start", "refuse", "operator", "answer"}
    assert ("answer" in keywords) == (language == "en"), "in the letters of Bengali and Hindi there is no room for it"
    if language != "en":
        assert not {"STATUS", "APPLY", "REG", "COMPLAIN"} & set(told)


@pytest.mark.parametrize(("language", "text"), [("en", "Hi"), ("en", "hello"), ("bn", "হ্যালো"), ("hi", "नमस्ते")])
async def test_a_greeting_opens_the_documents(phone: SmsPhone, language: str, text: str) -> None:
    assert (await phone.send_sms(text)).startswith(screen_text(language, "documents_start"))


@pytest.mark.parametrize(
    ("language", "stop", "start"), [("en", "STOP", "START"), ("bn", "বন্ধ", "চালু"), ("hi", "बंद", "चालू")]
)
async def test_stop_is_confirmed_once_and_start_returns(phone: SmsPhone, language: str, stop: str, start: str) -> None:
    assert await phone.send_sms(stop) == WORDS[language].sms["stopped"].source.replace("{sms_code}", "123")
    assert (await phone.send_sms("MENU")).startswith(screen_text(language, "main")), (
        "what one asks for is answered all the same"
    )
    assert await phone.send_sms(start) == WORDS[language].sms["started"].source.replace("{sms_code}", "123")


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en", "STATUS {number}"),
        ("en", "status{number}"),
        ("bn", "#{spaced}"),
        ("bn", "অবস্থা {bengali}"),
        ("bn", "{bengali}"),
        ("hi", "स्थिति {devanagari}"),
        ("hi", "{devanagari}"),
    ],
)
async def test_the_status_of_an_application_is_one_sms_and_no_conversation(
    phone: SmsPhone, applied_number: str, language: str, written: str
) -> None:
    number = applied_number
    shown = f"{number[:4]} {number[4:8]} {number[8:]}"
    text = written.format(
        number=number,
        spaced=shown,
        bengali=number.translate(str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯")),
        devanagari=number.translate(str.maketrans("0123456789", "०१२३४५६७८९")),
    )
    reply = await phone.send_sms(text)
    assert shown in reply
    assert WORDS[language].terms["status"]["received"] in reply
    assert "Rahim" not in reply
    assert TELLS_HELP(await phone.send_sms("2")), "a number is no answer where nothing was asked"


async def test_a_number_nobody_has_and_one_with_a_slip_are_told_apart_and_can_be_sent_again(
    phone: SmsPhone, applied_number: str
) -> None:
    number = applied_number
    assert (await phone.send_sms(f"STATUS {generate_tracking_number()}")).startswith(
        screen_text("en", "no_such_number")
    )
    slip = number[:-1] + str((int(number[-1]) + 1) % 10)
    reply = await phone.send_sms(f"STATUS {slip}")
    assert reply.startswith(f"{WORDS['en'].validation_messages['slip'].source}\n{screen_text('en', 'ask_number')}\n")
    assert f"{number[:4]} {number[4:8]}" in await phone.send_sms(number)


async def register_by_sms(phone: SmsPhone, text: str) -> str:
    """Send REG and the PIN that comes back; the PIN."""
    both = await phone.send_sms(text, expect=2)
    pin = re.search(r"^(\d{4}) ", both, re.MULTILINE)
    assert pin, both
    await phone.send_sms(pin[1])
    return pin[1]


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "REG Amina Begum"), ("bn", "নিবন্ধন আমিনা বেগম"), ("hi", "पंजीकरण अमीना बेगम")],
)
async def test_an_account_by_one_sms_and_the_pin_that_comes_back(phone: SmsPhone, language: str, text: str) -> None:
    both = await phone.send_sms(text, expect=2)
    assert screen_text(language, "texted_pin") in both
    pin = re.search(r"^(\d{4}) ", both, re.MULTILINE)
    assert pin, both
    assert (await phone.send_sms(pin[1])).startswith(screen_text(language, "offer_questions"))
    assert (await phone.send_sms("2")).startswith(screen_text(language, "account_menu"))
    assert (await phone.send_sms("REG Somebody Else")).startswith(screen_text(language, "has_account"))
    assert (await phone.send_sms("MENU")).startswith(screen_text(language, "main"))
    assert (await phone.send_sms("5")).startswith(screen_text(language, "account_menu"))


async def test_a_forgotten_pin_is_replaced_by_two_answers_and_a_code_by_one_that_is_sent(phone: SmsPhone) -> None:
    pin = await register_by_sms(phone, "REG Amina Begum")
    for typed in ("1", "1", "Mirpur School", "2", "Ayesha"):
        await phone.send_sms(typed)
    await phone.send_sms(pin, expect=2)
    assert (await phone.send_sms("PIN")).startswith("Your first school? Type the answer\nThen delete the SMS")
    assert (await phone.send_sms("mirpur  SCHOOL")).startswith("Your grandmother's name?")
    code = re.search(r"\d{6}", await phone.send_sms("ayesha", expect=2))
    assert code
    sent = await phone.send_sms(code[0], expect=3)
    assert "Your new PIN is on its way" in sent
    assert "your PIN was changed" in sent
    new_pin = re.search(r"(\d{4}) is your Ekdial PIN", sent)
    assert new_pin
    await phone.send_sms("1")
    assert (await phone.send_sms(new_pin[1])).startswith(screen_text("en", "account_menu"))


async def test_an_account_without_questions_is_sent_to_the_helpdesk(phone: SmsPhone) -> None:
    await register_by_sms(phone, "REG Amina Begum")
    assert (await phone.send_sms("PIN")).startswith(screen_text("en", "no_questions"))
    assert "+880 1550-060060" in await phone.send_sms("7")


@pytest.mark.parametrize(
    ("text", "name"),
    [("SERVICES birth", "Birth certificate"), ("সেবা জন্ম সনদ", "জন্ম সনদ"), ("सेवाएँ जन्म", "जन्म प्रमाण पत्र")],
)
async def test_services_are_found_by_what_they_are_called(phone: SmsPhone, text: str, name: str) -> None:
    found = await phone.send_sms(text)
    assert f"1 {name}" in found
    assert re.match(f"{name}[:\n]", await phone.send_sms("1"))


async def test_several_services_are_numbered_and_none_is_said(phone: SmsPhone) -> None:
    several = await phone.send_sms("SERVICES gas")
    assert len(re.findall(r"^\d ", several, re.MULTILINE)) > 2
    assert (await phone.send_sms("SERVICES zzzzzz")).startswith(screen_text("en", "nothing_found"))


@pytest.mark.parametrize("text", ["APPLY 101", "apply#101", "আবেদন ১০১", "आवेदन १०१", "APPLY birth certificate"])
async def test_applying_begins_by_asking_who_one_is(phone: SmsPhone, text: str) -> None:
    reply = await phone.send_sms(text)
    assert any(reply.startswith(screen_text(language, "offer_register")) for language in LANGUAGES)


async def test_what_cannot_be_done_on_a_phone_is_said(phone: SmsPhone) -> None:
    assert "cannot be done on this phone" in await phone.send_sms("APPLY 104")
    assert (await phone.send_sms("APPLY 999")).startswith(screen_text("en", "nothing_found"))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "COMPLAIN {number} nobody came"),
        ("bn", "অভিযোগ {number} কেউ আসেনি"),
        ("hi", "शिकायत {number} कोई नहीं आया"),
    ],
)
async def test_a_complaint_gets_a_number_and_names_the_application(
    phone: SmsPhone, applied_number: str, language: str, text: str
) -> None:
    about = applied_number
    reply = await phone.send_sms(text.format(number=about))
    assert reply.startswith(screen_text(language, "complaint_kept"))
    assert f"{about[:4]} {about[4:8]} {about[8:]}" in reply
    assert tracking_number_in(reply) != about


async def test_a_complaint_may_come_in_two_messages_and_about_nothing_we_know(phone: SmsPhone) -> None:
    assert (await phone.send_sms("COMPLAIN")).startswith(screen_text("en", "ask_complaint"))
    reply = await phone.send_sms("The office was closed")
    assert reply.startswith(screen_text("en", "complaint_kept"))
    assert "About application" not in reply
    assert "About application" not in await phone.send_sms(
        f"COMPLAIN {generate_tracking_number()} nobody knows this number"
    )


@pytest.mark.parametrize(
    ("language", "text"), [("en", "FEEDBACK more offices"), ("bn", "মতামত আরও দপ্তর চাই"), ("hi", "सुझाव और कार्यालय")]
)
async def test_feedback_is_thanked_for_and_gets_a_number(phone: SmsPhone, language: str, text: str) -> None:
    reply = await phone.send_sms(text)
    assert reply.startswith(screen_text(language, "feedback_kept"))
    assert damm.is_valid(tracking_number_in(reply))


@pytest.mark.parametrize("text", ["APP", "অ্যাপ", "ऐप"])
async def test_the_apps_links_are_the_whole_answer(phone: SmsPhone, text: str) -> None:
    assert "http" in await phone.send_sms(text)
    assert len(phone.inbox.messages) == 1


@pytest.mark.parametrize(
    ("text", "language"), [("LANG BN", "bn"), ("lang hindi", "hi"), ("ভাষা হিন্দি", "hi"), ("भाषा अंग्रेज़ी", "en")]
)
async def test_a_language_is_kept_for_good(phone: SmsPhone, text: str, language: str) -> None:
    assert await phone.send_sms(text) == WORDS[language].screens["language_kept"].text.source
    assert (await phone.send_sms("menu")).startswith(screen_text(language, "main"))
    assert (await phone.send_sms("मदद")).startswith(sms_text(language, "help")), (
        "what was chosen counts, not what is written"
    )


@pytest.mark.parametrize(("text", "word"), [("STATSU", "STATUS"), ("MENOO", "MENU")])
async def test_a_near_miss_is_asked_about_and_not_acted_on(phone: SmsPhone, text: str, word: str) -> None:
    reply = await phone.send_sms(text)
    assert reply.startswith("Did you mean ")
    assert word in reply


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "x" * 2000,
        "🙂🙃",
        "مرحبا بالعالم",
        "\x00\x01\x02",
        "\ufffd\ufffd",
        "1",
        "what is this",
        "আজ কেমন আছেন ভাই",
        "-",
    ],
)
async def test_anything_else_gets_one_helpful_reply(phone: SmsPhone, text: str) -> None:
    reply = await phone.send_sms(text)
    assert TELLS_HELP(reply)
    assert len(phone.inbox.messages) == 1


async def test_the_first_reply_of_a_caller_who_chose_a_language_is_in_that_one(gateway: str) -> None:
    async with ClientSession() as http, open_sms_phone(gateway, next(NEW_NUMBERS)) as phone:
        caller = Phone(http, gateway, phone.msisdn)
        await caller.dial()
        await caller.enter("2")
        assert (await phone.send_sms("HELP")).startswith(sms_text("bn", "help"))
