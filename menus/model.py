"""The parts of a menu: six kinds of screen, the position of a caller, and the outcome of a step.

A journey is a tuple of screens. A screen names the screens that follow it and never imports them; `Menu` joins the
journeys and `menus.validation.check` proves that every name leads to a screen.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

import msgspec
from msgspec.structs import replace

from core.idempotency import is_intention_key, session_of_key, was_recorded_before
from core.typed_options import Meaning, index_labels, phrases_with_meaning
from core.types import Translations
from core.validation import Invalid, Valid
from menus.proof import Effect, Needs, Proof, ProofPolicy

Fact: TypeAlias = Any
"""A JSON value: text, number, boolean, null, list or mapping."""
Facts: TypeAlias = Mapping[str, Fact]

NO_FACTS: Facts = {}


Validator: TypeAlias = Callable[[str, date], Valid | Invalid]
"""Validates typed text (digits in ASCII, ends stripped) on a day; returns the value to store or the reason for rejection."""


class FormField(Protocol):
    """One field of a form."""

    @property
    def name(self) -> str:
        """The key under which the answer is stored."""

    @property
    def labels(self) -> Translations:
        """The question, in every language."""

    @property
    def choices(self) -> Sequence[tuple[str, Translations]]:
        """Code and name of each answer to choose from; empty where the answer is typed."""

    @property
    def has_digits(self) -> bool:
        """Whether digits alone are typed."""

    def validate(self, text: str, today: date) -> Valid | Invalid:
        """The answer in its stored form, or the reason why it is rejected."""

    def display_value(self, value: Fact) -> "str | Translations":
        """A stored answer as its owner may read it."""


class StepContext(msgspec.Struct, frozen=True):
    """What a step receives: the caller, the channel, the facts so far, and the idempotency key of its effects.

    `input_key` is the key of the input, `intention` that of what the caller wants to do once (`menus.intentions`). `effect` is
    the key of a step that is done once for an intention; empty for every other step. `facts` include a secret that was typed
    just now. `caller` is an MSISDN; `caller_number_verified` says whether the network vouches for it.
    """

    caller: str
    channel: str
    session: str
    language: str
    input_key: str
    facts: Facts
    caller_number_verified: bool
    today: date
    intention: str = ""
    effect: str = ""

    @property
    def idempotency_key(self) -> str:
        """The key of the step's effects. An effect that is recorded under it happens once.

        It is the same whenever the same input is repeated or replayed; that of a step that is done once for an intention is
        the same in a later session too, in which the caller takes up the intention.
        """
        return self.effect or self.input_key

    def is_past(self, key: str | None) -> bool:
        """Whether the effect with this key precedes the input: on a replayed path, later ones do not count.

        False for None: there is no such effect.
        """
        if key is None or not is_intention_key(key):
            return was_recorded_before(key, self.input_key)
        is_taken_up = session_of_key(self.intention) != self.session  # it is the first one of this session
        return not (is_taken_up and session_of_key(key) == self.session) and was_recorded_before(key, self.intention)

    @property
    def citizen(self) -> str:
        """The MSISDN of the citizen: the caller's, or that of the person for whom an operator acts (fact `citizen`)."""
        return str(self.facts.get("citizen") or self.caller)

    @property
    def consent_id(self) -> int:
        """The consent under which an operator acts (fact `consent`); 0 where the caller is the citizen."""
        return int(self.facts.get("consent") or 0)

    @property
    def citizen_language(self) -> str:
        """The language of texts to the citizen: the caller's, or the citizen's own where an operator acts for them."""
        return str(self.facts.get("citizen_language") or self.language)


OutcomeName_co = TypeVar("OutcomeName_co", bound=str, covariant=True)


class Outcome(msgspec.Struct, Generic[OutcomeName_co], frozen=True):
    """The result of a step: the outcome's name, new facts, and the caller's language where it changed.

    The annotation of a step's function lists its outcomes, `-> Outcome[Literal["found", "unknown"]]`: the type checker holds
    the function to them, `menus.validation.check` holds the menu to them. With `position` the caller continues there instead,
    if the menu still has its screen. `invalid` tells the next screen why the typed text was rejected. `proof` is what the
    caller has just shown; the act that waits for it runs next.
    """

    name: OutcomeName_co
    facts: Facts = NO_FACTS
    language: str = ""
    position: "Position | None" = None
    invalid: Invalid | None = None
    proof: Proof | None = None


StepFunction: TypeAlias = Callable[[StepContext], Awaitable[Outcome[str]]]
SaveForm: TypeAlias = Callable[[StepContext], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Option:
    """A numbered option. `name` is its key in the locales; the option is hidden on the channel `hidden_on`.

    `means`: the words yes and no choose it. `shown_if` says of the facts whether a choice or question offers it.
    """

    name: str
    goto: str
    key: str = ""
    hidden_on: str = ""
    means: Meaning = ""
    shown_if: Callable[[Facts], bool] | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A text with numbered options. `save_as` is the fact that stores the name of the chosen option.

    `opens_session`: a session may start at this screen, and there is nothing to go back to. `key_fact` is the fact that the
    caller came for; the first page shows it.
    """

    name: str
    options: tuple[Option, ...]
    save_as: str = ""
    opens_session: bool = False
    key_fact: str = ""


class FreeText(NamedTuple):
    """What a list accepts besides numbers: text, which the next step receives as the fact `save_as`. It is never stored."""

    save_as: str
    validator: Validator
    goto: str


@dataclass(frozen=True, slots=True)
class ListScreen:
    """A numbered list, one row per mapping of facts; the locales' `row` renders it, the fact `save_as` stores the chosen one.

    `options` are numbered after the rows. `free_text` lets callers type a name instead of paging.
    """

    name: str
    rows: Callable[[Facts], Sequence[Facts]]
    save_as: str
    goto: str
    goto_if_empty: str
    options: tuple[Option, ...] = ()
    free_text: FreeText | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A question with a typed answer. A secret answer reaches the next step and is never stored.

    A question that says why the last answer was rejected names in `retry_of` the screen whose text it has instead once a
    newer reason stands above it, so that only the newest is read.
    """

    name: str
    save_as: str
    validator: Validator
    goto: str
    secret: bool = False
    options: tuple[Option, ...] = ()
    retry_of: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a service, one screen each. The fact `save_as` stores all answers; a form without fields goes straight on.

    `on_answer` is called after each accepted answer, again for a repeated input, and saves a draft; `needs` is the proof
    without which nothing is saved. `hints_fact` is the fact that holds additional text for the questions, by field name;
    `intro_fact` is the one that the first question shows as `intro`.
    """

    name: str
    fields: Callable[[Facts], Sequence[FormField]]
    save_as: str
    goto: str
    on_answer: SaveForm | None = None
    needs: Needs | None = None
    hints_fact: str = ""
    intro_fact: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """Work between two screens. `commits`: going back does not undo it.

    A step that commits or has `effects` says in `needs` which proof it asks for; the engine asks before it runs the step.
    `carries` names the typed input that the step receives as secrets and that is stored, encrypted, while the proof is asked.

    What it does happens once for an intention, if it does more than reveal, or sends something (`once`). `subject` names the
    facts that say what it is done to: for another subject it is done again. No such fact may be personal, since a short hash
    of it is in the key.

    `ends_call` names the outcomes after which something reaches the phone that no phone takes during a call, such as a wallet's
    prompt: their screens end the call, on one page.

    `facts` names the facts that the step makes without their names being in its code; the check of texts finds all others.
    """

    name: str
    run: StepFunction
    outcomes: Mapping[str, str]
    commits: bool = False
    effects: frozenset[Effect] = frozenset()
    needs: Needs | None = None
    carries: tuple[str, ...] = ()
    once: bool = False
    subject: tuple[str, ...] = ()
    ends_call: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()

    @property
    def is_done_once(self) -> bool:
        """Whether the step is done once for an intention; any other one is done for each input."""
        return self.commits or self.once or bool(self.effects - {Effect.REVEALS})


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The last screen; the session ends."""

    name: str


Screen: TypeAlias = Choice | ListScreen | Question | Form | Step | Goodbye
VisibleScreen: TypeAlias = Choice | ListScreen | Question | Form | Goodbye
Journey: TypeAlias = tuple[Screen, ...]


class Position(msgspec.Struct, frozen=True, array_like=True):
    """Where a caller is in the menu: everything that the next input needs and the provider does not send.

    `intention` is the key of what the caller is about to do; empty for the first intention of a session. `is_partial`: the
    caller sees a note and only part of the page, and 98 leads to the whole page. `is_read`: the screen only told something,
    and a session that is dropped there loses nothing.
    """

    screen: str
    language: str
    page: int = 0
    has_more: bool = False
    field_index: int = 0
    history: tuple[tuple[str, int], ...] = ()
    facts: dict[str, Any] = msgspec.field(default_factory=dict)
    ended: bool = False
    intention: str = ""
    is_partial: bool = False
    is_read: bool = False


class Navigation(msgspec.Struct, frozen=True):
    """The next position, and why the input was rejected where it was."""

    position: Position
    invalid: Invalid | None = None


class Transition(msgspec.Struct, frozen=True):
    """A move from `position` to the screen `goto` that still has steps to run. `secrets` are facts for the next step only."""

    position: Position
    goto: str
    secrets: Mapping[str, Any] | None = None


def with_facts(position: Position, **facts: Fact) -> Position:
    """The position with these facts added."""
    return replace(position, facts={**position.facts, **facts})


def without_facts(position: Position, names: Collection[str]) -> Position:
    """The position without the facts of these names."""
    return replace(position, facts={key: fact for key, fact in position.facts.items() if key not in names})


@dataclass(frozen=True, slots=True)
class OperatorPolicy:
    """How the menus differ while an operator acts for a citizen (fact `consent`).

    `replacements`: screen name to the screen shown instead, for the home screen and screens of the citizen alone.
    `required_purposes`: screens that need a consent for one of these purposes. The fact `consent_for` has those of the
    consent, separated by spaces. Who gets to another screen by a keyword or a deep dial sees `no_consent_screen`.
    `refusal_screens`: the screens that say no. Options that would lead there are not offered.
    `end_reason`: called for every input; why the consent has ended, empty while it is valid.
    `audit_context`: the context in which every step runs, so that the audit log names the operator.
    `ended_screen`: the goodbye after the consent has ended, with the fact `consent_over`; `forgotten_facts` are dropped then.
    """

    replacements: Mapping[str, str]
    required_purposes: Mapping[str, frozenset[str]]
    no_consent_screen: str
    refusal_screens: frozenset[str]
    end_reason: Callable[[StepContext], Awaitable[str]]
    audit_context: Callable[[StepContext], AbstractContextManager[None]]
    ended_screen: str
    forgotten_facts: frozenset[str]

    def resolve_screen(self, name: str, facts: Facts) -> str:
        """The name of the screen to show instead of `name` to an operator with these facts."""
        needed = self.required_purposes.get(name)
        if needed and needed.isdisjoint(str(facts.get("consent_for")).split()):
            return self.no_consent_screen
        return self.replacements.get(name, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPolicy:
    """What happens when a caller is no longer signed in: the account was closed or frozen, or its PIN was changed.

    `find_end` is called for every input of a signed-in caller, with the facts of the position; it gives the reason, empty
    while the session is valid. A step that finds the account closed raises `error`, which means the reason `closed`.
    `screens` has the choice that says so, by reason; `forgotten_facts` are dropped.
    """

    find_end: Callable[[StepContext], Awaitable[str]]
    error: type[Exception]
    screens: Mapping[str, str]
    forgotten_facts: frozenset[str]


class Labels(Protocol):
    """What a screen calls its options and rows, in every language; see `menus.rendering.labels`."""

    def of_options(self, screen: str) -> Mapping[str, Collection[str]]:
        """The labels of each option of a screen, by the option's name."""

    def of_row(self, screen: str, row: Facts, language: str) -> Collection[str]:
        """The labels of a row of a list."""


class Menu:
    """All screens by name, the home screen, and the facts that survive a return to it."""

    def __init__(
        self,
        screens: Iterable[Screen],
        *,
        home: str,
        stuck: str,
        persistent_facts: frozenset[str],
        unavailable: str = "",
        entries: Iterable[str] = (),
        operator_policy: OperatorPolicy | None = None,
        session_policy: SessionPolicy | None = None,
        proof_policy: ProofPolicy | None = None,
        labels: Labels | None = None,
        channel: str = "",
        only: frozenset[str] = frozenset(),
        journeys: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """`unavailable` is the screen for a service that left the catalogue; home without one.

        `entries` are the screens that SMS keywords enter. `labels` are the words by which options and rows may be chosen.
        Options that are hidden on `channel` are left out. `only` are the screens that can be reached; empty: every one.
        `journeys` has the name of the journey of each screen.
        """
        self.screen_list = tuple(screens)
        self.screens: Mapping[str, Screen] = {screen.name: screen for screen in self.screen_list}
        self.options: Mapping[str, Mapping[str, Option]] = {
            screen.name: {
                key: option
                for key, option in number_options(screen.options)
                if (not channel or option.hidden_on != channel) and (not only or option.goto in only)
            }
            for screen in self.screen_list
            if isinstance(screen, Choice | Question)
        }
        """The options of each choice and question, by key."""
        self.conditional_screens = frozenset(
            name for name, options in self.options.items() if any(option.shown_if for option in options.values())
        )
        """The choices and questions that do not offer every option to everybody."""
        self.home = home
        self.only = only
        self.stuck = stuck
        self.unavailable = unavailable or home
        self.persistent_facts = persistent_facts
        self.entries = tuple(entries)
        self.operator_policy = operator_policy
        self.session_policy = session_policy
        self.proof_policy = proof_policy
        self.labels = labels
        self.channel = channel
        self.journeys = journeys
        self._option_words: dict[str, Mapping[str, str]] = {}

    def for_channel(self, channel: str) -> "Menu":
        """The same menu on a channel; every option keeps its number."""
        return self._copy(channel=channel, only=self.only)

    def restrict(self, screens: frozenset[str]) -> "Menu":
        """The same menu with these screens alone; every option keeps its number, and what leads elsewhere leads home."""
        return self._copy(channel=self.channel, only=screens | {self.home, self.stuck})

    def _copy(self, *, channel: str, only: frozenset[str]) -> "Menu":
        return Menu(
            self.screen_list,
            home=self.home,
            stuck=self.stuck,
            persistent_facts=self.persistent_facts,
            unavailable=self.unavailable,
            entries=self.entries,
            operator_policy=self.operator_policy,
            session_policy=self.session_policy,
            proof_policy=self.proof_policy,
            labels=self.labels,
            channel=channel,
            only=only,
            journeys=self.journeys,
        )

    def resolve_screen(self, name: str, facts: Facts) -> Screen:
        """The screen of this name, or the one that replaces it for an operator."""
        if self.operator_policy and facts.get("consent"):
            name = self.operator_policy.resolve_screen(name, facts)
        if self.only and name not in self.only:
            name = self.home
        return self.screens[name]

    def offered_options(self, screen: str, facts: Facts) -> Mapping[str, Option]:
        """The options of a choice or question that a caller with these facts is offered, by key."""
        options = self.options[screen]
        if screen not in self.conditional_screens and not facts.get("consent"):
            return options
        return {key: option for key, option in options.items() if self.is_offered(option, facts)}

    def is_offered(self, option: Option, facts: Facts) -> bool:
        """Whether a caller with these facts is offered the option: an operator is not what the citizen has not agreed to."""
        if option.shown_if is not None and not option.shown_if(facts):
            return False
        policy = self.operator_policy
        if policy is None or not facts.get("consent"):
            return True
        return policy.resolve_screen(option.goto, facts) not in policy.refusal_screens

    def option_words(self, screen: str) -> Mapping[str, str]:
        """The key of each option of a choice or question by its normalized words, in every language."""
        if screen not in self._option_words:
            texts = self.labels.of_options(screen) if self.labels else {}
            options = self.options[screen].items()
            words = index_labels(
                (key, (*texts.get(option.name, ()), *phrases_with_meaning(option.means))) for key, option in options
            )
            self._option_words[screen] = words
        return self._option_words[screen]

    def ends_session(self, position: Position) -> bool:
        """Whether the session ends at the position. An operator's goes on: the same visit may need more."""
        return isinstance(self.screens[position.screen], Goodbye) and not position.facts.get("consent")

    def visible_screen(self, position: Position) -> VisibleScreen:
        """The screen at a position.

        Raises:
            TypeError: the position is at a step, which is not a screen.
        """
        screen = self.screens[position.screen]
        if isinstance(screen, Step):
            raise TypeError(f"Nobody can stand at the step {screen.name!r}.")
        return screen


def successors(screen: Screen) -> Iterator[str]:
    """The names of the screens that may follow."""
    match screen:
        case Choice():
            yield from (option.goto for option in screen.options)
        case ListScreen():
            yield from (screen.goto, screen.goto_if_empty, *(option.goto for option in screen.options))
            yield from (screen.free_text.goto,) if screen.free_text else ()
        case Question():
            yield from (screen.goto, *(option.goto for option in screen.options))
        case Form():
            yield screen.goto
        case Step():
            yield from screen.outcomes.values()
        case Goodbye():
            return


def number_options(options: Sequence[Option], row_count: int = 0) -> tuple[tuple[str, Option], ...]:
    """The options with their keys: their own, or their position, counted on from the rows of a list."""
    return tuple((option.key or str(position), option) for position, option in enumerate(options, row_count + 1))
