"""Leases in the database: of many processes on many machines, one holds a name, and another takes over when it dies.

No clock is compared with another. The holder changes the row every `renew_interval` seconds. A waiting process takes the lease
once *it* has seen the same row for `ttl` seconds, measured by its own clock that nobody sets; the holder gives up by itself
`ttl` - `margin` seconds after it *began* its last renewal that was committed. So the holder always ends first, also where clocks
are set, where the holder was stopped, and where its database hangs: what it cannot renew in time it does not hold.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Self

import structlog
from sqlalchemy import BindParameter, Row, Update, bindparam, func, select, update

from core.claim_worker import result_or_log
from core.periodic import background
from core.timeouts import Timeout
from db.database import Database
from db.tables import leases

NOBODY: Final = ""
"""The holder of a lease that was given back."""

log = structlog.get_logger()


class LeaseLostError(Exception):
    """The lease is not held any more: another process may hold it. A retry does not help."""


class LeaseTimes(NamedTuple):
    """Seconds: from the last renewal to a takeover, from the holder's end to it, between renewals, between looks."""

    ttl: float = 8.0
    margin: float = 2.0
    renew_interval: float = 1.5
    poll_interval: float = 0.5

    @classmethod
    def for_takeover_after(cls, seconds: float) -> Self:
        """The times with which another process takes over so many seconds after the last renewal."""
        return cls(seconds, margin=seconds / 4, renew_interval=seconds / 5, poll_interval=seconds / 16)


DEFAULT_TIMES: Final = LeaseTimes()


def read_boot_clock() -> float:
    """Seconds since the machine started, including those in which it was suspended where the system counts them."""
    clock: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class Lease:
    """A lease that this process holds, or has lost. `fence` is greater than that of every earlier holder."""

    def __init__(self, *, name: str, fence: int, held_until: float, clock: Callable[[], float]) -> None:
        self.name = name
        self.fence = fence
        self._clock = clock
        self._held_until = held_until
        self._is_lost = False
        self._ended = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._watch()

    @property
    def is_held(self) -> bool:
        """Whether no other process can hold it now. To be asked before each act that only the holder may do."""
        if not self._is_lost and self._clock() >= self._held_until:
            self.end()
        return not self._is_lost

    def check(self) -> None:
        """Return while the lease is held.

        Raises:
            LeaseLostError: it is not.
        """
        if not self.is_held:
            raise LeaseLostError

    def extend(self, held_until: float) -> None:
        """Hold it until then, in seconds of the clock; what is lost stays lost."""
        if self.is_held:
            self._held_until = held_until

    def end(self) -> None:
        """Hold it no more."""
        self._is_lost = True
        self._ended.set()
        if self._timer:
            self._timer.cancel()

    async def wait_until_lost(self) -> None:
        """Return when the lease is not held any more."""
        await self._ended.wait()

    def _watch(self) -> None:
        """End it at its time; a timer of the loop can be early, as its clock may leave out a suspension."""
        if self.is_held:
            wait = max(0.0, self._held_until - self._clock())
            self._timer = asyncio.get_running_loop().call_later(wait, self._watch)


class _Seen(NamedTuple):
    """A row as a waiting process saw it, and since when it has been the same, in seconds of this process's clock."""

    holder: str
    fence: int
    renewals: int
    since: float

    def is_free(self, now: float, ttl: float) -> bool:
        return self.holder == NOBODY or now - self.since >= ttl


@dataclass(frozen=True, slots=True, kw_only=True)
class Leases:
    """The leases of one database, as this process sees them. `holder` names the process: host and process id."""

    database: Database
    holder: str
    times: LeaseTimes = DEFAULT_TIMES
    clock: Callable[[], float] = read_boot_clock

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[Lease]:
        """Wait for the lease of this name, renew it inside the block, and give it back at the end.

        Errors of the database are logged: nobody takes a lease over while it is down. The block asks `is_held`, or
        awaits `wait_until_lost`, and must end at once then.
        """
        lease = await self._wait_for(name)
        log.info("lease_held", lease=name, fence=lease.fence)
        try:
            async with background(self._renew_until_lost(lease)):
                yield lease
        finally:
            await self._give_back(lease)

    async def _wait_for(self, name: str) -> Lease:
        """The lease, once this process has it."""
        seen: _Seen | None = None
        while True:
            began = self.clock()
            try:
                async with Timeout(self.times.ttl):
                    seen = await self._look(name, seen)
                    fence = await self._take(name, seen) if seen.is_free(self.clock(), self.times.ttl) else None
            except Exception as error:  # noqa: BLE001 - the database is down: nobody can take or renew anything
                log.warning("lease_not_readable", lease=name, error=type(error).__name__)
                fence = None
            if fence is not None:
                held_until = began + self.times.ttl - self.times.margin
                return Lease(name=name, fence=fence, held_until=held_until, clock=self.clock)
            await asyncio.sleep(self.times.poll_interval)

    async def _look(self, name: str, before: _Seen | None) -> _Seen:
        """The row as it is now; the first process to look creates it."""
        row = (await self.database.fetch(_READ, {"lease": name})).one_or_none()
        if row is None:
            async with self.database.transaction() as transaction:
                free = {"name": name, "holder": NOBODY, "fence": 0, "renewals": 0, "renewed_at": func.now()}
                await transaction.execute(self.database.insert_or_ignore(leases).values(**free))
            row = (await self.database.fetch(_READ, {"lease": name})).one()
        is_same = before is not None and (before.holder, before.fence, before.renewals) == _values(row)
        return before if before is not None and is_same else _Seen(*_values(row), since=self.clock())

    async def _take(self, name: str, seen: _Seen) -> int | None:
        """The new fence; None where the row has changed since it was seen."""
        async with self.database.transaction() as transaction:
            facts = {"lease": name, "me": self.holder, "seen_fence": seen.fence, "seen_renewals": seen.renewals}
            return (await transaction.execute(_TAKE, facts)).scalar_one_or_none()

    async def _renew_until_lost(self, lease: Lease) -> None:
        await asyncio.sleep(self.times.renew_interval)
        while lease.is_held:
            await result_or_log(self._renew(lease), "lease_not_renewed", lease=lease.name)
            await asyncio.sleep(self.times.renew_interval)
        log.error("lease_lost", lease=lease.name, fence=lease.fence)

    async def _renew(self, lease: Lease) -> None:
        """Renew it; where another process has taken it, or gives no answer in time, it ends or nears its end."""
        began = self.clock()
        async with Timeout(self.times.ttl - self.times.margin), self.database.transaction() as transaction:
            facts = {"lease": lease.name, "me": self.holder, "my_fence": lease.fence}
            renewed = (await transaction.execute(_RENEW, facts)).scalar_one_or_none()
        if renewed is None:
            lease.end()
        else:
            lease.extend(began + self.times.ttl - self.times.margin)

    async def _give_back(self, lease: Lease) -> None:
        """Let another process take it at once. Where the database does not answer, that takes it `ttl` seconds."""
        was_held = lease.is_held
        lease.end()
        if not was_held:
            return
        with suppress(Exception):
            async with Timeout(self.times.margin), self.database.transaction() as transaction:
                facts = {"lease": lease.name, "me": self.holder, "my_fence": lease.fence}
                await transaction.execute(_GIVE_BACK, facts)


def _values(row: Row[Any]) -> tuple[str, int, int]:
    return row.holder, row.fence, row.renewals


def _build_change(holder: BindParameter[str] | str, **changed: Any) -> Update:
    """Change the row; each change counts as a renewal."""
    values = {"holder": holder, "renewals": leases.c.renewals + 1, "renewed_at": func.now(), **changed}
    return update(leases).where(leases.c.name == bindparam("lease")).values(**values).returning(leases.c.fence)


_READ: Final = select(leases.c.holder, leases.c.fence, leases.c.renewals).where(leases.c.name == bindparam("lease"))
_TAKE: Final = _build_change(bindparam("me"), fence=leases.c.fence + 1).where(
    leases.c.fence == bindparam("seen_fence"), leases.c.renewals == bindparam("seen_renewals")
)
_OURS: Final = (leases.c.holder == bindparam("me"), leases.c.fence == bindparam("my_fence"))
_RENEW: Final = _build_change(bindparam("me")).where(*_OURS)
_GIVE_BACK: Final = _build_change(NOBODY).where(*_OURS)
