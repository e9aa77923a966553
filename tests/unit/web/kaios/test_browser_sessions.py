"""Sign-ins of browsers: their tokens, their end, and what may bring them back."""

from datetime import timedelta

import pytest

from sessions.redis_store import open_session_store
from tests.support.services import CIPHER, ManualClock
from web.kaios.browser_sessions import BrowserSession, BrowserSessions, create_id, was_signed_in

LIFETIME = timedelta(seconds=330)


@pytest.fixture
async def sessions(redis_url, clock):
    async with open_session_store(redis_url, CIPHER) as opened:
        yield BrowserSessions(store=opened.sessions, keyed_hash=CIPHER.keyed_hash, lifetime=LIFETIME, clock=clock)


def build(clock: ManualClock, stage="in") -> BrowserSession:
    return BrowserSession(create_id(), stage, "+8801700000001", "en", clock(), clock())


async def test_a_token_opens_its_sign_in_until_nothing_was_pressed_for_a_while(sessions, clock):
    session = build(clock)
    token = await sessions.open("", session)
    clock.advance(seconds=329)
    assert await sessions.find(token) == session
    assert sessions.left(session) == timedelta(seconds=1)
    clock.advance(seconds=1)
    assert await sessions.find(token) is None


async def test_a_key_press_begins_the_time_again(sessions, clock):
    session = build(clock)
    token = await sessions.open("", session)
    clock.advance(seconds=300)
    await sessions.touch(token, session)
    clock.advance(seconds=300)
    assert await sessions.find(token) is not None


async def test_a_sign_in_that_has_ended_is_not_brought_back_by_a_late_key_press(sessions, clock):
    session = build(clock)
    token = await sessions.open("", session)
    await sessions.end(token)
    await sessions.touch(token, session)
    assert await sessions.find(token) is None


async def test_whoever_signs_in_gets_another_token_and_the_former_opens_nothing(sessions, clock):
    pending = await sessions.open("", build(clock, "code"))
    token = await sessions.open(pending, build(clock))
    assert token != pending
    assert await sessions.find(pending) is None
    assert (was_signed_in(pending), was_signed_in(token)) == (False, True)


async def test_a_code_is_waited_for_as_long_as_it_works(sessions, clock):
    token = await sessions.open("", build(clock, "code"))
    clock.advance(minutes=9)
    assert await sessions.find(token) is not None
    clock.advance(minutes=1)
    assert await sessions.find(token) is None


@pytest.mark.parametrize("token", ["", "x", "in.x", "x" * 5000, "\u0000"])
async def test_no_other_token_opens_anything(sessions, token):
    assert await sessions.find(token) is None
    await sessions.end(token)
