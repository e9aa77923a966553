"""What a menu is made of: five kinds of screen, the place a caller stands at, and what a step answers.

A journey is a tuple of screens. It names the screens it leads to, never imports them; `Menu` puts journeys together
and `menus.check` proves that every name leads somewhere.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

import msgspec

Fact: TypeAlias = Any
"""Text, whole number, yes or no, nothing, or a list or mapping of these: what JSON can say."""
Facts: TypeAlias = Mapping[str, Fact]
Texts: TypeAlias = Mapping[str, str]
"""Language (`en`, `bn`, `hi`, `bn_Latn`, `hi_Latn`) to text; a missing one is said in English."""

NOTHING: Facts = {}


@dataclass(frozen=True, slots=True)
class Accepted:
    """An answer that was understood, in the form in which it is kept."""

    value: Fact


@dataclass(frozen=True, slots=True)
class Refused:
    """An answer that was not; `reason` names the line in the locales' `[refused]` that says why."""

    reason: str
    facts: Facts = field(default_factory=dict)


class Gone(LookupError):
    """What the caller stands at is not offered any more; whoever is given the calls raises it, the engine says so."""


Check: TypeAlias = Callable[[str, date], Accepted | Refused]
"""What was typed (digits already ASCII, ends stripped) and today's date, to what is kept or why not."""


class Asked(Protocol):
    """One field of a form, as the catalogue gives it."""

    @property
    def name(self) -> str:
        """The key its answer is kept under."""

    @property
    def labels(self) -> Texts:
        """The question, in every language."""

    @property
    def choices(self) -> Sequence[tuple[str, Texts]]:
        """Code and name of each answer to choose from; empty where the answer is typed."""

    def check(self, typed: str, today: date) -> Accepted | Refused:
        """What a typed answer is kept as, or why it is not."""

    def shown(self, value: Fact) -> "str | Texts":
        """A kept answer as it may be read back to whoever gave it."""


class Visit(msgspec.Struct, frozen=True):
    """What a step is told: who calls, how, what they have said so far, and the key of what it causes.

    `effect` is the same whenever the same key press is heard again (a repeat, a replay), so whatever is recorded
    under it is recorded once. `facts` holds the answers so far, secrets included if they were typed just now.
    """

    caller: str
    channel: str
    session: str
    language: str
    effect: str
    facts: Facts
    vouched: bool
    today: date

    @property
    def citizen(self) -> str:
        """Whose business this is: the caller's own number, or the one for whom an operator calls (fact `citizen`)."""
        return str(self.facts.get("citizen") or self.caller)

    @property
    def assisted(self) -> int:
        """The consent under which an operator acts for the citizen (fact `consent`); 0 where the caller is the citizen."""
        return int(self.facts.get("consent") or 0)

    @property
    def told_in(self) -> str:
        """The language in which this citizen is written to: the caller's, or their own where an operator calls for them."""
        return str(self.facts.get("citizen_language") or self.language)


Way_co = TypeVar("Way_co", bound=str, covariant=True)


class Outcome(msgspec.Struct, Generic[Way_co], frozen=True):
    """How a step went: which way to go on, what is now known, and the caller's language where that changed.

    A step's function says its ways in its annotation, `-> Outcome[Literal["found", "unknown"]]`: the type checker holds
    the function to them and `menus.check` holds the menu to them. With `place` the caller is put there instead, as
    long as the menu still has its screen. `refused` says on the next screen what was wrong with what was typed.
    """

    name: Way_co
    facts: Facts = NOTHING
    language: str = ""
    place: "Place | None" = None
    refused: Refused | None = None


Call: TypeAlias = Callable[[Visit], Awaitable[Outcome[str]]]
Keep: TypeAlias = Callable[[Visit], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Option:
    """One numbered line of a choice; its words stand under `name` in the locales. `not_on` is a channel that lacks it."""

    name: str
    goto: str
    key: str = ""
    not_on: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """A text and numbered options. With `saves`, the name of the option taken is remembered.

    `opens`: a call may open with it, and then nothing lies behind it.
    """

    name: str
    options: tuple[Option, ...]
    saves: str = ""
    opens: bool = False


class Typed(NamedTuple):
    """What a list takes besides its numbers: words, which reach the next step under `saves` and are never remembered."""

    saves: str
    check: Check
    goto: str


@dataclass(frozen=True, slots=True)
class Listing:
    """A numbered list made from facts: one row each, said by the locales' `row`, remembered by `saves`.

    `options` are numbered on after the rows. `typed` is for who would rather type than turn pages.
    """

    name: str
    rows: Callable[[Facts], Sequence[Facts]]
    saves: str
    goto: str
    empty: str
    options: tuple[Option, ...] = ()
    typed: Typed | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A text to be answered in one's own words. A secret answer reaches the next step and is never remembered."""

    name: str
    saves: str
    check: Check
    goto: str
    secret: bool = False
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a service, one screen each, remembered together under `saves`; one without fields leads straight on.

    `keeps` is called with each answer that was taken, so that what was filled in outlives the call. Heard again it is
    called again, with the same. `hints` is the fact that holds what a field's question says besides, by the field's name.
    """

    name: str
    fields: Callable[[Facts], Sequence[Asked]]
    saves: str
    goto: str
    keeps: Keep | None = None
    hints: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """Something done between two screens. `commits` says that what was done is not undone by going back."""

    name: str
    call: Call
    outcomes: Mapping[str, str]
    commits: bool = False


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The last thing said; the call ends."""

    name: str


Screen: TypeAlias = Choice | Listing | Question | Form | Step | Goodbye
Shown: TypeAlias = Choice | Listing | Question | Form | Goodbye
Journey: TypeAlias = tuple[Screen, ...]


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a caller stands: all that the next key press needs and the provider does not send."""

    screen: str
    language: str
    page: int = 0
    more: bool = False
    item: int = 0
    trail: tuple[tuple[str, int], ...] = ()
    facts: dict[str, Any] = msgspec.field(default_factory=dict)
    over: bool = False


@dataclass(frozen=True, slots=True)
class Acting:
    """How the menus are walked while an operator acts for a citizen, which the fact `consent` says.

    instead: the screens that are another one then: home, and whatever is the citizen's alone.
    only_for: screens that want a consent for one of these purposes (fact `consent_for`), else they are `unasked`.
    over: asked at every key press; why nothing may be done any more under the consent, or nothing while it is alive.
    during: what every step is taken within, so that it is recorded whose doing it was.
    ends: the goodbye that is said when it is over, with the fact `consent_over`; of the facts that `keeps` keeps,
    those in `forgets` are forgotten then.
    """

    instead: Mapping[str, str]
    only_for: Mapping[str, frozenset[str]]
    unasked: str
    over: Callable[[Visit], Awaitable[str]]
    during: Callable[[Visit], AbstractContextManager[None]]
    ends: str
    forgets: frozenset[str]

    def screen(self, name: str, facts: Facts) -> str:
        """The screen that this one is for whoever has these facts."""
        if name in self.only_for and facts.get("consent_for") not in self.only_for[name]:
            return self.unasked
        return self.instead.get(name, name)


@dataclass(frozen=True, slots=True)
class Closing:
    """What a call raises that finds the account closed which somebody is signed in to.

    raised: the exception; screen: the choice that says so, which whoever raised it is put at; forgets: the facts that
    were true of the account, and are none any more.
    """

    raised: type[Exception]
    screen: str
    forgets: frozenset[str]


class Menu:
    """Every screen by name, where home is, and which facts outlive a return to it."""

    def __init__(
        self,
        screens: Iterable[Screen],
        *,
        home: str,
        stuck: str,
        keeps: frozenset[str],
        gone: str = "",
        entries: Iterable[str] = (),
        acting: Acting | None = None,
        closing: Closing | None = None,
        channel: str = "",
    ) -> None:
        """`gone` is where a caller is put whose service was taken out of the catalogue; without one, home.

        `entries` are entered by name, by an SMS keyword; options that `channel` lacks are left out.
        """
        self.listed = tuple(screens)
        self.screens: Mapping[str, Screen] = {screen.name: screen for screen in self.listed}
        self.options: Mapping[str, Mapping[str, Option]] = {
            screen.name: {
                key: option for key, option in keyed(screen.options) if not channel or option.not_on != channel
            }
            for screen in self.listed
            if isinstance(screen, Choice | Question)
        }
        """What a choice or a question offers, by the key that is pressed for it."""
        self.home = home
        self.stuck = stuck
        self.gone = gone or home
        self.keeps = keeps
        self.entries = tuple(entries)
        self.acting = acting
        self.closing = closing

    def on(self, channel: str) -> "Menu":
        """The same menu as this channel has it; every option keeps its number."""
        return Menu(
            self.listed,
            home=self.home,
            stuck=self.stuck,
            keeps=self.keeps,
            gone=self.gone,
            entries=self.entries,
            acting=self.acting,
            closing=self.closing,
            channel=channel,
        )

    def screen(self, name: str, facts: Facts) -> Screen:
        """The screen of this name; another one where an operator acts for somebody and this one is not for that."""
        if self.acting and facts.get("consent"):
            name = self.acting.screen(name, facts)
        return self.screens[name]

    def ends(self, place: Place) -> bool:
        """Whether the call is over at `place`. An operator's goes on: more may be done on the same visit."""
        return isinstance(self.screens[place.screen], Goodbye) and not place.facts.get("consent")

    def shown(self, place: Place) -> Shown:
        """The screen that a caller at `place` is looking at."""
        screen = self.screens[place.screen]
        if isinstance(screen, Step):
            raise TypeError(f"Nobody can stand at the step {screen.name!r}.")
        return screen


def leads_to(screen: Screen) -> Iterator[str]:
    """The names of the screens that follow."""
    match screen:
        case Choice():
            yield from (option.goto for option in screen.options)
        case Listing():
            yield from (screen.goto, screen.empty, *(option.goto for option in screen.options))
            yield from (screen.typed.goto,) if screen.typed else ()
        case Question():
            yield from (screen.goto, *(option.goto for option in screen.options))
        case Form():
            yield screen.goto
        case Step():
            yield from screen.outcomes.values()
        case Goodbye():
            return


def keyed(options: Sequence[Option], rows: int = 0) -> tuple[tuple[str, Option], ...]:
    """Options with the keys they answer to: their own, or their position from 1, after so many rows of a list."""
    return tuple((option.key or str(position), option) for position, option in enumerate(options, rows + 1))
