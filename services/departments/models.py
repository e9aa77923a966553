"""The values of deliveries to departments, without any I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Final, Literal, NamedTuple, TypeAlias

from core.types import Translations
from services.applications.models import ApplicationOperator
from services.cases.models import change_digest
from services.catalogue.models import AppliedFor
from services.payments.models import FeeState

CONNECTOR_CHANNEL: Final = "connector"
"""The channel of what a department's system causes, in audit records."""

DeliveryState: TypeAlias = Literal["here", "on_its_way", "waiting", "delivered", "refused"]
"""`here`: the department has no system of its own. `waiting`: its system is known not to answer."""
EventSubject: TypeAlias = Literal["application", "complaint"]


@dataclass(frozen=True, slots=True)
class Applicant:
    """The applicant: MSISDN to notify, language of notifications, channel of the application, and the name or nothing."""

    msisdn: str = field(repr=False)
    language: str
    channel: str
    name: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Fee:
    """The fee of an application in minor units of a currency, and whether it was paid through the gateway."""

    amount_minor: int
    currency: str
    state: FeeState


class RequiredDocument(NamedTuple):
    """The code of a document that a service requires; `on_file`: the citizen says the department has it already."""

    code: str
    on_file: bool


@dataclass(frozen=True, slots=True)
class OutgoingApplication:
    """An application as a department with its own system receives it.

    `beneficiary` is the MSISDN of the other person the application is for, empty without one; `applied_for` says whom it
    is for.
    """

    tracking_number: str
    service: str
    office: str
    form: Mapping[str, str] = field(repr=False)
    applicant: Applicant
    beneficiary: str = field(repr=False)
    applied_for: AppliedFor
    documents: tuple[RequiredDocument, ...]
    fee: Fee
    promised_on: date | None
    submitted_at: datetime
    operator: ApplicationOperator | None = None


@dataclass(frozen=True, slots=True)
class OutgoingAnswer:
    """An answer of the applicant as a department with its own system receives it. `id` is unique at the gateway."""

    id: str
    tracking_number: str
    text: str = field(repr=False)
    answered_at: datetime
    channel: str
    operator: ApplicationOperator | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The department has accepted the application, under a reference of its own."""

    reference: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The department will never accept the application as it is. `detail` is its answer, which may quote the form."""

    reason: str
    detail: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class RetryLater:
    """An attempt failed and the next one is due at `retry_at`. `suspended`: a person has to fix the connection."""

    reason: str
    retry_at: datetime
    suspended: bool = False


DeliveryResult: TypeAlias = Accepted | Rejected | RetryLater


@dataclass(frozen=True, slots=True)
class ApplicationStatus:
    """The status of an application at its department, with a note to the citizen in each language."""

    status: str
    note: Translations


class ClaimedDelivery(NamedTuple):
    """A delivery that one worker has claimed, and the number of this attempt, from 1.

    It is that of the application, or of an `answer` of its applicant.
    """

    id: int
    attempt: int
    idempotency_key: str
    department: str
    application: OutgoingApplication
    answer: OutgoingAnswer | None = None


class StatusQuery(NamedTuple):
    """A delivered application whose status is to be queried, and the status that is known here."""

    delivery: int
    tracking_number: str
    status: str
    note: Translations


class DeliveryDepth(NamedTuple):
    """The number of a department's deliveries in one state, and the age of the oldest."""

    department: str
    state: str
    rows: int
    oldest_age: timedelta


class RejectedDelivery(NamedTuple):
    """A delivery that the department rejected, for a person to look at: reason, answer and time."""

    tracking_number: str
    department: str
    reason: str
    detail: str
    since: datetime


@dataclass(frozen=True, slots=True)
class DepartmentEvent:
    """An event from a department: an application or a complaint got a new status, with a note to the citizen."""

    kind: EventSubject
    number: str
    status: str
    note: Translations

    @property
    def digest(self) -> bytes:
        """A digest of the whole event. The order of the languages in the note does not matter."""
        return build_event_digest(self.kind, change_digest(self.number, self.status, self.note))


def build_event_digest(kind: str, change: bytes) -> bytes:
    """The digest of an event about a case of this kind, from the digest of the change."""
    return sha256(kind.encode() + change).digest()
