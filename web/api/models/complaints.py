"""A complaint and a feedback as their department asks for them, reads them and answers."""

from datetime import date, datetime
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field

from web.api.models.common import (
    MOMENT_EXAMPLE,
    NUMBER_EXAMPLE,
    PERSON_EXAMPLE,
    Heard,
    Language,
    Notes,
    Number,
    Page,
    PageAsked,
    Person,
    Told,
    may_lack,
    with_example,
)

ComplaintStatus: TypeAlias = Literal["received", "under_review", "answered", "escalated", "closed"]
MovedTo: TypeAlias = Literal["under_review", "answered", "closed"]
Reason: TypeAlias = Literal["late", "money", "rude", "wrong", "unusable", "other"]

COMPLAINT_EXAMPLE: Final = {
    "complaint_number": NUMBER_EXAMPLE,
    "service": "birth_certificate",
    "tracking_number": "234567890123",
    "reason": "late",
    "status": "received",
    "level": 0,
    "promised": "2026-11-28",
    "received": MOMENT_EXAMPLE,
    "changed": MOMENT_EXAMPLE,
}
CASE_EXAMPLE: Final = {
    **COMPLAINT_EXAMPLE,
    "text": "Nobody has called me for three weeks.",
    "complainant": PERSON_EXAMPLE,
    "note": {},
    "events": [{"status": "received", "level": 0, "note": {}, "by": "citizen", "at": MOMENT_EXAMPLE}],
}
ANSWER_EXAMPLE: Final = {"en": "Your certificate is ready. We are sorry for the delay."}
FEEDBACK_EXAMPLE: Final = {
    "feedback_number": NUMBER_EXAMPLE,
    "service": "birth_certificate",
    "rating": 4,
    "text": "It was quick, but the office was hard to find.",
    "language": "en",
    "channel": "sms",
    "received": MOMENT_EXAMPLE,
}


class ComplaintsAsked(PageAsked):
    """Which complaints, and which part of their list."""

    status: Annotated[
        ComplaintStatus | None,
        Field(description="Only those in this status.", json_schema_extra=may_lack),
    ] = None


class ComplaintEvent(Heard):
    """What a department does with a complaint: to answer is to move it to `answered` with a note."""

    model_config = with_example({"status": "answered", "note": ANSWER_EXAMPLE}, Heard)

    status: MovedTo
    note: Notes = Field(default_factory=dict)


class ComplaintMoved(Told):
    """A move that was made, now or by an earlier request with the same key."""

    model_config = with_example(
        {"complaint_number": NUMBER_EXAMPLE, "status": "answered", "note": ANSWER_EXAMPLE, "at": MOMENT_EXAMPLE}, Told
    )

    complaint_number: Number
    status: ComplaintStatus
    note: dict[Language, str]
    at: datetime


class ComplaintPast(Told):
    """One step of a complaint's way. `by` is who took it: the citizen, the department, the gateway or an officer."""

    status: ComplaintStatus
    level: int
    note: dict[Language, str]
    by: str
    at: datetime


class ListedComplaint(Told):
    """A complaint in a list: nothing of a person, and none of their words."""

    model_config = with_example(COMPLAINT_EXAMPLE, Told)

    complaint_number: Number
    service: Annotated[str | None, Field(description="The service it is about; null where it names none.")]
    tracking_number: Annotated[str | None, Field(description="The application it is about; null where there is none.")]
    reason: Reason
    status: ComplaintStatus
    level: Annotated[int, Field(description="Who is to answer: 0 is the first, and each escalation one more.")]
    promised: Annotated[date | None, Field(description="The day by which an answer is due; null once there is one.")]
    received: datetime
    changed: datetime


class Complaints(Page):
    """Complaints in the order in which they changed, those that changed longest ago first."""

    model_config = with_example({"items": [COMPLAINT_EXAMPLE], "next": None, "next_since": MOMENT_EXAMPLE}, Told)

    items: tuple[ListedComplaint, ...]


class Complaint(ListedComplaint):
    """A complaint in the citizen's own words, and what has become of it."""

    model_config = with_example(CASE_EXAMPLE, Told)

    text: str
    complainant: Person
    note: dict[Language, str]
    events: tuple[ComplaintPast, ...]


class Feedback(Told):
    """What somebody thinks of a service; of the person it says nothing."""

    model_config = with_example(FEEDBACK_EXAMPLE, Told)

    feedback_number: Number
    service: Annotated[str | None, Field(description="The service it is about; null where it names none.")]
    rating: Annotated[int | None, Field(description="From 1 to 5; null where only words were given.")]
    text: str
    language: str
    channel: str
    received: datetime


class FeedbackList(Page):
    """Feedback, oldest first."""

    model_config = with_example({"items": [FEEDBACK_EXAMPLE], "next": None, "next_since": MOMENT_EXAMPLE}, Told)

    items: tuple[Feedback, ...]
