"""Values of applications: as they are submitted, followed by citizens, and read by departments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, Literal, NamedTuple, TypeAlias

from core.types import Translations
from services.cases.progress import StatusOrder
from services.catalogue.models import AppliedFor

STATUSES: Final = (
    *("received", "under_review", "more_information", "approved"),
    *("rejected", "ready", "delivered", "withdrawn"),
)
FINAL_STATUSES: Final = frozenset({"delivered", "withdrawn"})
"""The statuses that never change. A rejection may change: it can be appealed."""
STATUS_ORDER: Final = StatusOrder(
    {
        "received": 0,
        "under_review": 1,
        "more_information": 1,
        "approved": 2,
        "rejected": 2,
        "ready": 3,
        "delivered": 4,
        "withdrawn": 4,
    }
)
ASKING_STATUS: Final = "more_information"
"""The status in which the applicant may answer the department."""
ANSWERED_STATUSES: Final = frozenset({"rejected", "ready", "delivered", "withdrawn"})
"""The statuses in which the department has kept its promise, so that no day is promised any more."""

FeeState: TypeAlias = Literal["none", "due", "pending", "paid", "refunded"]
AnswerOutcome: TypeAlias = Literal["kept", "not_asked", "unknown"]
WithdrawalOutcome: TypeAlias = Literal["withdrawn", "final", "unknown"]
BeneficiaryRejection: TypeAlias = Literal["too_many", "refused"]
"""Why an account may not apply for the owner of a number: a limit is reached, or that person refused an application."""


class BeneficiaryLimitError(Exception):
    """The account may not apply for the owner of this number now. A retry helps after the time that the limits name."""

    def __init__(self, rejection: BeneficiaryRejection) -> None:
        super().__init__(rejection)
        self.rejection = rejection


@dataclass(frozen=True, slots=True)
class NewApplication:
    """An application to submit.

    `promised_days` are calendar days; `fee_minor` is the fee in hundredths of the currency. `beneficiary` is the MSISDN of
    the other person that the application is for, empty without one; `applied_for` says whom it is for. `on_file` and
    `documents_to_bring` are codes of required documents. `to_pay_at` is the office where the fee is paid, empty where there is no fee or it is paid by phone.
    `profile` are the answers that the applicant's profile keeps, by profile key.
    """

    account: int
    msisdn: str = field(repr=False)
    service: str
    office: str
    department: str
    form: Mapping[str, str] = field(repr=False)
    promised_days: int
    fee_minor: int
    currency: str
    language: str
    channel: str
    beneficiary: str = field(default="", repr=False)
    applied_for: AppliedFor = "self"
    on_file: tuple[str, ...] = ()
    documents_to_bring: tuple[str, ...] = ()
    to_pay_at: str = ""
    profile: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class ApplicationReceipt:
    """The tracking number and the promised day. `is_repeat`: an earlier call with the same key submitted it."""

    tracking_number: str
    promised: date
    is_repeat: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Status:
    """What anyone who has the tracking number may see; it names no person. Days are in the department's time zone.

    `late` is the number of days that the application is overdue; 0 where it is not. `answered`: the day of the applicant's
    last answer to this status, which asks for more information.
    """

    number: str
    service: str
    status: str
    changed: date
    promised: date | None
    note: Translations
    late: int = 0
    answered: date | None = None


@dataclass(frozen=True, slots=True)
class StatusEvent:
    """A change of the status as departments see it."""

    status: str
    note: Translations
    at: datetime


@dataclass(frozen=True, slots=True)
class ApplicationOperator:
    """An operator who acted for an applicant: the id, the name, and the code of the service centre."""

    id: int
    name: str = field(repr=False)
    centre: str


@dataclass(frozen=True, slots=True)
class NewAnswer:
    """An answer of the applicant, whose account this is, to what the department asks."""

    account: int
    tracking_number: str
    text: str = field(repr=False)
    channel: str


class AnswerResult(NamedTuple):
    """The outcome of an answer, the service and the status of the application.

    `not_asked`: the department does not ask for more information now; `unknown`: the account has no such application.
    """

    outcome: AnswerOutcome
    service: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True)
class ApplicantAnswer:
    """An answer as the department reads it. `operator` wrote it for the applicant."""

    text: str = field(repr=False)
    at: datetime
    channel: str
    operator: ApplicationOperator | None = None


@dataclass(frozen=True, slots=True)
class ApplicationSummary:
    """An application in a department's list: no personal data, no answers."""

    tracking_number: str
    service: str
    office: str
    status: str
    promised: date | None
    received: datetime
    changed: datetime
    answered: datetime | None = None


@dataclass(frozen=True, slots=True)
class ApplicationDetail:
    """An application as its department reads it: the form decrypted, the applicant's MSISDN, the events oldest first.

    `name` is the applicant's, empty once the account is closed. `operator` submitted it for the applicant. `answered` is the
    time of the last answer to the present status.

    `beneficiary` is an MSISDN, or empty. `on_file` are codes of required documents. `fee_minor` is in hundredths.
    """

    tracking_number: str
    msisdn: str = field(repr=False)
    service: str
    office: str
    form: Mapping[str, str] = field(repr=False)
    language: str
    channel: str
    status: str
    note: Translations
    promised: date | None
    received: datetime
    changed: datetime
    events: tuple[StatusEvent, ...]
    beneficiary: str = field(default="", repr=False)
    applied_for: AppliedFor = "self"
    on_file: tuple[str, ...] = ()
    fee_minor: int = 0
    currency: str = ""
    fee_state: FeeState = "none"
    name: str = field(default="", repr=False)
    operator: ApplicationOperator | None = None
    answered: datetime | None = None
    answers: tuple[ApplicantAnswer, ...] = ()
    department: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """An unfinished form. `idempotency_key` is the key under which it was opened, and under which it is submitted.

    `beneficiary` is the MSISDN of the other person that the form is for, empty without one.
    """

    idempotency_key: str
    account: int
    service: str
    started_on: date
    form: Mapping[str, str] = field(repr=False)
    beneficiary: str = field(default="", repr=False)
    applied_for: AppliedFor = "self"


class WithdrawalResult(NamedTuple):
    """The outcome of a withdrawal, the service and the status of the application.

    `final`: the status does not change any more; `unknown`: the caller has no such application.
    """

    outcome: WithdrawalOutcome
    service: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationRequest:
    """A filled-in form that a citizen, or an operator for them, submits.

    `account` and `msisdn` are the citizen's. `beneficiary` is the MSISDN of the other person that the application is for,
    empty without one. `draft_key` is the idempotency key under which the form was opened.
    """

    account: int
    msisdn: str = field(repr=False)
    service: str
    form: Mapping[str, str] = field(repr=False)
    beneficiary: str = field(repr=False)
    applied_for: AppliedFor
    language: str
    channel: str
    draft_key: str
    is_assisted: bool


@dataclass(frozen=True, slots=True)
class RequiredDocuments:
    """The codes of the documents that an application needs: those on file and those to bring."""

    on_file: tuple[str, ...]
    to_bring: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KnownAnswer:
    """An answer that a profile has for a field of a form."""

    field_name: str
    profile_key: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Prefill:
    """What a profile has for a form. `hints` are the masked identity numbers, by field name."""

    answers: Sequence[KnownAnswer]
    hints: Mapping[str, str]


def status_facts(number: str, service: str, status: str, note: Translations) -> dict[str, object]:
    """The facts of a text about an application's status."""
    return {"number": number, "service": service, "status": status, "note": note}


def form_associated_data(tracking_number: str) -> str:
    """The associated data under which an application's form is encrypted."""
    return f"application:{tracking_number}"


def answer_associated_data(idempotency_key: str) -> str:
    """The associated data under which an answer is encrypted."""
    return f"application_answer:{idempotency_key}"
