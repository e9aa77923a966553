"""Every keyword as people send it, in three scripts, and what comes back to their phone."""

import re
from collections.abc import AsyncIterator
from itertools import count

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from stdnum import damm

from menus.words import load_all
from services.numbers import tracking_number
from tests.journeys.steps import applies, registers, tracking_in
from tests.phone import Phone, running, settings_for
from tests.texting import Texter, texter

WORDS = load_all({kind: lambda code, _: code for kind in ("service", "sector", "office", "documents")})
LANGUAGES = ("en", "bn", "hi")
NEW_NUMBERS = (f"+88017000{number:05}" for number in count(1))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """One gateway for all of these; every test is somebody else."""
    async with running(settings_for(tmp_path_factory.mktemp("gateway"))) as url:
        yield url


@pytest_asyncio.fixture(loop_scope="module")
async def phone(gateway: str) -> AsyncIterator[Texter]:
    async with texter(gateway, next(NEW_NUMBERS)) as phone:
        yield phone


pytestmark = pytest.mark.asyncio(loop_scope="module")


def screen(language: str, name: str) -> str:
    """The first words of a screen, before anything that depends on facts."""
    return WORDS[language].screens[name].text.source.split("{")[0].split("\n")[0]


def sms(language: str, key: str) -> str:
    return WORDS[language].sms[key].source.split("{")[0]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def applied(gateway: str) -> str:
    """The tracking number of an application that somebody made by dialling."""
    async with ClientSession() as http:
        caller = Phone(http, gateway, next(NEW_NUMBERS))
        await registers(caller)
        return await applies(caller)


OPENING = [
    ("status", "ask_number", ("STATUS", "অবস্থা", "स्थिति")),
    ("reg", "texted_name", ("REG", "নিবন্ধন", "पंजीकरण")),
    ("pin", "offer_register", ("PIN", "পিন", "पिन")),
    ("apply", "sectors", ("APPLY", "আবেদন", "आवेदन")),
    ("services", "sectors", ("SERVICES", "সেবা", "सेवाएँ")),
    ("documents", "documents_start", ("DIGILOCKER", "কাগজপত্র", "दस्तावेज़")),
    ("complain", "ask_complaint", ("COMPLAIN", "অভিযোগ", "शिकायत")),
    ("feedback", "ask_feedback", ("FEEDBACK", "মতামত", "सुझाव")),
    ("menu", "main", ("MENU", "মেনু", "मेनू")),
    ("lang", "languages", ("LANG", "ভাষা", "भाषा")),
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
    phone: Texter, language: str, text: str, opens: str
) -> None:
    assert (await phone.texts(text)).startswith(screen(language, opens))


@pytest.mark.parametrize(("language", "text"), [("en", "help"), ("bn", "সাহায্য"), ("hi", "मदद")])
async def test_help_tells_the_keywords(phone: Texter, language: str, text: str) -> None:
    reply = await phone.texts(text)
    assert reply.startswith(sms(language, "help"))
    for keyword in ("STATUS", "APPLY", "SERVICES", "REG", "PIN", "DOCS", "COMPLAIN", "FEEDBACK", "APP", "LANG", "MENU"):
        assert keyword in reply


@pytest.mark.parametrize(("language", "text"), [("en", "Hi"), ("en", "hello"), ("bn", "হ্যালো"), ("hi", "नमस्ते")])
async def test_a_greeting_opens_the_documents(phone: Texter, language: str, text: str) -> None:
    assert (await phone.texts(text)).startswith(screen(language, "documents_start"))


@pytest.mark.parametrize(
    ("language", "stop", "start"), [("en", "STOP", "START"), ("bn", "বন্ধ", "চালু"), ("hi", "बंद", "चालू")]
)
async def test_stop_is_confirmed_once_and_start_returns(phone: Texter, language: str, stop: str, start: str) -> None:
    assert await phone.texts(stop) == WORDS[language].sms["stopped"].source
    assert (await phone.texts("MENU")).startswith(screen(language, "main")), (
        "what one asks for is answered all the same"
    )
    assert await phone.texts(start) == WORDS[language].sms["started"].source


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en", "STATUS {number}"),
        ("en", "status{number}"),
        ("en", "#{spaced}"),
        ("bn", "অবস্থা {bengali}"),
        ("bn", "{bengali}"),
        ("hi", "स्थिति {devanagari}"),
        ("hi", "{devanagari}"),
    ],
)
async def test_the_status_of_an_application_is_one_sms_and_no_conversation(
    phone: Texter, applied: str, language: str, written: str
) -> None:
    number = applied
    shown = f"{number[:4]} {number[4:8]} {number[8:]}"
    text = written.format(
        number=number,
        spaced=shown,
        bengali=number.translate(str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯")),
        devanagari=number.translate(str.maketrans("0123456789", "०१२३४५६७८९")),
    )
    reply = await phone.texts(text)
    assert shown in reply
    assert WORDS[language].terms["status"]["received"] in reply
    assert "Rahim" not in reply
    assert "HELP" in await phone.texts("2"), "a number is no answer where nothing was asked"


async def test_a_number_nobody_has_and_one_with_a_slip_are_told_apart_and_can_be_sent_again(
    phone: Texter, applied: str
) -> None:
    number = applied
    assert (await phone.texts(f"STATUS {tracking_number()}")).startswith(screen("en", "no_such_number"))
    slip = number[:-1] + str((int(number[-1]) + 1) % 10)
    reply = await phone.texts(f"STATUS {slip}")
    assert reply.startswith(f"{WORDS['en'].refused['slip'].source}\n{screen('en', 'ask_number')}\n")
    assert f"{number[:4]} {number[4:8]}" in await phone.texts(number)


@pytest.mark.parametrize(
    ("language", "text", "school", "grandmother"),
    [
        ("en", "REG Amina Begum", "Mirpur School", "Ayesha"),
        ("bn", "নিবন্ধন আমিনা বেগম", "মিরপুর স্কুল", "আয়েশা"),
        ("hi", "पंजीकरण अमीना बेगम", "मीरपुर स्कूल", "आयशा"),
    ],
)
async def test_an_account_and_a_pin_by_one_sms_then_the_questions_that_reopen_it(
    phone: Texter, language: str, text: str, school: str, grandmother: str
) -> None:
    pin, questions = (await phone.texts(text, expect=2)).split("\n---\n")
    if pin.startswith(screen(language, "questions")):
        pin, questions = questions, pin
    assert re.match(r"\d{4,6} ", pin)
    assert questions.startswith(screen(language, "questions"))
    await phone.texts("1")
    await phone.texts(school)
    await phone.texts("2")
    assert (await phone.texts(grandmother)).startswith(screen(language, "questions_kept"))

    assert (await phone.texts("REG Somebody Else")).startswith(screen(language, "has_account"))
    assert (await phone.texts("MENU")).startswith(screen(language, "main"))
    await phone.texts("5")
    assert (await phone.texts(re.match(r"\d+", pin)[0])).startswith(screen(language, "account_menu"))  # type: ignore[index]


async def test_a_forgotten_pin_is_replaced_by_two_answers_and_opens_the_account(phone: Texter) -> None:
    await phone.texts("REG Amina Begum", expect=2)
    for answer in ("1", "Mirpur School", "2", "Ayesha"):
        await phone.texts(answer)
    assert (await phone.texts("PIN")).startswith("Your first school? Type the answer\nThen delete the SMS")
    assert (await phone.texts("mirpur  SCHOOL")).startswith("Your grandmother's name?")
    asked = await phone.texts("ayesha")
    assert asked == f"{screen('en', 'new_pin')}\n{WORDS['en'].common['delete_it']}\n0 Back"
    assert (await phone.texts("1111")).startswith("That PIN is too easy to guess")
    await phone.texts("739154")
    both = await phone.texts("739154", expect=2)
    assert "Your new PIN is set." in both
    assert "your PIN was changed" in both
    await phone.texts("00")
    await phone.texts("5")


async def test_an_account_without_questions_is_sent_to_the_helpdesk(phone: Texter) -> None:
    await phone.texts("REG Amina Begum", expect=2)
    assert (await phone.texts("PIN")).startswith(screen("en", "no_questions"))
    assert "+880 1550-060060" in await phone.texts("7")


@pytest.mark.parametrize(
    ("text", "name"),
    [("SERVICES birth", "Birth certificate"), ("সেবা জন্ম সনদ", "জন্ম সনদ"), ("सेवाएँ जन्म", "जन्म प्रमाण पत्र")],
)
async def test_services_are_found_by_what_they_are_called(phone: Texter, text: str, name: str) -> None:
    found = await phone.texts(text)
    assert f"1 {name}" in found
    assert (await phone.texts("1")).startswith(f"{name}\n")


async def test_several_services_are_numbered_and_none_is_said(phone: Texter) -> None:
    several = await phone.texts("SERVICES gas")
    assert len(re.findall(r"^\d ", several, re.MULTILINE)) > 2
    assert (await phone.texts("SERVICES zzzzzz")).startswith(screen("en", "nothing_found"))


@pytest.mark.parametrize("text", ["APPLY 101", "apply#101", "আবেদন ১০১", "आवेदन १०१", "APPLY birth certificate"])
async def test_applying_begins_by_asking_who_one_is(phone: Texter, text: str) -> None:
    reply = await phone.texts(text)
    assert any(reply.startswith(screen(language, "offer_register")) for language in LANGUAGES)


async def test_what_cannot_be_done_on_a_phone_is_said(phone: Texter) -> None:
    assert "cannot be done on this phone" in await phone.texts("APPLY 104")
    assert (await phone.texts("APPLY 999")).startswith(screen("en", "nothing_found"))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "COMPLAIN {number} nobody came"),
        ("bn", "অভিযোগ {number} কেউ আসেনি"),
        ("hi", "शिकायत {number} कोई नहीं आया"),
    ],
)
async def test_a_complaint_gets_a_number_and_names_the_application(
    phone: Texter, applied: str, language: str, text: str
) -> None:
    about = applied
    reply = await phone.texts(text.format(number=about))
    assert reply.startswith(screen(language, "complaint_kept"))
    assert f"{about[:4]} {about[4:8]} {about[8:]}" in reply
    assert tracking_in(reply) != about


async def test_a_complaint_may_come_in_two_messages_and_about_nothing_we_know(phone: Texter) -> None:
    assert (await phone.texts("COMPLAIN")).startswith(screen("en", "ask_complaint"))
    reply = await phone.texts("The office was closed")
    assert reply.startswith(screen("en", "complaint_kept"))
    assert "About application" not in reply
    assert "About application" not in await phone.texts(f"COMPLAIN {tracking_number()} nobody knows this number")


@pytest.mark.parametrize(
    ("language", "text"), [("en", "FEEDBACK more offices"), ("bn", "মতামত আরও দপ্তর চাই"), ("hi", "सुझाव और कार्यालय")]
)
async def test_feedback_is_thanked_for_and_gets_a_number(phone: Texter, language: str, text: str) -> None:
    reply = await phone.texts(text)
    assert reply.startswith(screen(language, "feedback_kept"))
    assert damm.is_valid(tracking_in(reply))


@pytest.mark.parametrize("text", ["APP", "অ্যাপ", "ऐप"])
async def test_the_apps_links_are_the_whole_answer(phone: Texter, text: str) -> None:
    assert "http" in await phone.texts(text)
    assert len(phone.inbox.messages) == 1


@pytest.mark.parametrize(
    ("text", "language"), [("LANG BN", "bn"), ("lang hindi", "hi"), ("ভাষা হিন্দি", "hi"), ("भाषा अंग्रेज़ी", "en")]
)
async def test_a_language_is_kept_for_good(phone: Texter, text: str, language: str) -> None:
    assert await phone.texts(text) == WORDS[language].screens["language_kept"].text.source
    assert (await phone.texts("menu")).startswith(screen(language, "main"))
    assert (await phone.texts("मदद")).startswith(sms(language, "help")), "what was chosen counts, not what is written"


@pytest.mark.parametrize(("text", "word"), [("STATSU", "STATUS"), ("MENOO", "MENU")])
async def test_a_near_miss_is_asked_about_and_not_acted_on(phone: Texter, text: str, word: str) -> None:
    reply = await phone.texts(text)
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
async def test_anything_else_gets_one_helpful_reply(phone: Texter, text: str) -> None:
    reply = await phone.texts(text)
    assert "HELP" in reply
    assert len(phone.inbox.messages) == 1


async def test_the_first_reply_of_a_caller_who_chose_a_language_is_in_that_one(gateway: str) -> None:
    async with ClientSession() as http, texter(gateway, next(NEW_NUMBERS)) as phone:
        caller = Phone(http, gateway, phone.number)
        await caller.dials()
        await caller.types("2")
        assert (await phone.texts("HELP")).startswith(sms("bn", "help"))
