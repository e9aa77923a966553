"""What delivers to a department, for tests: rows, connector, line and courier, each to be had by itself."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Self

from assembly.fetching import fetching
from services.applications import Applications, Submission
from services.applications.handing_in import HandedIn
from services.departments.connector import Connector, System
from services.departments.courier import Courier
from services.departments.couriers import Couriers, at_work
from services.departments.deliveries import Deliveries
from services.departments.line import Line
from services.departments.looking import Looking
from services.departments.port import Department
from services.departments.signing import key_of
from tests.desk import Desk, birth_certificate, say
from tests.fakes.department_server import DepartmentServer

CODE = "local_government"
PAUSE = 0.05  # seconds for which a system that is down is left alone


class Office:
    """One department's connection, over the services of a desk."""

    def __init__(self, desk: Desk, server: DepartmentServer, *, looks: timedelta | None = None) -> None:
        self.desk, self.server = desk, server
        self.rows = self.deliveries({CODE: looks})
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        client = await self._stack.enter_async_context(fetching(deadline=1.0, most=65_536))
        self.connector = Connector(client, System(self.server.url, self.server.token, (key_of(self.server.secret),)))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def deliveries(self, connected: dict[str, timedelta | None]) -> Deliveries:
        desk = self.desk
        papers = {"birth_certificate": ("vaccine_card", "parents_id")}
        return Deliveries(
            desk.records, desk.seal, connected, papers=lambda code: papers.get(code, ()), clock=desk.clock
        )

    async def applies(self, effect: str = "s1:20", **other: object) -> str:
        """The tracking number of an application that was handed in."""
        return await self.hands_in(birth_certificate(**other), effect)

    async def hands_in(self, new: Submission, effect: str, handed_in: HandedIn | None = None) -> str:
        desk, hook = self.desk, handed_in or self.rows.handed_in
        zones = desk.applications._zone_of
        applications = Applications(
            desk.records, desk.messages, desk.seal, say, zones, handed_in=hook, clock=desk.clock
        )
        return (await applications.submit(new, effect)).tracking_number

    async def claimed(self):
        """The one that is due."""
        (claimed,) = await self.rows.claim(CODE, "test", 10)
        return claimed

    def line(self, department: Department | None = None) -> Line:
        return Line(CODE, department or self.connector, self.rows.silent, pause=PAUSE, clock=self.desk.clock)

    def courier(self, line: Line | None = None, **options: object) -> Courier:
        given = {"worker": "test", "parallel": 4, "grace": 2.0, "clock": self.desk.clock, "chance": lambda: 0.0}
        return Courier(line or self.line(), self.rows, **{**given, **options})

    def looking(self) -> Looking:
        return Looking(self.line(), self.rows, self.desk.filings.move, clock=self.desk.clock)

    def at_work(self, *couriers: Courier):
        """Couriers that look all the time."""
        return at_work(Couriers(self.rows, couriers or [self.courier()], idle=0.01, looked_after=0.01))

    async def until(self, state: str, number: str) -> None:
        """Return when the application stands so."""
        async with asyncio.timeout(20):
            while await self.rows.delivery_state(number) != state:  # noqa: ASYNC110 - it is the database's doing
                await asyncio.sleep(0.01)
