"""The fee of an application: its state, and its payment by anyone who has the tracking number."""

from collections.abc import Callable
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import select

from db.database import Database
from db.tables import OPEN_OR_PAID, applications, payments
from services.payments.models import Fee, FeeState, KeyPredicate, Payer, PaymentRequest, PaymentState, PayResult
from services.payments.payments import Payments

STATUSES_WITHOUT_FEE: Final = frozenset({"rejected", "withdrawn"})
"""The statuses of applications whose fee is not requested."""

_COLUMNS: Final = (
    applications.c.service,
    applications.c.fee_minor,
    applications.c.currency,
    applications.c.status,
)
# A unique index allows one open or paid payment for each reference.
FEE_COLUMNS: Final = (
    applications.c.fee_minor,
    select(payments.c.status)
    .where(payments.c.reference == applications.c.tracking_number, OPEN_OR_PAID)
    .scalar_subquery()
    .label("payment_status"),
)
"""The columns that `Fees.state_from_row` reads, besides the service and the status of the application."""
IsPayable: TypeAlias = Callable[[str], bool]
"""Whether the fee of this service can be paid here."""
SupportsMsisdn: TypeAlias = Callable[[str], bool]
"""Whether the wallet supports this MSISDN."""


class Fees:
    """The fees of all applications, as of their submission."""

    def __init__(
        self, database: Database, payments: Payments, is_payable: IsPayable, supports_msisdn: SupportsMsisdn
    ) -> None:
        self._database = database
        self._supports_msisdn = supports_msisdn
        self._payments = payments
        self._is_payable = is_payable

    def is_payable(self, service: str, msisdn: str) -> bool:
        """Return whether the holder of this MSISDN can pay the fee of this service here."""
        return self._is_payable(service) and self._supports_msisdn(msisdn)

    async def find(self, tracking_number: str, is_counted: KeyPredicate = lambda _: True) -> Fee | None:
        """Return the fee of an application, counting only payments whose key `is_counted` accepts; None for an unknown number."""
        statement = select(*_COLUMNS).where(applications.c.tracking_number == tracking_number)
        row = (await self._database.fetch(statement)).one_or_none()
        if row is None:
            return None
        payment_state = await self._payments.state_of(tracking_number, is_counted) if row.fee_minor else "due"
        state = _fee_state(row.fee_minor, row.status, payment_state)
        return Fee(row.service, row.fee_minor, row.currency, state, self._is_payable(row.service))

    async def find_state(self, tracking_number: str) -> FeeState:
        """Return the state of an application's fee; `none` for an unknown application."""
        fee = await self.find(tracking_number)
        return fee.state if fee else "none"

    def state_from_row(self, row: Any) -> FeeState:
        """Return the state of an application's fee from its row with FEE_COLUMNS; `due` only where it can be paid here."""
        paid = row.payment_status
        payment_state: PaymentState = "due" if paid is None else "paid" if paid == "paid" else "pending"
        state = _fee_state(row.fee_minor, row.status, payment_state)
        return "none" if state == "due" and not self._is_payable(row.service) else state

    async def request_payment(
        self, tracking_number: str, payer: Payer, idempotency_key: str
    ) -> PayResult | Literal["none"]:
        """Request the fee from the payer's wallet; `none` where there is nothing to pay here."""
        fee = await self.find(tracking_number)
        if fee is None or fee.state == "none" or not fee.payable_here or not self._supports_msisdn(payer.msisdn):
            return "none"
        request = PaymentRequest(
            purpose="fee",
            reference=tracking_number,
            subject=fee.service,
            payer=payer.msisdn,
            account=payer.account,
            amount_minor=fee.amount_minor,
            currency=fee.currency,
            language=payer.language,
            channel=payer.channel,
        )
        return await self._payments.request_payment(request, idempotency_key)


def _fee_state(amount_minor: int, status: str, payment_state: PaymentState) -> FeeState:
    if not amount_minor or (payment_state == "due" and status in STATUSES_WITHOUT_FEE):
        return "none"
    return payment_state
