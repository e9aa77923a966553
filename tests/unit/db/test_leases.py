"""A lease is held by one process at a time, whatever becomes of clocks, of the holder and of the database."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from db.database import Database
from db.leases import Lease, LeaseLostError, Leases, LeaseTimes, read_boot_clock
from db.tables import leases as leases_table
from tests.support.databases import migrated_sqlite_url
from tests.support.lease_worker import NAME, LeaseWorker
from tests.support.sms_phone import wait_until

TIMES = LeaseTimes(ttl=8.0, margin=2.0, renew_interval=0.01, poll_interval=0.01)
YEAR = timedelta(days=365)


class Machine:
    """A machine with a clock of its own, and the leases as it sees them."""

    def __init__(self, database: Database, name: str, *, clock_at: float = 1000.0) -> None:
        self.seconds = clock_at
        self.leases = Leases(database=database, holder=name, times=TIMES, clock=self._read_clock)
        self._readings = 0
        self._stack = AsyncExitStack()
        self._waiting: asyncio.Task[Lease] | None = None

    async def wait_for_lease(self) -> Lease:
        self._waiting = self._waiting or asyncio.create_task(self._stack.enter_async_context(self.leases.hold(NAME)))
        async with asyncio.timeout(60):
            return await asyncio.shield(self._waiting)

    async def look_for(self, looks: int = 5) -> bool:
        """Whether it has the lease after several looks."""
        self._waiting = self._waiting or asyncio.create_task(self._stack.enter_async_context(self.leases.hold(NAME)))
        await asyncio.sleep(TIMES.poll_interval * looks)
        return self._waiting.done()

    async def look_again(self) -> None:
        """Return when it has looked at what the row is now."""
        await self.look_for(0)
        wanted = self._readings + 6  # a look reads the clock at most three times

        async def has_looked() -> bool:
            return self._readings >= wanted

        await wait_until(has_looked)

    def _read_clock(self) -> float:
        self._readings += 1
        return self.seconds

    async def give_back(self) -> None:
        if self._waiting:
            self._waiting.cancel()
            await asyncio.wait({self._waiting})
        await self._stack.aclose()


@asynccontextmanager
async def machines(database: Database, *names: str) -> AsyncIterator[list[Machine]]:
    made = [Machine(database, name, clock_at=1000.0 * number) for number, name in enumerate(names, 1)]
    try:
        yield made
    finally:
        for machine in made:
            await machine.give_back()


async def next_renewal(database: Database) -> None:
    """Return when the row has been renewed once more."""
    query = select(leases_table.c.renewals)
    before = (await database.fetch(query)).scalar_one()

    async def is_renewed() -> bool:
        return (await database.fetch(query)).scalar_one() != before

    await wait_until(is_renewed)


async def test_the_second_machine_waits_while_the_first_one_renews(database: Database) -> None:
    async with machines(database, "a", "b") as (a, b):
        lease = await a.wait_for_lease()
        for _ in range(3):
            await next_renewal(database)
            await b.look_again()
            b.seconds += TIMES.ttl - 0.1
        await next_renewal(database)
        await b.look_again()
        assert lease.is_held
        assert not await b.look_for()


async def test_the_second_machine_takes_over_when_it_saw_no_renewal_for_so_long(database: Database) -> None:
    async with machines(database, "a", "b") as (a, b):
        lease = await a.wait_for_lease()
        await b.look_for()
        a.seconds += TIMES.ttl  # it does nothing any more
        await lease.wait_until_lost()
        await b.look_again()
        assert not await b.look_for()
        b.seconds += TIMES.ttl
        assert (await b.wait_for_lease()).fence == lease.fence + 1


async def test_a_lease_that_was_given_back_is_taken_at_once_with_a_greater_fence(database: Database) -> None:
    async with machines(database, "a", "b") as (a, b):
        first = await a.wait_for_lease()
        await b.look_for()
        await a.give_back()
        second = await b.wait_for_lease()
        assert (second.fence, first.is_held) == (first.fence + 1, False)


async def test_the_holder_ends_by_its_own_clock_before_anyone_can_take_over(database: Database) -> None:
    async with machines(database, "a") as (a,):
        lease = await a.wait_for_lease()
        a.seconds += TIMES.ttl - TIMES.margin  # it was stopped for so long
        with pytest.raises(LeaseLostError):
            lease.check()
        await lease.wait_until_lost()


async def test_a_lease_that_is_lost_stays_lost_though_the_clock_goes_back(database: Database) -> None:
    async with machines(database, "a") as (a,):
        lease = await a.wait_for_lease()
        a.seconds += TIMES.ttl
        assert not lease.is_held
        a.seconds -= TIMES.ttl
        assert not lease.is_held


@pytest.mark.parametrize("jump", [YEAR, -YEAR], ids=["forward", "back"])
async def test_the_clock_of_the_database_decides_nothing(database: Database, jump: timedelta) -> None:
    async with machines(database, "a", "b") as (a, b):
        lease = await a.wait_for_lease()
        async with database.transaction() as transaction:
            await transaction.execute(update(leases_table).values(renewed_at=datetime.now(UTC) + jump))
        assert not await b.look_for()
        assert lease.is_held


async def test_a_holder_whose_row_another_has_taken_learns_it_with_its_next_renewal(database: Database) -> None:
    async with machines(database, "a") as (a,):
        lease = await a.wait_for_lease()
        async with database.transaction() as transaction:
            await transaction.execute(update(leases_table).values(holder="b", fence=leases_table.c.fence + 1))
        async with asyncio.timeout(60):
            await lease.wait_until_lost()
    row = (await database.fetch(select(leases_table))).one()
    assert row.holder == "b"  # and does not give back what is not its own


async def test_of_many_that_wait_one_takes_over(database: Database) -> None:
    async with machines(database, *"abcdef") as made:
        first = await made[0].wait_for_lease()
        for machine in made[1:]:
            await machine.look_for(1)
        await made[0].give_back()
        held = []
        async with asyncio.timeout(60):
            while not held:
                held = [machine for machine in made[1:] if await machine.look_for(1)]
        assert [await machine.look_for() for machine in made[1:]].count(True) == 1
        assert (await held[0].wait_for_lease()).fence == first.fence + 1


def test_the_clock_counts_what_nobody_sets() -> None:
    assert read_boot_clock() <= read_boot_clock()


async def test_a_killed_holder_is_replaced_by_the_other_process(database_url: str, tmp_path: Path) -> None:
    with LeaseWorker(database_url, tmp_path / "a") as a:
        await a.wait_for("held 1")
        with LeaseWorker(database_url, tmp_path / "b") as b:
            a.send(signal.SIGKILL)
            await b.wait_for("held 2")


async def test_a_stopped_holder_finds_that_it_has_lost_it_when_it_goes_on(tmp_path: Path) -> None:
    url = migrated_sqlite_url(tmp_path / "ekdial.db")
    with LeaseWorker(url, tmp_path / "a") as a, LeaseWorker(url, tmp_path / "b") as b:

        async def is_held() -> bool:
            return bool(a.lines or b.lines)

        await wait_until(is_held)
        holder, other = (a, b) if a.lines else (b, a)
        assert other.lines == []
        holder.send(signal.SIGSTOP)
        await other.wait_for("held 2")
        holder.send(signal.SIGCONT)
        await holder.wait_for("held 1", "lost")
        assert other.lines == ["held 2"]


async def test_a_holder_ends_while_the_database_hangs_and_holds_again_after_it(
    database_url: str, tmp_path: Path
) -> None:
    with LeaseWorker(database_url, tmp_path / "a") as a:
        await a.wait_for("held 1")
        async with Database(database_url) as database, database.transaction() as transaction:
            await transaction.execute(update(leases_table).values(renewed_at=datetime.now(UTC)))  # locks the row
            await a.wait_for("held 1", "lost")
        await a.wait_for("held 1", "lost", "held 2")
