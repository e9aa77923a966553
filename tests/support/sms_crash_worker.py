"""A process of the real outbox that kills itself at a planned step; `test_sms_crashes` starts it.

It reports on stdout when it is ready, starts when it reads a line, and exits when its stdin is closed.
"""

import asyncio
import sys
from collections.abc import Callable, Sequence
from datetime import datetime

from aiohttp import ClientSession
from sqlalchemy import event

from db.database import Database
from providers.africastalking.sms import AfricasTalkingSms
from services.messaging.messages import Messages
from services.messaging.models import ClaimedMessage, OutgoingMessage, SendResult
from services.messaging.outbox import Outbox
from services.messaging.provider import SendOutcome
from tests.fakes.africastalking_server import API_KEY, USERNAME
from tests.support.crash_plan import CrashPlan, CrashTrigger, kill_this_process
from tests.support.services import CIPHER

DEADLINE = 2.0  # seconds for one answer
STEPS = ("claimed", "asking", "answered", "noting", "noted")  # and "asked", where the server is the one that kills


class CrashingMessages(Messages):
    """The real message service, in a process that kills itself before, in or after a transaction."""

    def __init__(self, database: Database, clock: Callable[[], datetime], crash: CrashTrigger) -> None:
        super().__init__(database, CIPHER, clock=clock)
        self._crash = crash
        self._last_commit = False
        event.listen(database._write_engine.sync_engine, "commit", self._before_commit)

    async def claim(self, *request: object, **options: object) -> Sequence[ClaimedMessage]:
        claimed = await super().claim(*request, **options)
        self._crash.crash_if_due("claimed", len(claimed))
        return claimed

    async def _record_results(self, results: list[tuple[int, SendResult]]) -> list[bool]:
        self._last_commit = self._crash.is_due("noting", len(results))
        settled = await super()._record_results(results)
        self._crash.crash_if_due("noted", len(results))
        return settled

    def _before_commit(self, _connection: object) -> None:
        """Everything is written and nothing is committed."""
        if self._last_commit:
            kill_this_process()


class CrashingProvider:
    """The real provider, in a process that kills itself before a request or after its response."""

    name = "doomed"

    def __init__(self, provider: AfricasTalkingSms, crash: CrashTrigger) -> None:
        self._provider = provider
        self._crash = crash

    async def send(self, message: OutgoingMessage) -> SendOutcome:
        self._crash.crash_if_due("asking")
        outcome = await self._provider.send(message)
        self._crash.crash_if_due("answered")
        return outcome


async def run_worker(plan: CrashPlan) -> None:
    doom = CrashTrigger(plan)
    async with Database(plan.database, pool_size=4) as database, ClientSession() as http:
        real = AfricasTalkingSms(http, USERNAME, API_KEY, base_url=plan.server, deadline=DEADLINE, clock=plan.clock)
        outbox = Outbox(
            CrashingMessages(database, plan.clock, doom),
            CrashingProvider(real, doom),
            worker=plan.name,
            clock=plan.clock,
            monotonic=plan.monotonic,
            poll_interval=0.02,
            grace_period=DEADLINE + 1,
        )
        await database.ping()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        running = asyncio.create_task(outbox.run())
        await asyncio.to_thread(sys.stdin.read)
        outbox.stop()
        await running
