"""The fee of an application: whether it is due, and having it paid by whoever has the tracking number."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from sqlalchemy import select

from services.payments.rows import Payments
from services.payments.values import Counts, Paid, Stands, Wanted
from services.records.database import Records
from services.records.tables import OPEN_OR_PAID, applications, payments

NOT_WANTED: Final = frozenset({"rejected", "withdrawn"})
"""The statuses in which nobody is asked for a fee."""

_COLUMNS: Final = (
    applications.c.service,
    applications.c.fee_minor,
    applications.c.currency,
    applications.c.status,
)
# Of all payments of a reference, one at most is open or paid: a unique index says so.
GLANCED: Final = (
    applications.c.fee_minor,
    select(payments.c.status)
    .where(payments.c.reference == applications.c.tracking_number, OPEN_OR_PAID)
    .scalar_subquery(),
)
"""What a fee is told from, besides the service and the status of its application."""
FeeState: TypeAlias = Literal["none", "due", "pending", "paid"]
Payable: TypeAlias = Callable[[str], bool]
"""Whether this service's fee can be paid here."""
Reaches: TypeAlias = Callable[[str], bool]
"""Whether the wallet here may be this number's."""


@dataclass(frozen=True, slots=True)
class Fee:
    """What is to be paid for an application. `state` is `none` where nothing is; `here`: it can be paid here."""

    service: str
    amount_minor: int
    currency: str
    state: FeeState
    here: bool


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays: the MSISDN whose wallet is asked, and their account, 0 without one."""

    number: str = field(repr=False)
    account: int
    language: str
    channel: str


class Fees:
    """The fees of all applications, as they were when each was handed in."""

    def __init__(self, records: Records, payments: Payments, payable: Payable, reaches: Reaches) -> None:
        self._records = records
        self._reaches = reaches
        self._payments = payments
        self._payable = payable

    def payable(self, service: str, number: str) -> bool:
        """Whether the fee of this service can be paid here by whoever has this number."""
        return self._payable(service) and self._reaches(number)

    async def of(self, tracking_number: str, counts: Counts = lambda _: True) -> Fee | None:
        """What is to be paid for this application, as far as payments count whose effect does; None where there is none."""
        asked = select(*_COLUMNS).where(applications.c.tracking_number == tracking_number)
        row = (await self._records.read(asked)).one_or_none()
        if row is None:
            return None
        stands = await self._payments.stands(tracking_number, counts) if row.fee_minor else "due"
        state = _state(row.fee_minor, row.status, stands)
        return Fee(row.service, row.fee_minor, row.currency, state, self._payable(row.service))

    def told(self, service: str, status: str, amount_minor: int, payment: str | None) -> FeeState:
        """How it stands; `due` only where it can be paid here, and paid wherever that was done."""
        stands: Stands = "due" if payment is None else "paid" if payment == "paid" else "pending"
        state = _state(amount_minor, status, stands)
        return "none" if state == "due" and not self._payable(service) else state

    async def pay(self, tracking_number: str, payer: Payer, effect: str) -> Paid | Literal["none"]:
        """Have the payer's wallet asked for it; `none` where there is nothing to pay here."""
        fee = await self.of(tracking_number)
        if fee is None or fee.state == "none" or not fee.here or not self._reaches(payer.number):
            return "none"
        wanted = Wanted(
            purpose="fee",
            reference=tracking_number,
            subject=fee.service,
            payer=payer.number,
            account=payer.account,
            amount_minor=fee.amount_minor,
            currency=fee.currency,
            language=payer.language,
            channel=payer.channel,
        )
        return await self._payments.pay(wanted, effect)


def _state(amount_minor: int, status: str, stands: Stands) -> FeeState:
    if not amount_minor or (stands == "due" and status in NOT_WANTED):
        return "none"
    return stands
