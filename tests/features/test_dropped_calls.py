"""Calls that are cut off: what the next call offers, and what it does not."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.support.citizen_steps import ANSWERS, PIN, apply_for_birth_certificate, register
from tests.support.phone import Phone, build_settings, run_gateway

OFFER = "You did not finish last time\n1 Go on\n2 Start again"
FORM_OFFER = "You were applying for\nBirth certificate\n1 Go on\n2 Start again"


@pytest.fixture
async def phone(tmp_path: Path) -> AsyncIterator[Phone]:
    async with run_gateway(build_settings(tmp_path)) as url, ClientSession() as http:
        yield Phone(http, url)


@pytest.mark.calls_only(reason="a sign-in on the page is no call that drops")
async def test_a_second_drop_at_the_offer_keeps_a_registration(phone: Phone) -> None:
    """Finding 2.1 of the field report."""
    await phone.dial()
    await phone.enter("1", "5", "1", "Rupa Das", PIN, PIN, "1", "Mirpur School")
    assert await phone.dial() == OFFER
    assert await phone.dial() == OFFER, "cut off at the offer"
    assert (await phone.enter("7")).endswith(OFFER), "a wrong key is told"
    assert await phone.dial() == OFFER, "cut off after a wrong key"
    asked = await phone.enter("1")
    assert "Type your full name" in asked, "the PIN and the answers that were being chosen are asked for again"


@pytest.mark.calls_only(reason="a sign-in on the page is no call that drops")
async def test_a_second_drop_at_the_offer_keeps_a_form(phone: Phone) -> None:
    """Finding 2.1 of the field report."""
    await register(phone)
    await phone.enter("00", "1", "1", "1", "1", "1", *ANSWERS[:2])
    for key in ("", "7", "", "9"):
        assert await phone.dial() == FORM_OFFER
        if key:
            assert (await phone.enter(key)).endswith(FORM_OFFER)
    assert await phone.enter("1") == "Type your PIN\n1 I forgot it\n0 Back"
    assert (await phone.enter(PIN)).startswith("3/5 ")


@pytest.mark.parametrize(
    ("keys", "shown"),
    [
        (("7",), "Help by phone"),
        (("6",), "The link is on its way"),
        (("1", "1", "1", "3"), "It is on its way to you by SMS."),
        (("2", "{number}"), "Birth certificate\n"),
        (("2", "{number}", "3"), "What happened, newest first"),
    ],
)
async def test_what_was_only_read_is_not_offered_again(phone: Phone, keys: tuple[str, ...], shown: str) -> None:
    """A minor of section 1 of the field report: "one hop more for nothing"."""
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    await phone.dial()
    assert shown in await phone.enter(*(key.format(number=number) for key in keys))
    assert (await phone.dial()).startswith("Ekdial\n1 Find a service")


@pytest.mark.calls_only(reason="a sign-in on the page is no call that drops")
async def test_a_decision_that_waits_is_offered_again(phone: Phone) -> None:
    await register(phone)
    number = await apply_for_birth_certificate(phone)
    await phone.dial()
    await phone.enter("2", number, "2")
    assert await phone.dial() == OFFER
    assert "What went wrong?" in await phone.enter("1")
