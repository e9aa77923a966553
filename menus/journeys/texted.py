"""What an SMS keyword asks for: a step each, which is handed the words after the keyword as the secret fact `rest`.

A question that one SMS can settle ends with its answer; any other goes on by numbered replies, as a call would.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from typing import Final, Literal, NamedTuple

from menus import checks
from menus.engine import typed_plainly
from menus.journeys.find import Offered, Service, told
from menus.journeys.language import Keep
from menus.journeys.register import NewCitizen, Register
from menus.journeys.sign_in import RegisteredBy, existed
from menus.journeys.track import FindStatus, mood
from menus.model import Accepted, Facts, Goodbye, Journey, Listing, Outcome, Question, Refused, Step, Visit

ENTRIES: Final[Mapping[str, str]] = {
    "status": "texted_status",
    "reg": "texted_register",
    "pin": "recover",
    "apply": "texted_apply",
    "services": "texted_services",
    "complain": "texted_complaint",
    "feedback": "texted_feedback",
    "menu": "main",
    "documents": "documents_start",
    "lang": "texted_language",
}
"""Where each keyword enters the menus; the others are answered without them."""
_tracking_first = re.compile(r"#?((?:[0-9][ .-]*){11}[0-9])(?![0-9])[\s.,:;#-]*", re.ASCII).match


class Wrote(NamedTuple):
    """A complaint or a suggestion as it was written; `about` is a tracking number, or empty."""

    number: str
    text: str
    about: str
    language: str
    channel: str


class Complained(NamedTuple):
    """The twelve digits of a complaint that was recorded, and the tracking number it is tied to, or empty."""

    number: str
    about: str


class Texted(NamedTuple):
    """The calls that keywords make. `numbered`: the service with this keypad number; `search`: those that are called so."""

    find_status: FindStatus
    registered_by: RegisteredBy
    register: Register
    numbered: Callable[[int], str | None]
    search: Callable[[str], Sequence[str]]
    service: Callable[[str], Service]
    offered: Offered
    languages: Sequence[str]
    keep_language: Keep
    complain: Callable[[Wrote, str], Awaitable[Complained]]
    suggest: Callable[[Wrote, str], Awaitable[str]]


def texted(calls: Texted) -> Journey:
    """All of them."""
    return (*_following(calls), *_registering(calls), *_finding(calls), *_writing(calls), *_speaking(calls))


def _following(calls: Texted) -> Journey:
    async def status(visit: Visit) -> Outcome[Literal["told", "unknown", "asked"]]:
        if not visit.facts["rest"]:
            return Outcome("asked")
        understood = checks.tracking_number(visit.facts["rest"], visit.today)
        if isinstance(understood, Refused):
            return Outcome("asked", refused=understood)
        found = await calls.find_status(understood.value)
        if found is None:
            return Outcome("unknown")
        when = found.promised.isoformat() if found.promised else None
        promise = {"on_time": {"promised": when}, "late": {"late": when}, "closed": {}}[mood(found, visit.today)]
        facts = {"number": found.number, "service": found.service, "status": found.status, "note": dict(found.note)}
        return Outcome("told", {**facts, **promise, "changed": found.changed.isoformat()})

    ways = {"told": "status_texted", "unknown": "no_such_number", "asked": "ask_number"}
    return (Step("texted_status", status, ways), Goodbye("status_texted"))


def _registering(calls: Texted) -> Journey:
    async def start(visit: Visit) -> Outcome[Literal["named", "asked", "known"]]:
        if existed(await calls.registered_by(visit.caller), visit.effect):
            return Outcome("known")
        name = checks.person(visit.facts["rest"], visit.today)
        return Outcome("named", {"name": name.value}) if isinstance(name, Accepted) else Outcome("asked")

    async def register(visit: Visit) -> Outcome[Literal["registered", "known"]]:
        """With a PIN of ours, which goes to this number and to no other: so is the number proved."""
        citizen = NewCitizen(visit.caller, visit.facts["name"], visit.language, "", ())
        if await calls.register(citizen, visit.effect) is None:
            return Outcome("known")
        return Outcome("registered", {"only_questions": True})

    return (
        Step("texted_register", start, {"named": "register_texted", "asked": "texted_name", "known": "has_account"}),
        Question("texted_name", "name", checks.person, goto="register_texted"),
        Step("register_texted", register, {"registered": "questions", "known": "has_account"}, commits=True),
        Goodbye("has_account"),
    )


def _finding(calls: Texted) -> Journey:
    def rows(facts: Facts) -> Sequence[Facts]:
        return [{"service": code} for code in facts.get("found", ())]

    def meant(rest: str) -> Sequence[str]:
        number = typed_plainly(rest).lstrip("#")
        if number.isascii() and number.isdigit():
            numbered = calls.numbered(int(number))
            return [numbered] if numbered else []
        return calls.search(rest)

    async def apply(visit: Visit) -> Outcome[Literal["form", "elsewhere", "several", "none", "asked"]]:
        if not visit.facts["rest"]:
            return Outcome("asked")
        found = meant(visit.facts["rest"])
        if len(found) != 1:
            return Outcome("several" if found else "none", {"found": list(found)})
        facts = {"service": found[0], **told(calls.service(found[0]))}
        return Outcome("form" if calls.offered(found[0], visit.channel) else "elsewhere", facts)

    async def services(visit: Visit) -> Outcome[Literal["several", "none", "asked"]]:
        if not visit.facts["rest"]:
            return Outcome("asked")
        found = meant(visit.facts["rest"])
        return Outcome("several" if found else "none", {"found": list(found)})

    listed = {"several": "found_services", "none": "nothing_found", "asked": "sectors"}
    return (
        Step("texted_apply", apply, {**listed, "form": "start_form", "elsewhere": "service_elsewhere"}),
        Step("texted_services", services, listed),
        Listing("found_services", rows, saves="service", goto="look_at", empty="nothing_found"),
        Goodbye("nothing_found"),
    )


def _writing(calls: Texted) -> Journey:
    async def complaint(visit: Visit) -> Outcome[Literal["written", "asked"]]:
        about, words = _about(visit.facts["rest"], visit.today)
        return Outcome("written" if words else "asked", {"about": about})

    async def complain(visit: Visit) -> Outcome[Literal["kept"]]:
        words = visit.facts["rest"]
        wrote = Wrote(visit.caller, words, visit.facts["about"], visit.language, visit.channel)
        kept = await calls.complain(wrote, visit.effect)
        return Outcome("kept", {"number": kept.number, "about": kept.about})

    async def feedback(visit: Visit) -> Outcome[Literal["kept", "asked"]]:
        if not visit.facts["rest"]:
            return Outcome("asked")
        wrote = Wrote(visit.caller, visit.facts["rest"], "", visit.language, visit.channel)
        return Outcome("kept", {"number": await calls.suggest(wrote, visit.effect)})

    return (
        Step("texted_complaint", complaint, {"written": "complain", "asked": "ask_complaint"}),
        Question("ask_complaint", "rest", _in_words, goto="complain", secret=True),
        Step("complain", complain, {"kept": "complaint_kept"}, commits=True),
        Goodbye("complaint_kept"),
        Step("texted_feedback", feedback, {"kept": "feedback_kept", "asked": "ask_feedback"}, commits=True),
        Question("ask_feedback", "rest", _in_words, goto="texted_feedback", secret=True),
        Goodbye("feedback_kept"),
    )


def _speaking(calls: Texted) -> Journey:
    async def language(visit: Visit) -> Outcome[Literal["kept", "asked"]]:
        chosen = visit.facts["rest"]  # its code, where a language was named
        if chosen not in calls.languages:
            return Outcome("asked")
        await calls.keep_language(visit.caller, chosen, visit.session)
        return Outcome("kept", language=chosen)

    return (
        Step("texted_language", language, {"kept": "language_kept", "asked": "languages"}),
        Goodbye("language_kept"),
    )


def _about(rest: str, today: date) -> tuple[str, str]:
    """The tracking number that the words begin with, or nothing, and the words after it."""
    rest = rest.strip()
    first = _tracking_first(typed_plainly(rest))
    if first is None:
        return "", rest
    number = checks.tracking_number(first[1], today)
    if isinstance(number, Refused):
        return "", rest
    return str(number.value), rest[first.end() :]


def _in_words(typed: str, _today: date) -> Accepted | Refused:
    return Accepted(typed) if typed else Refused("empty")
