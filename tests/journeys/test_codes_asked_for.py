"""One-time codes as a caller meets them: too many for the neighbourhood, none while Redis is away, and all of it counted."""

import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.phone import NOBODY_LISTENS_HERE, Phone, running, settings_for

ONE, NEXT_DOOR, ELSEWHERE = "+8801700000001", "+8801700000002", "+8801800000001"
SPENT = "Too many codes were asked for. Please try again later, or call the helpdesk.\n7 Help\n0 Back"


@asynccontextmanager
async def line(tmp_path: Path, **given: str) -> AsyncIterator[tuple[ClientSession, str]]:
    """A gateway where nobody vouches for a number."""
    settings = settings_for(tmp_path, USSD__VOUCHES="false", **given)
    async with running(settings) as url, ClientSession() as http:
        yield http, url


async def asks_for_a_code(http: ClientSession, url: str, number: str) -> tuple[Phone, str]:
    phone = Phone(http, url, number)
    await phone.dials()
    return phone, await phone.types("1", "5", "1")


async def counted(http: ClientSession, url: str) -> Mapping[str, float]:
    """What is counted of codes, by name and label."""
    async with http.get(f"{url}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return {
        name: float(count) for name, _, count in (line.rpartition(" ") for line in lines if "ekdial_codes" in line[:12])
    }


async def test_who_is_refused_is_told_what_to_do_and_not_whose_limit_it_was(tmp_path: Path) -> None:
    async with line(tmp_path, CODES__PREFIX="1") as (http, url):
        first, screen = await asks_for_a_code(http, url, ONE)
        assert screen.startswith("We sent a 6-digit code to this number")
        neighbour, screen = await asks_for_a_code(http, url, NEXT_DOOR)
        assert screen == SPENT
        assert "by phone" in await neighbour.types("7")
        _, screen = await asks_for_a_code(http, url, ELSEWHERE)
        assert screen.startswith("We sent a 6-digit code to this number")
        code = (await first.sms("is your Ekdial code"))[:6]
        await first.types(f"{(int(code) + 1) % 10**6:06}", code)
        assert await counted(http, url) == {
            'ekdial_codes_total{what="right"}': 1,
            'ekdial_codes_total{what="sent"}': 2,
            'ekdial_codes_total{what="wrong"}': 1,
            'ekdial_codes_refused_total{by="prefix"}': 1,
        }


@pytest.mark.parametrize("given", [{"CODES__COUNTRIES": '{"BD": 0}'}, {"CODES__COUNTRY": "1"}, {"CODES__DAILY": "1"}])
async def test_whichever_limit_it_was_the_screen_is_the_same(tmp_path: Path, given: Mapping[str, str]) -> None:
    async with line(tmp_path, **given) as (http, url):
        await asks_for_a_code(http, url, ONE)
        assert (await asks_for_a_code(http, url, ELSEWHERE))[1] == SPENT


async def test_while_redis_is_away_a_caller_is_told_that_it_is_our_fault_and_gets_no_code(tmp_path: Path) -> None:
    async with line(tmp_path, REDIS__URL=NOBODY_LISTENS_HERE) as (http, url):
        phone, screen = await asks_for_a_code(http, url, ONE)
        assert screen == "Sorry, something is wrong on our side. Nothing was lost. Please dial again in a minute."
        assert phone.ended
        with closing(sqlite3.connect(tmp_path / "ekdial.db")) as records:
            assert records.execute("SELECT count(*) FROM messages").fetchone() == (0,)
        assert await counted(http, url) == {}
