"""An application at a glance: what became of it, of its fee, and of its way to its office, in one look into the database."""

from typing import NamedTuple

from services.applications import Following, Status
from services.applications.following import TOLD
from services.departments.deliveries import Deliveries
from services.payments.fees import GLANCED, Fees, FeeState
from services.records.database import Records
from services.records.tables import applications

_STATUS = slice(len(TOLD))
_FEE = slice(len(TOLD), len(TOLD) + len(GLANCED))
_WAY = slice(len(TOLD) + len(GLANCED), None)


class Glance(NamedTuple):
    """What whoever follows it is told; `waits`: for its office's own system, which does not answer just now."""

    status: Status
    fee: FeeState
    waits: bool


class Glances:
    """Every application, by its tracking number: three rooms say what they make of one row."""

    def __init__(self, records: Records, following: Following, fees: Fees, deliveries: Deliveries) -> None:
        self._following = following
        self._fees = fees
        self._deliveries = deliveries
        columns = (*TOLD, *GLANCED, *deliveries.glanced)
        self._row = records.lookup(applications.c.tracking_number, columns, tuple)

    async def __call__(self, tracking_number: str) -> Glance | None:
        """None where nothing has this number."""
        row = await self._row(tracking_number)
        if row is None:
            return None
        status = self._following.told(row[_STATUS])
        fee = self._fees.told(status.service, status.status, *row[_FEE])
        waits = status.status == "received" and await self._deliveries.waits(*row[_WAY])
        return Glance(status, fee, waits)
