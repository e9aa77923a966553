"""Conversations of single messages: repeated messages, races for a save, interruption and resumption."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.bootstrap import build_checked_menu
from app.menu import CheckedMenu
from app.settings import load_settings
from core.crypto import Cipher
from menus.model import Position
from menus.rendering.renderer import Renderer
from menus.rendering.sms_texts import build_sms_locales
from sessions import message_turns
from sessions.message_turns import ConversationHandler, IncomingMessage
from sessions.redis_store import open_session_store
from sessions.session import Reply, Session, decode_session, encode_session
from sessions.store import StoreUnavailableError
from sms.conversation_size import SegmentLimit

NUMBER = "+8801700000001"
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def checked_menu() -> CheckedMenu:
    return asyncio.run(build_checked_menu(load_settings(ROOT / "config.toml", {})))


@pytest.fixture
def build_handler(checked_menu) -> Callable[[Any], ConversationHandler]:
    """A handler over the given session store."""
    menu = checked_menu.menu.for_channel("sms")
    renderer = Renderer(menu, build_sms_locales(checked_menu.locales, menu))
    return lambda sessions: ConversationHandler(
        sessions=sessions,
        menu=menu,
        renderer=renderer,
        today=lambda: date(2026, 11, 21),
        conversation_ttl=1800,
    )


@pytest.fixture
async def open_store(redis_url: str) -> AsyncIterator:
    async with open_session_store(redis_url, Cipher(bytes(32))) as opened:
        yield opened


@pytest.fixture
def handler(open_store, build_handler) -> ConversationHandler:
    return build_handler(open_store.sessions)


def message(session: str = "sms/1") -> IncomingMessage:
    return IncomingMessage(session, NUMBER, "sms", SegmentLimit())


async def test_a_conversation_continues_with_each_message(handler):
    opening = await handler.enter(message("sms/1"), "main", "en")
    assert opening.reply.text.startswith("Ekdial\n1 Find a service")
    second = await handler.handle_input(message("sms/2"), "1")
    assert second.reply.text.startswith("Find a service\nOr type its name (on keys: PAN is 726)\n1 Identity")
    third = await handler.handle_input(message("sms/3"), "0")
    assert third.reply == opening.reply


async def test_an_input_without_a_running_conversation_gets_no_turn(handler):
    assert await handler.handle_input(message(), "1") is None
    assert await handler.offer_resume(message()) is None
    assert await handler.find_running_turn(message()) is None


async def test_a_repeated_message_gets_the_stored_reply(handler):
    await handler.enter(message("sms/1"), "main", "en")
    first_reply = await handler.handle_input(message("sms/2"), "1")
    assert await handler.handle_input(message("sms/2"), "1") == first_reply
    assert (await handler.handle_input(message("sms/3"), "1")).reply.text.startswith("Identity and travel")


async def test_concurrent_messages_are_handled_one_after_the_other(handler, build_handler):
    await handler.enter(message("sms/1"), "main", "en")
    both = await asyncio.gather(
        handler.handle_input(message("sms/2"), "1"),
        build_handler(handler.sessions).handle_input(message("sms/3"), "1"),
    )
    assert sorted(turn.reply.text.split("\n")[0] for turn in both) == ["Find a service", "Identity and travel"]


class AlwaysConflictingStore:
    """A store in which another process always saves first."""

    def __init__(self, sessions):
        self._sessions = sessions
        self.saves = 0

    async def load(self, caller):
        return await self._sessions.load(caller)

    async def save(self, caller, data, *, expected_version, ttl):
        self.saves += 1
        return False


async def test_a_message_that_loses_every_race_raises_an_error(handler, build_handler):
    store = AlwaysConflictingStore(handler.sessions)
    with pytest.raises(message_turns.ConcurrentUpdateError):
        await build_handler(store).enter(message(), "main", "en")
    assert store.saves == message_turns.MAX_SAVE_ATTEMPTS


async def test_a_turn_that_ends_at_once_leaves_the_conversation_unchanged(handler):
    await handler.enter(message("sms/1"), "main", "en")
    question = await handler.handle_input(message("sms/2"), "2")
    final = await handler.enter(message("sms/3"), "nothing_found", "en")
    assert final.position.ended
    assert await handler.find_running_turn(message()) == question


async def test_a_conversation_has_its_own_time_to_live_and_key(open_store, handler):
    await handler.enter(message("sms/1"), "main", "en")
    await handler.handle_input(message("sms/2"), "2")
    ttls = [await open_store.client.ttl(key) async for key in open_store.client.scan_iter()]
    assert len(ttls) == 1, "a conversation is not stored as a call"
    assert 1790 < ttls[0] <= 1800


async def test_a_conversation_is_never_offered_to_a_call(handler):
    await handler.enter(message("sms/1"), "main", "en")
    await handler.handle_input(message("sms/2"), "2")
    assert await handler.sessions.load(NUMBER) is None
    await handler.end(message("sms/3"))
    assert await handler.find_running_turn(message()) is None


def interrupt_at(screen: str, **facts) -> bytes:
    place = Position(screen, "en", page=2, has_more=True, history=(("main", 0),), facts=facts)
    return encode_session(Session("ATUid_1", "main", 3, place, Reply("…")))


async def test_an_interrupted_call_is_offered_until_it_is_resumed(handler):
    await handler.sessions.save(NUMBER, interrupt_at("ask_number"), expected_version=0, ttl=600)
    offer = await handler.offer_resume(message("sms/1"))
    assert offer.reply.text == "You did not finish last time\n1 Go on\n2 Start again"
    assert decode_session((await handler.sessions.load(NUMBER)).data).id == "ATUid_1", (
        "a caller who dials now is offered the call as well"
    )
    resumed = await handler.handle_input(message("sms/2"), "1")
    assert resumed.reply.text.startswith("Type the 12-digit tracking number"), "the SMS starts at the first page"
    assert decode_session((await handler.sessions.load(NUMBER)).data).id == "ATUid_1", (
        "a call is offered to the next call"
    )
    assert await handler.offer_resume(message("sms/3")) is None, "a call is offered by SMS once"


async def test_a_resumed_call_is_signed_out(handler):
    signed_in = interrupt_at("own_data", account=7, epoch=1)
    await handler.sessions.save(NUMBER, signed_in, expected_version=0, ttl=600)
    offer = await handler.offer_resume(message("sms/1"))
    assert not {"account", "epoch"} & (
        offer.position.facts.keys() | msgspec.convert(offer.position.facts["interrupted"], Position).facts.keys()
    )


async def test_messages_keep_what_the_sender_was_about_to_do_and_take_it_up_from_a_call(handler):
    assert (await handler.enter(message("sms/1"), "ask_number", "en")).position.intention == "sms/1:0+"
    assert (await handler.handle_input(message("sms/2"), "no number")).position.intention == "sms/1:0+"
    await handler.sessions.save(NUMBER, interrupt_at("ask_number"), expected_version=0, ttl=600)
    await handler.offer_resume(message("sms/3"))
    assert (await handler.handle_input(message("sms/4"), "1")).position.intention == "ATUid_1:0+"


async def test_a_call_interrupted_later_replaces_the_conversation(handler):
    await handler.enter(message("sms/1"), "main", "en")
    await handler.sessions.save(NUMBER, interrupt_at("ask_number"), expected_version=0, ttl=600)
    assert await handler.handle_input(message("sms/2"), "1") is None
    assert (await handler.offer_resume(message("sms/2"))).position.screen == "resume"


async def test_ending_a_conversation_keeps_an_interrupted_call(handler):
    await handler.sessions.save(NUMBER, interrupt_at("ask_number"), expected_version=0, ttl=600)
    await handler.end(message())
    assert await handler.sessions.load(NUMBER) is not None


async def test_a_conversation_of_another_program_version_starts_again(handler):
    await handler.sessions.save(f"sms {NUMBER}", b"something else", expected_version=0, ttl=600)
    assert await handler.find_running_turn(message()) is None
    assert (await handler.enter(message(), "main", "en")).position.screen == "main"


async def test_without_a_store_only_final_turns_get_a_reply(build_handler):
    async with open_session_store("redis://127.0.0.1:1", Cipher(bytes(32)), deadline=0.2) as opened:
        handler = build_handler(opened.sessions)
        assert (await handler.enter(message(), "nothing_found", "en")).position.ended
        assert await handler.find_running_turn(message()) is None
        for request in (
            handler.enter(message(), "main", "en"),
            handler.handle_input(message(), "1"),
            handler.offer_resume(message()),
            handler.end(message()),
        ):
            with pytest.raises(StoreUnavailableError):
                await request
