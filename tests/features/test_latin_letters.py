"""SMS in Latin letters for who asks: phones without Bengali or Hindi letters show boxes. Section 1 of the field report, minor."""

import re
import tomllib
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp import ClientSession

from menus.rendering.localization import LOCALES_FOLDER
from sms.segments import measure
from tests.support.assisted_scenario import CITIZEN, PERSONAL_TEXTS, AssistedScenario
from tests.support.citizen_steps import PIN, apply_for_birth_certificate, register
from tests.support.phone import Phone, build_settings
from tests.support.sms_phone import SmsPhone, open_sms_phone
from tests.support.voice_forms import ended_form, ringing_form

KEPT_BENGALI = "Ekhon theke Banglay likhbo"
TO_LETTERS = ("00", "8", "4")


@pytest.mark.parametrize("text", ["LANG BN ABC", "LANG BANGLA LATIN", "BN LATIN", "BANGLISH", "ভাষা বাংলা রোমান"])
async def test_it_is_asked_for_by_sms_and_counts_at_once(sms_phone: SmsPhone, text: str) -> None:
    assert (await sms_phone.send_sms(text)).startswith(KEPT_BENGALI)
    assert (await sms_phone.send_sms("HELP")).startswith("Ekdial. Likhe 123-e pathan: OBOSTHA")
    assert (await sms_phone.send_sms("MENU")).startswith("Ekdial\n1 Seba khujun")
    assert (await sms_phone.send_sms("1")).isascii()
    assert (await sms_phone.send_sms("gobbledygook here?")).isascii()
    assert (await sms_phone.send_sms("LANG BN")).startswith("এখন থেকে বাংলায় লিখব")
    assert (await sms_phone.send_sms("MENU")).startswith("একডায়াল\n1 সেবা খুঁজুন")


async def test_the_letters_alone_keep_the_language(sms_phone: SmsPhone) -> None:
    await sms_phone.send_sms("LANG HI")
    assert (await sms_phone.send_sms("LANG ABC")).startswith("Ab se hum Hindi mein likhenge")


async def test_it_is_chosen_on_the_language_screen_by_sms(sms_phone: SmsPhone) -> None:
    await sms_phone.send_sms("LANG HI")
    assert "4 SMS के अक्षर" in await sms_phone.send_sms("LANG")
    assert "2 अंग्रेज़ी अक्षर (abc)" in await sms_phone.send_sms("4")
    assert (await sms_phone.send_sms("2")).startswith("Ekdial\n1 Seva khojen")


@pytest.mark.calls_only(reason="the page has the letters of each language, and asks in that of the browser")
async def test_every_sms_of_a_caller_who_chose_it_is_in_latin_letters(phone: Phone, sms_phone: SmsPhone) -> None:
    """Receipts, PINs and codes, the answer to a missed call, notices."""
    await register(phone, language="2")
    assert (await phone.enter(*TO_LETTERS)).startswith("SMS kon horofe chan?\n1 Bangla horof\n2 Ingreji horof (abc)")
    assert (await phone.enter("2")).startswith("Ekdial\n1 Seba khujun")
    await apply_for_birth_certificate(phone)
    await phone.wait_for_sms("Tracking")
    for form in (ringing_form("a" * 32, phone.msisdn), ended_form("a" * 32, phone.msisdn)):
        async with sms_phone.http.post(f"{sms_phone.url}/voice/africastalking", data=form) as answer:
            assert answer.status == 200
    await phone.wait_for_sms("/d/")
    await phone.dial()
    await phone.enter("5", PIN, "1", PIN, "5938", "5938")
    texts = [message.text for message in sms_phone.inbox.messages]
    assert len(texts) >= 2
    assert all(text.isascii() for text in texts), texts


@pytest.mark.calls_only(reason="the page has the letters of each language, and asks in that of the browser")
async def test_own_letters_come_back_when_they_are_chosen(phone: Phone, sms_phone: SmsPhone) -> None:
    await register(phone, language="2")
    await phone.enter(*TO_LETTERS, "2")
    await phone.enter(*TO_LETTERS, "1")
    await apply_for_birth_certificate(phone)
    assert re.search("[\u0980-\u09ff]", (await sms_phone.receive(0))[0])


@pytest.mark.parametrize("language", ["bn", "hi"])
def test_latin_letters_cost_no_more_segments(language: str) -> None:
    """Each text of the table `sms`: 160 characters a segment, against 70."""
    own, latin = (
        tomllib.loads((LOCALES_FOLDER / f"{code}.toml").read_text(encoding="utf-8"))["sms"]
        for code in (language, f"{language}_Latn")
    )
    assert own.keys() == latin.keys()
    for key, text in latin.items():
        assert text.isascii(), key
        assert measure(text).segments <= measure(own[key]).segments, key


async def test_the_sms_of_an_operators_visit_are_in_latin_letters(tmp_path: Path) -> None:
    """The consent with the centre's name, and the summary, which is made of several texts."""
    async with ClientSession() as http, AsyncExitStack() as stack:
        scenario = AssistedScenario(build_settings(tmp_path), http)
        await scenario.start()
        stack.push_async_callback(scenario.stack.aclose)
        await register(scenario.citizen, language="2")
        await scenario.citizen.enter(*TO_LETTERS, "2")
        await scenario.enrol()
        await scenario.sign_in()
        async with open_sms_phone(scenario.citizen.url, CITIZEN) as sms_phone:
            await scenario.operator.enter("1", PERSONAL_TEXTS, "1")
            code = await scenario.citizen.wait_for_sms("Karim Mia")
            assert code.isascii(), code
            await scenario.operator.enter(code[:6])
            await scenario.apply_for_citizen()
            await scenario.operator.enter("00", "8")
            summary = await scenario.citizen.wait_for_sms("apnar hoye kaj korechen")
            assert summary.isascii(), summary
            assert all(message.text.isascii() for message in sms_phone.inbox.messages)
