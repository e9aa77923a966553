"""Models of complaints and feedback: queries, summaries, details and status changes."""

from datetime import date, datetime
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field
from typing_extensions import TypeAliasType

from core.languages import LocaleCode
from web.api.models.common import (
    PERSON_EXAMPLE,
    REFERENCE_NUMBER_EXAMPLE,
    TIMESTAMP_EXAMPLE,
    Notes,
    PageModel,
    PageQuery,
    Person,
    ReferenceNumber,
    RequestModel,
    ResponseModel,
    config_with_example,
    describe_as_optional,
)

ComplaintStatus = TypeAliasType(
    "ComplaintStatus", Literal["received", "under_review", "answered", "escalated", "closed"]
)
DepartmentStatus = TypeAliasType("DepartmentStatus", Literal["under_review", "answered", "closed"])
Reason: TypeAlias = Literal["late", "money", "rude", "wrong", "unusable", "other"]

SUMMARY_EXAMPLE: Final = {
    "complaint_number": REFERENCE_NUMBER_EXAMPLE,
    "service": "birth_certificate",
    "tracking_number": "234567890123",
    "reason": "late",
    "status": "received",
    "level": 0,
    "promised": "2026-11-28",
    "received": TIMESTAMP_EXAMPLE,
    "changed": TIMESTAMP_EXAMPLE,
}
COMPLAINT_EXAMPLE: Final = {
    **SUMMARY_EXAMPLE,
    "text": "Nobody has called me for three weeks.",
    "complainant": PERSON_EXAMPLE,
    "note": {},
    "events": [{"status": "received", "level": 0, "note": {}, "by": "citizen", "at": TIMESTAMP_EXAMPLE}],
}
ANSWER_EXAMPLE: Final = {"en": "Your certificate is ready. We are sorry for the delay."}
FEEDBACK_EXAMPLE: Final = {
    "feedback_number": REFERENCE_NUMBER_EXAMPLE,
    "service": "birth_certificate",
    "rating": 4,
    "text": "It was quick, but the office was hard to find.",
    "language": "en",
    "channel": "sms",
    "received": TIMESTAMP_EXAMPLE,
}


class ComplaintsQuery(PageQuery):
    """A filter for complaints, and the part of the list that is requested."""

    status: Annotated[
        ComplaintStatus | None,
        Field(description="Only those in this status.", json_schema_extra=describe_as_optional),
    ] = None


class ComplaintEvent(RequestModel):
    """The new status of a complaint, and a note for the citizen. To answer it, send `answered` with a note."""

    model_config = config_with_example({"status": "answered", "note": ANSWER_EXAMPLE}, RequestModel)

    status: DepartmentStatus
    note: Notes = Field(default_factory=dict)


class ComplaintStatusChange(ResponseModel):
    """A status change, made by this request or by an earlier one with the same key."""

    model_config = config_with_example(
        {
            "complaint_number": REFERENCE_NUMBER_EXAMPLE,
            "status": "answered",
            "note": ANSWER_EXAMPLE,
            "at": TIMESTAMP_EXAMPLE,
        },
        ResponseModel,
    )

    complaint_number: ReferenceNumber
    status: ComplaintStatus
    note: dict[LocaleCode, str]
    at: datetime


class ComplaintHistoryEntry(ResponseModel):
    """One status that a complaint had. `by` made the change: the citizen, the department, the gateway or an officer."""

    status: ComplaintStatus
    level: int
    note: dict[LocaleCode, str]
    by: str
    at: datetime


class ComplaintSummary(ResponseModel):
    """A complaint in a list, without personal data and without the text."""

    model_config = config_with_example(SUMMARY_EXAMPLE, ResponseModel)

    complaint_number: ReferenceNumber
    service: Annotated[str | None, Field(description="The service that it is about; null if it names none.")]
    tracking_number: Annotated[
        str | None, Field(description="The application that it is about; null if there is none.")
    ]
    reason: Reason
    status: ComplaintStatus
    level: Annotated[
        int, Field(description="The level that has to answer: 0 is the first, and each escalation adds one.")
    ]
    promised: Annotated[date | None, Field(description="The day by which an answer is due; null after the answer.")]
    received: datetime
    changed: datetime


class Complaints(PageModel):
    """Complaints in the order of their last change, the oldest change first."""

    model_config = config_with_example(
        {"items": [SUMMARY_EXAMPLE], "next": None, "next_since": TIMESTAMP_EXAMPLE}, ResponseModel
    )

    items: tuple[ComplaintSummary, ...]


class Complaint(ComplaintSummary):
    """A complaint in the citizen's own words, and its history."""

    model_config = config_with_example(COMPLAINT_EXAMPLE, ResponseModel)

    text: str
    complainant: Person
    note: dict[LocaleCode, str]
    events: tuple[ComplaintHistoryEntry, ...]


class Feedback(ResponseModel):
    """A citizen's opinion of a service, without personal data."""

    model_config = config_with_example(FEEDBACK_EXAMPLE, ResponseModel)

    feedback_number: ReferenceNumber
    service: Annotated[str | None, Field(description="The service that it is about; null if it names none.")]
    rating: Annotated[int | None, Field(description="From 1 to 5; null if the citizen wrote words alone.")]
    text: str
    language: str
    channel: str
    received: datetime


class FeedbackList(PageModel):
    """Feedback, oldest first."""

    model_config = config_with_example(
        {"items": [FEEDBACK_EXAMPLE], "next": None, "next_since": TIMESTAMP_EXAMPLE}, ResponseModel
    )

    items: tuple[Feedback, ...]
