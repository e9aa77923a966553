"""Finding a service: by its sector, by the office, by whom it is for, or typed: its name, its number, the keys of its name.

The sectors come first, for that is the shortest way; whoever would rather type does so on any of these lists.
"""

from collections.abc import Callable, Sequence
from typing import Final, Literal, NamedTuple, Protocol

from menus import checks
from menus.model import Choice, Facts, Journey, Listing, Option, Outcome, Question, Step, Typed, Visit

LONGEST_NUMBER: Final = 5  # digits on the keypad by which a service is known


class Found(Protocol):
    """What was found by what somebody typed."""

    @property
    def codes(self) -> Sequence[str]:
        """Of services, the best first."""

    @property
    def more(self) -> bool:
        """Whether there is more than is shown."""


class Finding(NamedTuple):
    """The calls that this journey makes; all lists are codes, what is used most comes first.

    sectors: of those that are for a recipient, or of all where that is empty. services: of a sector, for a recipient.
    numbered: the service with this keypad number. search: those with this name, or these keys of a name.
    """

    sectors: Callable[[str], Sequence[str]]
    services: Callable[[str, str], Sequence[str]]
    offices: Callable[[], Sequence[str]]
    at_office: Callable[[str], Sequence[str]]
    recipients: Callable[[], Sequence[str]]
    numbered: Callable[[int], str | None]
    search: Callable[[str], Found]


class Sought(NamedTuple):
    """What somebody may mean: `numbered`, first among `codes`, has the number `keypad`, which is what they typed."""

    codes: Sequence[str]
    numbered: str = ""
    keypad: str = ""
    more: bool = False


def find(calls: Finding) -> Journey:
    """The lists, and what is found by typing."""
    return (*_by_sector(calls), *_by_office(calls), *_by_recipient(calls), *_by_typing(calls))


def sought(calls: Finding, typed: str) -> Sought:
    """What `typed` may mean: digits are the number of a service, the keys of a name, or both."""
    number = typed.strip().lstrip("#")
    numbered = calls.numbered(int(number)) if _is_number(number) else None
    found = calls.search(typed)
    others = [code for code in found.codes if code != numbered]
    if numbered is None:
        return Sought(others, more=found.more)
    return Sought([numbered, *others], numbered, number, found.more)


def found_facts(found: Sought) -> Facts:
    """The facts that the list of what was found is made of."""
    keypad = f"({found.keypad})" if found.numbered and len(found.codes) > 1 else None
    more = "yes" if found.more else None
    return {"found": list(found.codes), "numbered": found.numbered, "keypad": keypad, "more": more}


def _is_number(typed: str) -> bool:
    return typed.isascii() and typed.isdigit() and len(typed) <= LONGEST_NUMBER


_TYPED = Typed("sought", checks.sought, goto="seek")


def _by_sector(calls: Finding) -> Journey:
    def sectors(_: Facts) -> Sequence[Facts]:
        return [{"sector": code} for code in calls.sectors("")]

    def services(facts: Facts) -> Sequence[Facts]:
        return [{"service": code} for code in calls.services(facts["sector"], "")]

    other = (Option("office", goto="offices"), Option("recipient", goto="recipients"))
    return (
        _list("sectors", sectors, saves="sector", goto="services", options=other),
        _list("services", services, saves="service", goto="look_at"),
        Choice("nothing_here", (Option("help", goto="get_help"),)),
    )


def _by_office(calls: Finding) -> Journey:
    def offices(_: Facts) -> Sequence[Facts]:
        return [{"office": code} for code in calls.offices()]

    def services(facts: Facts) -> Sequence[Facts]:
        return [{"service": code} for code in calls.at_office(facts["office"])]

    return (
        _list("offices", offices, saves="office", goto="at_office"),
        _list("at_office", services, saves="service", goto="look_at"),
    )


def _by_recipient(calls: Finding) -> Journey:
    def recipients(_: Facts) -> Sequence[Facts]:
        return [{"recipient": code} for code in calls.recipients()]

    def sectors(facts: Facts) -> Sequence[Facts]:
        return [{"sector": code} for code in calls.sectors(facts["recipient"])]

    def services(facts: Facts) -> Sequence[Facts]:
        return [{"service": code} for code in calls.services(facts["sector"], facts["recipient"])]

    return (
        _list("recipients", recipients, saves="recipient", goto="sectors_for"),
        _list("sectors_for", sectors, saves="sector", goto="services_for"),
        _list("services_for", services, saves="service", goto="look_at"),
    )


def _by_typing(calls: Finding) -> Journey:
    async def seek(visit: Visit) -> Outcome[Literal["one", "several", "none", "texted"]]:
        found = sought(calls, visit.facts["sought"])
        if len(found.codes) == 1:
            return Outcome("one", {"service": found.codes[0]})
        if found.codes:
            return Outcome("several", found_facts(found))
        return Outcome("texted" if visit.channel == "sms" else "none")

    def rows(facts: Facts) -> Sequence[Facts]:
        keypad = {facts.get("numbered"): facts.get("keypad")}
        return [{"service": code, "keypad": keypad.get(code)} for code in facts.get("found", ())]

    again = (Option("sectors", goto="sectors"), Option("help", goto="get_help"))
    ways = {"one": "look_at", "several": "found_services", "none": "none_found", "texted": "nothing_found"}
    return (
        Step("seek", seek, ways),
        Listing("found_services", rows, saves="service", goto="look_at", empty="nothing_here", typed=_TYPED),
        Question("none_found", "sought", checks.sought, goto="seek", secret=True, options=again),
    )


def _list(
    name: str,
    rows: Callable[[Facts], Sequence[Facts]],
    *,
    saves: str,
    goto: str,
    options: tuple[Option, ...] = (),
) -> Listing:
    """A list on which one may type as well."""
    return Listing(name, rows, saves=saves, goto=goto, empty="nothing_here", options=options, typed=_TYPED)
