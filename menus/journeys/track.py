"""Following an application: by its number, without signing in, or from the list of one's own."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from typing import Literal, Protocol

from menus import checks
from menus.model import Choice, Facts, Journey, Listing, Option, Outcome, Question, Step, Visit

CLOSED = frozenset({"rejected", "ready", "delivered", "withdrawn"})


class Status(Protocol):
    """What anyone who has the number may know."""

    @property
    def number(self) -> str:
        """The tracking number, twelve digits."""

    @property
    def service(self) -> str:
        """The service's code in the catalogue."""

    @property
    def status(self) -> str:
        """One of the eight statuses."""

    @property
    def changed(self) -> date:
        """The day of the last event."""

    @property
    def promised(self) -> date | None:
        """The day it was promised for."""

    @property
    def note(self) -> Mapping[str, str]:
        """What the office added, by language; empty where it added nothing."""


FindStatus = Callable[[str], Awaitable[Status | None]]
FindOwn = Callable[[int], Awaitable[Sequence[Status]]]
SendStatus = Callable[[str, str, str, str], Awaitable[bool]]
"""Sends an application's status by SMS: to whom, tracking number, language, effect."""


def track(find_status: FindStatus, find_own: FindOwn, send_status: SendStatus) -> Journey:
    """The question, the answer in its three moods (on time, late, closed), and one's own list."""

    async def look_up(visit: Visit) -> Outcome[Literal["on_time", "late", "closed", "unknown"]]:
        status = await find_status(visit.facts["number"])
        if status is None:
            return Outcome("unknown")
        return Outcome(mood(status, visit.today), _told(status))

    async def own(visit: Visit) -> Outcome[Literal["signed_out", "listed"]]:
        account = visit.facts.get("account")
        if not account:
            return Outcome("signed_out", {"then": "own"})
        rows = [{"number": one.number, "service": one.service, "status": one.status} for one in await find_own(account)]
        return Outcome("listed", {"applications": rows})

    async def send(visit: Visit) -> Outcome[Literal["sent"]]:
        await send_status(visit.caller, visit.facts["number"], visit.language, visit.effect)
        return Outcome("sent")

    moods = {"on_time": "status", "late": "status_late", "closed": "status_closed"}
    options = (Option("by_sms", goto="send_status", not_on="sms"), Option("again", goto="ask_number"))
    helped = (Option("help", goto="get_help", key="7"),)
    return (
        Question("ask_number", "number", checks.tracking_number, goto="look_up", options=(Option("own", goto="own"),)),
        Question("no_such_number", "number", checks.tracking_number, goto="look_up", options=helped),
        Step("look_up", look_up, {**moods, "unknown": "no_such_number"}),
        *(Choice(name, options) for name in moods.values()),
        Step("send_status", send, {"sent": "status_sent"}, commits=True),
        Choice("status_sent", (Option("again", goto="ask_number"),)),
        Step("own", own, {"listed": "own_list", "signed_out": "gate"}),
        Listing("own_list", _own_rows, saves="number", goto="look_up", empty="own_none"),
        Choice("own_none", (Option("find", goto="sectors"),)),
    )


def _own_rows(facts: Facts) -> Sequence[Facts]:
    rows: Sequence[Facts] = facts.get("applications", ())
    return rows


def mood(status: Status, today: date) -> Literal["on_time", "late", "closed"]:
    """How it stands with the time that was promised."""
    if status.status in CLOSED:
        return "closed"
    return "late" if status.promised and status.promised < today else "on_time"


def _told(status: Status) -> dict[str, object]:
    return {
        "service": status.service,
        "status": status.status,
        "changed": status.changed.isoformat(),
        "promised": status.promised.isoformat() if status.promised else None,
        "note": dict(status.note),
    }
