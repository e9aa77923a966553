"""2.4: who has chosen no language is written to in that of their number's country, wherever the gateway writes first."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.support.assisted_scenario import PERSONAL_TEXTS, AssistedScenario
from tests.support.citizen_steps import (
    ANSWERS,
    answer_wallet,
    apply_for_birth_certificate,
    open_birth_certificate,
    register,
)
from tests.support.phone import Phone, build_settings, run_gateway
from tests.support.sms_phone import open_sms_phone
from tests.support.voice_forms import ended_form, ringing_form

NEW, INDIAN, BRITISH = "+8801799990108", "+919812345678", "+447400123456"
BENGALI_HINT, HINDI_HINT = "দুঃখিত, বুঝতে পারিনি", "माफ़ करें, हम समझ नहीं पाए"
UNICODE_NETWORK = "99998"


@pytest.mark.parametrize("text", ["?", "🙂🙃", "qwx zzv", "1", ""])
@pytest.mark.parametrize(
    ("number", "expected"), [(NEW, BENGALI_HINT), (INDIAN, HINDI_HINT), (BRITISH, "Sorry, we did not understand")]
)
async def test_a_first_sms_that_tells_no_language(gateway: str, number: str, expected: str, text: str) -> None:
    async with open_sms_phone(gateway, number) as writer:
        assert (await writer.send_sms(text)).startswith(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pin mone nai", "প্রথমে নিবন্ধন করুন"),
        ("HELP", "Ekdial. Send STATUS"),
        ("madad", "एकडायल"),
        ("नमस्ते", "दस्तावेज़"),
    ],
)
async def test_words_that_tell_a_language_are_answered_in_it(gateway: str, text: str, expected: str) -> None:
    async with open_sms_phone(gateway, NEW) as writer:
        assert expected in await writer.send_sms(text)


@pytest.mark.parametrize(("network", "expected"), [("99999", "Joma hoyeche"), (UNICODE_NETWORK, "জমা হয়েছে")])
@pytest.mark.calls_only(reason="the page has the letters of each language, and asks in that of the browser")
async def test_a_deep_dial_of_a_new_number(phone: Phone, network: str, expected: str) -> None:
    """In Bengali letters where the network shows them, else in Latin letters."""
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    stranger = Phone(phone.http, phone.url, NEW, network=network)
    assert expected in await stranger.dial(f"*123*2*{number}#")


@pytest.mark.calls_only(reason="the page asks in the language of the browser")
async def test_the_first_screen_and_its_refusals(phone: Phone) -> None:
    stranger = Phone(phone.http, phone.url, INDIAN)
    assert (await stranger.dial()).startswith("Ekdial: sarkari sevayen\n1 English")


async def test_a_missed_call(gateway: str) -> None:
    async with open_sms_phone(gateway, INDIAN) as writer:
        for form in (ringing_form("a" * 32, INDIAN), ended_form("a" * 32, INDIAN)):
            async with writer.http.post(f"{gateway}/voice/africastalking", data=form) as answer:
                assert answer.status == 200
        [sms] = await writer.receive(0)
        assert sms.startswith("एकडायल")


async def test_the_notice_to_the_person_an_application_is_for(phone: Phone) -> None:
    async with open_sms_phone(phone.url, "+8801711000002") as other:
        await register(phone)
        await phone.enter("00", "1", "1", "1", "1", "2", "01711 000002", *ANSWERS)
        await phone.enter("1", "4826")
        assert (await other.receive(0))[0].startswith("একডায়াল: আপনার জন্য আবেদন করা হয়েছে")


@pytest.mark.calls_only(reason="the page has the letters of each language, and asks in that of the browser")
async def test_the_receipt_of_a_stranger_who_pays_a_fee(tmp_path: Path) -> None:
    settings = build_settings(tmp_path, PAYMENTS__PUSH_DELAY="0")
    async with run_gateway(settings) as url, ClientSession() as http:
        phone, stranger = Phone(http, url), Phone(http, url, NEW)
        await register(phone)
        number = await apply_for_birth_certificate(phone)
        status = await stranger.dial(f"*123*2*{number}#")
        assert "5 Fee din" in status, status
        await stranger.enter("5", "1")
        assert await answer_wallet(stranger, "4826") == "paid"
        assert (await stranger.wait_for_sms("পাওয়া গেছে")).startswith("একডায়াল: জন্ম সনদ")


async def test_the_consent_code_of_a_citizen_who_never_called(tmp_path: Path) -> None:
    async with ClientSession() as http, AsyncExitStack() as stack:
        scenario = AssistedScenario(build_settings(tmp_path), http)
        await scenario.start()
        stack.push_async_callback(scenario.stack.aclose)
        await scenario.enrol()
        await scenario.sign_in()
        await scenario.operator.enter("1", PERSONAL_TEXTS, "1")
        assert "এই কোডে Karim Mia" in await scenario.citizen.wait_for_sms("Karim Mia")


@pytest.mark.calls_only(reason="only a number that is served can sign in to the page")
async def test_a_number_of_a_country_that_is_not_served(tmp_path: Path) -> None:
    settings = build_settings(tmp_path, COUNTRIES__ALLOWED='["IN"]')
    async with run_gateway(settings) as url, ClientSession() as http:
        assert "Dukkhito" in await Phone(http, url, NEW).dial()
        async with open_sms_phone(url, NEW) as writer:
            assert "দুঃখিত" in await writer.send_sms("MENU")


# Languages that are not offered ---------------------------------------------------------------------------------------


@pytest.fixture
async def bengali_and_english(tmp_path: Path) -> AsyncIterator[str]:
    async with run_gateway(build_settings(tmp_path, LANGUAGES__OFFERED='["bn", "en"]')) as url:
        yield url


@pytest.mark.parametrize("text", ["नमस्ते", "मदद", "LANG HI", "madad", "हिंदी", "?", "qwx zzv"])
async def test_a_language_that_is_not_offered_is_never_spoken(bengali_and_english: str, text: str) -> None:
    """Section 5 of the field report, minor: also not to a number of its country."""
    for number in (NEW, INDIAN):
        async with open_sms_phone(bengali_and_english, number) as writer:
            reply = await writer.send_sms(text)
            assert not any("\u0900" <= letter <= "\u0963" for letter in reply), reply


@pytest.mark.calls_only(reason="the page has the letters of each language, and asks in that of the browser")
async def test_who_chose_a_language_before_it_was_withdrawn_is_asked_again(tmp_path: Path) -> None:
    async with run_gateway(build_settings(tmp_path)) as url, ClientSession() as http:
        phone = Phone(http, url)
        await register(phone, language="3")
        await phone.enter("00")
    settings = build_settings(tmp_path, LANGUAGES__OFFERED='["bn", "en"]')
    async with run_gateway(settings) as url, ClientSession() as http:
        phone = Phone(http, url)
        assert await phone.dial() == "Ekdial: sorkari seba\n1 Bangla\n2 English"
        await phone.enter("2")
        assert await open_birth_certificate(phone)
