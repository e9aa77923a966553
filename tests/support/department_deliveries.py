"""The parts that deliver applications to a department: repository, connector, circuit breaker and worker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Self

from aiohttp import web

from core.http.aiohttp_client import open_http_client
from core.http.signatures import parse_secret
from core.periodic import background
from services.applications.models import NewApplication
from services.applications.submission import ApplicationSubmission, EnqueueDelivery
from services.departments.base import Department
from services.departments.circuit_breaker import DepartmentCircuit
from services.departments.deliveries import DeliveryRepository
from services.departments.delivery_supervisor import DeliverySupervisor
from services.departments.delivery_worker import DeliveryWorker
from services.departments.http_connector import DepartmentEndpoint, HttpConnector
from services.departments.models import Applicant, Fee, OutgoingApplication, RequiredDocument
from services.departments.status_polling import StatusPoller
from tests.fakes.department_server import SECRET, DepartmentServer
from tests.support.services import RAHIMA, ServiceSet, birth_certificate_submission, render_text
from web.webhooks.departments import routes

CODE = "local_government"
RETRY_DELAY = 0.05  # seconds for which a system that is down is left alone


class DeliveryServiceSet:
    """The connection to one department."""

    def __init__(self, services: ServiceSet, server: DepartmentServer, *, looks: timedelta | None = None) -> None:
        self.services, self.server = services, server
        self.deliveries_repository = self.deliveries({CODE: looks})
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        client = await self._stack.enter_async_context(open_http_client(deadline=1.0, max_bytes=65_536))
        self.connector = HttpConnector(
            client, DepartmentEndpoint(self.server.url, self.server.token, (parse_secret(self.server.secret),))
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def deliveries(self, connected: dict[str, timedelta | None]) -> DeliveryRepository:
        services = self.services
        papers = {"birth_certificate": ("vaccine_card", "parents_id")}
        return DeliveryRepository(
            services.database,
            services.cipher,
            connected,
            document_codes=lambda code: papers.get(code, ()),
            clock=services.clock,
        )

    async def submit_application(self, idempotency_key: str = "s1:20", **other: object) -> str:
        """Submit an application; its tracking number."""
        return await self.enqueue(birth_certificate_submission(**other), idempotency_key)

    async def enqueue(self, new: NewApplication, idempotency_key: str, handed_in: EnqueueDelivery | None = None) -> str:
        services, hook = self.services, handed_in or self.deliveries_repository.enqueue
        zones = services.applications._find_zone
        applications = ApplicationSubmission(
            services.database,
            services.messages,
            services.cipher,
            render_text,
            zones,
            enqueue_delivery=hook,
            clock=services.clock,
        )
        return (await applications.submit(new, idempotency_key)).tracking_number

    async def claim_one(self):
        """Claim the one delivery that is due."""
        (claimed,) = await self.deliveries_repository.claim(CODE, "test", 10)
        return claimed

    def build_circuit(self, department: Department | None = None) -> DepartmentCircuit:
        return DepartmentCircuit(
            CODE,
            department or self.connector,
            self.deliveries_repository.unreachable,
            probe_interval=RETRY_DELAY,
            monotonic=self.services.clock.monotonic,
        )

    def build_worker(self, circuit: DepartmentCircuit | None = None, **options: object) -> DeliveryWorker:
        given = {
            "worker": "test",
            "concurrency": 4,
            "grace_period": 2.0,
            "clock": self.services.clock,
            "random_fraction": lambda: 0.0,
        }
        return DeliveryWorker(circuit or self.build_circuit(), self.deliveries_repository, **{**given, **options})

    def build_poller(self) -> StatusPoller:
        return StatusPoller(
            self.build_circuit(),
            self.deliveries_repository,
            self.services.department_applications.move,
            clock=self.services.clock,
        )

    def run_workers(self, *couriers: DeliveryWorker):
        """Run delivery workers for the block."""
        return background(
            DeliverySupervisor(
                self.deliveries_repository,
                couriers or [self.build_worker()],
                poll_interval=0.01,
                maintenance_interval=0.01,
            ).run()
        )

    async def wait_until(self, state: str, tracking_number: str) -> None:
        """Wait until the delivery of an application is in this state."""
        async with asyncio.timeout(20):
            while await self.deliveries_repository.delivery_state(tracking_number) != state:  # noqa: ASYNC110 - it is the database's doing
                await asyncio.sleep(0.01)


FORM = {
    "holder": "আয়েশা বেগম",
    "born": "2025-11-21",
    "sex": "female",
    "mother": "Rahima Begum",
    "father": "Karim Uddin",
}
NOW = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)


def build_application(number: str = "123456789015", **other: object) -> OutgoingApplication:
    given = {
        "tracking_number": number,
        "service": "birth_certificate",
        "office": "mirpur",
        "form": FORM,
        "applicant": Applicant(RAHIMA, "bn", "ussd", "Rahima Begum"),
        "beneficiary": "",
        "applied_for": "another" if other.get("beneficiary") else "self",
        "documents": (RequiredDocument("vaccine_card", on_file=False), RequiredDocument("parents_id", on_file=True)),
        "fee": Fee(5000, "BDT", "due"),
        "promised_on": NOW.date() + timedelta(days=7),
        "submitted_at": NOW,
    }
    return OutgoingApplication(**{**given, **other})


@asynccontextmanager
async def run_webhook_route(hear, clock) -> AsyncIterator[str]:
    """The URL of a server with the webhook route alone."""
    app = web.Application()
    app.add_routes(routes({CODE: [parse_secret(SECRET)], "dncc": [parse_secret(SECRET)]}, hear, clock))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/departments"
    finally:
        await runner.cleanup()
