"""How a session began, where the store does not say: what a path is replayed from.

In this order: what the provider echoes or dials, what this process remembers, what the database knows, and the usual start.
"""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from core.deadline import NotRecordedError, OverloadedError
from core.typed_input import normalize_input
from menus.journeys.resume import START_AGAIN, is_resumable
from menus.model import Menu
from menus.rendering.paging import BACK_KEY, HOME_KEY
from menus.typed_choices import find_option
from services.citizens.models import LanguageChoice
from sessions.session import LANGUAGE_SCREEN, MAIN_MENU, PAST_SHORT_CODE, RESUME_OFFER, Session, UserInput
from sessions.store import SessionStore, StoreUnavailableError

if TYPE_CHECKING:
    from sessions.path_turns import UssdRequest

MAX_SESSION_STARTS: Final = 20_000
"""Sessions of one process whose origin is remembered."""


class StoredState(msgspec.Struct, frozen=True):
    """The caller's last session in the store, its version, and the owner of the requested session id."""

    session: Session | None = None
    version: int = 0
    claim: str = "new"
    is_store_down: bool = False

    @property
    def offered_session(self) -> Session | None:
        """The stored session, if a caller who dials is offered to resume it."""
        return (
            self.session
            if self.session and is_resumable(self.session.position, has_failed=self.session.has_failed)
            else None
        )


async def find_chosen_language(
    find_language: Callable[[str], Awaitable[LanguageChoice | None]], msisdn: str, state: StoredState
) -> LanguageChoice | None:
    """What the caller chose for good; while the database is down, the language of the call before.

    Raises:
        OverloadedError: too little time is left.
    """
    try:
        return await find_language(msisdn)
    except OverloadedError:
        raise
    except NotRecordedError:
        return LanguageChoice(state.session.position.language, session_id="") if state.session else None


class RecentSessionStarts:
    """The origins of the newest sessions of this process, and when the store failed last."""

    def __init__(self, limit: int = MAX_SESSION_STARTS) -> None:
        self._limit = limit
        self._origins: OrderedDict[str, str] = OrderedDict()
        self._store_failed_at = float("-inf")
        self.has_gap = False
        """Whether the store failed here, and does not know it yet."""

    def record(self, session_id: str, origin: str) -> None:
        """Remember the origin of a session, and forget the oldest session above the limit."""
        self._origins[session_id] = origin
        if len(self._origins) > self._limit:
            self._origins.popitem(last=False)

    def find(self, session_id: str) -> str | None:
        """The origin of a session, or None."""
        return self._origins.get(session_id)

    def record_store_failure(self) -> None:
        """Remember that the store did not load or save a session just now."""
        self._store_failed_at = time.monotonic()
        self.has_gap = True

    def store_failed_within(self, seconds: float) -> bool:
        """Whether the store failed in this process in the last `seconds`: it may lack sessions, or have them as they were."""
        return time.monotonic() - self._store_failed_at < seconds


async def determine_origin(
    request: "UssdRequest",
    state: StoredState,
    chosen: LanguageChoice | None,
    recent: RecentSessionStarts,
    sessions: SessionStore,
    *,
    session_ttl: int,
) -> str:
    """How this session began. A language that was chosen in it was not known at its beginning."""
    if not request.path:
        return RESUME_OFFER if state.offered_session else MAIN_MENU if chosen else LANGUAGE_SCREEN
    if request.hop_metadata:
        return request.hop_metadata.origin
    if origin := recent.find(request.session_id):
        return origin
    if chosen is not None and chosen.resumed_in == request.session_id:
        return RESUME_OFFER
    chosen_here = chosen is not None and chosen.session_id == request.session_id
    if chosen_here or (chosen is None and await _was_lost(request, state, recent, sessions, session_ttl)):
        return LANGUAGE_SCREEN
    return MAIN_MENU if state.claim == "ours" else PAST_SHORT_CODE


async def _was_lost(
    request: "UssdRequest", state: StoredState, recent: RecentSessionStarts, sessions: SessionStore, session_ttl: int
) -> bool:
    """Whether the store may have lost the session; else its digits were dialled past the short code."""
    if request.is_deep_dial:
        return False
    if state.claim == "ours" or state.is_store_down or recent.store_failed_within(session_ttl):
        return True
    try:
        return await sessions.was_emptied_within(session_ttl, request.caller)
    except StoreUnavailableError:
        return True


def find_inputs_after_offer(menu: Menu, inputs: Sequence[UserInput]) -> Sequence[UserInput] | None:
    """The inputs after the offer to resume a place that is lost, to be processed at home; None for a caller who went on there."""
    for index, user_input in enumerate(inputs):
        text = normalize_input(user_input.text)
        option = find_option(menu, "resume", text, {})
        if text in {BACK_KEY, HOME_KEY} or (option and option.name == START_AGAIN):
            return inputs[index + 1 :]
        if option:
            return None
    return None


def list_replaced(request: "UssdRequest", state: StoredState) -> tuple[int, ...]:
    """The sessions that a session replaces: the stored one too, if the session certainly begins now."""
    if state.session is None:
        return ()
    begins = not request.path or (request.is_deep_dial and state.claim == "new")
    return state.session.list_replaced() if begins else state.session.replaced
