"""The page *Now*: what it shows, and its stream, which ends with the sign-in, the browser and the gateway."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import delete

from app.console import CONSOLE_PAGES
from core.http.fast_router import DRAIN
from core.types import utc_now
from db.tables import messages
from services.messaging import outbox
from tests.support.browser import launch_chromium
from tests.support.console import open_staff_room
from tests.support.phone import build_settings, run_gateway, running_app
from tests.support.sample_rows import insert_row
from web.console.now.routes import STREAM_PATH
from web.console.now.stream import MAX_OF_ONE, NowStream
from web.console.router import COOKIE


@pytest.fixture
async def staff_room(tmp_path: Path):
    settings = build_settings(tmp_path)
    async with run_gateway(settings) as url, open_staff_room(settings, url) as room:
        yield room


def find_stream(room) -> NowStream:
    page = next(one for one in running_app(room.url)[CONSOLE_PAGES] if one.name == "now")
    return next(route.handler.__self__ for route in page.routes if route.path == STREAM_PATH)


@asynccontextmanager
async def open_stream(room, token):
    """The response to a browser that listens."""
    headers = {"Cookie": f"{COOKIE}={token}"}
    async with room.http.get(room.url + STREAM_PATH, headers=headers, allow_redirects=False) as response:
        yield response


async def read_events(response, *names):
    """Read until these events have come, or else to the end; the data of each."""
    found, fields = {}, []
    while not names or set(names) - found.keys():
        line = (await response.content.readline()).decode()
        if not line:
            break
        if line.strip():
            fields.append(line.partition(": ")[::2])
            continue
        data = "".join(value for field, value in fields if field == "data")
        found |= {value.strip(): data for field, value in fields if field == "event"}
        fields = []
    return found


@pytest.mark.parametrize("role", ["admin", "officer", "helpdesk", "auditor"])
async def test_everybody_sees_what_happens_now(staff_room, role):
    browser = await staff_room.open_browser(role)
    await browser.open("/console/now")
    assert browser.status == 200
    assert "No alarm. Everything that is watched works." in browser.text
    assert "sandbox Sends" in browser.text
    await browser.open("/console")
    assert browser.path == "/console/now"


@pytest.mark.parametrize(("language", "title"), [("bn", "এই মুহূর্তে"), ("hi", "इस समय")])
async def test_the_stream_speaks_the_language_of_its_viewer(staff_room, language, title):
    browser = await staff_room.open_browser("admin", login=f"in-{language}", language=language)
    assert title in (await browser.open("/console/now")).text
    async with open_stream(staff_room, browser.token) as response:
        events = await read_events(response, "figures", "alarms")
    assert "sandbox" in events["figures"]
    assert "No alarm" not in events["alarms"]


async def test_the_stream_sends_figures_and_alarms(staff_room):
    token = (await staff_room.open_browser("admin")).token
    async with open_stream(staff_room, token) as response:
        assert response.headers["Content-Type"].startswith("text/event-stream")
        assert response.headers["Cache-Control"] == "no-store"
        events = await read_events(response, "figures", "alarms")
    assert "Key presses" in events["figures"]
    assert "No alarm" in events["alarms"]


async def test_nobody_listens_without_a_sign_in(staff_room):
    async with open_stream(staff_room, "no-token") as response:
        assert response.status == 303


async def test_a_stream_ends_with_the_sign_in(staff_room):
    find_stream(staff_room)._check_interval = 0.0
    token = (await staff_room.open_browser("admin")).token
    async with open_stream(staff_room, token) as response:
        await read_events(response, "figures")
        session = await staff_room.sessions.find(token)
        await staff_room.sessions.end(session.id)
        assert "signed_out" in await read_events(response)


async def test_a_stream_is_no_sign_of_life_of_its_viewer(staff_room):
    token = (await staff_room.open_browser("admin")).token
    session = await staff_room.sessions.find(token)
    assert await staff_room.sessions.is_open(session.id)
    await staff_room.sessions.end(session.id)
    assert not await staff_room.sessions.is_open(session.id)


async def test_too_many_streams_are_refused_and_places_become_free(staff_room):
    stream = find_stream(staff_room)
    stream._max_streams = 1
    token = (await staff_room.open_browser("admin")).token
    async with open_stream(staff_room, token) as first:
        await read_events(first, "figures")
        async with open_stream(staff_room, token) as second:
            assert second.status == 503
    for _ in range(200):  # the place is free as soon as a write to the browser that has gone fails
        async with open_stream(staff_room, token) as third:
            if third.status == 200:
                return
        await asyncio.sleep(0.1)
    pytest.fail("the place of the first stream never became free")


async def test_one_sign_in_does_not_take_the_places_of_others(staff_room):
    token, other = [(await staff_room.open_browser(role)).token for role in ("admin", "officer")]
    async with AsyncExitStack() as stack:
        for status in [200] * MAX_OF_ONE + [503]:
            response = await stack.enter_async_context(open_stream(staff_room, token))
            assert response.status == status
        response = await stack.enter_async_context(open_stream(staff_room, other))
        assert response.status == 200


async def test_streams_end_when_the_gateway_drains(staff_room):
    token = (await staff_room.open_browser("admin")).token
    async with open_stream(staff_room, token) as response:
        await read_events(response, "figures")
        for callback in running_app(staff_room.url)[DRAIN].on_start:
            await callback()
        await read_events(response)
        assert response.content.at_eof()
    async with open_stream(staff_room, token) as late:
        assert late.status == 503


async def test_a_browser_shows_new_figures_by_itself(staff_room):
    async with launch_chromium() as chromium:
        context = await chromium.new_context()
        await staff_room.sign_in_chromium(context, "admin")
        page = await context.new_page()
        await page.goto(f"{staff_room.url}/console/now")
        card = page.locator(".card", has_text="Key presses")
        await card.get_by_text("…").wait_for(state="detached")
        assert await card.locator("b").inner_text() == "0"


async def test_a_stream_ends_where_its_figures_cannot_be_computed(staff_room):
    async def fail():
        raise OSError("no disk")

    stream = find_stream(staff_room)
    token = (await staff_room.open_browser("admin")).token
    async with open_stream(staff_room, token) as response:
        await read_events(response, "figures")
        stream._board.look = fail
        await read_events(response)
        assert response.content.at_eof()


async def test_an_alarm_comes_by_itself_and_goes(tmp_path, monkeypatch):
    monkeypatch.setattr(outbox, "METRICS_INTERVAL", 0.0)
    settings = build_settings(tmp_path)
    async with run_gateway(settings) as url, open_staff_room(settings, url) as room:
        token = (await room.open_browser("helpdesk")).token
        async with open_stream(room, token) as response:
            assert "No alarm" in (await read_events(response, "alarms"))["alarms"]
            await insert_row(room.database, messages, utc_now(), status="unknown", medium="sms")
            alarms = (await read_events(response, "alarms"))["alarms"]
            assert "Messages whose outcome is unknown: 1." in alarms
            assert "settle each on the page Messages" in alarms
            async with room.database.transaction() as transaction:
                await transaction.execute(delete(messages))
            assert "No alarm" in (await read_events(response, "alarms"))["alarms"]
