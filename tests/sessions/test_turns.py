"""Conversations whose messages come one at a time, on either store: heard once, raced for, left off and taken up."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from assembly.conversation import Conversation
from assembly.lifecycle import checked
from configured import read
from menus.by_sms import for_sms
from menus.layout import Layout
from menus.model import Place
from sealing import Seal
from sessions import turns
from sessions.redis import open_sessions
from sessions.session import Answer, Session, packed, unpacked
from sessions.store import StoreDown
from sessions.turns import Message, Table
from sms.room import Segments

NUMBER = "+8801700000001"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def proven() -> Conversation:
    return asyncio.run(checked(read(ROOT / "config.toml", {})))


@pytest.fixture
def over(proven) -> Callable[[Any], Table]:
    """A table over these sessions."""
    menu = proven.menu.on("sms")
    layout = Layout(menu, for_sms(proven.words, menu))
    return lambda sessions: Table(sessions, menu, layout, lambda: date(2026, 11, 21), ttl=1800, resume_window=600)


@pytest.fixture
async def opened(redis_url: str) -> AsyncIterator:
    async with open_sessions(redis_url, Seal(bytes(32))) as opened:
        yield opened


@pytest.fixture
def table(opened, over) -> Table:
    return over(opened.sessions)


def message(session: str = "sms/1") -> Message:
    return Message(session, NUMBER, "sms", Segments())


async def test_a_conversation_goes_on_from_message_to_message(table):
    opening = await turns.enter(table, message("sms/1"), "main", "en")
    assert opening.answer.text.startswith("Ekdial\n1 Find a service")
    second = await turns.answer(table, message("sms/2"), "1")
    assert second.answer.text.startswith("Find a service\nOr type its name (PAN: 726)\n1 Identity")
    third = await turns.answer(table, message("sms/3"), "0")
    assert third.answer == opening.answer


async def test_without_one_nothing_is_answered(table):
    assert await turns.answer(table, message(), "1") is None
    assert await turns.take_up(table, message()) is None
    assert await turns.standing(table, message()) is None


async def test_a_message_heard_again_is_answered_as_it_was(table):
    await turns.enter(table, message("sms/1"), "main", "en")
    heard = await turns.answer(table, message("sms/2"), "1")
    assert await turns.answer(table, message("sms/2"), "1") == heard
    assert (await turns.answer(table, message("sms/3"), "1")).answer.text.startswith("Identity and travel")


async def test_two_messages_at_once_are_heard_one_after_the_other(table, over):
    await turns.enter(table, message("sms/1"), "main", "en")
    both = await asyncio.gather(
        turns.answer(table, message("sms/2"), "1"), turns.answer(over(table.sessions), message("sms/3"), "1")
    )
    assert sorted(turn.answer.text.split("\n")[0] for turn in both) == ["Find a service", "Identity and travel"]


class Lost:
    """A store in which somebody else is always faster."""

    def __init__(self, sessions):
        self._sessions = sessions
        self.saves = 0

    async def load(self, caller):
        return await self._sessions.load(caller)

    async def save(self, caller, data, *, read, ttl):
        self.saves += 1
        return False


async def test_races_without_end_are_given_up(table, over):
    lost = Lost(table.sessions)
    with pytest.raises(turns.Contended):
        await turns.enter(over(lost), message(), "main", "en")
    assert lost.saves == turns.MOST_RACES


async def test_what_is_answered_at_once_leaves_a_conversation_as_it_was(table):
    await turns.enter(table, message("sms/1"), "main", "en")
    question = await turns.answer(table, message("sms/2"), "2")
    gone = await turns.enter(table, message("sms/3"), "nothing_found", "en")
    assert gone.place.over
    assert await turns.standing(table, message()) == question


async def test_a_conversation_has_its_own_time_to_live_and_its_own_name(opened, table):
    await turns.enter(table, message("sms/1"), "main", "en")
    await turns.answer(table, message("sms/2"), "2")
    lives = sorted([await opened.client.ttl(key) async for key in opened.client.scan_iter()])
    assert len(lives) == 2
    assert 590 < lives[0] <= 600, "where a dialled call would go on"
    assert 1790 < lives[1] <= 1800, "the conversation"


async def test_where_it_was_left_off_is_where_a_call_would_go_on(table):
    await turns.enter(table, message("sms/1"), "main", "en")
    await turns.answer(table, message("sms/2"), "2")
    left = unpacked((await table.sessions.load(NUMBER)).data)
    assert (left.place.screen, left.began) == ("ask_number", turns.TEXTED)
    await turns.end(table, message("sms/3"))
    assert await table.sessions.load(NUMBER) is None
    assert await turns.standing(table, message()) is None


def cut_off_at(screen: str, **facts) -> bytes:
    place = Place(screen, "en", page=2, more=True, trail=(("main", 0),), facts=facts)
    return packed(Session("ATUid_1", "main", 3, place, Answer("…")))


async def test_a_call_that_was_cut_off_is_offered_until_it_is_taken_up(table):
    await table.sessions.save(NUMBER, cut_off_at("ask_number"), read=0, ttl=600)
    offer = await turns.take_up(table, message("sms/1"))
    assert offer.answer.text == "Last time you had not finished\n1 Go on\n2 Start again"
    assert unpacked((await table.sessions.load(NUMBER)).data).id == "ATUid_1", "who dials now is offered it as well"
    gone_on = await turns.answer(table, message("sms/2"), "1")
    assert gone_on.answer.text.startswith("Type the 12-digit tracking number"), "no page of it has been turned here"
    assert unpacked((await table.sessions.load(NUMBER)).data).id == "sms/2", "and now it is the conversation's"
    assert await turns.take_up(table, message("sms/3")) is None


async def test_a_call_that_was_cut_off_later_comes_before_the_conversation(table):
    await turns.enter(table, message("sms/1"), "main", "en")
    kept = await table.sessions.load(NUMBER)
    await table.sessions.save(NUMBER, cut_off_at("ask_number"), read=kept.version, ttl=600)
    assert await turns.answer(table, message("sms/2"), "1") is None
    assert (await turns.take_up(table, message("sms/2"))).place.screen == "resume"


async def test_ending_a_conversation_leaves_a_call_alone(table):
    await table.sessions.save(NUMBER, cut_off_at("ask_number"), read=0, ttl=600)
    await turns.end(table, message())
    assert await table.sessions.load(NUMBER) is not None


async def test_what_an_older_program_left_is_begun_anew(table):
    await table.sessions.save(f"sms {NUMBER}", b"something else", read=0, ttl=600)
    assert await turns.standing(table, message()) is None
    assert (await turns.enter(table, message(), "main", "en")).place.screen == "main"


async def test_without_a_store_only_what_needs_none_is_answered(over):
    async with open_sessions("redis://127.0.0.1:1", Seal(bytes(32)), deadline=0.2) as opened:
        table = over(opened.sessions)
        assert (await turns.enter(table, message(), "nothing_found", "en")).place.over
        assert await turns.standing(table, message()) is None
        for asked in (
            turns.enter(table, message(), "main", "en"),
            turns.answer(table, message(), "1"),
            turns.take_up(table, message()),
            turns.end(table, message()),
        ):
            with pytest.raises(StoreDown):
                await asked
