"""One key press in, one screen out.

What a hop must survive: the same callback again, a late one, a store that forgot the caller or is down, a call that
was dropped and dialled again, and digits dialled past the short code. Every effect is keyed by the session and the
length of the path that caused it, so that hearing a path again records nothing again.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

import msgspec
import structlog
from msgspec.structs import replace as moved

from failures import told
from menus.engine import Reached, advance
from menus.journeys.resume import offer, worth_resuming
from menus.layout import Layout
from menus.model import Form, Menu, Place, Question, Visit
from screens.pages import Budget, Page
from sessions.deadline import Deadline
from sessions.session import (
    DIALLED,
    LANGUAGES,
    MAIN,
    RESUME,
    Answer,
    Answered,
    Session,
    Trace,
    follows,
    one_more,
    packed,
    stars_in,
    trace_of,
    unheard,
    unpacked,
)
from sessions.store import Sessions, StoreDown

log = structlog.get_logger()
MOST_BEGINNINGS = 20_000
TAKEN_FOR = ("answered", "repeated", "refused", "failed")


class Known(Protocol):
    """What is known of a caller for good: their language, and the session in which they chose it."""

    @property
    def language(self) -> str:
        """`en`, `bn` or `hi`."""

    @property
    def session(self) -> str:
        """The provider's id of the session."""


class Call(msgspec.Struct, frozen=True):
    """One key press as a channel heard it: `path` is everything typed in this session, joined by `*`.

    `brought` is what came back of the trace that the last answer went with, empty where nothing did.
    """

    session: str
    caller: str
    path: str
    channel: str
    budget: Budget
    vouched: bool
    brought: str = ""

    @property
    def trace(self) -> Trace | None:
        """What was brought back, if it is one of ours."""
        return trace_of(self.brought)


class Heard(msgspec.Struct, frozen=True):
    """The answer to a key press, what of TAKEN_FOR it was taken for, and the trace to bring back with the next one."""

    answer: Answer
    taken_for: str
    trace: Trace | None = None


class Beginnings:
    """How the newest sessions of this process began: what is known of them while the store is down."""

    def __init__(self, most: int = MOST_BEGINNINGS) -> None:
        self._most = most
        self._began: OrderedDict[str, str] = OrderedDict()

    def remember(self, session: str, began: str) -> None:
        """Remembers one more, and forgets the oldest when there are too many."""
        self._began[session] = began
        if len(self._began) > self._most:
            self._began.popitem(last=False)

    def of(self, session: str) -> str | None:
        """How it began, or None."""
        return self._began.get(session)


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything a hop needs, put together once."""

    sessions: Sessions
    menu: Menu
    layout: Layout
    language_of: Callable[[str], Awaitable[Known | None]]
    served: Callable[[str], bool]
    today: Callable[[], date]
    default_language: str = "en"
    session_ttl: int = 300
    resume_window: int = 600
    deadline: Deadline = field(default_factory=lambda: Deadline(8.0))
    beginnings: Beginnings = field(default_factory=Beginnings)


class _Recalled(msgspec.Struct, frozen=True):
    """What the store says of a caller: their last session, its version, and whose this session id is."""

    session: Session | None = None
    version: int = 0
    claim: str = "new"
    down: bool = False


class _Way(msgspec.Struct, frozen=True):
    """How the session began, where the caller stands, the answers to walk from there, and the stars in those before."""

    began: str
    place: Place
    answers: Sequence[Answered]
    stars: tuple[int, ...] = ()


class _Stranded(Exception):
    """A step failed; `language` is the caller's, in which they are told so."""

    def __init__(self, language: str) -> None:
        self.language = language


async def hop(desk: Desk, call: Call) -> Heard:
    """Answers one key press within the desk's deadline; a failure of ours is an answer too."""
    language = desk.default_language
    try:
        with desk.deadline:
            recalled = await _recall(desk, call)
            if recalled.session:
                language = recalled.session.place.language
            said = await _said(desk, call, recalled)
            return said if isinstance(said, Heard) else await _kept(desk, call, recalled, said)
    except _Stranded as stranded:
        log.error("hop failed", channel=call.channel, **told(stranded.__cause__ or stranded))
        return _closing(desk, call, "sorry", "failed", stranded.language)
    except Exception as failure:  # noqa: BLE001 (whatever went wrong, a caller is waiting for a screen)
        log.error("hop failed", channel=call.channel, **told(failure))
        return _closing(desk, call, "sorry", "failed", language)


async def _recall(desk: Desk, call: Call) -> _Recalled:
    """One trip: on the first hop the session id is claimed as well, later only when the store does not know it."""
    try:
        if call.path:
            kept = await desk.sessions.load(call.caller)
            session = unpacked(kept.data) if kept else None
            if kept and session and session.id == call.session:
                return _Recalled(session, kept.version, "ours")
        begun = await desk.sessions.begin(call.caller, call.session, ttl=desk.resume_window)
    except StoreDown:
        return _Recalled(down=True)
    if begun.kept is None:
        return _Recalled(claim=begun.claim)
    return _Recalled(unpacked(begun.kept.data), begun.kept.version, begun.claim)


async def _said(desk: Desk, call: Call, recalled: _Recalled) -> Session | Heard:
    """The session with the new answer in it, to be kept; or what is answered without keeping anything."""
    session = recalled.session
    if recalled.claim == "another":
        return _closing(desk, call, "unheard", "refused")
    if session is None or session.id != call.session:
        return await _from_the_beginning(desk, call, recalled)
    if not follows(call.path, session.heard):
        return _again(session)
    return await _walk(desk, call, _Way(session.began, session.place, _unheard(desk, call, session), session.stars))


def _unheard(desk: Desk, call: Call, session: Session) -> Sequence[Answered]:
    newest = one_more(call.path, session.heard)
    if newest is not None:
        return (newest,)
    whole = isinstance(desk.menu.shown(session.place), Question | Form)
    return unheard(call.path, session.heard, call.trace, whole=whole)


async def _from_the_beginning(desk: Desk, call: Call, recalled: _Recalled) -> Session | Heard:
    """A session that the store does not know: new, or forgotten, or dialled past the short code."""
    if not desk.served(call.caller):
        return _closing(desk, call, "abroad", "refused")
    known = await desk.language_of(call.caller)
    began = _beginning(desk, call, recalled, known)
    desk.beginnings.remember(call.session, began)
    start, page = _seen(desk, call, Reached(_start(desk, began, recalled, known)))
    trace = call.trace
    answers = unheard(call.path, 0, trace, whole=False) if call.path else []
    if began == RESUME and start.place.screen == desk.menu.home:
        answers = []  # the place to go on from is lost, and what was typed on its screens means nothing on this one
    way = _Way(began, start.place, answers, trace.stars if trace else ())
    return await _walk(desk, call, way) if answers else _session(call, way, start.place, page)


def _beginning(desk: Desk, call: Call, recalled: _Recalled, known: Known | None) -> str:
    """How this session began. What was chosen inside it was not known before it."""
    if call.path and call.trace:
        return call.trace.began
    if call.path:
        chosen_here = known is not None and known.session == call.session
        forgotten = LANGUAGES if known is None or chosen_here else MAIN
        was_here = chosen_here or recalled.claim == "ours"
        return desk.beginnings.of(call.session) or (forgotten if was_here else DIALLED)
    if recalled.session and worth_resuming(recalled.session.place):
        return RESUME
    return MAIN if known else LANGUAGES


def _start(desk: Desk, began: str, recalled: _Recalled, known: Known | None) -> Place:
    if began == RESUME and recalled.session:
        return offer(recalled.session.place)
    language = known.language if known else desk.default_language
    return Place(LANGUAGES if began == LANGUAGES else desk.menu.home, language)


async def _walk(desk: Desk, call: Call, way: _Way) -> Session:
    reached, page = Reached(way.place), Page("")
    for answer in way.answers:
        try:
            reached = await advance(desk.menu, reached.place, answer.typed, _visit(desk, call, answer.length))
        except Exception as failure:
            raise _Stranded(reached.place.language) from failure
        reached, page = _seen(desk, call, reached)
        if reached.place.over:
            break
    return _session(call, way, reached.place, page)


def _session(call: Call, way: _Way, place: Place, page: Page) -> Session:
    stars = way.stars + (stars_in(way.answers[-1]) if way.answers else ())
    return Session(call.session, way.began, len(call.path), place, Answer(page.text, page.ends), stars)


def _seen(desk: Desk, call: Call, reached: Reached) -> tuple[Reached, Page]:
    """Where the caller stands as their screen shows it, and that screen."""
    page = desk.layout.page(reached, call.budget)
    if page.more == reached.place.more:
        return reached, page
    return Reached(moved(reached.place, more=page.more), reached.refused), page


async def _kept(desk: Desk, call: Call, recalled: _Recalled, session: Session) -> Heard:
    """Saved before it is answered; who loses a race for the save answers what the winner did."""
    heard = Heard(session.answer, "answered", session.trace)
    if recalled.down:
        return heard
    ttl = desk.session_ttl if session.answer.ends else desk.resume_window
    try:
        if await desk.sessions.save(call.caller, packed(session), read=recalled.version, ttl=ttl):
            return heard
        winner = await desk.sessions.load(call.caller)
    except StoreDown:
        return heard
    stored = unpacked(winner.data) if winner else None
    return _again(stored) if stored and stored.id == call.session else heard


def _visit(desk: Desk, call: Call, length: int) -> Visit:
    return Visit(
        caller=call.caller,
        channel=call.channel,
        session=call.session,
        language="",
        effect=f"{call.session}:{length}",
        facts={},
        vouched=call.vouched,
        today=desk.today(),
    )


def _again(session: Session) -> Heard:
    return Heard(session.answer, "repeated", session.trace)


def _closing(desk: Desk, call: Call, said: str, taken_for: str, language: str = "") -> Heard:
    """An END that nothing is remembered of."""
    text = desk.layout.words_for(language or desk.default_language, call.budget).common[said]
    return Heard(Answer(text, ends=True), taken_for)
