"""A process of couriers that can be told where to die, by SIGKILL; `test_outage` starts it.

It tells on stdout when it is ready, begins when it reads a line, and ends in good order when its stdin is closed.
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from assembly.fetching import fetching
from services.departments.connector import Connector, System
from services.departments.courier import Courier
from services.departments.couriers import Couriers, at_work
from services.departments.deliveries import Claimed, Deliveries, Ended
from services.departments.line import Line
from services.departments.port import Application, Department, Refused, Taken
from services.departments.signing import key_of
from services.records.database import Records
from tests.desk import SEAL
from tests.fakes.department_server import SECRET, TOKEN

CODE = "local_government"
STEPS = ("claimed", "asking", "answered", "noting", "noted")
DEADLINE = 2.0  # seconds for one answer


@dataclass(frozen=True)
class Plan:
    """Where it works, by which clock (`speed` seconds a second since `began`), and at which step of which one it dies."""

    database: str
    department: str
    name: str
    began: float
    speed: float
    step: str = ""
    at: int = 0

    def written(self) -> str:
        return json.dumps(asdict(self))

    def clock(self) -> datetime:
        """All workers have the same time, and it flies."""
        return datetime.fromtimestamp(self.began, UTC) + timedelta(seconds=(time.time() - self.began) * self.speed)


class Doom:
    """Counts applications past the step at which this process is to die, and kills it there."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._passed = 0

    def passes(self, step: str, applications: int = 1) -> None:
        if step != self._plan.step:
            return
        self._passed += applications
        if self._passed >= self._plan.at:
            os.kill(os.getpid(), signal.SIGKILL)


class DoomedRows(Deliveries):
    """The real rows, in a process that dies around a transaction."""

    def __init__(self, records: Records, plan: Plan, doom: Doom) -> None:
        super().__init__(records, SEAL, {CODE: None}, clock=plan.clock)
        self._doom = doom

    async def claim(self, department: str, worker: str, most: int) -> Sequence[Claimed]:
        claimed = await super().claim(department, worker, most)
        self._doom.passes("claimed", len(claimed))
        return claimed

    async def settle(self, claimed: Claimed, ended: Ended) -> bool:
        if isinstance(ended, Taken):
            self._doom.passes("noting")
        noted = await super().settle(claimed, ended)
        if isinstance(ended, Taken):
            self._doom.passes("noted")
        return noted


class DoomedDepartment:
    """The real connector, in a process that dies before the department is asked or after it has answered."""

    def __init__(self, connector: Connector, doom: Doom) -> None:
        self._connector = connector
        self._doom = doom
        self.status, self.health = connector.status, connector.health

    async def submit(self, application: Application) -> Taken | Refused:
        self._doom.passes("asking")
        answered = await self._connector.submit(application)
        self._doom.passes("answered")
        return answered


async def work(plan: Plan) -> None:
    doom = Doom(plan)
    async with Records(plan.database, connections=4) as records, fetching(deadline=DEADLINE, most=65_536) as client:
        department: Department = DoomedDepartment(
            Connector(client, System(plan.department, TOKEN, (key_of(SECRET),))), doom
        )
        rows = DoomedRows(records, plan, doom)
        line = Line(CODE, department, rows.silent, pause=0.1, clock=plan.clock)
        courier = Courier(line, rows, worker=plan.name, parallel=4, grace=DEADLINE + 1, clock=plan.clock)
        await records.answers()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        async with at_work(Couriers(rows, [courier], idle=0.02, looked_after=0.1)):
            await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(work(Plan(**json.loads(sys.argv[1]))))
