"""Row 13, the DigiLocker helpdesk chat: opened by a greeting in any script, to one document at a time and back to the list."""

import re

import pytest

from tests.texting import Texter

AADHAAR = "2341 2341 2346"
GREETINGS = {
    "Hi": "Documents",
    "hello": "Documents",
    "ডিজিলকার": "কাগজপত্র",
    "डिजीलॉकर": "दस्तावेज़",
    "DIGILOCKER": "Documents",
}


@pytest.mark.parametrize("greeting", GREETINGS)
async def test_row_13_a_greeting_in_any_script_opens_the_conversation(handset: Texter, greeting: str) -> None:
    assert GREETINGS[greeting] in await handset.texts(greeting)


async def test_row_13_from_hello_to_a_document_and_back_to_the_list(handset: Texter) -> None:
    await handset.texts("LANG EN")
    assert (await handset.texts("Hello")).startswith("Documents helpdesk\n1 DigiLocker services")
    assert (await handset.texts("1")).startswith("Do you have a DigiLocker account?\n1 Yes")
    assert "12-digit Aadhaar" in await handset.texts("1")
    assert "One of those digits seems wrong" in await handset.texts("234123412345")
    both = await handset.texts(AADHAAR, expect=2)
    code = re.search(r"\b\d{6}\b", both)
    assert code, both
    listed = await handset.texts(code[0])
    assert "\n1 PAN card\n2 Driving licence\n" in listed
    document = await handset.texts("2", expect=2)
    assert "/d/" in document
    assert "Driving licence: see the SMS with the link\n1 Other documents" in document
    assert "PAN card" in await handset.texts("1")
