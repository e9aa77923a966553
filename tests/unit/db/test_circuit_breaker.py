"""The circuit breaker of the database: what opens it, what does not, and that one call at a time tries."""

import asyncio
import socket
from collections.abc import Iterator

import pytest
import sqlalchemy.exc
from sqlalchemy import delete, insert, select

from core.deadline import NotRecordedError
from db import circuit_breaker, engines
from db.circuit_breaker import CircuitBreaker, DatabaseUnavailableError
from db.database import Database
from db.tables import callers


class FakeClock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    clock = FakeClock()
    monkeypatch.setattr(circuit_breaker, "monotonic", clock)
    return clock


def fail(breaker: CircuitBreaker, error: BaseException, *, in_doubt: bool = False) -> None:
    with breaker.attempt() as attempt:
        attempt.is_in_doubt = in_doubt
        raise error


def test_an_unreachable_database_is_asked_by_one_call_each_half_second(clock: FakeClock) -> None:
    breaker = CircuitBreaker()
    with pytest.raises(DatabaseUnavailableError, match=r"^ConnectionRefusedError$"):
        fail(breaker, ConnectionRefusedError())
    with pytest.raises(DatabaseUnavailableError, match="not asked again yet"):
        breaker.attempt().__enter__()
    clock.now += circuit_breaker.RETRY_PAUSE
    with breaker.attempt(), pytest.raises(DatabaseUnavailableError, match="not asked again yet"):
        breaker.attempt().__enter__()
    with breaker.attempt(), breaker.attempt():
        pass


def test_a_probe_that_fails_keeps_the_circuit_open_and_lets_the_next_one_try(clock: FakeClock) -> None:
    breaker = CircuitBreaker()
    for _ in range(3):
        with pytest.raises(DatabaseUnavailableError, match=r"^TimeoutError$"):
            fail(breaker, TimeoutError())
        clock.now += circuit_breaker.RETRY_PAUSE
    with pytest.raises(asyncio.CancelledError):
        fail(breaker, asyncio.CancelledError())
    with breaker.attempt():
        pass


def test_a_call_that_fails_while_another_is_answered_opens_nothing(clock: FakeClock) -> None:
    breaker = CircuitBreaker()
    slow = breaker.attempt()
    slow.__enter__()
    clock.now += 1
    with breaker.attempt():
        pass
    with pytest.raises(DatabaseUnavailableError):
        slow.__exit__(TimeoutError, TimeoutError(), None)
    with breaker.attempt():
        pass


def test_a_call_that_was_given_up_opens_the_circuit_only_if_it_waited_long(clock: FakeClock) -> None:
    breaker = CircuitBreaker()
    for waited, opens in ((0.1, False), (circuit_breaker.SLOW + 0.1, True)):
        attempt = breaker.attempt()
        attempt.__enter__()
        clock.now += waited
        attempt.__exit__(asyncio.CancelledError, asyncio.CancelledError(), None)
        if opens:
            with pytest.raises(DatabaseUnavailableError):
                breaker.attempt().__enter__()


def test_an_error_of_the_work_stays_as_it_is(clock: FakeClock) -> None:
    breaker = CircuitBreaker()
    for error in (KeyError("x"), sqlalchemy.exc.IntegrityError("", {}, Exception())):
        with pytest.raises(type(error)):
            fail(breaker, error)
        with breaker.attempt():
            pass


def test_a_commit_without_an_answer_is_not_called_unwritten(clock: FakeClock) -> None:
    breaker = CircuitBreaker()
    with pytest.raises(ConnectionResetError):
        fail(breaker, ConnectionResetError(), in_doubt=True)
    with pytest.raises(DatabaseUnavailableError):
        breaker.attempt().__enter__()


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("kind", ["closed", "silent"])
async def test_whatever_is_asked_of_a_database_that_is_down_is_refused_at_once(
    kind: str, silent_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "CONNECT_TIMEOUT", 0.05)
    port = silent_port if kind == "silent" else 1
    async with Database(f"postgresql+asyncpg://nobody@127.0.0.1:{port}/nothing?ssl=disable") as database:
        lookup = database.fast_lookup(callers.c.msisdn, (callers.c.session,), lambda row: row)
        upsert = database.bulk_upsert(callers)

        async def write() -> None:
            async with database.transaction() as transaction:
                await transaction.execute(insert(callers).values({}))

        for ask in (write, lambda: database.fetch(select(1)), lambda: lookup("+8801"), lambda: upsert([])):
            database._breaker.record_answer()
            with pytest.raises((NotRecordedError, OSError)):
                await ask()
            with pytest.raises(NotRecordedError, match="not asked again yet"):
                await ask()


async def test_a_database_that_takes_no_writes_refuses_in_words_and_is_read(database: Database) -> None:
    """Read-only, as after a failover."""
    sqlite, postgresql = "PRAGMA query_only = ON", "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"
    async with database.transaction() as transaction:
        await transaction.execute(sqlalchemy.text(sqlite if database.dialect == "sqlite" else postgresql))
    with pytest.raises(DatabaseUnavailableError):
        async with database.transaction() as transaction:
            await transaction.execute(delete(callers))
    assert (await database.fetch(select(1))).scalar_one() == 1
