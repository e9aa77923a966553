"""A process with two outboxes, whose first provider is suspended; it kills itself in or after the move to the fallback."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Row, event

from core.claim_worker import running_worker
from db.database import Database, Transaction
from services.messaging.messages import Messages
from services.messaging.models import OutgoingMessage
from services.messaging.outbox import Outbox
from services.messaging.provider import Accepted, SendOutcome, Suspended
from services.messaging.routing import Route, SmsRoutes
from tests.support.crash_plan import CrashPlan, kill_this_process
from tests.support.services import CIPHER

FIRST, FALLBACK = "first", "second"
ROUTES = SmsRoutes(Route(provider="other"), (Route(provider=FIRST, fallback=FALLBACK, countries=frozenset({"BD"})),))
STEPS = ("moving", "moved")


class SuspendedProvider:
    """A provider whose account is empty."""

    name = FIRST

    async def send(self, message: OutgoingMessage) -> SendOutcome:
        return Suspended("InsufficientBalance")


class RecordingProvider:
    """A provider that accepts everything, and writes each text as a line to a file."""

    name = FALLBACK

    def __init__(self, file: Path) -> None:
        self._file = file

    async def send(self, message: OutgoingMessage) -> SendOutcome:
        with self._file.open("a") as lines:
            lines.write(f"{message.text}\n")
        return Accepted(f"second/{message.reference}")


class CrashingMessages(Messages):
    """The real message service; the process ends before or after the move is committed."""

    def __init__(self, database: Database, plan: CrashPlan) -> None:
        super().__init__(database, CIPHER, clock=plan.clock, routes=ROUTES)
        self._step, self._moved = plan.step, False
        event.listen(database._write_engine.sync_engine, "commit", self._before_commit)

    async def _move_rows(self, transaction: Transaction, rows: Sequence[Row[Any]], provider: str) -> int:
        count = await super()._move_rows(transaction, rows, provider)
        self._moved = count > 0
        return count

    async def move_to_fallback(self, provider: str, *, tried_only: bool = False) -> int:
        count = await super().move_to_fallback(provider, tried_only=tried_only)
        if count and self._step == "moved":
            kill_this_process()
        return count

    def _before_commit(self, _connection: object) -> None:
        if self._moved and self._step == "moving":
            kill_this_process()


async def run_worker(plan: CrashPlan) -> None:
    """Run both outboxes until the plan kills the process or stdin ends; `plan.server` is the file of what was sent."""
    async with Database(plan.database, pool_size=4) as database:
        messages = CrashingMessages(database, plan)
        await database.ping()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        suspended = _build_outbox(messages, SuspendedProvider(), plan)
        if plan.step:
            async with running_worker(suspended):
                await asyncio.to_thread(sys.stdin.read)
        async with running_worker(suspended), running_worker(_build_outbox(messages, _recorder(plan), plan)):
            await asyncio.to_thread(sys.stdin.read)


def _recorder(plan: CrashPlan) -> RecordingProvider:
    return RecordingProvider(Path(plan.server))


def _build_outbox(messages: Messages, provider: SuspendedProvider | RecordingProvider, plan: CrashPlan) -> Outbox:
    return Outbox(
        messages,
        provider,
        queue=provider.name,
        worker=plan.name,
        clock=plan.clock,
        monotonic=plan.monotonic,
        concurrency=1,
        poll_interval=0.02,
        grace_period=1.0,
    )
