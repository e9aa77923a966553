"""An application as its department asks for it, reads it and moves it on."""

from datetime import date, datetime
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field

from web.api.models.common import (
    MOMENT_EXAMPLE,
    NOTE_EXAMPLE,
    NUMBER_EXAMPLE,
    PERSON_EXAMPLE,
    Code,
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

Status: TypeAlias = Literal[
    "received", "under_review", "more_information", "approved", "rejected", "ready", "delivered", "withdrawn"
]

LISTED_EXAMPLE: Final = {
    "tracking_number": NUMBER_EXAMPLE,
    "service": "birth_certificate",
    "office": "mirpur",
    "status": "received",
    "promised": "2026-11-28",
    "received": MOMENT_EXAMPLE,
    "changed": MOMENT_EXAMPLE,
}
FILED_EXAMPLE: Final = {
    **LISTED_EXAMPLE,
    "note": {},
    "applicant": PERSON_EXAMPLE,
    "beneficiary": None,
    "fee": {"amount_minor": 5000, "currency": "BDT", "state": "due"},
    "on_file": [],
    "form": {"holder": "Rahim Uddin", "born": "2025-11-21"},
    "events": [{"status": "received", "note": {}, "at": MOMENT_EXAMPLE}],
}


class ApplicationsAsked(PageAsked):
    """Which applications, and which part of their list."""

    service: Annotated[
        Code,
        Field(description="Only those for this service, by its code in the catalogue.", json_schema_extra=may_lack),
    ] = ""
    status: Annotated[Status | None, Field(description="Only those in this status.", json_schema_extra=may_lack)] = None


class ApplicationEvent(Heard):
    """What a department reports: the new status, and what the citizen is told with it."""

    model_config = with_example({"status": "ready", "note": NOTE_EXAMPLE}, Heard)

    status: Status
    note: Notes = Field(default_factory=dict)


class ApplicationMoved(Told):
    """A move that was made, now or by an earlier request with the same key."""

    model_config = with_example(
        {"tracking_number": NUMBER_EXAMPLE, "status": "ready", "note": NOTE_EXAMPLE, "at": MOMENT_EXAMPLE}, Told
    )

    tracking_number: Number
    status: Status
    note: dict[Language, str]
    at: datetime


class ApplicationPast(Told):
    """One step of an application's way."""

    status: Status
    note: dict[Language, str]
    at: datetime


class Beneficiary(Told):
    """The other person whom an application is for."""

    number: str


class Fee(Told):
    """What is to be paid for an application, in hundredths, and what became of it."""

    amount_minor: int
    currency: str
    state: Literal["none", "due", "pending", "paid"]


class ListedApplication(Told):
    """An application in a list: nothing of a person."""

    model_config = with_example(LISTED_EXAMPLE, Told)

    tracking_number: Number
    service: str
    office: str
    status: Status
    promised: date | None
    received: datetime
    changed: datetime


class Applications(Page):
    """Applications in the order in which they changed, those that changed longest ago first."""

    model_config = with_example({"items": [LISTED_EXAMPLE], "next": None, "next_since": MOMENT_EXAMPLE}, Told)

    items: tuple[ListedApplication, ...]


class Application(ListedApplication):
    """An application as the citizen handed it in, and what has become of it. `form` is what they typed, by field."""

    model_config = with_example(FILED_EXAMPLE, Told)

    note: dict[Language, str]
    applicant: Person
    beneficiary: Annotated[
        Beneficiary | None, Field(description="The other person whom it is for; null where it is for the applicant.")
    ]
    fee: Annotated[Fee, Field(description="`none`: there is none; `pending`: it is being paid just now, by phone.")]
    form: dict[str, str]
    on_file: Annotated[tuple[str, ...], Field(description="The papers it needs that are on file, by code.")]
    events: tuple[ApplicationPast, ...]
