"""NO in a longer text withdraws nothing: the sender is asked what they mean."""

import re

import pytest

from tests.support.citizen_steps import register, submit_application, tracking_number_in
from tests.support.phone import Phone
from tests.support.sms_phone import open_sms_phone

FORM = ("00", "1", "1", "1", "1", "2")
ANSWERS = ("Rahim Uddin", "21112025", "2", "Karim Uddin", "Ayesha Begum")
OTHER = "+8801711000002"


async def apply_for_other(phone: Phone) -> str:
    """Apply for a birth certificate for OTHER; its tracking number."""
    await register(phone)
    await phone.enter(*FORM, "01711 000002", *ANSWERS)
    return tracking_number_in(await submit_application(phone))


@pytest.mark.parametrize(
    ("text", "no", "status"),
    [
        *((text, "NO", "STATUS") for text in ("No news about {T}?", "No. {T}", "NO I want to keep {T}")),
        ("No, do not withdraw {T}", "NO", "STATUS"),
        ("{T} না", "না", "অবস্থা"),
        ("नहीं रखना है {T}", "नहीं", "स्थिति"),
    ],
)
async def test_no_in_a_longer_text_is_asked_about(phone: Phone, text: str, no: str, status: str) -> None:
    async with open_sms_phone(phone.url, OTHER) as other:
        number = await apply_for_other(phone)
        grouped = f"{number[:4]} {number[4:8]} {number[8:]}"
        await other.receive(0)
        reply = await other.send_sms(text.replace("{T}", grouped))
        assert f"{no} {number}" in reply
        assert f"{status} {number}" in reply
        await phone.dial()
        assert "Submitted" in await phone.enter("2", number)


async def test_the_answer_to_the_question_refuses(phone: Phone) -> None:
    async with open_sms_phone(phone.url, OTHER) as other:
        number = await apply_for_other(phone)
        await other.receive(0)
        assert f"NO {number}" in await other.send_sms(f"No, please keep {number}")
        reply = await other.send_sms(f"NO {number}", expect=2)  # a code, and the question for it
        code = re.search(r"\b\d{6}(?= )", reply)
        assert code, reply
        assert (await other.send_sms(code[0])).startswith("The application is withdrawn")
    assert await phone.wait_for_sms("the person you applied for does not want it")
