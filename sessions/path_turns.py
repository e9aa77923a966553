"""One USSD request in, one screen out, where the provider sends everything typed so far: the path.

A handler survives: a repeated request, a late request, a store that lost the session or is down, a call that was dropped
and dialled again, and digits dialled past the short code. Every effect has the idempotency key of its session and of the
path length that caused it, so replaying a path records nothing twice.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import msgspec
from msgspec.structs import replace

from core.claim_worker import TaskSet
from core.languages import DEFAULT_LANGUAGE
from core.validation import Invalid
from menus.engine import advance
from menus.journeys.resume import resume_position
from menus.model import Form, Menu, Navigation, Position, Question
from menus.reading_screens import find_reading_screens
from menus.rendering.paging import Page, ScreenBudget
from menus.rendering.renderer import Renderer
from services.citizens.models import LanguageChoice
from services.menu_traffic.models import START, CountMove, ignore_move
from sessions.counted_turns import NextSession, count_turn
from sessions.failures import explain_failure, may_be_repeated
from sessions.session import (
    LANGUAGE_SCREEN,
    PAST_SHORT_CODE,
    RESUME_OFFER,
    HopMetadata,
    Reply,
    Session,
    UserInput,
    build_step_context,
    decode_session,
    encode_session,
    extends,
    literal_star_positions,
    new_inputs,
    parse_hop_metadata,
    single_new_input,
)
from sessions.session_starts import (
    RecentSessionStarts,
    StoredState,
    determine_origin,
    find_chosen_language,
    find_inputs_after_offer,
    list_replaced,
)
from sessions.shared_deadline import SharedDeadline
from sessions.store import SessionStore, StoreUnavailableError

MAX_SAVE_ATTEMPTS: Final = 4  # of one request that loses races for the save
STARTS: Final = ("dialled", "dialled_past", "replayed")
"""How a session that the store does not have begins: by the short code, by digits past it, or by a replay of its whole path."""
HANDLED_AS: Final = ("answered", "repeated", "refused", "failed", "shed")


class UssdRequest(msgspec.Struct, frozen=True):
    """One key press, as a provider's adapter parsed it.

    `path` is everything typed in this session, joined by `*`. `caller` is an E.164 number. `echoed_metadata` is the hop
    metadata of the reply before, empty where the provider does not return it. `is_deep_dial`: the provider says that the path
    begins with digits dialled past the short code. `used_code` is our short code that was dialled, and `network` the code of
    the caller's network; both are empty where the provider does not tell.
    """

    session_id: str
    caller: str
    path: str
    channel: str
    budget: ScreenBudget
    caller_number_verified: bool
    echoed_metadata: str = ""
    is_deep_dial: bool = False
    used_code: str = ""
    network: str = ""

    @property
    def starts_session(self) -> bool:
        """True for the request that dials the short code and nothing else."""
        return not self.path

    @property
    def hop_metadata(self) -> HopMetadata | None:
        """The echoed metadata; None where there is none, or where it is not ours, or not of this path."""
        metadata = parse_hop_metadata(self.echoed_metadata) if self.echoed_metadata else None
        return metadata if metadata and metadata.fits(self.path) else None


class UssdReply(msgspec.Struct, frozen=True):
    """The reply to a request, one of HANDLED_AS, and the hop metadata that the provider shall echo in the next request."""

    reply: Reply
    handled_as: str
    hop_metadata: HopMetadata | None = None


class _Replay(msgspec.Struct, frozen=True):
    """A position and the inputs to process from there; the other fields are those of the session.

    `source` is the screen that the caller saw last; None: that before the last input, where the session was lost.
    """

    origin: str
    position: Position
    inputs: Sequence[UserInput]
    source: str | None
    star_positions: tuple[int, ...] = ()
    replaced: tuple[int, ...] = ()


class _StepFailedError(Exception):
    """A step raised an error. `language` is the language of the caller at that point."""

    def __init__(self, language: str) -> None:
        self.language = language


@dataclass(frozen=True, slots=True, kw_only=True)
class UssdSessionHandler:
    """Handles the USSD requests of all callers.

    `find_language` returns the language that a caller chose for good; it raises NotRecordedError while the database is down.
    `default_language_of` returns the language of those who chose none, by their number.
    `remember_offer` stores, outside the session store, that a caller was offered to resume in the session with an id.
    `today` is the date in the country of the service. `count_move` counts the turns that were saved.
    Times to live are in seconds: `session_ttl` of an open session, `ended_reply_ttl` of the last reply of an ended one.
    """

    sessions: SessionStore
    menu: Menu
    renderer: Renderer
    find_language: Callable[[str], Awaitable[LanguageChoice | None]]
    is_supported_number: Callable[[str], bool]
    remember_offer: Callable[[str, str], None]
    today: Callable[[], date]
    default_language_of: Callable[[str], str] = lambda _: DEFAULT_LANGUAGE
    count_move: CountMove = ignore_move
    ended_reply_ttl: int = 300
    session_ttl: int = 600
    deadline: SharedDeadline = field(default_factory=lambda: SharedDeadline(8.0))
    recent_starts: RecentSessionStarts = field(default_factory=RecentSessionStarts)
    start_counts: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(STARTS, 0)))
    background: TaskSet = field(default_factory=TaskSet)

    async def handle(self, request: UssdRequest) -> UssdReply:
        """The reply to one key press, within the deadline. An error of ours is a reply too; nothing is raised."""
        language, state, computed = "", StoredState(), None
        try:
            with self.deadline:
                state = await self._load_state(request)
                if state.session:
                    language = state.session.position.language
                for _ in range(MAX_SAVE_ATTEMPTS):  # whoever loses a race looks again, at what the winner saved
                    result = await self._process(request, state)
                    if isinstance(result, UssdReply):  # what was done is told, also where another call has begun since
                        return computed if computed and result.handled_as == "refused" else result
                    session = result.session
                    computed = UssdReply(session.reply, "answered", session.hop_metadata)
                    winner = await self._save(request, state, session)
                    if winner is None:
                        self._count(request, result)
                        break
                    state = winner
        except Exception as error:  # noqa: BLE001 - whatever fails, the caller waits for a screen
            if computed is None:  # else what was done is told, although the store did not take the session in time
                return self._explain_failure(error, request, state, language)
        return computed or self._build_final_reply(request, "unheard", "refused", language)

    def _count(self, request: UssdRequest, answer: NextSession) -> None:
        session = answer.session
        count_turn(
            self.count_move,
            session.position,
            answer.source,
            channel=request.channel,
            network=request.network,
            is_refused=answer.is_refused,
            ends=session.reply.ends,
        )

    def _explain_failure(self, error: Exception, request: UssdRequest, state: StoredState, language: str) -> UssdReply:
        cause: BaseException = error
        if isinstance(error, _StepFailedError):
            cause, language = error.__cause__ or error, error.language
        failure = explain_failure(cause, request.channel)
        if failure.text_key == "sorry" and state.session and state.session.id == request.session_id:
            self.background.start(self._mark_failed(request, state.session, state.version))
        return self._build_final_reply(request, failure.text_key, failure.handled_as, language)

    async def _mark_failed(self, request: UssdRequest, session: Session, version: int) -> None:
        """Store that the call ended because of us, so that the next one says so; not where the store is down too."""
        data = encode_session(replace(session, has_failed=True))
        with suppress(StoreUnavailableError):
            await self.sessions.save(request.caller, data, expected_version=version, ttl=self.session_ttl)

    async def _record_gap(self) -> None:
        """Tell the other processes that the store did not answer this one for a while."""
        try:
            await self.sessions.record_gap()
        except StoreUnavailableError:
            self.recent_starts.record_store_failure()

    async def _load_state(self, request: UssdRequest) -> StoredState:
        """Load the session in one trip to the store. Claim the session id where the store does not have the session."""
        try:
            if request.path:
                stored = await self.sessions.load(request.caller)
                session = decode_session(stored.data) if stored else None
                if stored and session and session.id == request.session_id:
                    return StoredState(session, stored.version, "ours")
            begun = await self.sessions.begin(request.caller, request.session_id, ttl=self.session_ttl)
        except StoreUnavailableError:
            self.recent_starts.record_store_failure()
            return StoredState(is_store_down=True)
        if self.recent_starts.has_gap:
            self.recent_starts.has_gap = False
            self.background.start(self._record_gap())
        if begun.stored is None:
            return StoredState(claim=begun.claim)
        return StoredState(decode_session(begun.stored.data), begun.stored.version, begun.claim)

    async def _process(self, request: UssdRequest, state: StoredState) -> NextSession | UssdReply:
        """The session after the new input, to be saved; or a reply that changes no session."""
        session = state.session
        if state.claim == "another":
            return self._build_final_reply(request, "unheard", "refused")
        if session is None or session.id != request.session_id:
            if session and session.has_replaced(request.session_id):  # the caller has dialled again since
                return self._build_final_reply(request, "unheard", "refused", session.position.language)
            return await self._start_session(request, state)
        if not extends(request.path, session.consumed):
            return _build_repeated_reply(session)
        inputs = self._find_new_inputs(request, session)
        seen = session.position.screen
        replay = _Replay(session.origin, session.position, inputs, seen, session.star_positions, session.replaced)
        return await self._replay(request, replay)

    def _find_new_inputs(self, request: UssdRequest, session: Session) -> Sequence[UserInput]:
        single = single_new_input(request.path, session.consumed)
        if single is not None:
            return (single,)
        metadata = request.hop_metadata
        if metadata and metadata.consumed < session.consumed:  # of a reply before the stored one
            metadata = None
        # The store may have missed inputs while it was down: then a star is between two of them.
        allow_stars = isinstance(self.menu.visible_screen(session.position), Question | Form)
        allow_stars = allow_stars and not self.recent_starts.store_failed_within(self.session_ttl)
        return new_inputs(request.path, session.consumed, metadata, allow_stars=allow_stars)

    async def _start_session(self, request: UssdRequest, state: StoredState) -> NextSession | UssdReply:
        """Start a session that the store does not have: a new one, a lost one, or one dialled past the short code."""
        if not self.is_supported_number(request.caller):
            return self._build_final_reply(request, "abroad", "refused")
        chosen = await find_chosen_language(self.find_language, request.caller, state)
        origin = await determine_origin(
            request, state, chosen, self.recent_starts, self.sessions, session_ttl=self.session_ttl
        )
        self.recent_starts.record(request.session_id, origin)
        self.start_counts[_name_start(request, origin)] += 1
        start, page = self._render(
            request, Navigation(self._build_start_position(request.caller, origin, state, chosen))
        )
        metadata = request.hop_metadata
        inputs: Sequence[UserInput] | None = (
            new_inputs(request.path, 0, metadata, allow_stars=False) if request.path else ()
        )
        if inputs and origin == RESUME_OFFER and state.offered_session is None:
            inputs = find_inputs_after_offer(self.menu, inputs)
        if inputs is None:  # the caller went on at a place that is lost
            return self._build_final_reply(request, "unheard", "refused", start.position.language)
        stars = metadata.star_positions if metadata else ()
        source = START if origin == PAST_SHORT_CODE or not inputs else None
        replay = _Replay(origin, start.position, inputs, source, stars, list_replaced(request, state))
        if origin == RESUME_OFFER and not request.path:
            self.remember_offer(request.caller, request.session_id)
        if inputs:
            return await self._replay(request, replay)
        return NextSession(_build_session(request, replay, start.position, page), START)

    def _build_start_position(
        self, caller: str, origin: str, state: StoredState, chosen: LanguageChoice | None
    ) -> Position:
        if origin == RESUME_OFFER and (offered := state.offered_session):
            return resume_position(offered.position, offered.id, has_failed=offered.has_failed)
        language = chosen.language if chosen else self.default_language_of(caller)
        return Position(LANGUAGE_SCREEN if origin == LANGUAGE_SCREEN else self.menu.home, language)

    async def _replay(self, request: UssdRequest, replay: _Replay) -> NextSession:
        navigation, page, seen = Navigation(replay.position), Page(""), ""
        for user_input in replay.inputs:
            seen = navigation.position.screen
            context = build_step_context(request, request.session_id, user_input.path_length, self.today())
            try:
                navigation = await advance(self.menu, navigation.position, user_input.text, context)
            except Exception as error:
                if user_input is replay.inputs[-1] and may_be_repeated(error):
                    navigation = Navigation(navigation.position, Invalid("outage"))
                else:
                    raise _StepFailedError(navigation.position.language) from error
            navigation, page = self._render(request, navigation)
            if navigation.position.ended:
                break
        source = seen if replay.source is None else replay.source
        is_refused = navigation.invalid is not None and source == navigation.position.screen
        return NextSession(_build_session(request, replay, navigation.position, page), source, is_refused)

    def _render(self, request: UssdRequest, navigation: Navigation) -> tuple[Navigation, Page]:
        """The page that the caller sees, and the position with what 98 leads to and what a drop would lose."""
        page, position = self.renderer.render_page(navigation, request.budget), navigation.position
        is_read = position.screen in find_reading_screens(self.menu)
        if (page.has_more, page.is_partial, is_read) == (position.has_more, position.is_partial, position.is_read):
            return navigation, page
        seen = replace(position, has_more=page.has_more, is_partial=page.is_partial, is_read=is_read)
        return Navigation(seen, navigation.invalid), page

    async def _save(self, request: UssdRequest, state: StoredState, session: Session) -> StoredState | None:
        """Save the session. Where another request saved first, what it saved; None where the reply can be sent."""
        if state.is_store_down:
            return None
        ttl = self.ended_reply_ttl if session.reply.ends else self.session_ttl
        data = encode_session(session)
        try:
            if await self.sessions.save(request.caller, data, expected_version=state.version, ttl=ttl):
                return None
            winner = await self.sessions.load(request.caller)
        except StoreUnavailableError:
            self.recent_starts.record_store_failure()
            return None
        return StoredState(decode_session(winner.data), winner.version, "ours") if winner else None

    def _build_final_reply(self, request: UssdRequest, text_key: str, handled_as: str, language: str = "") -> UssdReply:
        """A reply that ends the session, in the default language of the caller where `language` is empty. Nothing is saved."""
        locale = self.renderer.locale_for(language or self.default_language_of(request.caller), request.budget)
        return UssdReply(Reply(locale.common[text_key], ends=True), handled_as)


def _name_start(request: UssdRequest, origin: str) -> str:
    if not request.path:
        return "dialled"
    return "dialled_past" if origin == PAST_SHORT_CODE else "replayed"


def _build_session(request: UssdRequest, replay: _Replay, position: Position, page: Page) -> Session:
    stars = replay.star_positions + (literal_star_positions(replay.inputs[-1]) if replay.inputs else ())
    reply = Reply(page.text, page.ends_session)
    return Session(request.session_id, replay.origin, len(request.path), position, reply, stars, replay.replaced)


def _build_repeated_reply(session: Session) -> UssdReply:
    return UssdReply(session.reply, "repeated", session.hop_metadata)
