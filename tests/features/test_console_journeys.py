"""The page *Journeys*: what callers did on the phone is what it counts, and none of it says who they were."""

import re
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import pytest
from aiohttp import ClientSession
from sqlalchemy import select

from db.tables import monthly_screen_moves, screen_moves
from tests.support.browser import launch_chromium
from tests.support.console import open_staff_room
from tests.support.keyboard import Keyboard
from tests.support.phone import Phone, build_settings, run_gateway

MSISDN = "+8801700000099"


@asynccontextmanager
async def open_console(settings):
    """The console of a gateway that has been stopped, which wrote its counts, and started again."""
    async with run_gateway(settings) as url, open_staff_room(settings, url) as room:
        yield room


async def call(settings, *calls, network="47001"):
    """Dial, press the keys of each call, and hang up."""
    async with run_gateway(settings) as url, ClientSession() as http:
        phone = Phone(http, url, MSISDN, network=network)
        for keys in calls:
            await phone.dial()
            await phone.enter(*keys)


def read_rows(html, heading):
    """The cells of a table by the first cell of the row."""
    table = html.split(f'aria-labelledby="{heading}">', 1)[1].split("</table>")[0]
    rows = [re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row, flags=re.DOTALL) for row in table.split("<tr>")[1:]]
    texts = [[" ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split()) for cell in row] for row in rows]
    return {row[0].split()[0]: row[1:] for row in texts if row}


@pytest.fixture
def settings(tmp_path: Path):
    return build_settings(tmp_path)


async def test_calls_are_seen_with_the_screen_on_which_they_were_left(settings):
    await call(settings, ["1", "1"], ["9"], ["5"])
    async with open_console(settings) as room:
        browser = await room.open_browser("admin")
        await browser.open("/console/journeys")
        assert "Calls and conversations 3" in browser.text
        leaving = read_rows(browser.html, "leaving")
        assert set(leaving) >= {"sectors"}
        journeys = read_rows(browser.html, "all-journeys")
        assert "Find" in journeys
        assert "By network 47001 3" in browser.text
        assert "By channel USSD 3" in browser.text


async def test_a_journey_shows_its_screens_and_what_they_did_not_take(settings):
    await call(settings, ["1", "7", "7", "1"])
    async with open_console(settings) as room:
        browser = await room.open_browser("auditor")
        await browser.open("/console/journeys?journey=main")
        rows = read_rows(browser.html, "journey-title")
        assert rows["main"][0] == "1"
        await browser.open("/console/journeys?journey=language")
        assert "Choose a language" in browser.text
        rows = read_rows(browser.html, "journey-title")
        shown, left, refused, ended, ways = rows["languages"]
        assert (shown, ended, left.split()[0]) == ("1", "0", "0")
        assert ways == "main 1"
        assert refused == "0"


async def test_filters_choose_the_calls_of_a_network_and_a_time(settings):
    await call(settings, ["1"], network="47001")
    await call(settings, ["1"], ["2"], network="47002")
    async with open_console(settings) as room:
        browser = await room.open_browser("admin")
        for query, started in (
            ("", 3),
            ("?network=47002", 2),
            ("?network=47001&channel=ussd", 1),
            ("?network=00000", 0),
            ("?channel=sms", 0),
            ("?period=today", 3),
            ("?period=yesterday", 0),
            ("?period=year", 3),
            ("?period=nonsense&journey=nonsense", 3),
        ):
            await browser.open(f"/console/journeys{query}")
            assert browser.status == 200
            assert f"Calls and conversations {started} " in browser.text, query


async def test_a_dropped_call_that_goes_on_is_counted_as_one_that_came_back(settings):
    async with run_gateway(settings) as url, ClientSession() as http:
        phone = Phone(http, url, MSISDN)
        await phone.dial()
        await phone.enter("1", "5", "1", "Rupa Das")
        assert "Go on" in await phone.dial()
        await phone.enter("1")
    async with open_console(settings) as room:
        browser = await room.open_browser("admin")
        await browser.open("/console/journeys")
        assert "Came back and went on 1 of 1 to whom it was offered; 0 began again" in browser.text


async def test_a_repeated_request_counts_once(settings):
    async with run_gateway(settings) as url, ClientSession() as http:
        phone = Phone(http, url, MSISDN)
        await phone.dial()
        await phone.enter("1")
        for _ in range(3):
            await phone.resend()
    async with open_console(settings) as room:
        rows = (await room.database.fetch(select(screen_moves))).all()
        assert sum(row.times for row in rows) == 2


async def test_nothing_of_the_caller_is_in_the_counts(settings):
    await call(settings, ["1", "5", "1", "Rupa Das", "2580", "2580"])
    async with open_console(settings) as room:
        for table in (screen_moves, monthly_screen_moves):
            text = str((await room.database.fetch(select(table))).all())
            assert "screen" in table.name
            for part in (MSISDN, MSISDN[1:], MSISDN[-9:], "Rupa", "2580", "ATUid"):
                assert part not in text


async def test_the_picture_has_the_traffic_on_it(settings):
    await call(settings, ["1", "1"])
    async with open_console(settings) as room:
        browser = await room.open_browser("admin")
        await browser.open("/console/journeys/picture")
        assert browser.status == 200
        assert browser.headers["Content-Type"].startswith("image/svg+xml")
        assert "unsafe" not in browser.headers["Content-Security-Policy"]
        assert browser.html.count('class="shown"') >= 3
        officer = await room.open_browser("officer")
        assert (await officer.open("/console/journeys/picture")).status == 403


@pytest.mark.parametrize(("language", "title"), [("bn", "যাত্রাপথ"), ("hi", "यात्राएँ")])
async def test_the_page_speaks_bengali_and_hindi(settings, language, title):
    await call(settings, ["1", "1"])
    async with open_console(settings) as room:
        browser = await room.open_browser("admin", login=f"in-{language}", language=language)
        await browser.open("/console/journeys")
        assert browser.status == 200
        assert title in browser.text
        month = f"{datetime.now(UTC):%Y-%m}"
        await browser.open(f"/console/journeys?period={month}&journey=main")
        assert browser.status == 200


@pytest.mark.slow
async def test_an_auditor_finds_where_callers_leave_by_keys_alone(settings):
    await call(settings, ["1", "1"], network="47001")
    await call(settings, ["2"], network="47002")
    async with open_console(settings) as room, launch_chromium() as chromium:
        context = await chromium.new_context()
        await room.sign_in_chromium(context, "auditor")
        page = await context.new_page()
        await page.goto(f"{room.url}/console")
        keyboard = Keyboard(page)
        await keyboard.follow("Journeys", "link")
        await keyboard.choose("Network", "47002")
        await page.wait_for_url("**network=47002**")
        assert "network=47002" in page.url
        await keyboard.follow("Track an application", "link")
        assert "journey=tracking" in page.url
        assert "network=47002" in page.url
        row = page.get_by_role("row", name="ask_number")
        shown, left, *_ = await row.get_by_role("cell").all_inner_texts()
        assert (shown, left.split()[0]) == ("1", "1")
