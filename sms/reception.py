"""Takes SMS in and has each answered: acknowledged when it is recorded, answered by whoever of all processes is there.

Between the two a process may die. Its SMS are found by looking, here and in every other process, and answered then.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count
from time import perf_counter
from typing import Any, Final, Protocol, TypeAlias

import structlog
from prometheus_client import CollectorRegistry, Counter

from failures import told
from services.inbound import Arrived, Waiting, reply_effect
from services.messages import Message
from sms.callback import Naming, arrived_of
from sms.guards import answerable
from sms.inbound import TAKEN_FOR, Desk, Taken, excuse, taken

WITHIN: Final = 20.0  # seconds for one answer; less than an SMS is held, or somebody else would begin with it
KEPT_WITHIN: Final = 8.0  # seconds to record one
PARALLEL: Final = 16  # people who are answered at once, per process
SWEEPS: Final = 5.0  # seconds between two looks for what was left behind
FORGETS: Final = 12  # looks from one time of forgetting old records to the next: a minute
LEFT_BEHIND: Final = timedelta(seconds=5)
GRACE: Final = 10.0  # seconds at a stop for those who are being answered

Forget: TypeAlias = Callable[[], Awaitable[object]]

log = structlog.get_logger()


class Rows(Protocol):
    """What is asked of the records; see `services.inbound.Inbound`."""

    async def keep(self, sms: Arrived, taken_for: str = "") -> bool:
        """Record it; False where it was recorded before."""

    async def claim(self, number: str) -> Waiting | None:
        """The oldest SMS of this number that waits, now the caller's to answer."""

    async def finish(self, sms: Waiting, taken_for: str, reply: Message | None = None, *, forget: bool = False) -> None:
        """Note that it is answered, and queue the answer; with `forget` empty its text."""

    async def waiting(self, older_than: timedelta) -> Sequence[str]:
        """Numbers with an SMS that nobody answers."""


class Counted:
    """What is counted of SMS that come in, for Prometheus to ask."""

    def __init__(self, registry: CollectorRegistry) -> None:
        counter = Counter("ekdial_sms_in", "SMS that came in, by what they were taken for.", ["as"], registry=registry)
        self._as = {taken_for: counter.labels(taken_for) for taken_for in TAKEN_FOR}

    def count(self, taken_for: str) -> None:
        """One more."""
        self._as[taken_for].inc()


class Reception:
    """One for a process."""

    def __init__(self, rows: Rows, desk: Desk, name: Naming, counted: Counted, forget: Forget) -> None:
        """`forget` deletes a few records that were kept for long enough; it is called every now and then."""
        self._rows = rows
        self._forget = forget
        self._desk = desk
        self._name = name
        self._counted = counted
        self._places = asyncio.Semaphore(PARALLEL)
        self._tasks: set[asyncio.Task[None]] = set()

    async def take(self, form: Mapping[str, str]) -> bool:
        """Record the SMS that a callback tells of, and begin to answer it; False where the form does not tell of one."""
        sms = arrived_of(form, self._name)
        if sms is None:
            return False
        ignored = "" if answerable(sms.number) else "ignored"
        async with asyncio.timeout(KEPT_WITHIN):
            new = await self._rows.keep(sms, ignored)
        if not new:
            self._counted.count("duplicate")
        elif ignored:
            self._counted.count(ignored)
        else:
            self._start(self._work_for(sms.number))
        return True

    async def run(self) -> None:
        """Look, until cancelled, for what dead processes left behind, and now and then for what was kept long enough."""
        for look in count():
            await self.sweep(LEFT_BEHIND)
            if look % FORGETS == 0:
                await self._forget_some()
            await asyncio.sleep(SWEEPS)

    async def sweep(self, older_than: timedelta) -> None:
        """Begin to answer what has waited for so long."""
        try:
            numbers = await self._rows.waiting(older_than)
        except Exception as error:  # noqa: BLE001 - the next look may do better
            log.error("no look could be had at waiting sms", **told(error))
            return
        for number in numbers:
            self._start(self._work_for(number))

    async def _forget_some(self) -> None:
        try:
            async with asyncio.timeout(WITHIN):
                await self._forget()
        except Exception as error:  # noqa: BLE001 - the next time may do better
            log.error("old records could not be forgotten", **told(error))

    async def stop(self, grace: float = GRACE) -> None:
        """Let those who are being answered be answered; what is not done by then is found by the next process."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work_for(self, number: str) -> None:
        """Answer what this number sent, in order. Where another is at it, they will come to what is new by themselves."""
        async with self._places:
            try:
                while (sms := await self._rows.claim(number)) is not None:
                    await self._answer(sms)
            except Exception as error:  # noqa: BLE001 - it waits until it is looked for
                log.error("sms in waits", **told(error))

    async def _answer(self, sms: Waiting) -> None:
        started = perf_counter()
        done = await self._taken(sms)
        reply = Message(sms.number, done.reply, "reply", reply_effect(sms.provider_id)) if done.reply else None
        await self._rows.finish(sms, done.taken_for, reply, forget=done.forget)
        self._counted.count(done.taken_for)
        ms = round((perf_counter() - started) * 1000, 1)
        log.info("sms in", taken_for=done.taken_for, replied=bool(reply), ms=ms)

    async def _taken(self, sms: Waiting) -> Taken:
        if sms.worn_out:
            log.error("sms in is given up", tries=sms.tries)
            return Taken("given_up", await excuse(self._desk, sms), forget=True)
        try:
            async with asyncio.timeout(WITHIN):
                return await taken(self._desk, sms)
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody waits for an answer
            log.error("sms not answered", **told(error))
        return Taken("failed", await excuse(self._desk, sms), forget=True)


@asynccontextmanager
async def at_reception(reception: Reception) -> AsyncIterator[None]:
    """Open while this lasts."""
    looking = asyncio.create_task(reception.run())
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        await reception.stop()
