"""An application: as it is handed in, as its citizen follows it, as its department sees and moves it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from typing import Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

from services.given import Texts

ZoneOf: TypeAlias = Callable[[str], ZoneInfo]
"""A department's code to where its days begin and end."""

STATUSES: Final = (
    *("received", "under_review", "more_information", "approved"),
    *("rejected", "ready", "delivered", "withdrawn"),
)
FINAL: Final = frozenset(
    {"delivered", "withdrawn"}
)  # a rejection can be appealed; what was handed over was handed over
ANSWERED: Final = frozenset({"rejected", "ready", "delivered", "withdrawn"})  # the office has done what it promised to
COLLISIONS: Final = 5  # in a row, out of 10**11 numbers: the draw is broken, not unlucky

FeeState: TypeAlias = Literal["none", "due", "pending", "paid"]
Reason: TypeAlias = Literal["unknown", "no_such_status", "final", "conflict"]


class NumbersExhausted(RuntimeError):
    """Every tracking number that was drawn is in use: the source of chance does not work."""


@dataclass(frozen=True, slots=True)
class Submission:
    """An application as it is handed in. `days`: calendar days in which it is promised; the fee in hundredths.

    `beneficiary` is the number of the other person whom it is for, empty where it is for oneself. Of the papers that it
    needs, `on_file` are known and `bring` are to be brought, by code; `to_pay_at` is the office where the fee is paid,
    empty where there is none or it is paid here. `profile` is what of the answers is kept for the next form.
    """

    account: int
    number: str = field(repr=False)
    service: str
    office: str
    department: str
    form: Mapping[str, str] = field(repr=False)
    days: int
    fee_minor: int
    currency: str
    language: str
    channel: str
    beneficiary: str = field(default="", repr=False)
    on_file: tuple[str, ...] = ()
    bring: tuple[str, ...] = ()
    to_pay_at: str = ""
    profile: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a citizen holds afterwards: the number to follow it by, and the day it is promised for.

    `again`: it was handed in by an earlier call with the same effect, and its SMS went out then.
    """

    tracking_number: str
    promised: date
    again: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Status:
    """What anyone who has the number may know: nothing about a person. Days are days where its department is.

    `late`: for how many days it has been overdue; 0 where it is not, or the office has done its part.
    """

    number: str
    service: str
    status: str
    changed: date
    promised: date | None
    note: Texts
    late: int = 0


@dataclass(frozen=True, slots=True)
class Past:
    """One day of an application's way, as its citizen is told of it."""

    id: int
    status: str
    day: date
    note: Texts


@dataclass(frozen=True, slots=True)
class Event:
    """One step of an application's way."""

    status: str
    note: Texts
    at: datetime


@dataclass(frozen=True, slots=True)
class Listed:
    """An application in its department's list: nothing of a person, and nothing that was typed."""

    tracking_number: str
    service: str
    office: str
    status: str
    promised: date | None
    received: datetime
    changed: datetime


@dataclass(frozen=True, slots=True)
class Filed:
    """An application as its department sees it: the form is open, `number` is the citizen's, events oldest first.

    `beneficiary` is the number of the other person whom it is for, or empty; `on_file` the papers that are known, by code;
    the fee is in hundredths, and `fee_state` what became of it.
    """

    tracking_number: str
    number: str = field(repr=False)
    service: str
    office: str
    form: Mapping[str, str] = field(repr=False)
    language: str
    channel: str
    status: str
    note: Texts
    promised: date | None
    received: datetime
    changed: datetime
    events: tuple[Event, ...]
    beneficiary: str = field(default="", repr=False)
    on_file: tuple[str, ...] = ()
    fee_minor: int = 0
    currency: str = ""
    fee_state: FeeState = "none"


@dataclass(frozen=True, slots=True)
class Moved:
    """An application was moved. `again`: that was done by an earlier call with the same key, and not once more now."""

    tracking_number: str
    status: str
    note: Texts
    at: datetime
    again: bool = False


@dataclass(frozen=True, slots=True)
class NotMoved:
    """It was not, for one of four reasons.

    `unknown`: this department has no such application; `no_such_status`: none of STATUSES; `final`: it is
    delivered or withdrawn; `conflict`: the key was used for something else.
    """

    reason: Reason


def digest_of(tracking_number: str, status: str, note: Texts) -> bytes:
    """The same for the same words, in whatever order the languages of the note came."""
    return sha256(json.dumps([tracking_number, status, dict(note)], sort_keys=True).encode()).digest()


def told_of(number: str, service: str, status: str, note: Texts) -> dict[str, object]:
    """The facts that a text about an application says."""
    return {"number": number, "service": service, "status": status, "note": note}


def form_of(tracking_number: str) -> str:
    """What an application's answers are sealed about."""
    return f"application:{tracking_number}"
