"""Complaining of an application or a service, saying what one thinks of it, and judging the answer.

What is written in one's own words is optional; it reaches the step that records it and is never remembered.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import Literal, NamedTuple, Protocol

from menus import checks
from menus.journeys.find import Finding, found_facts, sought
from menus.journeys.track import Find, FindOwn, own_rows, row_of
from menus.model import (
    Accepted,
    Choice,
    Facts,
    Goodbye,
    Journey,
    Listing,
    Option,
    Outcome,
    Question,
    Refused,
    Step,
    Typed,
    Visit,
)

REASONS = ("late", "money", "rude", "wrong", "unusable", "other")
RATINGS = ("1", "2", "3", "4", "5")
LONGEST = 1000  # characters: more than seven SMS hold

Settled = Literal["closed", "raised", "last", "not_answered", "unknown"]


class Wrote(NamedTuple):
    """A complaint or a feedback as it was given. `about` is a tracking number and `service` a code; each may be empty.

    `rating` is 1 to 5, or 0 where none was given. `account` is who is signed in, `operator` who writes for a citizen.
    """

    number: str
    text: str
    language: str
    channel: str
    about: str = ""
    service: str = ""
    reason: str = "other"
    rating: int = 0
    account: int = 0
    operator: str = ""


class Verdict(NamedTuple):
    """Whether the answer to a complaint satisfies whoever complained."""

    complaint: str
    settled: bool
    number: str
    channel: str
    account: int = 0
    operator: str = ""


class Kept(Protocol):
    """A complaint that was recorded."""

    @property
    def complaint_number(self) -> str:
        """Twelve digits."""

    @property
    def about(self) -> str:
        """The tracking number of the application it is tied to, or empty."""

    @property
    def promised(self) -> date | None:
        """The day by which an answer is promised."""


class Complaining(NamedTuple):
    """The calls that this journey makes; services are found as they are everywhere."""

    find: Find
    own: FindOwn
    finding: Finding
    complain: Callable[[Wrote, str], Awaitable[Kept]]
    suggest: Callable[[Wrote, str], Awaitable[str]]
    judge: Callable[[Verdict, str], Awaitable[Settled]]


def complain(calls: Complaining) -> Journey:
    """All of it."""
    about = (*_application(calls), *_service(calls))
    return (*_beginning(calls), *about, *_complaint(calls), *_feedback(calls), *_judging(calls))


def _beginning(calls: Complaining) -> Journey:
    async def complaint(visit: Visit) -> Outcome[Literal["application", "service", "open"]]:
        """What it is about, where that is known: the application that was looked at, or the service."""
        number, service = visit.facts.get("number", ""), visit.facts.get("service", "")
        found = await calls.find(number, visit.caller, own=True) if number else None
        if found and found.application and service in {"", found.application.service}:
            return Outcome("application", _about(number, found.application.service))
        return Outcome("service", _about("", service)) if service else Outcome("open", _about("", ""))

    async def feedback(_: Visit) -> Outcome[Literal["open"]]:
        return Outcome("open", {**_about("", ""), "writes": "feedback"})

    return (
        Choice(
            "complaint_start",
            (
                Option("complain", goto="complaint"),
                Option("suggest", goto="feedback"),
                Option("status", goto="ask_complaint_number"),
            ),
        ),
        Step(
            "complaint",
            complaint,
            {"application": "complaint_reason", "service": "complaint_reason", "open": "complaint_about"},
        ),
        Choice(
            "complaint_about",
            (
                Option("application", goto="complaint_number"),
                Option("service", goto="about_sectors"),
                Option("other", goto="complaint_reason"),
            ),
        ),
        Step("feedback", feedback, {"open": "feedback_about"}),
        Choice("feedback_about", (Option("service", goto="about_sectors"), Option("other", goto="feedback_rating"))),
        Question("ask_complaint_number", "number", checks.tracking_number, goto="look_up"),
    )


def _application(calls: Complaining) -> Journey:
    async def look_up(visit: Visit) -> Outcome[Literal["application", "other", "unknown", "held"]]:
        own = any(row["number"] == visit.facts["number"] for row in own_rows(visit.facts))
        found = await calls.find(visit.facts["number"], visit.caller, own=own)
        if found.application:
            return Outcome("application", _about(found.application.number, found.application.service))
        if found.kind == "held":
            return Outcome("held")
        return Outcome("unknown" if found.kind == "unknown" else "other")

    async def own(visit: Visit) -> Outcome[Literal["signed_out", "listed"]]:
        account = visit.facts.get("account")
        if not account:
            return Outcome("signed_out", {"then": "complaint"})
        return Outcome("listed", {"applications": [row_of(one) for one in await calls.own(account)]})

    mine, helped = (Option("own", goto="complaint_own"),), (Option("help", goto="get_help", key="7"),)
    ways = {
        "application": "complaint_reason",
        "other": "look_up",
        "unknown": "complaint_no_number",
        "held": "complaint_held",
    }
    return (
        Question("complaint_number", "number", checks.tracking_number, goto="complaint_found", options=mine),
        Question("complaint_no_number", "number", checks.tracking_number, goto="complaint_found", options=helped),
        Question("complaint_held", "number", checks.tracking_number, goto="complaint_found", options=helped),
        Step("complaint_found", look_up, ways),
        Step("complaint_own", own, {"listed": "complaint_own_list", "signed_out": "gate"}),
        Listing("complaint_own_list", own_rows, saves="number", goto="complaint_found", empty="own_none"),
    )


def _service(calls: Complaining) -> Journey:
    async def seek(visit: Visit) -> Outcome[Literal["one", "several", "none"]]:
        found = sought(calls.finding, visit.facts["sought"])
        if len(found.codes) == 1:
            return Outcome("one", {"service": found.codes[0]})
        return Outcome("several", found_facts(found)) if found.codes else Outcome("none")

    async def chosen(visit: Visit) -> Outcome[Literal["complaint", "feedback"]]:
        """For whichever of the two the service was looked for."""
        writes: Literal["complaint", "feedback"] = "feedback" if visit.facts["writes"] == "feedback" else "complaint"
        return Outcome(writes, {**_about("", visit.facts["service"]), "writes": writes})

    def found_rows(facts: Facts) -> Sequence[Facts]:
        return [{"service": code} for code in facts.get("found", ())]

    def sector_rows(_: Facts) -> Sequence[Facts]:
        return [{"sector": code} for code in calls.finding.sectors("")]

    def service_rows(facts: Facts) -> Sequence[Facts]:
        return [{"service": code} for code in calls.finding.services(facts["sector"], "")]

    listed = (Option("list", goto="about_sectors"),)
    return (
        Step("about_seek", seek, {"one": "about_chosen", "several": "about_services", "none": "about_nothing"}),
        Question("about_nothing", "sought", checks.sought, goto="about_seek", secret=True, options=listed),
        _list("about_services", found_rows, saves="service", goto="about_chosen"),
        _list("about_sectors", sector_rows, saves="sector", goto="about_sector"),
        _list("about_sector", service_rows, saves="service", goto="about_chosen"),
        Step("about_chosen", chosen, {"complaint": "complaint_reason", "feedback": "feedback_rating"}),
    )


def _list(name: str, rows: Callable[[Facts], Sequence[Facts]], *, saves: str, goto: str) -> Listing:
    """A list on which one may type as well."""
    typed = Typed("sought", checks.sought, goto="about_seek")
    return Listing(name, rows, saves=saves, goto=goto, empty="nothing_here", typed=typed)


def _complaint(calls: Complaining) -> Journey:
    async def send(visit: Visit) -> Outcome[Literal["kept"]]:
        facts = visit.facts
        wrote = wrote_by(visit, facts.get("words", ""))._replace(
            about=facts["about"], service=facts["about_service"], reason=facts["reason"]
        )
        return Outcome("kept", kept_told(await calls.complain(wrote, visit.effect)))

    reasons = tuple(Option(reason, goto="complaint_words") for reason in REASONS)
    return (
        Choice("complaint_reason", reasons, saves="reason"),
        Question(
            "complaint_words",
            "words",
            in_words,
            goto="send_complaint",
            secret=True,
            options=(Option("none", goto="send_complaint"),),
        ),
        Step("send_complaint", send, {"kept": "complaint_kept"}, commits=True),
        Goodbye("complaint_kept"),
    )


def _feedback(calls: Complaining) -> Journey:
    async def send(visit: Visit) -> Outcome[Literal["kept"]]:
        facts = visit.facts
        wrote = wrote_by(visit, facts.get("words", ""))._replace(
            service=facts["about_service"], rating=int(facts["rating"])
        )
        return Outcome("kept", {"feedback": await calls.suggest(wrote, visit.effect)})

    ratings = tuple(Option(rating, goto="feedback_words") for rating in RATINGS)
    return (
        Choice("feedback_rating", ratings, saves="rating"),
        Question(
            "feedback_words",
            "words",
            in_words,
            goto="send_feedback",
            secret=True,
            options=(Option("none", goto="send_feedback"),),
        ),
        Step("send_feedback", send, {"kept": "feedback_kept"}, commits=True),
        Goodbye("feedback_kept"),
    )


def _judging(calls: Complaining) -> Journey:
    async def settle(visit: Visit) -> Outcome[Settled]:
        return Outcome(await calls.judge(_verdict(visit, settled=True), visit.effect))

    async def not_settled(visit: Visit) -> Outcome[Settled]:
        return Outcome(await calls.judge(_verdict(visit, settled=False), visit.effect))

    ways = {
        "closed": "complaint_closed",
        "raised": "complaint_raised",
        "last": "complaint_again",
        "not_answered": "look_up",
        "unknown": "look_up",
    }
    return (
        Step("settle_complaint", settle, ways, commits=True),
        Step("raise_complaint", not_settled, ways, commits=True),
        Choice("complaint_closed", (Option("suggest", goto="feedback"),)),
        Choice("complaint_raised", ()),
        Choice("complaint_again", ()),
    )


def wrote_by(visit: Visit, words: str) -> Wrote:
    """Who writes, in which language, over which channel, and in which words."""
    operator = str(visit.facts.get("operator") or "") if visit.assisted else ""
    account = int(visit.facts.get("account") or 0)
    return Wrote(visit.citizen, words, visit.told_in, visit.channel, account=account, operator=operator)


def kept_told(kept: Kept) -> dict[str, object]:
    """What is said of a complaint that was recorded."""
    promised = kept.promised.isoformat() if kept.promised else None
    return {"complaint": kept.complaint_number, "about": kept.about, "answer_by": promised}


def _verdict(visit: Visit, *, settled: bool) -> Verdict:
    wrote = wrote_by(visit, "")
    return Verdict(visit.facts["number"], settled, wrote.number, wrote.channel, wrote.account, wrote.operator)


def _about(number: str, service: str) -> dict[str, object]:
    return {"about": number, "about_service": service, "writes": "complaint"}


def in_words(typed: str, _today: date) -> Accepted | Refused:
    """One's own words: something, and not a whole book."""
    if not typed:
        return Refused("empty")
    return Accepted(typed) if len(typed) <= LONGEST else Refused("too_long", {"most": LONGEST})
