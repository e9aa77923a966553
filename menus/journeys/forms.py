"""A service's form, from where it is begun to its last question: for whom it is, what is known already, what is asked.

The effect under which an application is recorded is fixed when its form is opened, so that one form is one application
however often its last screen is heard, in this call, in the one that carries on after a drop, or weeks later: a form that
was left unfinished keeps it.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final, Literal, NamedTuple, Protocol

from menus.model import (
    Accepted,
    Asked,
    Choice,
    Fact,
    Facts,
    Form,
    Journey,
    Option,
    Outcome,
    Question,
    Refused,
    Step,
    Visit,
)

Opened = Literal["others", "mine"]
KNOWN: Final = "known_"
"""What the facts are called that say what a profile has, before the key that the profile has it under."""
_like_a_number = re.compile(r"\+?[0-9 ()./-]{5,30}", re.ASCII).fullmatch


class Unfinished(Protocol):
    """A form that was left unfinished."""

    @property
    def effect(self) -> str:
        """The effect under which it was opened."""

    @property
    def begun(self) -> date:
        """The day on which it was."""

    @property
    def form(self) -> Mapping[str, str]:
        """The answers it has."""

    @property
    def beneficiary(self) -> str:
        """The number of the other person whom it is for; empty where it is for who fills it in."""


class Begun(NamedTuple):
    """A form as it is to be kept."""

    effect: str
    account: int
    service: str
    begun: date
    form: Mapping[str, str]
    beneficiary: str


class Drafting(NamedTuple):
    """Where unfinished forms are kept, by account.

    `found`: the newest of a service, as it was before an effect; `take_up`: the one that was opened under an effect, as it
    was when this effect took it up first; `set_aside`: begin another in its place.
    """

    found: Callable[[int, str, str], Awaitable[Unfinished | None]]
    keep: Callable[[Begun], Awaitable[None]]
    take_up: Callable[[int, str, str], Awaitable[Unfinished | None]]
    set_aside: Callable[[int, str, str], Awaitable[None]]


class Known(NamedTuple):
    """What a profile has for a field of a form: the field's name, the profile's key for it, and the answer."""

    field: str
    key: str
    value: str


class About(NamedTuple):
    """What a profile has for a form; `hints` are the last digits of identity numbers, by the field that asks for one."""

    known: Sequence[Known]
    hints: Mapping[str, str]


class Filling(NamedTuple):
    """The calls that filling in a form makes.

    `fields`: the questions of a service; `for_others`: whether it can be applied for in another person's stead;
    `other_number`: the number that somebody with this one means by what was typed, or why it cannot be another person's;
    `about`: what the profile of an account had for a service's form when the key press with this effect was heard first.
    """

    fields: Callable[[str], Sequence[Asked]]
    for_others: Callable[[str], bool]
    other_number: Callable[[str, str], str | Refused]
    about: Callable[[int, str, str], Awaitable[About]]
    drafts: Drafting


def forms(calls: Filling) -> Journey:
    """From wherever a service is applied for to the summary of what was answered."""
    return (*_beginning(calls), *_for_whom(calls), *_from_the_profile(calls), *_asking(calls))


def answered(asked: Asked, form: Mapping[str, Any]) -> bool:
    """Whether a form has an answer to this; a choice that is not offered any more is none."""
    value = form.get(asked.name)
    return value is not None and (not asked.choices or value in {code for code, _ in asked.choices})


def _beginning(calls: Filling) -> Journey:
    def opened(visit: Visit) -> Outcome[Opened]:
        facts = {"draft": visit.effect, "begun": visit.today.isoformat(), "form": {}, "beneficiary": "", "hints": {}}
        return Outcome("others" if calls.for_others(visit.facts["service"]) else "mine", facts)

    async def start(visit: Visit) -> Outcome[Literal["signed_out", "left"] | Opened]:
        account, service = visit.facts.get("account"), visit.facts["service"]
        if not account:
            return Outcome("signed_out", {"then": "apply"})
        left = await calls.drafts.found(account, service, visit.effect)
        if left is None:
            return opened(visit)
        return Outcome("left", {"draft": left.effect, "begun": left.begun.isoformat()})

    async def afresh(visit: Visit) -> Outcome[Opened]:
        await calls.drafts.set_aside(visit.facts["account"], visit.facts["draft"], visit.effect)
        return opened(visit)

    async def take_up(visit: Visit) -> Outcome[Literal["taken"] | Opened]:
        left = await calls.drafts.take_up(visit.facts["account"], visit.facts["draft"], visit.effect)
        if left is None:
            return opened(visit)
        return Outcome("taken", {"form": dict(left.form), "beneficiary": left.beneficiary, "hints": {}})

    ways = {"others": "for_whom", "mine": "prefill"}
    return (
        Step("start_form", start, {**ways, "signed_out": "gate", "left": "draft_left"}),
        Choice("draft_left", (Option("go_on", goto="take_up_draft"), Option("afresh", goto="begin_afresh"))),
        Step("begin_afresh", afresh, ways),
        Step("take_up_draft", take_up, {**ways, "taken": "ask_missing"}),
    )


def _for_whom(calls: Filling) -> Journey:
    async def check(visit: Visit) -> Outcome[Literal["good", "refused"]]:
        other = calls.other_number(visit.citizen, visit.facts["other"])
        if isinstance(other, Refused):
            return Outcome("refused", refused=other)
        return Outcome("good", {**_whose(visit, other), "hints": {}})

    return (
        Choice("for_whom", (Option("me", goto="for_me"), Option("other", goto="ask_other"))),
        Step("for_me", _for_oneself, {"mine": "prefill"}),
        Question("ask_other", "other", _a_number, goto="check_other", secret=True),
        Step("check_other", check, {"good": "ask_missing", "refused": "ask_other"}),
    )


async def _for_oneself(visit: Visit) -> Outcome[Literal["mine"]]:
    return Outcome("mine", _whose(visit, ""))


def _whose(visit: Visit, beneficiary: str) -> dict[str, Fact]:
    """For whom it is from now on; answers about oneself are none about another person, nor the other way round."""
    another = bool(visit.facts.get("beneficiary")) != bool(beneficiary)
    return {"beneficiary": beneficiary, **({"form": {}} if another else {})}


def _from_the_profile(calls: Filling) -> Journey:
    async def prefill(visit: Visit) -> Outcome[Literal["known", "nothing"]]:
        service = visit.facts["service"]
        about = await calls.about(visit.facts["account"], service, visit.effect)
        by_name = {asked.name: asked for asked in calls.fields(service)}
        shown = {KNOWN + one.key: by_name[one.field].shown(one.value) for one in about.known}
        stale = {name: None for name in visit.facts if name.startswith(KNOWN)}
        facts = {**stale, **shown, "known": {one.field: one.value for one in about.known}, "hints": dict(about.hints)}
        return Outcome("known" if about.known else "nothing", facts)

    async def use(visit: Visit) -> Outcome[Literal["used"]]:
        return Outcome("used", {"form": {**visit.facts["form"], **visit.facts["known"]}})

    return (
        Step("prefill", prefill, {"known": "from_profile", "nothing": "ask_missing"}),
        Choice("from_profile", (Option("use", goto="use_known"), Option("again", goto="ask_missing"))),
        Step("use_known", use, {"used": "ask_missing"}),
    )


def _asking(calls: Filling) -> Journey:
    def fields_of(facts: Facts) -> Sequence[Asked]:
        """What is asked now; nothing where one of these questions is not asked any more, for the others may have moved."""
        by_name = {asked.name: asked for asked in calls.fields(facts["service"])}
        names: Sequence[str] = facts.get("ask", ())
        return [by_name[name] for name in names] if by_name.keys() >= set(names) else ()

    async def missing(visit: Visit) -> Outcome[Literal["some", "none"]]:
        form = visit.facts["form"]
        names = [asked.name for asked in calls.fields(visit.facts["service"]) if not answered(asked, form)]
        return Outcome("some" if names else "none", {"ask": names})

    async def keep(visit: Visit) -> None:
        facts: Mapping[str, Fact] = visit.facts
        kept = (facts["draft"], facts["account"], facts["service"], date.fromisoformat(facts["begun"]))
        await calls.drafts.keep(Begun(*kept, facts["form"], facts["beneficiary"]))

    return (
        Step("ask_missing", missing, {"some": "form", "none": "summary"}),
        Form("form", fields_of, saves="form", goto="summary", keeps=keep, hints="hints"),
    )


def _a_number(typed: str, _today: date) -> Accepted | Refused:
    """What may be a telephone number; whether it is one, and whose, is for whoever knows from where it was typed."""
    return Accepted(typed) if _like_a_number(typed) else Refused("not_a_phone")
