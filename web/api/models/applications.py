"""Models of applications: queries, summaries, details and status changes."""

from datetime import date, datetime
from typing import Annotated, Final, Literal

from pydantic import Field
from typing_extensions import TypeAliasType

from core.languages import LocaleCode
from services.catalogue.models import AppliedFor
from web.api.models.common import (
    NOTE_EXAMPLE,
    PERSON_EXAMPLE,
    REFERENCE_NUMBER_EXAMPLE,
    TIMESTAMP_EXAMPLE,
    CitizenNumber,
    Code,
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

ApplicationStatus = TypeAliasType(
    "ApplicationStatus",
    Literal["received", "under_review", "more_information", "approved", "rejected", "ready", "delivered", "withdrawn"],
)
"""A named type, so that openapi.json has one schema for it and a generated client one class."""

SUMMARY_EXAMPLE: Final = {
    "tracking_number": REFERENCE_NUMBER_EXAMPLE,
    "service": "birth_certificate",
    "office": "mirpur",
    "status": "received",
    "promised": "2026-11-28",
    "received": TIMESTAMP_EXAMPLE,
    "changed": TIMESTAMP_EXAMPLE,
    "answered": None,
}
APPLICATION_EXAMPLE: Final = {
    **SUMMARY_EXAMPLE,
    "note": {},
    "applicant": {"name": "Rahim Uddin", **PERSON_EXAMPLE},
    "operator": None,
    "beneficiary": None,
    "applied_for": "self",
    "fee": {"amount_minor": 5000, "currency": "BDT", "state": "due"},
    "on_file": [],
    "form": {"holder": "Rahim Uddin", "born": "2025-11-21"},
    "events": [{"status": "received", "note": {}, "at": TIMESTAMP_EXAMPLE}],
    "answers": [],
}


class ApplicationsQuery(PageQuery):
    """A filter for applications, and the part of the list that is requested."""

    service: Annotated[
        Code,
        Field(
            description="Only those for this service, by its code in the catalogue.",
            json_schema_extra=describe_as_optional,
        ),
    ] = ""
    status: Annotated[
        ApplicationStatus | None,
        Field(description="Only those in this status.", json_schema_extra=describe_as_optional),
    ] = None


class ApplicationEvent(RequestModel):
    """The new status of an application, and a note for the citizen."""

    model_config = config_with_example({"status": "ready", "note": NOTE_EXAMPLE}, RequestModel)

    status: ApplicationStatus
    note: Notes = Field(default_factory=dict)


class ApplicationStatusChange(ResponseModel):
    """A status change, made by this request or by an earlier one with the same key."""

    model_config = config_with_example(
        {"tracking_number": REFERENCE_NUMBER_EXAMPLE, "status": "ready", "note": NOTE_EXAMPLE, "at": TIMESTAMP_EXAMPLE},
        ResponseModel,
    )

    tracking_number: ReferenceNumber
    status: ApplicationStatus
    note: dict[LocaleCode, str]
    at: datetime


class ApplicationHistoryEntry(ResponseModel):
    """One status that an application had."""

    status: ApplicationStatus
    note: dict[LocaleCode, str]
    at: datetime


class Applicant(Person):
    """The citizen who applied, with their name."""

    name: Annotated[str | None, Field(description="Personal data. Null once the account is deleted.")]


class Operator(ResponseModel):
    """An operator of a service centre who acted for the applicant: personal data of the operator."""

    id: int
    name: str
    centre: Annotated[str, Field(description="The service centre, by its code.")]


class ApplicantAnswer(ResponseModel):
    """What the applicant answered while the status was `more_information`. A text in the citizen's own words."""

    model_config = config_with_example(
        {"text": "The card number is 4471.", "at": TIMESTAMP_EXAMPLE, "channel": "sms", "operator": None}, ResponseModel
    )

    text: str
    at: datetime
    channel: str
    operator: Annotated[Operator | None, Field(description="Who wrote it for the applicant; null if nobody did.")]


class Beneficiary(ResponseModel):
    """The person that an application is for, where that is not the applicant."""

    number: CitizenNumber


class Fee(ResponseModel):
    """The fee of an application, in hundredths of its currency, and whether it is paid."""

    amount_minor: int
    currency: str
    state: Literal["none", "due", "pending", "paid", "refunded"]


class ApplicationSummary(ResponseModel):
    """An application in a list, without personal data."""

    model_config = config_with_example(SUMMARY_EXAMPLE, ResponseModel)

    tracking_number: ReferenceNumber
    service: str
    office: str
    status: ApplicationStatus
    promised: date | None
    received: datetime
    changed: Annotated[
        datetime, Field(description="The last change of the status, or the last answer of the applicant.")
    ]
    answered: Annotated[
        datetime | None,
        Field(description="The last answer of the applicant to this status; null if there is none since it was set."),
    ]


class Applications(PageModel):
    """Applications in the order of their last change, the oldest change first."""

    model_config = config_with_example(
        {"items": [SUMMARY_EXAMPLE], "next": None, "next_since": TIMESTAMP_EXAMPLE}, ResponseModel
    )

    items: tuple[ApplicationSummary, ...]


class Application(ApplicationSummary):
    """An application with everything that the citizen submitted, and its history. `form` has the answers by field."""

    model_config = config_with_example(APPLICATION_EXAMPLE, ResponseModel)

    note: dict[LocaleCode, str]
    applicant: Applicant
    operator: Annotated[
        Operator | None, Field(description="Who submitted it for the applicant; null if the applicant did.")
    ]
    beneficiary: Annotated[Beneficiary | None, Field(description="The other person that it is for; null without one.")]
    applied_for: Annotated[
        AppliedFor,
        Field(
            description="Whom it is for: `self` is the applicant, `another` a person with a number of their own, "
            "`dependent` a child or somebody without a phone. `form` is about that person."
        ),
    ]
    fee: Annotated[
        Fee,
        Field(
            description="`none`: no fee; `pending`: the citizen is paying it by phone at this moment; "
            "`refunded`: it was given back after the application was over."
        ),
    ]
    form: dict[str, str]
    on_file: Annotated[tuple[str, ...], Field(description="The required documents that are on file, by code.")]
    events: tuple[ApplicationHistoryEntry, ...]
    answers: Annotated[tuple[ApplicantAnswer, ...], Field(description="Every answer of the applicant, oldest first.")]
