"""The worker at the till: asks wallets for what is due, asks after what nobody has heard of, and gives back.

Everything it does is in the rows before and after, so that any number of them, in any number of processes, do each
thing once, and what one leaves undone another finds.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final, TypeAlias

import structlog

from failures import told
from services.payments.port import Asked, Push, Wallet
from services.payments.refunds import Refunds
from services.payments.rows import Payments
from services.payments.values import Due

LOOKS: Final = 2.0  # seconds until what other processes have left is looked for
AT_ONCE: Final = 16
REST: Final = 1.0  # seconds after something failed

Errand: TypeAlias = Callable[[], Awaitable[bool]]
"""Something else that is done at the till; True when there may be more of it."""

log = structlog.get_logger()


class Till:
    """One worker. `errands` are done on every round, such as posting bills."""

    def __init__(self, payments: Payments, refunds: Refunds, wallet: Wallet, errands: Sequence[Errand] = ()) -> None:
        self._payments = payments
        self._refunds = refunds
        self._wallet = wallet
        self._stopping = False
        self._rounds: Sequence[Errand] = (self._ask, self._ask_after, self._give_back, *errands)

    async def run(self) -> None:
        """Work until `stop`; a round that fails is logged, and the next one may go better."""
        while not self._stopping:
            await self._payments.until_stirred(await self._worked())

    def stop(self) -> None:
        """Come to an end once what is just being asked is answered."""
        self._stopping = True
        self._payments.stirred.set()

    async def _worked(self) -> float:
        """Do what is due; in how many seconds to look again. While nothing is due, a look is one small question."""
        try:
            while not self._stopping and not (seconds := await self._payments.idle_for(LOOKS)):
                await self.round()
        except Exception as error:  # noqa: BLE001 - whatever it is, payments must go on
            log.error("the till could not work", **told(error))
            return REST
        return 0 if self._stopping else seconds

    async def round(self) -> bool:
        """Everything that is due now; whether there may be more."""
        return any([await errand() for errand in self._rounds])

    async def _ask(self) -> bool:
        due = await self._payments.claim(AT_ONCE)
        await asyncio.gather(*(self._ask_for(one) for one in due))
        return len(due) == AT_ONCE

    async def _ask_for(self, one: Due) -> None:
        about = one.reference if one.purpose == "fee" else f"BILL{one.id:08}"[:12]
        push = Push(one.key, one.payer, one.amount_minor, one.currency, about, one.asked)
        answer = await self._wallet.ask(push)
        log.info(
            "payment asked for", payment=one.id, answer=type(answer).__name__, reason=getattr(answer, "reason", "")
        )
        await self._payments.answered(one.id, answer)

    async def _ask_after(self) -> bool:
        due = await self._payments.doubted(AT_ONCE)
        await asyncio.gather(*(self._ask_after_one(one) for one in due))
        return len(due) == AT_ONCE

    async def _ask_after_one(self, one: Due) -> None:
        report = await self._wallet.query(Asked(one.key, one.request, one.payer, one.asked))
        log.info("payment asked after", payment=one.id, outcome=report.outcome, reason=report.reason)
        await self._payments.heard(one.key, report, "query")

    async def _give_back(self) -> bool:
        claimed = await self._refunds.claim()
        if claimed is None:
            return False
        refund, back = claimed
        await self._refunds.answered(refund, await self._wallet.give_back(back))
        return True


@asynccontextmanager
async def at_the_till(till: Till, grace: float) -> AsyncIterator[None]:
    """The till at work inside; afterwards what it is just asking has so many seconds to be answered and noted."""
    working = asyncio.create_task(till.run())
    try:
        yield
    finally:
        till.stop()
        await asyncio.wait({working}, timeout=grace)
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working
