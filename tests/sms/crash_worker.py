"""A worker process of the real outbox that can be told where to die, by SIGKILL; `test_crashes` starts it.

It tells on stdout when it is ready, begins when it reads a line, and ends in good order when its stdin is closed.
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from aiohttp import ClientSession
from sqlalchemy import event

from services.messages import Claimed, Ending, Messages
from services.records.database import Records
from sms.outbox import Outbox
from sms.provider import Outcome
from sms.providers.africastalking import AfricasTalking
from tests.desk import SEAL
from tests.fakes.africastalking_server import API_KEY, USERNAME

DEADLINE = 1.0  # seconds for one answer
STEPS = ("claimed", "asking", "answered", "noting", "noted")  # and "asked", where the server is the one that kills


@dataclass(frozen=True)
class Plan:
    """Where it works, by which clock (`speed` seconds a second since `began`), and at which step of which message it dies."""

    database: str
    provider: str
    name: str
    began: float
    speed: float
    step: str = ""
    at: int = 0

    def written(self) -> str:
        return json.dumps(asdict(self))

    def clock(self) -> datetime:
        """All workers, and whoever watches them, have the same time, and it flies."""
        return datetime.fromtimestamp(self.began, UTC) + timedelta(seconds=(time.time() - self.began) * self.speed)


class Doom:
    """Counts messages past the step at which this process is to die, and kills it there."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._passed = 0

    def passes(self, step: str, messages: int = 1) -> bool:
        """Whether it is to die now; it does, unless the step is one in the middle of something."""
        if step != self._plan.step:
            return False
        self._passed += messages
        if self._passed < self._plan.at:
            return False
        if step != "noting":
            die()
        return True


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class DoomedRows(Messages):
    """The real records, and their real statements, in a process that dies before, in or after a transaction."""

    def __init__(self, records: Records, clock: Callable[[], datetime], doom: Doom) -> None:
        super().__init__(records, SEAL, clock=clock)
        self._doom = doom
        self._last_commit = False
        event.listen(records._writing.sync_engine, "commit", self._before_commit)

    async def claim(self, *asked: object, **options: object) -> Sequence[Claimed]:
        claimed = await super().claim(*asked, **options)
        self._doom.passes("claimed", len(claimed))
        return claimed

    async def _settle_together(self, asks: list[tuple[int, Ending]]) -> list[bool]:
        self._last_commit = self._doom.passes("noting", len(asks))
        settled = await super()._settle_together(asks)
        self._doom.passes("noted", len(asks))
        return settled

    def _before_commit(self, _connection: object) -> None:
        """All is written in the database and nothing is committed."""
        if self._last_commit:
            die()


class DoomedProvider:
    """The real provider, in a process that dies before it is asked or after it has answered."""

    name = "doomed"

    def __init__(self, provider: AfricasTalking, doom: Doom) -> None:
        self._provider = provider
        self._doom = doom

    async def send(self, to: str, text: str) -> Outcome:
        self._doom.passes("asking")
        outcome = await self._provider.send(to, text)
        self._doom.passes("answered")
        return outcome


async def work(plan: Plan) -> None:
    doom = Doom(plan)
    async with Records(plan.database, connections=4) as records, ClientSession() as http:
        real = AfricasTalking(http, USERNAME, API_KEY, base_url=plan.provider, deadline=DEADLINE, clock=plan.clock)
        outbox = Outbox(
            DoomedRows(records, plan.clock, doom),
            DoomedProvider(real, doom),
            worker=plan.name,
            clock=plan.clock,
            idle=0.02,
            grace=DEADLINE + 1,
        )
        await records.answers()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        running = asyncio.create_task(outbox.run())
        await asyncio.to_thread(sys.stdin.read)
        outbox.stop()
        await running


if __name__ == "__main__":
    asyncio.run(work(Plan(**json.loads(sys.argv[1]))))
