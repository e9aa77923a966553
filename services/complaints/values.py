"""A complaint and a feedback: as they are written, as their citizen follows them, as their department reads them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, Literal, Protocol, TypeAlias
from zoneinfo import ZoneInfo

from services.given import Texts

STATUSES: Final = ("received", "under_review", "answered", "escalated", "closed")
BY_DEPARTMENT: Final = ("under_review", "answered", "closed")
"""Those that a department moves a complaint to; it is raised by time and by whom no answer has satisfied."""
REASONS: Final = ("late", "money", "rude", "wrong", "unusable", "other")
NOBODY: Final = ""  # the department of what concerns none: it belongs to the team that runs the gateway

Reason: TypeAlias = Literal["unknown", "no_such_status", "closed", "conflict"]


@dataclass(frozen=True, slots=True)
class Office:
    """Who answers for a department's complaints.

    `days` are those that each level has, and there are as many levels; `officers` name the post of each, as far as they
    are known. `email` is empty where nobody reads any, `language` the one in which it is written to. `zone` is where its
    days begin and end.
    """

    days: Sequence[int]
    officers: Sequence[Texts]
    email: str
    language: str
    zone: ZoneInfo

    @property
    def highest(self) -> int:
        """The level above which there is none."""
        return len(self.days) - 1

    def officer(self, level: int) -> Texts:
        """The post that has this level; nothing where it has no name."""
        return self.officers[level] if level < len(self.officers) else {}

    def promised(self, now: datetime, level: int) -> date:
        """The day by which this level is to answer what comes to it now."""
        return now.astimezone(self.zone).date() + timedelta(days=self.days[min(level, self.highest)])

    def over(self, day: date) -> datetime:
        """When this day is over there."""
        return datetime(day.year, day.month, day.day, tzinfo=self.zone) + timedelta(days=1)


class Offices(Protocol):
    """Who answers for what, as the catalogue has it today."""

    def of(self, service: str) -> str:
        """The department of a service; NOBODY of one that is no more."""

    def office(self, department: str) -> Office:
        """Who answers there; also for NOBODY, and for a department that is no more."""

    def readers(self) -> Sequence[str]:
        """The departments that read mail, NOBODY among them where somebody does for it."""

    def named(self, service: str, language: str) -> str:
        """What a service is called; nothing where there is none of this code."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """What somebody complains of. `about` is an application's tracking number, `service` a code; either may be empty."""

    number: str = field(repr=False)
    text: str = field(repr=False)
    language: str
    channel: str
    about: str = ""
    service: str = ""
    reason: str = "other"


@dataclass(frozen=True, slots=True)
class Opinion:
    """What somebody thinks: from 1 to 5, or nothing, and in words, or without. `service` is what of, or empty."""

    number: str = field(repr=False)
    text: str = field(repr=False)
    language: str
    channel: str
    service: str = ""
    rating: int | None = None


@dataclass(frozen=True, slots=True)
class Filed:
    """A complaint that was recorded: its twelve digits, the tracking number it is tied to, or empty, and what is promised."""

    complaint_number: str
    about: str
    promised: date | None = None
    again: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Status:
    """What anyone who has a complaint's number may know: nothing about a person, and none of their words."""

    number: str
    status: str
    reason: str
    service: str
    level: int
    officer: Texts
    changed: date
    promised: date | None
    late: int
    note: Texts
    whose: str = field(repr=False)

    def is_of(self, number: str) -> bool:
        """Whether this MSISDN has made the complaint: only who complained says whether it is settled."""
        return self.whose == number


@dataclass(frozen=True, slots=True)
class Given:
    """What anyone who has a feedback's number may know."""

    number: str
    service: str
    day: date
    passed_on: bool


@dataclass(frozen=True, slots=True)
class Past:
    """One day of a complaint's way."""

    id: int
    status: str
    day: date
    note: Texts


@dataclass(frozen=True, slots=True)
class Event:
    """One step of a complaint's way, and who took it."""

    status: str
    level: int
    note: Texts
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Listed:
    """A complaint in its department's list: nothing of a person, and nothing that was typed."""

    number: str
    service: str
    tracking_number: str
    reason: str
    status: str
    level: int
    promised: date | None
    received: datetime
    changed: datetime


@dataclass(frozen=True, slots=True)
class Case:
    """A complaint as its department sees it: `citizen` is whose it is, `text` what they wrote, events oldest first."""

    listed: Listed
    citizen: str = field(repr=False)
    text: str = field(repr=False)
    language: str
    channel: str
    note: Texts
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Feedback:
    """A feedback as its department sees it: nothing of who wrote it."""

    number: str
    service: str
    rating: int | None
    text: str = field(repr=False)
    language: str
    channel: str
    received: datetime


@dataclass(frozen=True, slots=True)
class Moved:
    """A complaint was moved. `again`: that was done by an earlier call with the same key, and not once more now."""

    number: str
    status: str
    note: Texts
    at: datetime
    again: bool = False


@dataclass(frozen=True, slots=True)
class NotMoved:
    """It was not, for one of four reasons.

    `unknown`: this department has no such complaint; `no_such_status`: none of BY_DEPARTMENT; `closed`: it is closed;
    `conflict`: the key was used for something else.
    """

    reason: Reason


Settled: TypeAlias = Literal["closed", "raised", "last", "not_answered", "unknown"]
"""What came of a citizen's verdict.

`raised`: it goes to the next level; `last`: there is none, the highest looks at it again; `not_answered`: there is
nothing to judge; `unknown`: this citizen has no such complaint.
"""


def complaint_of(number: str) -> str:
    """What a complaint's words are sealed about."""
    return f"complaint:{number}"


def feedback_of(effect: str) -> str:
    """What a feedback's words are sealed about."""
    return f"feedback:{effect}"


def facts_of(
    number: str, level: int, office: Office, promised: date | None, note: Mapping[str, str]
) -> dict[str, object]:
    """The facts that a text about a complaint says; a post without a name is said by its level."""
    officer = office.officer(level)
    return {
        "complaint": number,
        "officer": officer,
        "level": None if officer else min(level, office.highest),
        "answer_by": promised,
        "note": note,
    }
