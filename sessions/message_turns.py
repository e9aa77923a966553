"""One message in, one page out, where each message comes alone, without a path of those before it.

A conversation is stored beside the USSD session of the same person. An interrupted USSD session is offered to a person who
writes next, without its sign-in. A conversation is never offered to a call: its sender may have been forged.

A person has one conversation by SMS, and one in each browser in which they signed in.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple, cast

import msgspec
from msgspec.structs import replace

from core.types import CHANNEL_SMS
from menus.engine import advance, finish_transition
from menus.intentions import keep_intention
from menus.journeys.resume import INTERRUPTED_FACT, is_resumable, resume_position
from menus.model import Goodbye, Menu, Navigation, Position, StepContext, Transition, with_facts
from menus.rendering.paging import Page, SizeLimit
from menus.rendering.renderer import Renderer
from services.menu_traffic.models import START, CountMove, ignore_move
from sessions.counted_turns import count_turn
from sessions.session import Reply, Session, build_step_context, decode_session
from sessions.store import SessionStore, StoredSession, StoreUnavailableError

MAX_SAVE_ATTEMPTS: Final = 5  # of one message; nobody writes so fast that each of them loses a race
MESSAGE_POSITION: Final = 1  # the position in the idempotency key: a message is a session of one input


class ConcurrentUpdateError(Exception):
    """Other processes saved first, each of MAX_SAVE_ATTEMPTS times. A retry may help."""


class IncomingMessage(NamedTuple):
    """A message: its id, the E.164 number of its sender, its channel, and the size limit of the reply.

    The id is the same whenever the message is handled again. Every effect of the message has an idempotency key with it.
    `conversation` names the conversation where a number may have several. `follows` is the id of the message whose reply is
    answered, where the sender knows it: where that is not the newest one, nothing is done, and the newest reply is given.
    """

    message_id: str
    caller: str
    channel: str
    size_limit: SizeLimit
    caller_number_verified: bool = False
    conversation: str = ""
    follows: str = ""


class Turn(msgspec.Struct, frozen=True, array_like=True):
    """The state of a conversation after a message: the message's id, the position, and the reply.

    `seen_call` is the session id of the interrupted call that was there then: only another call counts as a later one.
    `is_refusal`: the reply says why the screen could not take the message.
    """

    message_id: str
    position: Position
    reply: Reply
    seen_call: str = ""
    is_refusal: bool = False


class _StoredConversation(NamedTuple):
    """The conversation of a person with its version, and the session that they may resume by dialling."""

    version: int = 0
    turn: Turn | None = None
    call_session: StoredSession | None = None
    is_store_down: bool = False

    @property
    def running_turn(self) -> Turn | None:
        """The last turn; None if the conversation has ended, or if a call was interrupted after it.

        A final text of several pages ends with the last of them.
        """
        if self.turn is None or self.turn.reply.ends:
            return None
        call = self.interrupted_call
        return self.turn if call is None or call.id == self.turn.seen_call else None

    @property
    def interrupted_call(self) -> Session | None:
        """The session of an interrupted call; None where there is none that can be resumed."""
        session = decode_session(self.call_session.data) if self.call_session else None
        is_offered = session and is_resumable(session.position, has_failed=session.has_failed)
        return session if is_offered else None


_Navigate = Callable[[_StoredConversation], Awaitable[Navigation | None]]
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Turn).decode
_FIRST_PAGE: Mapping[str, Any] = {
    "page": 0,
    "has_more": False,
    "is_partial": False,
}  # a page of one channel is no page of another


@dataclass(frozen=True, slots=True)
class _Unlimited:
    """A size limit that every text fits."""

    unicode: bool

    def fits(self, text: str) -> bool:  # noqa: ARG002 - the interface of SizeLimit
        """Always true."""
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationHandler:
    """Handles the messages of all conversations of one channel.

    `conversation_ttl` is how long a conversation waits for the next message, in seconds. `find_size_limit` gives the
    limit of the letters that a number can read, once everything that its message asked for is done. `end_open_call` deletes
    what the database has of the interrupted call of a number that goes on here. `count_move` counts the turns.
    """

    sessions: SessionStore
    menu: Menu
    renderer: Renderer
    today: Callable[[], date]
    conversation_ttl: int
    find_size_limit: Callable[[str], Awaitable[SizeLimit]] | None = None
    end_open_call: Callable[[str], None] = lambda _: None
    count_move: CountMove = ignore_move

    async def enter(
        self,
        message: IncomingMessage,
        screen: str,
        language: str,
        entry_data: Mapping[str, Any] | None = None,
        *,
        extra_ttl: int = 0,
    ) -> Turn:
        """The turn that enters the menus at `screen`. Its steps see `entry_data`, which is not stored.

        Whoever is signed in stays signed in.
        The turn replaces a running conversation, unless it has ended at once: then the running conversation goes on.
        `extra_ttl` are seconds in addition to `conversation_ttl`.

        Raises:
            ConcurrentUpdateError: other processes saved first, each time.
            StoreUnavailableError: the store is down, and the turn must be saved.
        """

        async def navigate(stored: _StoredConversation) -> Navigation:
            facts = stored.turn.position.facts if stored.turn else {}
            persistent = {key: fact for key, fact in facts.items() if key in self.menu.persistent_facts}
            home = Position(self.menu.home, language, facts=persistent)
            return await finish_transition(self.menu, Transition(home, screen, entry_data), self._context(message))

        # Entering a screen always leads to a turn.
        return cast("Turn", await self._run_turn(message, navigate, save_final=False, extra_ttl=extra_ttl))

    async def begin(
        self, message: IncomingMessage, screen: str, language: str, facts: Mapping[str, Any] | None = None
    ) -> Turn:
        """The first turn of a new conversation, whose sender has just shown who they are; `facts` say what that opens.

        It offers to resume an interrupted call, else it is at `screen`.

        Raises:
            ConcurrentUpdateError: other processes saved first, each time.
            StoreUnavailableError: the store is down.
        """

        async def navigate(stored: _StoredConversation) -> Navigation:
            call, position = stored.interrupted_call, Position(screen, language)
            if call:
                place = replace(call.position, **_FIRST_PAGE)
                position = resume_position(place, call.id, has_failed=call.has_failed)
            return Navigation(with_facts(position, **(facts or {})))

        return cast("Turn", await self._run_turn(message, navigate))

    async def handle_input(self, message: IncomingMessage, text: str) -> Turn | None:
        """The turn after the input `text` in the running conversation; None where no conversation runs.

        Raises:
            ConcurrentUpdateError: other processes saved first, each time.
            StoreUnavailableError: the store is down.
        """

        async def navigate(stored: _StoredConversation) -> Navigation | None:
            if stored.running_turn is None:
                return None
            return await advance(self.menu, stored.running_turn.position, text, self._context(message))

        return await self._run_turn(message, navigate)

    async def offer_resume(self, message: IncomingMessage) -> Turn | None:
        """The turn that offers to resume an interrupted call; None where no call was interrupted.

        Raises:
            ConcurrentUpdateError: other processes saved first, each time.
            StoreUnavailableError: the store is down.
        """

        async def navigate(stored: _StoredConversation) -> Navigation | None:
            call = stored.interrupted_call
            if call is None or (stored.turn and stored.turn.seen_call == call.id):
                return None
            place = replace(call.position, **_FIRST_PAGE)
            return Navigation(resume_position(place, call.id, has_failed=call.has_failed))

        return await self._run_turn(message, navigate)

    async def find_turn(self, message: IncomingMessage) -> Turn | None:
        """The last turn of the conversation, which may have ended; None where there is none.

        Raises:
            StoreUnavailableError: the store is down.
        """
        stored = await self._load(message)
        if stored.is_store_down:
            raise StoreUnavailableError
        return stored.turn

    async def find_running_turn(self, message: IncomingMessage) -> Turn | None:
        """The last turn of the running conversation; None where none runs, or where the store is down."""
        return (await self._load(message)).running_turn

    async def end(self, message: IncomingMessage) -> None:
        """Delete the conversation. An interrupted call keeps its offer.

        Raises:
            StoreUnavailableError: the store is down.
        """
        await self.sessions.forget(_build_store_key(message))

    async def _run_turn(
        self, message: IncomingMessage, navigate: _Navigate, *, save_final: bool = True, extra_ttl: int = 0
    ) -> Turn | None:
        """Save, then reply. On a version conflict, load and navigate again. A repeated message gets the stored reply.

        Without `save_final`, a turn that ends at once is not saved and needs no store.

        Raises:
            ConcurrentUpdateError: other processes saved first, each time.
            StoreUnavailableError: the store is down, and the turn must be saved.
        """
        key, ttl = _build_store_key(message), self.conversation_ttl + extra_ttl
        for _ in range(MAX_SAVE_ATTEMPTS):
            stored = await self._load(message)
            if stored.turn and _is_answered(message, stored.turn):
                return stored.turn
            navigation = await navigate(stored)
            turn = self._build_turn(await self._with_letters(message), stored, navigation) if navigation else None
            if turn and turn.reply.ends and not save_final:
                self._count(message, turn, None)
                return turn
            if stored.is_store_down:
                raise StoreUnavailableError
            if turn is None:
                return None
            if await self.sessions.save(key, _encode(turn), expected_version=stored.version, ttl=ttl):
                if stored.turn and _continues_call(message, stored.turn.position, turn.position):
                    await self._forget_call(message)
                self._count(message, turn, stored.running_turn)
                return turn
        raise ConcurrentUpdateError

    def _count(self, message: IncomingMessage, turn: Turn, before: Turn | None) -> None:
        source = before.position.screen if before else START
        is_refused = turn.is_refusal and source == turn.position.screen
        count_turn(
            self.count_move,
            turn.position,
            source,
            channel=message.channel,
            is_refused=is_refused,
            ends=turn.reply.ends,
        )

    async def _with_letters(self, message: IncomingMessage) -> IncomingMessage:
        """The message with a size limit of the letters that its sender can read."""
        if self.find_size_limit is None:
            return message
        return message._replace(size_limit=await self.find_size_limit(message.caller))

    async def _forget_call(self, message: IncomingMessage) -> None:
        """Delete the interrupted call, so that the next call is not offered what goes on here."""
        with suppress(StoreUnavailableError):
            await self.sessions.forget(message.caller)
        self.end_open_call(message.caller)

    async def _load(self, message: IncomingMessage) -> _StoredConversation:
        try:
            loads = (self.sessions.load(_build_store_key(message)), self.sessions.load(message.caller))
            stored, call_session = await asyncio.gather(*loads)  # one trip to the store
        except StoreUnavailableError:
            return _StoredConversation(is_store_down=True)
        if stored is None:
            return _StoredConversation(call_session=call_session)
        if message.conversation:  # it goes on whatever the number has dialled since
            call_session = None
        try:
            return _StoredConversation(stored.version, _decode(stored.data), call_session)
        except msgspec.MsgspecError:  # a different version of the program wrote it
            return _StoredConversation(stored.version, None, call_session)

    def _context(self, message: IncomingMessage) -> StepContext:
        return build_step_context(message, message.message_id, MESSAGE_POSITION, self.today())

    def _build_turn(self, message: IncomingMessage, stored: _StoredConversation, navigation: Navigation) -> Turn:
        page = self._render_page(message, navigation)
        kept = keep_intention(navigation.position, message.message_id)
        position = replace(kept, has_more=page.has_more, is_partial=page.is_partial)
        call = stored.interrupted_call
        reply, is_refusal = Reply(page.text, page.ends_session), navigation.invalid is not None
        return Turn(message.message_id, position, reply, call.id if call else "", is_refusal)

    def _render_page(self, message: IncomingMessage, navigation: Navigation) -> Page:
        """The page in the size limit. A final text is not cut where it fits several SMS: nobody asks for its second page."""
        page = self.renderer.render_page(navigation, message.size_limit)
        is_final = page.has_more and isinstance(self.menu.visible_screen(navigation.position), Goodbye)
        if is_final and message.channel == CHANNEL_SMS:
            return self.renderer.render_page(navigation, _Unlimited(message.size_limit.unicode))
        return page


def _is_answered(message: IncomingMessage, newest: Turn) -> bool:
    """Whether the message was handled before, or answers a reply that is not the newest one."""
    return newest.message_id == message.message_id or message.follows not in {"", newest.message_id}


def _continues_call(message: IncomingMessage, before: Position, after: Position) -> bool:
    """Whether the message took up the interrupted call, by someone who has shown to be its caller."""
    is_caller = message.caller_number_verified or bool(after.facts.get("account"))
    return INTERRUPTED_FACT in before.facts and INTERRUPTED_FACT not in after.facts and is_caller


def _build_store_key(message: IncomingMessage) -> str:
    """The caller under which the conversation is stored: not a number, so it differs from the key of every call."""
    return f"{message.channel} {message.conversation or message.caller}"


async def forget_caller(sessions: SessionStore, msisdn: str) -> None:
    """Delete the call and the conversation of a number; while the store is down, they expire by themselves."""
    for caller in (msisdn, f"{CHANNEL_SMS} {msisdn}"):
        with suppress(StoreUnavailableError):
            await sessions.forget(caller)
