"""Values of complaints and feedback: as they are submitted, followed by citizens, and read by departments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

from core.types import Translations
from services.cases.progress import StatusOrder

STATUSES: Final = ("received", "under_review", "answered", "escalated", "closed")
DEPARTMENT_STATUSES: Final = ("under_review", "answered", "closed")
"""The statuses that a department sets. A complaint escalates by time, or by a citizen whom the answer does not satisfy."""
STATUS_ORDER: Final = StatusOrder(
    {"received": 0, "escalated": 0, "under_review": 1, "answered": 2, "closed": 3}, needs_note=frozenset({"answered"})
)
"""An answer is the note; `escalated` is where the next level begins."""
REASONS: Final = ("late", "money", "rude", "wrong", "unusable", "other")
NO_DEPARTMENT: Final = ""
"""The department of complaints that concern none; the operator of the gateway answers them."""


@dataclass(frozen=True, slots=True)
class EscalationPolicy:
    """The escalation levels of a department.

    `answer_days` has the calendar days that each level has for an answer; `officers` the names of the officer of each
    level, where known. `email` is empty where the department reads no e-mail; `language` is that of messages to it, `zone`
    the time zone in which its days are counted.
    """

    answer_days: Sequence[int]
    officers: Sequence[Translations]
    email: str
    language: str
    zone: ZoneInfo

    @property
    def highest_level(self) -> int:
        """The number of the last level; the first is 0."""
        return len(self.answer_days) - 1

    def officer_names(self, level: int) -> Translations:
        """The names of the officer of a level; empty where they are unknown."""
        return self.officers[level] if level < len(self.officers) else {}

    def answer_due_on(self, now: datetime, level: int) -> date:
        """The day by which a level has to answer a complaint that reaches it now."""
        return now.astimezone(self.zone).date() + timedelta(days=self.answer_days[min(level, self.highest_level)])

    def end_of_day(self, day: date) -> datetime:
        """The moment at which a day ends in the department's time zone."""
        return datetime(day.year, day.month, day.day, tzinfo=self.zone) + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class NewComplaint:
    """A complaint to submit. `about` is an application's tracking number, `service` a code; either may be empty."""

    msisdn: str = field(repr=False)
    text: str = field(repr=False)
    language: str
    channel: str
    about: str = ""
    service: str = ""
    reason: str = "other"


@dataclass(frozen=True, slots=True)
class NewFeedback:
    """Feedback to submit: a rating from 1 to 5, or None, and a text, or none. `service` may be empty."""

    msisdn: str = field(repr=False)
    text: str = field(repr=False)
    language: str
    channel: str
    service: str = ""
    rating: int | None = None


@dataclass(frozen=True, slots=True)
class ComplaintReceipt:
    """The number of a complaint, the tracking number of its application or empty, and the promised day of the answer."""

    complaint_number: str
    about: str
    promised: date | None = None
    is_repeat: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Status:
    """What anyone who has the complaint's number may see: no personal data and no text of the complainant."""

    number: str
    status: str
    reason: str
    service: str
    level: int
    officer: Translations
    changed: date
    promised: date | None
    late: int
    note: Translations
    complainant: str = field(repr=False)

    def belongs_to(self, msisdn: str) -> bool:
        """Whether this MSISDN submitted the complaint: only the complainant judges the answer."""
        return self.complainant == msisdn


@dataclass(frozen=True, slots=True)
class FeedbackStatus:
    """What anyone who has the number of a feedback may see. `passed_on`: the department got it in a digest."""

    number: str
    service: str
    day: date
    passed_on: bool
    sender: str = field(repr=False)

    def belongs_to(self, msisdn: str) -> bool:
        """Whether this MSISDN gave the feedback."""
        return self.sender == msisdn


@dataclass(frozen=True, slots=True)
class StatusEvent:
    """A change of the status as departments see it. `by` is the kind of the actor."""

    status: str
    level: int
    note: Translations
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ComplaintSummary:
    """A complaint in a department's list: no personal data, no text."""

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
class ComplaintDetail:
    """A complaint as its department reads it: the text decrypted, `citizen` the MSISDN, the events oldest first."""

    summary: ComplaintSummary
    citizen: str = field(repr=False)
    text: str = field(repr=False)
    language: str
    channel: str
    note: Translations
    events: tuple[StatusEvent, ...]
    department: str = NO_DEPARTMENT


@dataclass(frozen=True, slots=True)
class Feedback:
    """A feedback as its department reads it: the text decrypted, no personal data."""

    number: str
    service: str
    rating: int | None
    text: str = field(repr=False)
    language: str
    channel: str
    received: datetime
    department: str = NO_DEPARTMENT


VerdictResult: TypeAlias = Literal["closed", "raised", "last", "not_answered", "unknown"]
"""The result of a citizen's verdict on an answer.

`raised`: the complaint goes to the next level; `last`: it returns to the highest level; `not_answered`: it has no answer
to judge; `unknown`: the citizen has no such complaint.
"""


def complaint_associated_data(number: str) -> str:
    """The associated data under which the text of a complaint is encrypted."""
    return f"complaint:{number}"


def feedback_associated_data(idempotency_key: str) -> str:
    """The associated data under which the text of a feedback is encrypted."""
    return f"feedback:{idempotency_key}"


def complaint_facts(
    number: str, level: int, policy: EscalationPolicy, promised: date | None, note: Mapping[str, str]
) -> dict[str, object]:
    """The facts of a text about a complaint. `level` is None where the officer has a name."""
    officer_names = policy.officer_names(level)
    return {
        "complaint": number,
        "officer": officer_names,
        "level": None if officer_names else min(level, policy.highest_level),
        "answer_by": promised,
        "note": note,
    }
