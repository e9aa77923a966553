"""One message in, one page out: a conversation whose every message comes alone, with no path before it.

It is remembered beside the calls of the same person, under a name of its own. Where it is left off is also put where a
call that was cut off would be, so that whoever dials next is offered to go on there; and a call that was cut off is
offered to whoever writes next.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple, cast

import msgspec
from msgspec.structs import replace as moved

from menus.engine import Leaving, Reached, advance, arrive
from menus.journeys.resume import OFFERS, offer, worth_resuming
from menus.layout import Layout
from menus.model import Goodbye, Menu, Place, Visit
from screens.pages import Page, Room
from sessions.session import Answer, Session, packed, unpacked
from sessions.store import Kept, Sessions, StoreDown

MOST_RACES: Final = 5  # lost in a row by one message: nobody writes so fast
STEP: Final = 1  # what an effect ends with, where a call's has the length of its path
TEXTED: Final = "texted"  # how what is put where a call would be began


class Contended(Exception):
    """Others saved for the same person each time that this message was to be; trying again may help."""


class Message(NamedTuple):
    """What somebody wrote, from which number and on which channel, and the room that a page of the answer has.

    `session` names the message, the same whenever it is worked on; whatever is recorded because of it is keyed by it.
    """

    session: str
    caller: str
    channel: str
    room: Room
    vouched: bool = False


class Turn(msgspec.Struct, frozen=True, array_like=True):
    """Where a conversation stands: the message that was heard last, the place, and what was answered."""

    session: str
    place: Place
    answer: Answer


@dataclass(frozen=True, slots=True)
class Table:
    """Everything a turn needs, put together once. `ttl` and `resume_window` are whole seconds."""

    sessions: Sessions
    menu: Menu
    layout: Layout
    today: Callable[[], date]
    ttl: int
    resume_window: int


class _Before(NamedTuple):
    """What the store has of a person: the conversation with its version, and what they may go on from by dialling."""

    version: int = 0
    turn: Turn | None = None
    call: Kept | None = None
    down: bool = False

    @property
    def running(self) -> Turn | None:
        """The conversation, unless it is over or a call was cut off since."""
        if self.turn is None or self.turn.place.over:
            return None
        return self.turn if self.turn.place.screen in OFFERS or self.cut_off is None else None

    @property
    def left_off(self) -> bool:
        """Whether what they may go on from by dialling is this conversation."""
        session = unpacked(self.call.data) if self.call else None
        return session is not None and session.began == TEXTED

    @property
    def cut_off(self) -> Place | None:
        """The place of a call that was cut off, if there is anything to go back to."""
        session = unpacked(self.call.data) if self.call else None
        if session is None or session.began == TEXTED or not worth_resuming(session.place):
            return None
        return session.place


_Reach = Callable[[_Before], Awaitable[Reached | None]]
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Turn).decode
_OTHER_ROOM: Mapping[str, Any] = {"page": 0, "more": False}  # where pages are of another size, none has been turned


class _Endless:
    """Room for everything."""

    unicode = True

    def holds(self, text: str) -> bool:  # noqa: ARG002 - whatever it is
        """It does."""
        return True


ENDLESS: Final = _Endless()


async def enter(
    table: Table, message: Message, screen: str, language: str, said: Mapping[str, Any] | None = None
) -> Turn:
    """The turn that enters the menus at `screen`, whose steps are told what was `said`; that is remembered nowhere.

    A running conversation makes way for this one, unless what was asked is answered at once and for good: then it goes on.
    """

    async def reach(before: _Before) -> Reached:
        behind = before.turn.place.facts if before.turn else {}
        known = {key: fact for key, fact in behind.items() if key in table.menu.keeps}
        home = Place(table.menu.home, language, facts=known)
        return await arrive(table.menu, Leaving(home, screen, said), _visit(table, message))

    return cast("Turn", await _turned(table, message, reach, lasting=False))  # it always leads somewhere


async def answer(table: Table, message: Message, typed: str) -> Turn | None:
    """The turn that `typed` makes in the running conversation; None where there is none."""

    async def reach(before: _Before) -> Reached | None:
        if before.running is None:
            return None
        return await advance(table.menu, before.running.place, typed, _visit(table, message))

    return await _turned(table, message, reach)


async def take_up(table: Table, message: Message) -> Turn | None:
    """The turn that offers to go on where a call was cut off; None where none was."""

    async def reach(before: _Before) -> Reached | None:
        left = before.cut_off
        return None if left is None else Reached(offer(moved(left, **_OTHER_ROOM)))

    return await _turned(table, message, reach)


async def standing(table: Table, message: Message) -> Turn | None:
    """The running conversation as its last turn left it; None where the store cannot say."""
    return (await _before(table, message)).running


async def end(table: Table, message: Message) -> None:
    """Remember neither the conversation nor where it was left off; a call is left alone."""
    before = await _before(table, message)
    if before.down:
        raise StoreDown
    await table.sessions.forget(_beside(message))
    if before.left_off:
        await table.sessions.forget(message.caller)


async def _turned(table: Table, message: Message, reach: _Reach, *, lasting: bool = True) -> Turn | None:
    """Saved before it is answered. Who loses a race for the save looks again; a message that was heard is answered as it was.

    With `lasting` false an answer that leaves nothing to go on with is not remembered, and wants no store.
    """
    for _ in range(MOST_RACES):
        before = await _before(table, message)
        if before.turn and before.turn.session == message.session:
            return before.turn
        reached = await reach(before)
        turn = _seen(table, message, reached) if reached else None
        if turn and turn.place.over and not lasting:
            return turn
        if before.down:
            raise StoreDown
        if turn is None:
            return None
        if await table.sessions.save(_beside(message), _encode(turn), read=before.version, ttl=table.ttl):
            await _leave_off(table, message, turn, before.call)
            return turn
    raise Contended


async def _before(table: Table, message: Message) -> _Before:
    try:
        asked = (table.sessions.load(_beside(message)), table.sessions.load(message.caller))
        kept, call = await asyncio.gather(*asked)  # in one trip
    except StoreDown:
        return _Before(down=True)
    if kept is None:
        return _Before(call=call)
    try:
        return _Before(kept.version, _decode(kept.data), call)
    except msgspec.MsgspecError:  # an older program packed something else
        return _Before(kept.version, None, call)


def _beside(message: Message) -> str:
    """What the store calls the conversation: no number, so that no call has the same name."""
    return f"{message.channel} {message.caller}"


def _visit(table: Table, message: Message) -> Visit:
    return Visit(
        caller=message.caller,
        channel=message.channel,
        session=message.session,
        language="",
        effect=f"{message.session}:{STEP}",
        facts={},
        vouched=message.vouched,
        today=table.today(),
    )


def _seen(table: Table, message: Message, reached: Reached) -> Turn:
    page = _page(table, message, reached)
    return Turn(message.session, moved(reached.place, more=page.more), Answer(page.text, page.ends))


def _page(table: Table, message: Message, reached: Reached) -> Page:
    """What is said last is said whole: after it nobody can ask for more."""
    page = table.layout.page(reached, message.room)
    if page.more and isinstance(table.menu.shown(reached.place), Goodbye):
        return table.layout.page(reached, ENDLESS)
    return page


async def _leave_off(table: Table, message: Message, turn: Turn, call: Kept | None) -> None:
    """Put this place where whoever dials next is offered to go on; not so the offer itself, which is about a call.

    Where a call goes on at this very moment, or the store fails, the offer is what is lost.
    """
    if turn.place.screen in OFFERS:
        return
    left = Session(message.session, TEXTED, 0, moved(turn.place, **_OTHER_ROOM), turn.answer)
    with suppress(StoreDown):
        read = call.version if call else 0
        await table.sessions.save(message.caller, packed(left), read=read, ttl=table.resume_window)
