"""One-time codes as a caller meets them: too many for the neighbourhood, none while Redis is away, and all of it counted."""

import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.support.citizen_steps import register
from tests.support.phone import UNREACHABLE_REDIS_URL, Phone, admin_url, build_settings, run_gateway

ONE, NEXT_DOOR, ELSEWHERE = "+8801700000001", "+8801700000002", "+8801800000001"
SPENT = "Too many codes were asked for. Please try again later, or call the helpdesk.\n7 Help\n0 Back"


@asynccontextmanager
async def line(tmp_path: Path, **values: str) -> AsyncIterator[tuple[ClientSession, str]]:
    async with run_gateway(build_settings(tmp_path, **values)) as url, ClientSession() as http:
        yield http, url


async def request_code(http: ClientSession, url: str, number: str) -> tuple[Phone, str]:
    """Register, and forget the PIN in the next call."""
    phone = Phone(http, url, number)
    await register(phone)
    await phone.redial()
    return phone, await phone.enter("5", "1")


async def read_metrics(http: ClientSession, url: str) -> Mapping[str, float]:
    """What is counted of codes, by name and label."""
    async with http.get(f"{admin_url(url)}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    found = (line.rpartition(" ") for line in lines if "ekdial_codes" in line[:12])
    return {name: float(count) for name, _, count in found if float(count)}


@pytest.mark.calls_only(reason="signing in to the page sends a code")
async def test_who_is_refused_is_told_what_to_do_and_not_whose_limit_it_was(tmp_path: Path) -> None:
    async with line(tmp_path, CODES__PER_PREFIX_PER_HOUR="1") as (http, url):
        first, screen = await request_code(http, url, ONE)
        assert "6-digit code" in screen
        neighbour, screen = await request_code(http, url, NEXT_DOOR)
        assert screen == SPENT
        assert "by phone" in await neighbour.enter("7")
        _, screen = await request_code(http, url, ELSEWHERE)
        assert "6-digit code" in screen
        code = (await first.wait_for_sms("is your Ekdial code"))[:6]
        await first.enter(f"{(int(code) + 1) % 10**6:06}", code)
        assert await read_metrics(http, url) == {
            'ekdial_codes_total{outcome="right"}': 1,
            'ekdial_codes_total{outcome="sent"}': 2,
            'ekdial_codes_total{outcome="wrong"}': 1,
            'ekdial_codes_refused_total{reason="prefix"}': 1,
        }


@pytest.mark.parametrize(
    "values", [{"CODES__COUNTRIES": '{"BD": 0}'}, {"CODES__PER_COUNTRY_PER_HOUR": "1"}, {"CODES__PER_DAY": "1"}]
)
@pytest.mark.calls_only(reason="signing in to the page sends a code")
async def test_whichever_limit_it_was_the_screen_is_the_same(tmp_path: Path, values: Mapping[str, str]) -> None:
    async with line(tmp_path, **values) as (http, url):
        await request_code(http, url, ONE)
        assert (await request_code(http, url, ELSEWHERE))[1] == SPENT


@pytest.mark.africastalking_wire("without Redis a call without a path ends")
async def test_while_redis_is_away_a_caller_is_told_that_it_is_our_fault_and_gets_no_code(tmp_path: Path) -> None:
    async with line(tmp_path) as (http, url):
        await register(Phone(http, url, ONE))
    async with line(tmp_path, REDIS__URL=UNREACHABLE_REDIS_URL) as (http, url):
        phone = Phone(http, url, ONE)
        await phone.dial()
        screen = await phone.enter("5", "1")
        assert screen == "Sorry, something is wrong on our side. Nothing was lost. Please dial again in a minute."
        assert phone.ended
        with closing(sqlite3.connect(tmp_path / "ekdial.db")) as database:
            assert database.execute("SELECT count(*) FROM messages WHERE kind = 'code'").fetchone() == (0,)
        assert await read_metrics(http, url) == {}
