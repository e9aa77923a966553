"""Documents chat: a greeting in any script opens it; it hands over one document at a time."""

import re

import pytest

from tests.support.sms_phone import SmsPhone, open_sms_phone

AADHAAR = "2341 2341 2346"
GREETINGS = {
    "Hi": "Documents",
    "hello": "Documents",
    "ডিজিলকার": "কাগজপত্র",
    "डिजीलॉकर": "दस्तावेज़",
    "DIGILOCKER": "Documents",
}


@pytest.mark.parametrize("greeting", GREETINGS)
async def test_a_greeting_in_any_script_opens_the_conversation(sms_phone: SmsPhone, greeting: str) -> None:
    assert GREETINGS[greeting] in await sms_phone.send_sms(greeting)


async def test_from_hello_to_a_document_and_back_to_the_list(sms_phone: SmsPhone) -> None:
    await sms_phone.send_sms("LANG EN")
    assert (await sms_phone.send_sms("Hello")).startswith("Documents helpdesk\n1 DigiLocker services")
    assert (await sms_phone.send_sms("1")).startswith("Do you have a DigiLocker account?\n1 Yes")
    assert "12-digit Aadhaar" in await sms_phone.send_sms("1")
    assert "One of those digits seems wrong" in await sms_phone.send_sms("234123412345")
    both = await sms_phone.send_sms(AADHAAR, expect=2)
    code = re.search(r"\b\d{6}\b", both)
    assert code, both
    listed = await sms_phone.send_sms(code[0])
    assert "\n1 PAN card\n2 Driving licence\n" in listed
    document = await sms_phone.send_sms("2", expect=2)
    assert "/d/" in document
    assert "Driving licence: see the SMS with the link\n1 Other documents" in document
    assert "PAN card" in await sms_phone.send_sms("1")


ANOTHER_SIM = "+8801700000002"
CODE_GOES_TO = {
    "EN": "phone registered with it",
    "BN": "নিবন্ধিত ফোনে",
    "HI": "पंजीकृत फ़ोन पर",
}


@pytest.mark.parametrize("language", CODE_GOES_TO)
async def test_a_second_sim_is_told_that_the_code_goes_to_the_registered_phone(
    sms_phone: SmsPhone, language: str
) -> None:
    """Field report, section 1: "a code is on its way" was said to the second SIM, and the first one got it."""
    await sms_phone.send_sms("LANG EN")
    for text in ("Hello", "1", "1"):
        await sms_phone.send_sms(text)
    own_code = re.search(r"\b\d{6}\b", await sms_phone.send_sms(AADHAAR, expect=2))
    assert own_code
    await sms_phone.send_sms(own_code[0])
    before = len(sms_phone.inbox.messages)
    async with open_sms_phone(sms_phone.url, ANOTHER_SIM) as other:
        for text in (f"LANG {language}", "DIGILOCKER", "1", "1"):
            await other.send_sms(text)
        told = await other.send_sms(AADHAAR)
        assert CODE_GOES_TO[language] in told
        assert sms_phone.msisdn[-4:] not in told, "whose phone it is is not told"
        (code,) = await sms_phone.receive(before)
        assert re.search(r"\b\d{6}\b", code)
        assert not any(re.search(r"\b\d{6}\b", message.text) for message in other.inbox.messages)
