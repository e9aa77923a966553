"""The interface to a mobile wallet: push a payment request, query its status, refund.

A payer confirms on their own phone, with a PIN that never passes through the gateway. So a push only says that the request
is on its way; the outcome comes by a callback or by a status query.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, Protocol, TypeAlias

PaymentOutcome: TypeAlias = Literal[
    "pending", "paid", "cancelled", "wrong_pin", "no_money", "unreachable", "expired", "failed", "unknown"
]
"""The outcome of a request; `unknown`: the wallet cannot say, and a later query may help."""

UNPAID_OUTCOMES: Final = frozenset({"cancelled", "wrong_pin", "no_money", "unreachable", "expired", "failed"})
"""The outcomes by which certainly nothing was charged."""


@dataclass(frozen=True, slots=True)
class PushRequest:
    """A request for money in hundredths of a currency.

    `key` identifies the payment and cannot be guessed. `description` is on the payer's wallet and statement: a tracking
    number or another twelve characters by which a person finds the payment.
    """

    key: str = field(repr=False)
    payer: str = field(repr=False)
    amount_minor: int
    currency: str
    description: str
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class PushAccepted:
    """The request is on its way to the payer's phone; `request_id` is the wallet's."""

    request_id: str


@dataclass(frozen=True, slots=True)
class Declined:
    """The wallet certainly did not do it, and it is not tried again by itself. The reason is one word, fit for logs."""

    reason: str


@dataclass(frozen=True, slots=True)
class ResultUnknown:
    """The wallet may have done it: it is never sent again, and a callback, a status query or a person settles it."""

    reason: str


@dataclass(frozen=True, slots=True)
class PushQuery:
    """A status query of an earlier push; `request_id` is empty where the wallet's answer was lost."""

    key: str = field(repr=False)
    request_id: str
    payer: str = field(repr=False)
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class PaymentReport:
    """What a wallet reports about a request. `amount_minor` is None, and the ids are empty, where it does not say."""

    outcome: PaymentOutcome
    reason: str = ""
    request_id: str = ""
    receipt: str = ""
    amount_minor: int | None = None


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """A refund of this amount of a payment; `refund_id` is ours, the same if the refund is ever sent again."""

    refund_id: str
    key: str = field(repr=False)
    payer: str = field(repr=False)
    request_id: str
    receipt: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Refunded:
    """The money is with the payer again."""

    receipt: str


@dataclass(frozen=True, slots=True)
class ManualRefund:
    """The wallet has no refunds by API: a person makes them in its portal."""


PushResult: TypeAlias = PushAccepted | Declined | ResultUnknown
RefundResult: TypeAlias = Refunded | Declined | ResultUnknown | ManualRefund


@dataclass(frozen=True, slots=True)
class WalletWebhook:
    """How a wallet reports outcomes to `/payments/<wallet>/<payment key>`.

    `parse` returns None for a body that is no report; `expected` says what a report looks like; `response` is the JSON
    that acknowledges one.
    """

    wallet: str
    parse: Callable[[bytes], PaymentReport | None]
    expected: str
    response: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ReferenceNotice:
    """Money that somebody pays, or has paid, to our number in their own wallet, with an account number as they typed it.

    `merchant` is the number that it was paid to; `payer` is empty where the wallet hides it, and `payer_mask` is then what it
    shows of the digits, with stars. `paid_at` is None where the wallet does not say it.
    """

    receipt: str
    account: str = field(repr=False)
    amount_minor: int
    currency: str
    merchant: str
    payer: str = field(default="", repr=False)
    payer_mask: str = field(default="", repr=False)
    paid_at: datetime | None = None


ReferenceVerdict: TypeAlias = Literal[
    "accepted", "unknown_account", "wrong_amount", "paid", "other_merchant", "unclear"
]
"""Whether a wallet may take money by reference, and why not."""


@dataclass(frozen=True, slots=True)
class ReferenceWebhook:
    """How a wallet asks about payments by reference and tells of them, at `/payments/<wallet>/reference/…`.

    `parse` returns None for a body that is no notice; `build_answer` is the JSON of a verdict; `acknowledgement` is the JSON
    that acknowledges money that was recorded.
    """

    wallet: str
    parse: Callable[[bytes], ReferenceNotice | None]
    expected: str
    build_answer: Callable[[ReferenceVerdict], Mapping[str, object]]
    acknowledgement: Mapping[str, object]


class Wallet(Protocol):
    """A wallet. Every call ends within the wallet's deadline, and raises nothing."""

    @property
    def name(self) -> str:
        """The wallet's name, one word."""

    currencies: Mapping[str, int]
    """The currencies it accepts, each with the smallest step of an amount in hundredths: 100 for whole units."""

    def can_pay(self, msisdn: str, currency: str) -> bool:
        """Return whether the holder of this MSISDN may have such a wallet with money of this currency in it."""

    async def push(self, request: PushRequest) -> PushResult:
        """Push a payment request to the payer's phone."""

    async def query_status(self, query: PushQuery) -> PaymentReport:
        """Return the outcome of a push."""

    async def refund(self, request: RefundRequest) -> RefundResult:
        """Refund a part of a payment."""


def accepts_amount(wallet: Wallet | None, amount_minor: int, currency: str) -> bool:
    """Return whether a wallet accepts an amount of a currency; no wallet accepts nothing."""
    if wallet is None or amount_minor <= 0:
        return False
    step = wallet.currencies.get(currency)
    return step is not None and amount_minor % step == 0
