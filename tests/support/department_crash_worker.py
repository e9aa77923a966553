"""A process of delivery workers that kills itself at a planned step; `test_department_outage` starts it.

It reports on stdout when it is ready, starts when it reads a line, and exits when its stdin is closed.
"""

import asyncio
import sys
from collections.abc import Sequence

from core.http.aiohttp_client import open_http_client
from core.http.signatures import parse_secret
from core.periodic import background
from db.database import Database
from services.departments.circuit_breaker import DepartmentCircuit
from services.departments.deliveries import DeliveryRepository
from services.departments.delivery_supervisor import DeliverySupervisor
from services.departments.delivery_worker import DeliveryWorker
from services.departments.http_connector import DepartmentEndpoint, HttpConnector
from services.departments.models import Accepted, ClaimedDelivery, DeliveryResult, OutgoingApplication, Rejected
from tests.fakes.department_server import SECRET, TOKEN
from tests.support.crash_plan import CrashPlan, CrashTrigger
from tests.support.services import CIPHER

CODE = "local_government"
STEPS = ("claimed", "asking", "answered", "noting", "noted")
DEADLINE = 2.0  # seconds for one answer


class CrashingDeliveries(DeliveryRepository):
    """The real repository, in a process that kills itself around a transaction."""

    def __init__(self, database: Database, plan: CrashPlan, crash: CrashTrigger) -> None:
        super().__init__(database, CIPHER, {CODE: None}, clock=plan.clock)
        self._crash = crash

    async def claim(self, department: str, worker: str, limit: int) -> Sequence[ClaimedDelivery]:
        claimed = await super().claim(department, worker, limit)
        self._crash.crash_if_due("claimed", len(claimed))
        return claimed

    async def record_result(self, claimed: ClaimedDelivery, result: DeliveryResult) -> bool:
        if isinstance(result, Accepted):
            self._crash.crash_if_due("noting")
        noted = await super().record_result(claimed, result)
        if isinstance(result, Accepted):
            self._crash.crash_if_due("noted")
        return noted


class CrashingDepartment:
    """The real connector, in a process that kills itself before a request or after its response."""

    def __init__(self, connector: HttpConnector, crash: CrashTrigger) -> None:
        self._connector = connector
        self._crash = crash
        self.fetch_status, self.check_health = connector.fetch_status, connector.check_health

    async def submit(self, application: OutgoingApplication) -> Accepted | Rejected:
        self._crash.crash_if_due("asking")
        answered = await self._connector.submit(application)
        self._crash.crash_if_due("answered")
        return answered


async def run_worker(plan: CrashPlan) -> None:
    doom = CrashTrigger(plan)
    async with (
        Database(plan.database, pool_size=4) as database,
        open_http_client(deadline=DEADLINE, max_bytes=65_536) as client,
    ):
        department = CrashingDepartment(
            HttpConnector(client, DepartmentEndpoint(plan.server, TOKEN, (parse_secret(SECRET),))), doom
        )
        rows = CrashingDeliveries(database, plan, doom)
        line = DepartmentCircuit(CODE, department, rows.unreachable, probe_interval=0.1)
        courier = DeliveryWorker(
            line, rows, worker=plan.name, concurrency=4, grace_period=DEADLINE + 1, clock=plan.clock
        )
        await database.ping()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        async with background(DeliverySupervisor(rows, [courier], poll_interval=0.02, maintenance_interval=0.1).run()):
            await asyncio.to_thread(sys.stdin.read)
