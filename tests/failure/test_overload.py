"""A gateway with more to do than it can: who is refused costs nothing, and who is answered is told the truth."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from sqlalchemy import event, func, select
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncTransaction

from core.deadline import current_deadline
from db.database import Database, Transaction
from db.fast_lookup import SqliteReader
from db.tables import feedback
from sessions.redis_connection import RedisConnection
from tests.support.phone import Phone, build_settings, read_metrics, run_gateway

BUSY = "Ekhon onek lok call korchen. Ek minute pore abar dial korun."
BUSY_GO_ON = "Ekhon onek lok call korchen. Ek minute pore abar dial kore egiye jan."
BUSY_GO_ON_ENGLISH = "Many people are calling just now. Please dial again in a minute to carry on."
UNSURE = "We cannot tell yet whether your last answer was saved. Please dial again and check."
FEEDBACK_KEYS = ("4", "2", "2", "5")
"""From the main menu to the question whose answer records feedback."""


class Stores:
    """Counts what a gateway sends to its stores, and holds back what it sends to Redis while `is_held`."""

    def __init__(self) -> None:
        self.redis_commands = 0
        self.statements = 0
        self.held = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def wait_where_held(self) -> None:
        if not self.may_go_on.is_set():
            self.held.set()
            await self.may_go_on.wait()


@pytest.fixture
def stores(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stores]:
    stores, execute = Stores(), RedisConnection.execute

    async def count_and_execute(connection: RedisConnection, commands: Sequence[Any]) -> list[Any]:
        stores.redis_commands += len(commands)
        await stores.wait_where_held()
        return await execute(connection, commands)

    def count_statement(*_: object) -> None:
        stores.statements += _serves_connection(asyncio.current_task())

    lookup = SqliteReader.__call__

    async def count_and_look_up(reader: SqliteReader, key: str | int) -> Any:
        stores.statements += 1
        return await lookup(reader, key)

    monkeypatch.setattr(RedisConnection, "execute", count_and_execute)
    monkeypatch.setattr(SqliteReader, "__call__", count_and_look_up)
    event.listen(Engine, "before_cursor_execute", count_statement)
    yield stores
    event.remove(Engine, "before_cursor_execute", count_statement)


def _serves_connection(task: "asyncio.Task[Any] | None") -> bool:
    """Whether the task is that of a connection to the gateway, and no background worker."""
    return task is not None and "RequestHandler" in getattr(task.get_coro(), "__qualname__", "")


@asynccontextmanager
async def open_phone(tmp_path: Path, **settings: str) -> AsyncIterator[Phone]:
    async with run_gateway(build_settings(tmp_path, **settings)) as url, ClientSession() as http:
        yield Phone(http, url)


async def count_feedback(tmp_path: Path) -> int:
    async with Database(f"sqlite+aiosqlite:///{tmp_path}/ekdial.db") as database:
        return int((await database.fetch(select(func.count()).select_from(feedback))).scalar_one())


async def test_who_is_refused_touches_no_store_and_goes_on_where_they_were(tmp_path: Path, stores: Stores) -> None:
    async with open_phone(tmp_path, USSD__MAX_IN_FLIGHT="1") as phone:
        await phone.dial()
        await phone.enter("1")
        listing = await phone.enter("1")
        stores.may_go_on.clear()
        in_work = asyncio.create_task(Phone(phone.http, phone.url, "+8801700000003").dial())
        await stores.held.wait()
        before = (stores.redis_commands, stores.statements)
        other = Phone(phone.http, phone.url, "+8801700000002")
        assert (await other.dial(), other.ended) == (BUSY, True)
        assert (await phone.enter("1"), phone.ended) == (BUSY_GO_ON, True)
        assert (stores.redis_commands, stores.statements) == before
        assert stores.statements > 0, "those that were answered did"
        stores.may_go_on.set()
        await in_work
        assert "1 Go on" in await phone.dial()
        assert await phone.enter("1") == listing
        metrics = await read_metrics(phone.http, phone.url)
    assert 'ekdial_ussd_shed_total{call="start",reason="in_flight"} 1.0' in metrics
    assert 'ekdial_ussd_shed_total{call="under_way",reason="in_flight"} 1.0' in metrics
    assert 'ekdial_hops_total{channel="ussd",outcome="shed",provider="africastalking"} 2.0' in metrics


async def test_what_became_late_is_not_recorded_and_the_caller_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_phone(tmp_path) as phone:
        await phone.dial()
        await phone.enter("1", *FEEDBACK_KEYS)
        with monkeypatch.context() as patch:
            patch.setattr(Transaction, "execute", _late(Transaction.execute))
            assert await phone.enter("1") == BUSY_GO_ON_ENGLISH
        assert await count_feedback(tmp_path) == 0
        await phone.dial()
        assert (await phone.enter("1", "1")).startswith("Thank you.")
        assert await count_feedback(tmp_path) == 1
        metrics = await read_metrics(phone.http, phone.url)
    assert 'ekdial_ussd_shed_total{call="under_way",reason="database"} 1.0' in metrics


def _late(execute: Any) -> Any:
    """The statement, after which the time to commit is over."""

    async def execute_late(transaction: Transaction, *arguments: Any) -> Any:
        deadline = current_deadline()
        assert deadline is not None
        deadline.started -= 0.9 * deadline.seconds
        return await execute(transaction, *arguments)

    return execute_late


async def test_where_the_answer_to_a_commit_is_lost_nobody_is_told_that_nothing_was_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = AsyncTransaction.commit

    async def lose_answer(transaction: AsyncTransaction) -> None:
        await commit(transaction)
        raise OperationalError("COMMIT", {}, Exception(), connection_invalidated=True)

    async with open_phone(tmp_path) as phone:
        await phone.dial()
        await phone.enter("1", *FEEDBACK_KEYS)
        with monkeypatch.context() as patch:
            patch.setattr(AsyncTransaction, "commit", lose_answer)
            assert (await phone.enter("1"), phone.ended) == (UNSURE, True)
    assert await count_feedback(tmp_path) == 1


async def test_a_receipt_is_shown_although_the_session_was_not_saved_in_time(
    tmp_path: Path, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was done is told: a receipt is not lost because Redis hangs after the commit."""
    commit = AsyncTransaction.commit

    async def commit_late(transaction: AsyncTransaction) -> None:
        await commit(transaction)
        stores.may_go_on.clear()

    async with open_phone(tmp_path, USSD__DEADLINE="1.5") as phone:
        await phone.dial()
        await phone.enter("1", *FEEDBACK_KEYS)
        with monkeypatch.context() as patch:
            patch.setattr(AsyncTransaction, "commit", commit_late)
            assert (await phone.enter("1")).startswith("Thank you.")
        stores.may_go_on.set()
