"""Numbers from abroad: listed countries are served in their time zone; others get a clear refusal."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.support.citizen_steps import register
from tests.support.phone import Phone, build_settings, run_gateway
from tests.support.sms_phone import open_sms_phone
from tests.support.voice_forms import APP_LINK_NUMBER, ended_form, ringing_form

GERMANY = "+4915112345678"
DUBAI = "+971501234567"
REFUSAL = "Sorry, this service is not open to numbers from your country."


@asynccontextmanager
async def gateway_for(tmp_path: Path, **more: str) -> AsyncIterator[tuple[str, ClientSession]]:
    async with run_gateway(build_settings(tmp_path, **more)) as url, ClientSession() as http:
        yield url, http


@pytest.mark.calls_only(reason="nobody of such a country can sign in to the page")
async def test_a_call_from_a_country_that_is_not_served_is_told_so_and_ends(phone: Phone) -> None:
    phone.msisdn = GERMANY
    assert await phone.dial() == REFUSAL
    assert phone.ended


async def test_an_sms_from_there_is_told_so_once_a_day(gateway: str) -> None:
    async with open_sms_phone(gateway, GERMANY) as writer:
        assert await writer.send_sms("MENU") == REFUSAL
        assert await writer.post_form(writer.build_form("HELP")) == 200
        assert await writer.send_sms("STOP") != REFUSAL, "but STOP is heard from everybody"
        assert len(writer.inbox.messages) == 2


async def test_a_missed_call_from_there_is_told_so_once_a_day(gateway: str) -> None:
    async with open_sms_phone(gateway, GERMANY) as writer:
        for session in ("a", "b"):
            for form in (
                ringing_form(session, GERMANY, APP_LINK_NUMBER),
                ended_form(session, GERMANY, APP_LINK_NUMBER),
            ):
                async with writer.http.post(f"{gateway}/voice/africastalking", data=form) as answer:
                    assert answer.status == 200
        assert await writer.receive(0) == [REFUSAL]


@pytest.mark.parametrize("number", ["+919812345678", "+254712345678", "+12025550123", "+447400123456", DUBAI])
@pytest.mark.calls_only(reason="only a number that is served can sign in to the page")
async def test_a_country_that_is_listed_is_served(phone: Phone, number: str) -> None:
    phone.msisdn = number
    services = "sarkari sevayen" if number.startswith("+91") else "public services"
    assert (await phone.dial()).startswith(f"Ekdial: {services}\n1 English")


@pytest.mark.calls_only(reason="only a number that is served can sign in to the page")
async def test_a_deployment_says_which_countries_are(tmp_path: Path) -> None:
    async with gateway_for(tmp_path, COUNTRIES__ALLOWED='["DE"]') as (url, http):
        assert (await Phone(http, url, GERMANY).dial()).startswith("Ekdial: public services")
        assert await Phone(http, url).dial() == "Dukkhito, apnar desher number theke ei seba paoa jay na."


async def test_a_time_is_said_on_the_callers_clock_and_whose_it_is(phone: Phone) -> None:
    phone.msisdn = DUBAI
    await register(phone)
    await phone.redial()
    await phone.enter("5", *("9135",) * 4)
    assert re.search(r"until \d{1,2}(:\d\d)? (am|pm|noon|midnight) \(GMT\+4\)\.", await phone.enter("9135"))


async def test_at_home_a_time_is_said_plainly(phone: Phone) -> None:
    await register(phone)
    await phone.redial()
    await phone.enter("5", *("9135",) * 4)
    assert re.search(r"until \d{1,2}(:\d\d)? (am|pm|noon|midnight)\. ", await phone.enter("9135"))


async def test_a_fee_is_in_the_currency_of_the_service_whoever_asks(phone: Phone) -> None:
    phone.msisdn = DUBAI
    await phone.dial()
    assert "Fee Tk 50" in await phone.enter("1", "1", "1", "1")
