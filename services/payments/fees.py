"""The fee of an application: its state, and its payment by anyone who has the tracking number."""

from collections.abc import Callable
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import exists, select, text

from db.database import Database
from db.tables import OPEN_OR_PAID, applications, payments
from services.payments.models import Fee, FeeState, KeyPredicate, Payer, PaymentRequest, PaymentState, PayResult
from services.payments.payments import Payments, payment_state

STATUSES_WITHOUT_FEE: Final = frozenset({"rejected", "withdrawn"})
"""The statuses of applications whose fee is not requested."""
CLOSED_STATUSES: Final = frozenset({"rejected", "withdrawn", "delivered"})
"""The statuses of applications for which a fee that was given back is not requested again."""

_COLUMNS: Final = (
    applications.c.service,
    applications.c.fee_minor,
    applications.c.currency,
    applications.c.status,
    applications.c.department,
)
_OF_APPLICATION: Final = payments.c.reference == applications.c.tracking_number
# A unique index allows one open or paid payment for each reference.
FEE_COLUMNS: Final = (
    applications.c.fee_minor,
    select(payments.c.status).where(_OF_APPLICATION, OPEN_OR_PAID).scalar_subquery().label("payment_status"),
    exists().where(_OF_APPLICATION, text("status = 'refunded'")).label("is_refunded"),  # a lookup has no parameters
)
"""The columns that `Fees.state_from_row` reads, besides the service and the status of the application."""
IsPayable: TypeAlias = Callable[[str], bool]
"""Whether the fee of this service can be paid here."""
CanPay: TypeAlias = Callable[[str, str], bool]
"""Whether the wallet of this MSISDN may have money of this currency."""
TakesCash: TypeAlias = Callable[[str], bool]
"""Whether the department of this service lets operators of centres take its fees in cash."""
FeeCurrency: TypeAlias = Callable[[str], str]
"""The currency of the fee of this service; empty for a service that is not in the catalogue."""


class Fees:
    """The fees of all applications, as of their submission."""

    def __init__(
        self,
        database: Database,
        payments: Payments,
        *,
        is_payable: IsPayable,
        can_pay: CanPay,
        fee_currency: FeeCurrency,
        takes_cash: TakesCash = lambda _: False,
        pay_bill: str = "",
    ) -> None:
        self._database = database
        self._payments = payments
        self._is_payable = is_payable
        self._can_pay = can_pay
        self._fee_currency = fee_currency
        self._takes_cash = takes_cash
        self.pay_bill = pay_bill
        """The number to which a fee is paid by its tracking number; empty where there is none."""

    def is_taken_in_cash(self, service: str) -> bool:
        """Return whether operators of centres may take the fee of this service in cash."""
        return self._takes_cash(service)

    def is_taken_by_wallet(self, service: str) -> bool:
        """Return whether a wallet can pay the fee of this service here, whosever it is."""
        return self._is_payable(service)

    def is_payable(self, service: str, msisdn: str) -> bool:
        """Return whether the holder of this MSISDN can pay the fee of this service here."""
        return self._is_payable(service) and self._can_pay(msisdn, self._fee_currency(service))

    def can_pay(self, fee: Fee, msisdn: str) -> bool:
        """Return whether the holder of this MSISDN can pay this fee here, as of the submission of the application."""
        return fee.payable_here and self._can_pay(msisdn, fee.currency)

    async def find(self, tracking_number: str, is_counted: KeyPredicate = lambda _: True) -> Fee | None:
        """Return the fee of an application, counting only payments whose key `is_counted` accepts; None for an unknown number."""
        statement = select(*_COLUMNS).where(applications.c.tracking_number == tracking_number)
        row = (await self._database.fetch(statement)).one_or_none()
        if row is None:
            return None
        found = await self._payments.list_statuses(tracking_number, is_counted) if row.fee_minor else ()
        state = _fee_state(row.fee_minor, row.status, payment_state(found), is_refunded="refunded" in found)
        return Fee(
            row.service, row.fee_minor, row.currency, state, self._is_payable(row.service), department=row.department
        )

    async def find_state(self, tracking_number: str) -> FeeState:
        """Return the state of an application's fee; `none` for an unknown application."""
        fee = await self.find(tracking_number)
        return fee.state if fee else "none"

    def state_from_row(self, row: Any) -> FeeState:
        """Return the state of an application's fee from its row with FEE_COLUMNS; `due` only where a wallet or an operator takes it."""
        state = fee_state_from_row(row)
        is_shown = state != "due" or self._is_payable(row.service) or self._takes_cash(row.service)
        return state if is_shown else "none"

    async def request_payment(
        self, tracking_number: str, payer: Payer, idempotency_key: str
    ) -> PayResult | Literal["none"]:
        """Request the fee from the payer's wallet; `none` where there is nothing to pay here."""
        fee = await self.find(tracking_number)
        if fee is None or fee.state in {"none", "refunded"} or not self.can_pay(fee, payer.msisdn):
            return "none"
        request = PaymentRequest(
            purpose="fee",
            reference=tracking_number,
            subject=fee.service,
            department=fee.department,
            payer=payer.msisdn,
            account=payer.account,
            amount_minor=fee.amount_minor,
            currency=fee.currency,
            language=payer.language,
            channel=payer.channel,
        )
        return await self._payments.request_payment(request, idempotency_key)


def fee_state_from_row(row: Any) -> FeeState:
    """Return the state of an application's fee from its row with FEE_COLUMNS; `due` also where it cannot be paid here."""
    found = () if row.payment_status is None else (row.payment_status,)
    return _fee_state(row.fee_minor, row.status, payment_state(found), is_refunded=bool(row.is_refunded))


def _fee_state(amount_minor: int, status: str, payment_state: PaymentState, *, is_refunded: bool) -> FeeState:
    if not amount_minor:
        return "none"
    if payment_state == "due" and is_refunded and status in CLOSED_STATUSES:
        return "refunded"
    if payment_state == "due" and status in STATUSES_WITHOUT_FEE:
        return "none"
    return payment_state
