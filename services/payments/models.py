"""The values of payments, without any I/O."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, Literal, TypeAlias

from core.validation import Invalid

PaymentPurpose: TypeAlias = Literal["fee", "bill"]
PaymentStatus: TypeAlias = Literal[
    "requested",
    "sending",
    "pending",
    "unknown",
    "amount_mismatch",
    "paid",
    "failed",
    "expired",
    "duplicate_payment",
    "refunded",
]
"""`amount_mismatch`: the amount paid is not the amount requested. `duplicate_payment`: the reference was paid before."""
OPEN_STATUSES: Final = ("requested", "sending", "pending", "unknown", "amount_mismatch")
"""The outcome is not known: no other payment for the same reference is requested meanwhile."""
UNPAID_STATUSES: Final = ("failed", "expired")
"""Nothing was charged, as far as the wallet has said: a statement may know better."""
REFUNDABLE_STATUSES: Final = ("paid", "amount_mismatch", "duplicate_payment")

RefundCategory: TypeAlias = Literal[
    "paid_twice", "biller_refused", "withdrawn", "rejected", "not_provided", "wrong_amount", "mistake"
]
"""Why money is given back, as the payer is told. `not_provided`: the service could not be given."""
CASH: Final = "cash"
"""The wallet of a payment in cash."""
WALLETS_WITHOUT_REFUNDS: Final = frozenset({CASH, "bkash"})
"""The wallets whose money a person gives back: there is no request of ours that does it."""
CashOutcome: TypeAlias = Literal["recorded", "asked_too", "paid", "none"]
"""Of a fee that an operator took in cash; `asked_too`: it is recorded, and a wallet is being asked for it."""
BY_REFERENCE: Final = "reference"
"""The channel of a payment that somebody made in their own wallet, by the number of what they paid."""
OTHER_PAYER: Final = "OtherPayer"
"""The reason of money by reference that cannot be the payment of the prompt that is open."""

PaymentState: TypeAlias = Literal["due", "pending", "paid"]
"""The state of what is paid once: an application or a bill."""
PayResult: TypeAlias = Literal["requested", "pending", "paid", "too_many"]
"""The result of requesting a payment: requested, requested before, paid before, or too many requests."""
KeyPredicate: TypeAlias = Callable[[str], bool]
"""Whether the effect of this idempotency key counts yet."""

# A payment *sending* for longer was left by a dead worker; many times a wallet's deadline
WORKER_TIMEOUT: Final = timedelta(seconds=60)
POLL_SCHEDULE: Final = (30, 30, 60, 120, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600, 48 * 3600)
"""Seconds between status queries; after the last one, a callback or a person settles the payment."""
POLLS_BEFORE_NOTICE: Final = 5  # unanswered status queries after which the payer is told that the outcome is unknown
PUSH_WINDOW: Final = timedelta(hours=1)
MAX_PUSHES: Final = 6  # pushes to one payer in that time: a forged SMS must not make a phone ring all day


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """A request for a payment. `reference` is what is paid, once; `subject` is the code of the service or the biller."""

    purpose: PaymentPurpose
    reference: str
    subject: str
    payer: str = field(repr=False)
    amount_minor: int
    currency: str
    language: str
    channel: str
    account: int = 0
    bill: int = 0
    department: str = ""


@dataclass(frozen=True, slots=True)
class DuePayment:
    """A payment that a worker has claimed, to push it or to query its status."""

    id: int
    key: str = field(repr=False)
    request_id: str
    purpose: PaymentPurpose
    reference: str
    payer: str = field(repr=False)
    amount_minor: int
    currency: str
    requested_at: datetime
    attempts: int


@dataclass(frozen=True, slots=True)
class RefundRejected:
    """A refund that is not possible: `unknown` payment, `not_paid`, or `too_much`."""

    reason: Literal["unknown", "not_paid", "too_much"]


def new_refund_columns(wallet: str, now: datetime) -> Mapping[str, object]:
    """Return the status of a new refund: a person makes it, or the worker gives it to the wallet."""
    if wallet in WALLETS_WITHOUT_REFUNDS:
        return {"status": "by_hand", "due_at": None}
    return {"status": "requested", "due_at": now}


def next_poll(tries: int, now: datetime) -> datetime | None:
    """Return when to query the status again after this many queries; None after the last one."""
    return now + timedelta(seconds=POLL_SCHEDULE[tries]) if tries < len(POLL_SCHEDULE) else None


FeeState: TypeAlias = Literal["none", "due", "pending", "paid", "refunded"]
"""`refunded`: it was paid and given back, and the application is over; where the application goes on, it is `due` again."""


@dataclass(frozen=True, slots=True)
class Fee:
    """The fee of an application; `state` is `none` where there is none. `payable_here`: the wallet can pay it."""

    service: str
    amount_minor: int
    currency: str
    state: FeeState
    payable_here: bool
    department: str = ""


@dataclass(frozen=True, slots=True)
class Payer:
    """The payer: the MSISDN of the wallet, and the account, 0 without one."""

    msisdn: str = field(repr=False)
    account: int
    language: str
    channel: str


BillOutcome: TypeAlias = Literal["due", "none", "unknown", "down", "wrong", "paid", "pending", "elsewhere", "too_many"]


@dataclass(frozen=True, slots=True)
class BillQuery:
    """A query for a bill: the biller, the account (0 without one), and the MSISDN."""

    biller: str
    msisdn: str = field(repr=False)
    account: int
    today: date


@dataclass(frozen=True, slots=True)
class BillView:
    """The result of a query; `bill_id` identifies the stored bill, the facts are for screens and texts."""

    outcome: BillOutcome
    bill_id: int = 0
    facts: Mapping[str, object] = field(default_factory=dict)
    invalid: Invalid | None = None
