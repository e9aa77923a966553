"""What an SMS keyword asks for: a step each, which is handed the words after the keyword as the secret fact `rest`.

A question that one SMS can settle ends with its answer; any other goes on by numbered replies, as a call would.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, Literal, NamedTuple

from menus import checks
from menus.engine import typed_plainly
from menus.journeys.complain import Complaining, in_words, kept_told, wrote_by
from menus.journeys.find import Finding, found_facts, sought
from menus.journeys.language import Keep
from menus.journeys.look import Looking, told
from menus.journeys.register import NewCitizen, Register
from menus.journeys.sign_in import RegisteredBy, existed
from menus.journeys.track import Following, Way, looked_up
from menus.model import Accepted, Goodbye, Journey, Outcome, Question, Refused, Step, Visit

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
    "refuse": "texted_refusal",
    "operator": "operator",
}
"""Where each keyword enters the menus; the others are answered without them."""
_tracking_first = re.compile(r"#?((?:[0-9][ .-]*){11}[0-9])(?![0-9])[\s.,:;#-]*", re.ASCII).match


class Texted(NamedTuple):
    """The calls that keywords make."""

    following: Following
    registered_by: RegisteredBy
    register: Register
    finding: Finding
    looking: Looking
    languages: Sequence[str]
    keep_language: Keep
    complaining: Complaining


def texted(calls: Texted) -> Journey:
    """All of them."""
    return (*_following(calls), *_registering(calls), *_finding(calls), *_writing(calls), *_speaking(calls))


def _following(calls: Texted) -> Journey:
    async def status(visit: Visit) -> Outcome[Way | Literal["waiting", "asked"]]:
        if not visit.facts["rest"]:
            return Outcome("asked")
        understood = checks.tracking_number(visit.facts["rest"], visit.today)
        if isinstance(understood, Refused):
            return Outcome("asked", refused=understood)
        outcome = await looked_up(calls.following, visit, understood.value)
        way = outcome.facts.get("delivery") or outcome.name
        return Outcome(way, {**outcome.facts, "number": understood.value})

    ways = {
        "application": "status_texted",
        "fee_due": "status_texted",
        "waiting": "status_texted_waiting",
        "complaint": "complaint_texted",
        "answered": "complaint_answered",
        "feedback": "feedback_texted",
        "unknown": "no_such_number",
        "held": "too_many_numbers",
        "asked": "ask_number",
    }
    return (
        Step("texted_status", status, ways),
        Goodbye("status_texted"),
        Goodbye("status_texted_waiting"),
        Goodbye("complaint_texted"),
        Goodbye("feedback_texted"),
    )


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
    async def apply(visit: Visit) -> Outcome[Literal["form", "elsewhere", "several", "none", "asked"]]:
        if not visit.facts["rest"]:
            return Outcome("asked")
        found = sought(calls.finding, typed_plainly(visit.facts["rest"]))
        if len(found.codes) != 1 and not found.numbered:
            return Outcome("several" if found.codes else "none", found_facts(found))
        code = found.codes[0]
        facts = {"service": code, **told(calls.looking.service(code))}
        return Outcome("form" if calls.looking.offered(code, visit.channel) else "elsewhere", facts)

    async def services(visit: Visit) -> Outcome[Literal["several", "none", "asked"]]:
        if not visit.facts["rest"]:
            return Outcome("asked")
        found = sought(calls.finding, typed_plainly(visit.facts["rest"]))
        return Outcome("several" if found.codes else "none", found_facts(found))

    listed = {"several": "found_services", "none": "nothing_found", "asked": "sectors"}
    return (
        Step("texted_apply", apply, {**listed, "form": "start_form", "elsewhere": "service_elsewhere"}),
        Step("texted_services", services, listed),
        Goodbye("nothing_found"),
    )


def _writing(calls: Texted) -> Journey:
    async def complaint(visit: Visit) -> Outcome[Literal["written", "asked"]]:
        about, words = _about(visit.facts["rest"], visit.today)
        return Outcome("written" if words else "asked", {"about": about})

    async def complain(visit: Visit) -> Outcome[Literal["kept"]]:
        wrote = wrote_by(visit, visit.facts["rest"])._replace(about=visit.facts["about"])
        return Outcome("kept", kept_told(await calls.complaining.complain(wrote, visit.effect)))

    async def feedback(visit: Visit) -> Outcome[Literal["kept", "asked"]]:
        if not visit.facts["rest"]:
            return Outcome("asked")
        wrote = wrote_by(visit, visit.facts["rest"])
        return Outcome("kept", {"feedback": await calls.complaining.suggest(wrote, visit.effect)})

    return (
        Step("texted_complaint", complaint, {"written": "complain", "asked": "ask_complaint"}),
        Question("ask_complaint", "rest", in_words, goto="complain", secret=True),
        Step("complain", complain, {"kept": "complaint_kept"}, commits=True),
        Step("texted_feedback", feedback, {"kept": "feedback_kept", "asked": "ask_feedback"}, commits=True),
        Question("ask_feedback", "rest", in_words, goto="texted_feedback", secret=True),
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
