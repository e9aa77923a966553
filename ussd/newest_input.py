"""USSD sessions of providers that send the newest input only.

A session is stored as that of a provider that sends the path, so a dropped call is offered to the next one, whichever network
that comes from. Nothing can be replayed where it is lost: the database has it too (`services.citizens.open_calls`), and a call
that the store has lost goes on with its last question. What was typed there is not processed, since nobody can know on which
screen it was typed.

A place where a drop loses nothing is not written to the database: such a call goes on with its first screen.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from msgspec.structs import replace

from core.claim_worker import TaskSet
from core.deadline import NotRecordedError
from core.validation import Invalid
from db.circuit_breaker import DatabaseUnavailableError
from menus.engine import advance
from menus.intentions import keep_intention
from menus.journeys.resume import NOT_RESUMABLE_SCREENS, resume_position
from menus.model import Menu, Navigation, Position
from menus.reading_screens import find_reading_screens
from menus.rendering.renderer import Renderer
from services.citizens.models import LanguageChoice
from services.citizens.open_calls import OpenCalls
from services.menu_traffic.models import START, CountMove, ignore_move
from sessions.counted_turns import NextSession, count_turn
from sessions.failures import explain_failure, may_be_repeated
from sessions.message_turns import MESSAGE_POSITION, IncomingMessage
from sessions.path_turns import MAX_SAVE_ATTEMPTS, UssdReply
from sessions.session import (
    LANGUAGE_SCREEN,
    MAIN_MENU,
    PAST_SHORT_CODE,
    RESUME_OFFER,
    SEPARATOR,
    Reply,
    Session,
    build_step_context,
    decode_session,
    encode_session,
    parse_hop_metadata,
)
from sessions.session_starts import StoredState, find_chosen_language
from sessions.shared_deadline import SharedDeadline
from sessions.store import SessionStore, StoreUnavailableError
from ussd.provider import CHANNEL, UssdInput

MAX_LOST: Final = 16
"""By how many a lost session goes on with its count: what the lost inputs did has keys with their numbers."""
MAX_NEWEST: Final = 20_000
"""Sessions of one process of which it remembers how many inputs they have."""


class NewestCounts:
    """How many inputs the sessions have that this process answered: a store that has fewer has lost the newest screens."""

    def __init__(self, limit: int = MAX_NEWEST) -> None:
        self._limit = limit
        self._counts: OrderedDict[str, int] = OrderedDict()

    def record(self, session: Session) -> None:
        """Remember the inputs of a session, and forget the oldest session above the limit."""
        self._counts[session.id] = session.consumed
        self._counts.move_to_end(session.id)
        if len(self._counts) > self._limit:
            self._counts.popitem(last=False)

    def is_behind(self, session: Session) -> bool:
        """Whether this process answered more inputs of the session."""
        return session.consumed < self._counts.get(session.id, 0)


class _StepFailedError(Exception):
    """A step raised an error. `language` is the language of the caller at that point."""

    def __init__(self, language: str) -> None:
        self.language = language


@dataclass(frozen=True, slots=True, kw_only=True)
class NewestInputHandler:
    """Answers the inputs of a USSD session one by one, within `deadline`.

    `open_calls` has the sessions that the store may lose. The other fields are those of `UssdSessionHandler`.
    """

    sessions: SessionStore
    open_calls: OpenCalls
    menu: Menu
    renderer: Renderer
    find_language: Callable[[str], Awaitable[LanguageChoice | None]]
    is_supported_number: Callable[[str], bool]
    default_language_of: Callable[[str], str]
    today: Callable[[], date]
    deadline: SharedDeadline
    count_move: CountMove = ignore_move
    ended_reply_ttl: int = 300
    session_ttl: int = 600
    newest: NewestCounts = field(default_factory=NewestCounts)
    background: TaskSet = field(default_factory=TaskSet)

    async def handle(self, request: UssdInput) -> UssdReply:
        """The reply to one input; a failure of ours is a reply that says so and ends the session."""
        if not self.is_supported_number(request.caller):
            return self._build_final_reply(request, "abroad", "refused")
        state, computed = StoredState(), None
        try:
            with self.deadline:
                state = await self._load_state(request)
                request = _with_message_id(request, state)  # once: an equal request that wins the race has the same id
                for _ in range(MAX_SAVE_ATTEMPTS):  # whoever loses a race looks again, at what the winner saved
                    computed = await self._process(request, state)
                    if isinstance(computed, UssdReply):
                        return computed
                    if await self._save(request, state, computed.session):
                        self._count(request, computed)
                        return _build_reply(computed.session)
                    state = await self._load_state(request)
        except Exception as error:  # noqa: BLE001 - after any failure the caller still waits for a screen
            if (
                isinstance(error, StoreUnavailableError)
                and isinstance(computed, NextSession)
                and computed.session.reply.ends
            ):
                self._count(request, computed)
                return _build_reply(computed.session)  # what was done is told; nothing follows it
            return await self._explain_failure(error, request, state)
        return self._build_final_reply(request, "unheard", "refused")

    def _count(self, request: UssdInput, answer: NextSession) -> None:
        session = answer.session
        count_turn(
            self.count_move,
            session.position,
            answer.source,
            channel=CHANNEL,
            network=request.network,
            is_refused=answer.is_refused,
            ends=session.reply.ends,
        )

    async def finish_writes(self) -> None:
        """Return when the database has the sessions that were answered until now."""
        await self.open_calls.finish_writes()

    async def _explain_failure(self, error: Exception, request: UssdInput, state: StoredState) -> UssdReply:
        language = state.session.position.language if state.session else await self._find_spoken(request, error)
        cause: BaseException = error
        if isinstance(error, _StepFailedError):
            cause, language = error.__cause__ or error, error.language
        failure = explain_failure(cause, CHANNEL)
        if failure.text_key == "sorry" and state.session and state.session.id == request.session_id:
            self.background.start(self._mark_failed(request, state.session, state.version))
        return self._build_final_reply(request, failure.text_key, failure.handled_as, language)

    async def _find_spoken(self, request: UssdInput, error: Exception) -> str:
        """The language that the caller chose, where the store alone is down; else empty."""
        if not isinstance(error, StoreUnavailableError):
            return ""
        with suppress(NotRecordedError):
            chosen = await self.find_language(request.caller)
            return chosen.language if chosen else ""
        return ""

    async def _mark_failed(self, request: UssdInput, session: Session, version: int) -> None:
        """Store that the call ended because of us, so that the next one says so; not where the store is down too."""
        data = encode_session(replace(session, has_failed=True))
        with suppress(StoreUnavailableError):
            await self.sessions.save(request.caller, data, expected_version=version, ttl=self.session_ttl)

    async def _load_state(self, request: UssdInput) -> StoredState:
        """The session in the store; that of the database where the store has lost it.

        Raises:
            StoreUnavailableError: the store is down.
        """
        stored = None if request.starts_session else await self.sessions.load(request.caller)
        session = decode_session(stored.data) if stored else None
        if stored and session and session.id == request.session_id and not self._is_behind(request, session):
            return StoredState(session, stored.version, "ours")
        begun = await self.sessions.begin(request.caller, request.session_id, ttl=self.session_ttl)
        version = begun.stored.version if begun.stored else 0
        session = decode_session(begun.stored.data) if begun.stored else None
        if session is None or not request.starts_session:
            session = await self._find_newest(request, session)
        return StoredState(session, version, begun.claim)

    def _is_behind(self, request: UssdInput, session: Session) -> bool:
        """Whether the caller has seen a newer screen of the session, as this process or the echoed metadata knows."""
        return self.newest.is_behind(session) or _count_seen(request) > session.consumed

    async def _find_newest(self, request: UssdInput, stored: Session | None) -> Session | None:
        """The session of a caller of whom the store has none, another one, or an older state of this one."""
        kept = await self._find_open_call(request)
        if kept and (stored is None or kept.id == request.session_id):
            return kept
        is_older = stored is not None and stored.id == request.session_id
        return replace(stored, is_lost=True) if stored and is_older else stored

    async def _find_open_call(self, request: UssdInput) -> Session | None:
        """What the database has of the caller's call, its last question again; None where it has nothing."""
        try:
            data = await self.open_calls.find(request.caller)
        except DatabaseUnavailableError:
            return None
        session = decode_session(data) if data else None
        if session is None or session.position.screen not in self.menu.screens:
            return None
        position, reply = self._render(request, Navigation(session.position))
        return replace(session, position=position, reply=reply, is_lost=True)

    async def _process(self, request: UssdInput, state: StoredState) -> NextSession | UssdReply:
        """The session after the request, to be saved; or a reply that changes no session."""
        session = state.session
        if state.claim == "another":
            return self._build_final_reply(request, "unheard", "refused")
        if session and session.id != request.session_id and session.has_replaced(request.session_id):
            return self._build_final_reply(request, "unheard", "refused", session.position.language)
        if session is None or _is_over(request, session):
            return await self._start_session(request, state)
        is_late = 0 <= _count_seen(request) < session.consumed
        if request.starts_session or is_late or session.has_answered(request.message_id):
            return UssdReply(session.reply, "repeated", session.hop_metadata)
        if session.is_lost:
            consumed, answered = session.consumed + MAX_LOST, session.list_answered(request.message_id)
            again = replace(session, is_lost=False, consumed=consumed, answered=answered)
            return NextSession(again, session.position.screen, is_refused=True)  # the same question is asked again
        return await self._advance(request, session, (request.text,))

    async def _start_session(self, request: UssdInput, state: StoredState) -> NextSession:
        """Start a session: with the offer to continue where one was dropped or lost, else at its first screen."""
        inputs = request.text.split(SEPARATOR) if request.starts_session and request.text else ()
        chosen = await find_chosen_language(self.find_language, request.caller, state)
        origin, position = self._find_start(request, state, chosen, is_deep_dial=bool(inputs))
        position, reply = self._render(request, Navigation(keep_intention(position, _name_input(request))))
        session = _follow(request, state.session, Session(request.session_id, origin, 0, position, reply))
        if inputs:
            return (await self._advance(request, session, inputs))._replace(source=START, is_refused=False)
        return NextSession(replace(session, answered=session.list_answered(request.message_id)), START)

    def _find_start(
        self, request: UssdInput, state: StoredState, chosen: LanguageChoice | None, *, is_deep_dial: bool
    ) -> tuple[str, Position]:
        """The origin of a new session, and its first position."""
        language = chosen.language if chosen else self.default_language_of(request.caller)
        if is_deep_dial:
            return PAST_SHORT_CODE, Position(self.menu.home, language)
        if offered := state.offered_session:
            return RESUME_OFFER, resume_position(offered.position, offered.id, has_failed=offered.has_failed)
        if chosen:
            return MAIN_MENU, Position(self.menu.home, language)
        return LANGUAGE_SCREEN, Position(LANGUAGE_SCREEN, language)

    async def _advance(self, request: UssdInput, session: Session, inputs: Sequence[str]) -> NextSession:
        """The session after some inputs. Their effects have the key of the request: a repeat causes them once.

        Raises:
            _StepFailedError: a step failed, and the input cannot be repeated on its screen.
        """
        caller, name = _build_message(request), _name_input(request)
        navigation, reply, is_refused = Navigation(session.position), session.reply, False
        for place, text in enumerate(inputs, MESSAGE_POSITION):
            context = build_step_context(caller, name, place, self.today())
            try:
                navigation = await advance(self.menu, navigation.position, text, context)
            except Exception as error:
                if place < len(inputs) or not may_be_repeated(error):
                    raise _StepFailedError(navigation.position.language) from error
                navigation = Navigation(navigation.position, Invalid("outage"))
            kept = keep_intention(navigation.position, name)
            is_refused = navigation.invalid is not None
            position, reply = self._render(request, replace(navigation, position=kept))
            navigation = Navigation(position)
            if position.ended:
                break
        answered = session.list_answered(request.message_id)
        consumed = session.consumed + len(inputs)
        position = navigation.position
        new = replace(session, consumed=consumed, position=position, reply=reply, answered=answered, has_failed=False)
        seen = session.position.screen
        return NextSession(new, seen, is_refused=is_refused and seen == position.screen)

    def _render(self, request: UssdInput, navigation: Navigation) -> tuple[Position, Reply]:
        """The page that the caller sees, and the position with what 98 leads to and what a drop would lose."""
        page, position = self.renderer.render_page(navigation, request.budget), navigation.position
        is_read = position.screen in find_reading_screens(self.menu)
        seen = replace(position, has_more=page.has_more, is_partial=page.is_partial, is_read=is_read)
        return seen, Reply(page.text, page.ends_session)

    async def _save(self, request: UssdInput, state: StoredState, session: Session) -> bool:
        """Save the session, in the database too where a loss would hurt; False where another request saved first.

        Raises:
            StoreUnavailableError: the store is down. The database has the session then.
        """
        session, was_durable = replace(session, is_durable=_is_worth_keeping(session)), session.is_durable
        data, ttl = encode_session(session), self.ended_reply_ttl if session.reply.ends else self.session_ttl
        is_saved = True
        try:
            is_saved = await self.sessions.save(request.caller, data, expected_version=state.version, ttl=ttl)
        finally:
            if is_saved:
                self.newest.record(session)
                if session.is_durable:
                    self.open_calls.keep(request.caller, data, ttl=self.session_ttl)
                elif was_durable:
                    self.open_calls.end(request.caller)
        return is_saved

    def _build_final_reply(self, request: UssdInput, text_key: str, handled_as: str, language: str = "") -> UssdReply:
        """A reply that ends the session, in the default language of the caller where `language` is empty."""
        locale = self.renderer.locale_for(language or self.default_language_of(request.caller), request.budget)
        return UssdReply(Reply(locale.common[text_key], ends=True), handled_as)


def _is_over(request: UssdInput, session: Session) -> bool:
    """Whether a request begins another session than the caller's last one, which may have the same id."""
    if session.id != request.session_id:
        return True
    is_repeat = session.has_answered(request.message_id) or (request.starts_session and not session.consumed)
    return not is_repeat and (request.starts_session or session.reply.ends)


def _with_message_id(request: UssdInput, state: StoredState) -> UssdInput:
    """The request with an id: where the provider gives none, the number of the input. Two at once have one effect then."""
    if request.message_id:
        return request
    is_running = state.session is not None and state.session.id == request.session_id
    number = state.session.consumed + 1 if state.session and is_running and not request.starts_session else 0
    return replace(request, message_id=f"#{number}")


def _count_seen(request: UssdInput) -> int:
    """How many inputs led to the screen that the caller answers, as echoed; -1 where the provider does not say it."""
    metadata = parse_hop_metadata(request.echoed_metadata)
    return metadata.consumed if metadata and not request.starts_session else -1


def _build_reply(session: Session) -> UssdReply:
    return UssdReply(session.reply, "answered", session.hop_metadata)


def _is_worth_keeping(session: Session) -> bool:
    """Whether a caller whose session is lost would lose something: not at the first screens, unless signed in."""
    position = session.position
    if session.reply.ends or position.ended:
        return False
    return position.screen not in NOT_RESUMABLE_SCREENS or bool(position.facts.get("account"))


def _follow(request: UssdInput, before: Session | None, session: Session) -> Session:
    """The new session of a caller who had another one before, perhaps under the same id."""
    if before is None:
        return session
    if before.id == request.session_id:
        replaced, answered = before.replaced, before.answered
    else:
        replaced, answered = before.list_replaced(), ()
    return replace(session, replaced=replaced, answered=answered, is_durable=before.is_durable)


def _name_input(request: UssdInput) -> str:
    """The session of the idempotency keys of a request: each is a session of its own, as an SMS is."""
    return f"{request.session_id}/{request.message_id}"


def _build_message(request: UssdInput) -> IncomingMessage:
    return IncomingMessage(
        _name_input(request), request.caller, CHANNEL, request.budget, request.caller_number_verified
    )
