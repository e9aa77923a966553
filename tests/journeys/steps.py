"""What a citizen does more than once in these tests, as key presses."""

import re

from tests.phone import Phone

PIN = "4826"


async def registers(phone: Phone, language: str = "1", pin: str = PIN, name: str = "Amina Begum") -> str:
    """From the first call to being signed in; the screen that says welcome."""
    await phone.dials()
    await phone.types(language, "5", "1", name, pin, pin, "1", "Mirpur School", "2", "Ayesha")
    return await phone.types("1")


async def opens_birth_certificate(phone: Phone) -> str:
    """From any screen to the first question of the form, for oneself."""
    return await phone.types("00", "1", "1", "1", "1", "1")


ANSWERS = ("Rahim Uddin", "21112025", "2", "Karim Uddin", "Ayesha Begum")
"""The five answers that the birth certificate's form asks for."""


async def applies(phone: Phone, pin: str = PIN) -> str:
    """A birth certificate, from the main menu to the receipt, whose tracking number is returned."""
    await opens_birth_certificate(phone)
    await phone.types(*ANSWERS)
    return tracking_in(await sends(phone, pin))


async def sends(phone: Phone, pin: str = PIN) -> str:
    """From the summary to the receipt: one is sure, and types the PIN."""
    return await phone.types("1", pin)


def tracking_in(text: str) -> str:
    """The first twelve digits shown as 1234 5678 9012."""

    found = re.search(r"\d{4} \d{4} \d{4}", text)
    assert found, text
    return found[0].replace(" ", "")
