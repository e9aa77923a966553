"""Polls the status of delivered applications at departments that send no events."""

from typing import Final

import structlog

from core.claim_worker import result_or_log
from core.types import UtcClock, utc_now
from services.audit.models import Actor
from services.cases.models import StatusRejected
from services.departments.base import TemporaryError
from services.departments.circuit_breaker import DepartmentCircuit
from services.departments.deliveries import DeliveryRepository
from services.departments.models import CONNECTOR_CHANNEL, ApplicationStatus, StatusQuery
from services.departments.webhooks import MoveStatus

BATCH_SIZE: Final = 20  # queries in a row before other departments have their turn

log = structlog.get_logger()


class StatusPoller:
    """Polls one department: one query at a time, and none while its system is down."""

    def __init__(
        self, circuit: DepartmentCircuit, deliveries: DeliveryRepository, move: MoveStatus, *, clock: UtcClock = utc_now
    ) -> None:
        self._circuit = circuit
        self._deliveries = deliveries
        self._move = move
        self._clock = clock

    async def poll(self) -> bool:
        """Query the statuses that are due and apply those that changed; True where more may be due."""
        if not self._circuit.is_available or self._circuit.is_paused:
            return False
        claiming = self._deliveries.claim_status_queries(self._circuit.code, BATCH_SIZE)
        due = await result_or_log(claiming, "status_query_claim_failed")
        for query in due or ():
            if self._circuit.is_available:
                await result_or_log(self._poll_one(query), "status_query_failed")
        return due is not None and len(due) == BATCH_SIZE

    async def _poll_one(self, query: StatusQuery) -> None:
        try:
            status = await self._circuit.call(self._circuit.department.fetch_status(query.tracking_number))
        except TemporaryError:
            return  # the next poll asks again
        if status is None:
            log.error("department_lost_application", department=self._circuit.code, delivery=query.delivery)
        elif status != ApplicationStatus(query.status, query.note):
            await self._apply_status(query, status)

    async def _apply_status(self, query: StatusQuery, status: ApplicationStatus) -> None:
        department, number = self._circuit.code, query.tracking_number
        key = f"look:{query.delivery}:{self._clock().isoformat()}"
        actor = Actor("department", department, CONNECTOR_CHANNEL)
        moved = await self._move(department, number, status.status, status.note, key, by=actor)
        if isinstance(moved, StatusRejected):
            facts = {"department": department, "delivery": query.delivery}
            log.error("department_status_rejected", reason=moved.reason, **facts)
