"""The numbers to try: README names them, the simulator shows them, and each does what is said of it (finding 1.4)."""

import re
from pathlib import Path

import pytest
from aiohttp import ClientSession

from services.catalogue.id_schemes import normalize_number
from tests.support.citizen_steps import answer_wallet, register, wallet_prompt
from tests.support.phone import ROOT, Phone, build_settings, run_gateway
from web.simulator.sample_numbers import SAMPLE_NUMBERS

NUMBERS = {sample.name: sample.number for sample in SAMPLE_NUMBERS}


async def enter_bill(phone: Phone, name: str) -> str:
    """The screen after this consumer number is typed at the electricity biller of the caller's country."""
    await phone.dial()
    return await phone.enter("00", "9", "1", NUMBERS[name])


def test_readme_names_the_numbers_of_the_simulator() -> None:
    table = (ROOT / "README.md").read_text().partition("Numbers to try")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(NUMBERS.values())


@pytest.mark.parametrize(
    ("name", "scheme"), [("sampleAadhaar", "in_.aadhaar"), ("samplePan", "in_.pan"), ("sampleNid", "digits")]
)
def test_an_identity_number_to_try_has_the_right_form(name: str, scheme: str) -> None:
    if scheme == "digits":
        assert len(NUMBERS[name]) in {10, 13, 17}
    else:
        assert normalize_number(scheme, NUMBERS[name]) == NUMBERS[name]


async def test_the_aadhaar_number_leads_to_documents(phone: Phone) -> None:
    await phone.dial()
    screen = await phone.enter("1", "3", "1", "1", NUMBERS["sampleAadhaar"])
    assert "code" in screen
    assert re.search(r"\d{6}", await phone.wait_for_sms("code"))


async def test_bills_to_try_do_what_is_said_of_them(phone: Phone) -> None:
    await register(phone)
    assert "1 Pay" in await enter_bill(phone, "sampleBill")
    assert "Nothing" in await enter_bill(phone, "sampleNothingDue")
    assert "has no such number" in await enter_bill(phone, "sampleUnknown")


async def test_an_lpg_id_to_try_has_a_bill(gateway: str) -> None:
    async with ClientSession() as http:
        phone = Phone(http, gateway, "+919000000001")
        await register(phone)
        await phone.dial()
        assert "1 Pay" in await phone.enter("00", "9", "1", NUMBERS["sampleLpg"])


@pytest.mark.parametrize(("name", "outcome"), [("sampleWrongPin", "wrong_pin"), ("sampleNoMoney", "no_money")])
async def test_a_wallet_pin_to_try_fails_as_said(tmp_path: Path, name: str, outcome: str) -> None:
    async with run_gateway(build_settings(tmp_path, PAYMENTS__PUSH_DELAY="0")) as url, ClientSession() as http:
        phone = Phone(http, url)
        await register(phone)
        await enter_bill(phone, "sampleBill")
        await phone.enter("1")
        await wallet_prompt(phone)
        assert await answer_wallet(phone, NUMBERS[name]) == outcome


async def test_a_refused_bill_to_try_is_given_back(tmp_path: Path) -> None:
    async with run_gateway(build_settings(tmp_path, PAYMENTS__PUSH_DELAY="0")) as url, ClientSession() as http:
        phone = Phone(http, url)
        await register(phone)
        await enter_bill(phone, "sampleRefused")
        await phone.enter("1")
        await wallet_prompt(phone)
        assert await answer_wallet(phone, "4826") == "paid"
        assert await phone.wait_for_sms("back")
