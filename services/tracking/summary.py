"""The summary of an application that a caller tracks: its status, its fee and its delivery, read with one query."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from db.database import Database
from db.tables import applications
from services.applications.models import Status
from services.applications.status import STATUS_COLUMNS, ApplicationStatusReader
from services.departments.deliveries import DeliveryRepository
from services.payments.fees import FEE_COLUMNS, Fees
from services.payments.models import FeeState

HOLDER_COLUMNS = (applications.c.account, applications.c.msisdn, applications.c.beneficiary)


@dataclass(frozen=True, slots=True)
class Holders:
    """Whose application it is: the applicant's account and MSISDN, and the MSISDN of the person whom it is for."""

    account: int
    msisdns: tuple[str, ...] = field(repr=False)

    def include(self, msisdn: str, account: int) -> bool:
        """Whether the application belongs to this MSISDN or to this account; 0: no account."""
        return msisdn in self.msisdns or self._has_account(account)

    def is_applicant(self, msisdn: str, account: int) -> bool:
        """Whether the applicant has this MSISDN or this account; 0: no account."""
        return msisdn == self.msisdns[0] or self._has_account(account)

    def _has_account(self, account: int) -> bool:
        return bool(account and account == self.account)


class TrackingSummary(NamedTuple):
    """The state of an application. `is_waiting`: it waits for the system of its department, which does not answer."""

    status: Status
    fee: FeeState
    is_waiting: bool
    holders: Holders


class TrackingSummaries:
    """Finds the summary of an application by its tracking number."""

    def __init__(
        self, database: Database, status_reader: ApplicationStatusReader, fees: Fees, deliveries: DeliveryRepository
    ) -> None:
        self._status_reader = status_reader
        self._fees = fees
        self._deliveries = deliveries
        columns = (*STATUS_COLUMNS, *HOLDER_COLUMNS, *FEE_COLUMNS, *deliveries.state_columns)
        self._find_row = database.fast_lookup(applications.c.tracking_number, columns, lambda row: row)

    async def find(self, tracking_number: str) -> TrackingSummary | None:
        """The summary; None where no application has this tracking number.

        Raises:
            ReadError: the database did not answer in time.
        """
        row = await self._find_row(tracking_number)
        if row is None:
            return None
        status = self._status_reader.status_from_row(row)
        fee = self._fees.state_from_row(row)
        is_waiting = status.status == "received" and await self._deliveries.is_waiting(row)
        return TrackingSummary(status, fee, is_waiting, _holders_from_row(row))


def _holders_from_row(row: Any) -> Holders:
    return Holders(row.account, tuple(filter(None, (row.msisdn, row.beneficiary))))
