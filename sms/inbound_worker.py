"""Record each inbound SMS before it is acknowledged, and handle the recorded SMS of each person one after the other.

A process may die between the two. Every process looks regularly for SMS that nobody handles, and handles them.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from time import perf_counter
from typing import Final

import structlog

from core.claim_worker import TaskSet, result_or_log
from core.logging import error_facts
from core.periodic import background
from core.timeouts import Timeout
from core.used_code import using_code
from services.messaging.inbound import DUPLICATE, ClaimedSms, InboundSms, InboundSmsRepository, build_reply_key
from services.messaging.models import Message
from sms.inbound_handler import Handled, InboundSmsHandler
from sms.loop_guard import is_answerable
from sms.metrics import InboundMetrics

HANDLE_TIMEOUT: Final = 20.0  # seconds for one SMS; less than CLAIM_DURATION, or another process would begin with it
RECORD_TIMEOUT: Final = 8.0  # seconds to record one SMS
CONCURRENCY: Final = 16  # people whose SMS one process handles at the same time
SWEEP_INTERVAL: Final = 5.0  # seconds
ABANDONED_AFTER: Final = timedelta(seconds=5)
STOP_TIMEOUT: Final = 10.0  # seconds for the SMS in work when the process stops

log = structlog.get_logger()


class InboundWorker:
    """Records and handles inbound SMS. One worker a process."""

    def __init__(
        self,
        *,
        repository: InboundSmsRepository,
        handler: InboundSmsHandler,
        metrics: InboundMetrics,
    ) -> None:
        self._repository = repository
        self._handler = handler
        self._metrics = metrics
        self._slots = asyncio.Semaphore(CONCURRENCY)
        self._tasks = TaskSet()

    async def receive(self, sms: InboundSms) -> None:
        """Record an SMS, and start to handle it in the background. A duplicate is only counted.

        Raises:
            TimeoutError: the database did not record it in RECORD_TIMEOUT seconds.
        """
        handled_as = "" if is_answerable(sms.msisdn) else "ignored"
        async with Timeout(RECORD_TIMEOUT):
            is_new = await self._repository.record(sms, handled_as)
        if not is_new:
            self._metrics.count(sms.provider_id, DUPLICATE)
        elif handled_as:
            self._metrics.count(sms.provider_id, handled_as)
        else:
            self._tasks.start(self._handle_all_from(sms.msisdn))

    async def run(self) -> None:
        """Sweep every SWEEP_INTERVAL seconds, until cancelled."""
        while True:
            await self.sweep(ABANDONED_AFTER)
            await asyncio.sleep(SWEEP_INTERVAL)

    async def sweep(self, older_than: timedelta) -> None:
        """Start to handle SMS that are older than `older_than` and that nobody handles. Errors are logged."""
        waiting = await result_or_log(self._repository.list_waiting(older_than), "inbound_sweep_failed")
        for msisdn in waiting or ():
            self._tasks.start(self._handle_all_from(msisdn))

    async def stop(self, timeout: float = STOP_TIMEOUT) -> None:
        """Wait `timeout` seconds for the SMS in work, then cancel them: another process will handle them."""
        await self._tasks.finish(timeout)

    async def _handle_all_from(self, msisdn: str) -> None:
        """Handle the SMS of this number in order. If another task has claimed one, it handles the newer ones as well."""
        async with self._slots:
            await result_or_log(self._handle_each(msisdn), "inbound_sms_left_for_sweep")

    async def _handle_each(self, msisdn: str) -> None:
        while (sms := await self._repository.claim(msisdn)) is not None:
            await self._handle_one(sms)

    async def _handle_one(self, sms: ClaimedSms) -> None:
        with using_code(sms.sent_to):
            await self._answer(sms)

    async def _answer(self, sms: ClaimedSms) -> None:
        started = perf_counter()
        handled = await self._handle_or_apologize(sms)
        reply = Message(sms.msisdn, handled.reply, "reply", build_reply_key(sms.provider_id)) if handled.reply else None
        await self._repository.finish(sms, handled.handled_as, reply, erase_text=handled.erase_text)
        seconds = perf_counter() - started
        self._metrics.record(sms.provider_id, handled.handled_as, seconds)
        log.info("inbound_sms", handled_as=handled.handled_as, replied=bool(reply), ms=round(seconds * 1000, 1))

    async def _handle_or_apologize(self, sms: ClaimedSms) -> Handled:
        if sms.attempts_exhausted:
            log.error("inbound_sms_given_up", attempts=sms.attempts)
            return Handled("given_up", await self._handler.apology_for(sms), erase_text=True)
        try:
            async with Timeout(HANDLE_TIMEOUT):
                return await self._handler.handle(sms)
        except Exception as error:  # noqa: BLE001 - the sender waits for a reply, whatever failed
            log.error("inbound_sms_failed", **error_facts(error))
        return Handled("failed", await self._handler.apology_for(sms), erase_text=True)


@asynccontextmanager
async def run_inbound_worker(worker: InboundWorker) -> AsyncIterator[None]:
    """Run the worker in the background; stop it at the end of the block."""
    try:
        async with background(worker.run()):
            yield
    finally:
        await worker.stop()
