"""Row 15: numbers from abroad. Countries that are listed are served, on their own clock; others get a clear refusal."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.journeys.steps import registers
from tests.phone import Phone, running, settings_for
from tests.texting import texter
from tests.voice.forms import OURS, is_over, rings

GERMANY = "+4915112345678"
DUBAI = "+971501234567"
REFUSAL = "Sorry, this service is not open to numbers from your country."


@asynccontextmanager
async def gateway_for(tmp_path: Path, **more: str) -> AsyncIterator[tuple[str, ClientSession]]:
    async with running(settings_for(tmp_path, **more)) as url, ClientSession() as http:
        yield url, http


async def test_row_15_a_call_from_a_country_that_is_not_served_is_told_so_and_ends(phone: Phone) -> None:
    phone.number = GERMANY
    assert await phone.dials() == REFUSAL
    assert phone.ended


async def test_row_15_an_sms_from_there_is_told_so_once_a_day(gateway: str) -> None:
    async with texter(gateway, GERMANY) as writer:
        assert await writer.texts("MENU") == REFUSAL
        assert await writer.posts(writer.form("HELP")) == 200
        assert await writer.texts("STOP") != REFUSAL, "but STOP is heard from everybody"
        assert len(writer.inbox.messages) == 2


async def test_row_15_a_missed_call_from_there_is_told_so_once_a_day(gateway: str) -> None:
    async with texter(gateway, GERMANY) as writer:
        for session in ("a", "b"):
            for form in (rings(session, GERMANY, OURS), is_over(session, GERMANY, OURS)):
                async with writer.http.post(f"{gateway}/voice/africastalking", data=form) as answer:
                    assert answer.status == 200
        assert await writer.hears(0) == [REFUSAL]


@pytest.mark.parametrize("number", ["+919812345678", "+254712345678", "+12025550123", "+447400123456", DUBAI])
async def test_row_15_a_country_that_is_listed_is_served(phone: Phone, number: str) -> None:
    phone.number = number
    assert (await phone.dials()).startswith("Ekdial: public services\n1 English")


async def test_row_15_a_deployment_says_which_countries_are(tmp_path: Path) -> None:
    async with gateway_for(tmp_path, COUNTRIES__ALLOWED='["DE"]') as (url, http):
        assert (await Phone(http, url, GERMANY).dials()).startswith("Ekdial: public services")
        assert await Phone(http, url).dials() == REFUSAL


async def test_row_15_a_time_is_said_on_the_callers_clock_and_whose_it_is(phone: Phone) -> None:
    phone.number = DUBAI
    await registers(phone)
    await phone.redials()
    await phone.types("5", *("9135",) * 4)
    assert re.search(r"until \d\d:\d\d \(GMT\+4\)\.", await phone.types("9135"))


async def test_row_15_at_home_a_time_is_said_plainly(phone: Phone) -> None:
    await registers(phone)
    await phone.redials()
    await phone.types("5", *("9135",) * 4)
    assert re.search(r"until \d\d:\d\d\. ", await phone.types("9135"))


async def test_row_15_a_fee_is_in_the_currency_of_the_service_whoever_asks(phone: Phone) -> None:
    phone.number = DUBAI
    await phone.dials()
    assert "Fee Tk 50" in await phone.types("1", "1", "1", "1")
