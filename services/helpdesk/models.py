"""Values of what the helpdesk sees of a citizen. Names and numbers in them are masked, unless they say otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Generic, Literal, NamedTuple, TypeAlias, TypeVar

from services.messaging.message_status import MessageState
from services.payments.models import FeeState

AccountState: TypeAlias = Literal["open", "frozen", "released", "closed"]
FoundBy: TypeAlias = Literal["number", "application", "complaint", "feedback", "payment"]
ChannelClass: TypeAlias = Literal["calls", "sms"]
"""Channels that vouch for the caller's number, and those that do not."""

ReferenceKind: TypeAlias = Literal["number", "case", "payment", "receipt"]

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Newest(Generic[Item]):
    """The newest items of a list, and how many more there are, counted up to `queries.MAX_COUNTED`."""

    items: Sequence[Item] = ()
    more: int = 0


class Reference(NamedTuple):
    """What a citizen is looked up by: the kind of the text, and the text as it is stored."""

    kind: ReferenceKind
    value: str


@dataclass(frozen=True, slots=True)
class Citizen:
    """Whom a reference leads to: a number, which can be that of no account, and the account of it or 0. Not masked."""

    found_by: FoundBy
    reference: str = field(repr=False)
    msisdn: str = field(repr=False)
    account: int


@dataclass(frozen=True, slots=True)
class LockOut:
    """Until when no PIN, or no answers to security questions, are accepted over channels of a class."""

    channels: ChannelClass
    secret: Literal["pin", "answers"]
    until: datetime


@dataclass(frozen=True, slots=True)
class AccountSummary:
    """An account; nothing in it identifies the citizen. `new_pin_at`: a recovered PIN works from then on."""

    account: int
    number: str
    name: str
    state: AccountState
    language: str
    registered_at: datetime
    last_used_at: datetime | None
    lock_outs: Sequence[LockOut]
    new_pin_at: datetime | None
    questions: int
    has_email: bool
    is_operator: bool


@dataclass(frozen=True, slots=True)
class FormerAccount:
    """An account that had the number until it was released."""

    account: int
    released_at: datetime


@dataclass(frozen=True, slots=True)
class ApplicationLine:
    """An application. `fee_minor` is in hundredths of the currency, 0 without a fee."""

    tracking_number: str
    service: str
    status: str
    received_at: datetime
    changed_at: datetime
    promised: date | None
    fee_minor: int
    currency: str
    fee: FeeState


@dataclass(frozen=True, slots=True)
class ComplaintLine:
    """A complaint. `promised` is the day by which it will be answered."""

    complaint_number: str
    service: str
    status: str
    received_at: datetime
    changed_at: datetime
    promised: date | None


@dataclass(frozen=True, slots=True)
class ConsentLine:
    """A consent, or a request that the citizen did not agree to (`given_at` is None). `until`: its end, also to come."""

    operator: int
    operator_name: str
    centre: str
    purposes: Sequence[str]
    requested_at: datetime
    given_at: datetime | None
    until: datetime | None
    ended_by: str


@dataclass(frozen=True, slots=True)
class SignInLine:
    """An attempt to sign in: by `pin` or by `answers`, over `ussd`, `sms` or a `link`."""

    method: str
    channel: str
    outcome: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ActLine:
    """An act on the account, from the audit log. `actor` is the name of a person of the staff; empty for others."""

    act: str
    by: str
    actor: str
    channel: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DraftLine:
    """An unfinished form, and when it is forgotten."""

    service: str
    begun: date
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class PaymentLine:
    """A payment. `reference` is a tracking number, empty for a bill; amounts are in hundredths of the currency."""

    payment: int
    purpose: str
    reference: str
    subject: str
    amount_minor: int
    currency: str
    status: str
    reason: str
    receipt: str
    requested_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CitizenRecord:
    """All that is known of a citizen. A number without an account has messages, complaints and payments too.

    `registration_until`: a registration waits for its PIN until then. `former_accounts` had the number before.
    `applications_by_others` are for this number, by the account of somebody else.
    """

    found_by: FoundBy
    reference: str
    number: str
    account: AccountSummary | None
    former_accounts: Sequence[FormerAccount]
    language: str
    opted_out_at: datetime | None
    registration_until: datetime | None
    applications: Newest[ApplicationLine]
    applications_by_others: Newest[ApplicationLine]
    complaints: Newest[ComplaintLine]
    messages: Newest[MessageState]
    payments: Newest[PaymentLine]
    consents: Newest[ConsentLine]
    drafts: Newest[DraftLine]
    sign_ins: Newest[SignInLine]
    acts: Newest[ActLine]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known."""
        lists = (self.applications_by_others, self.complaints, self.messages, self.payments, self.consents)
        known = (self.account, self.former_accounts, self.language, self.opted_out_at, self.registration_until)
        return not any((*known, *(one.items for one in lists)))


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a citizen is, not masked; parts that are not known are empty."""

    msisdn: str = field(repr=False)
    name: str = field(repr=False)
    email: str = field(repr=False)
