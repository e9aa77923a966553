"""The payment worker: pushes due payment requests, queries unresolved ones, sends refunds and posts bills.

All state is in the database before and after each step. So any number of workers, in any number of processes, do each
step once, and a step that one worker leaves unfinished is found by another.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias

import structlog

from core.claim_worker import process_batch
from core.clock_watch import ClockWatch
from core.logging import error_facts
from services.payments.keys import bill_account
from services.payments.models import DuePayment
from services.payments.payments import Payments
from services.payments.refunds import Refunds
from services.payments.wallets.base import PushQuery, PushRequest, Wallet

POLL_INTERVAL: Final = 2.0  # seconds between looks for work of other processes
BATCH_SIZE: Final = 16
ERROR_PAUSE: Final = 1.0  # seconds after a failure

Job: TypeAlias = Callable[[], Awaitable[bool]]
"""One step of the worker; returns True where more may be due."""

log = structlog.get_logger()


class PaymentWorker:
    """One worker. `jobs` run in each round after the wallet's own, such as posting bills."""

    def __init__(
        self,
        payments: Payments,
        refunds: Refunds,
        wallet: Wallet,
        jobs: Sequence[Job] = (),
        *,
        clock_watch: ClockWatch | None = None,
    ) -> None:
        self._payments = payments
        self._refunds = refunds
        self._wallet = wallet
        self._clock_watch = clock_watch or ClockWatch()
        self._stopping = False
        self._jobs: Sequence[Job] = (self._push_due, self._query_due, self._refund_due, *jobs)

    async def run(self) -> None:
        """Work until `stop` is called. A round that fails is logged, and the next one follows after a pause."""
        while not self._stopping:
            await self._payments.wait_for_wakeup(await self._run_due())

    def stop(self) -> None:
        """Make `run` return once the requests in flight are answered."""
        self._stopping = True
        self._payments.wakeup.set()

    async def run_once(self) -> bool:
        """Run all jobs once; True where more may be due."""
        return any([await job() for job in self._jobs])

    async def _run_due(self) -> float:
        """Run rounds while work is due; return the seconds to wait. An idle look costs one small query."""
        try:
            if self._clock_watch.take_jump_back() and (count := await self._payments.make_future_due()):
                log.warning("payments_of_the_future_made_due", count=count)
            while not self._stopping and not (seconds := await self._payments.seconds_until_due(POLL_INTERVAL)):
                await self.run_once()
        except Exception as error:  # noqa: BLE001 - payments must go on after any failure
            log.error("payment_round_failed", **error_facts(error))
            return ERROR_PAUSE
        return 0 if self._stopping else seconds

    async def _push_due(self) -> bool:
        return await process_batch(self._payments.claim, self._push, BATCH_SIZE)

    async def _push(self, payment: DuePayment) -> None:
        request = PushRequest(
            key=payment.key,
            payer=payment.payer,
            amount_minor=payment.amount_minor,
            currency=payment.currency,
            description=payment.reference if payment.purpose == "fee" else bill_account(payment.id),
            requested_at=payment.requested_at,
        )
        result = await self._wallet.push(request)
        facts = {"result": type(result).__name__, "reason": getattr(result, "reason", "")}
        log.info("payment_pushed", payment=payment.id, **facts)
        await self._payments.record_push_result(payment.id, result)

    async def _query_due(self) -> bool:
        return await process_batch(self._payments.claim_unresolved, self._query, BATCH_SIZE)

    async def _query(self, payment: DuePayment) -> None:
        query = PushQuery(payment.key, payment.request_id, payment.payer, payment.requested_at)
        report = await self._wallet.query_status(query)
        log.info("payment_queried", payment=payment.id, outcome=report.outcome, reason=report.reason)
        await self._payments.record_report(payment.key, report, "query")

    async def _refund_due(self) -> bool:
        claimed = await self._refunds.claim()
        if claimed is None:
            return False
        refund, request = claimed
        await self._refunds.record_result(refund, await self._wallet.refund(request))
        return True
