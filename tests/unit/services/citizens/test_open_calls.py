"""Calls that the database keeps: the newest of a caller, until it ends or expires, in one write for many."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs

from core.crypto import Cipher
from core.phone_numbers import is_e164
from db.circuit_breaker import DatabaseUnavailableError
from db.tables import open_calls
from services.audit.models import Actor
from services.citizens.number_release import NumberReleases, ReleaseRequest
from services.citizens.open_calls import OpenCalls
from tests.support.services import CIPHER, RAHIMA

KARIM = "+8801711000099"


@pytest.fixture
def calls(services) -> OpenCalls:
    return OpenCalls(services.database, CIPHER, clock=services.clock)


async def count_rows(services) -> int:
    return (await services.database.fetch(select(func.count()).select_from(open_calls))).scalar_one()


async def test_the_newest_session_is_found_before_and_after_it_is_written(calls, services):
    calls.keep(RAHIMA, b"one", ttl=600)
    calls.keep(RAHIMA, b"two", ttl=600)
    assert await calls.find(RAHIMA) == b"two"
    await calls.finish_writes()
    assert await calls.find(RAHIMA) == b"two"
    assert await OpenCalls(services.database, CIPHER, clock=services.clock).find(RAHIMA) == b"two"
    assert await count_rows(services) == 1
    assert await calls.find(KARIM) is None


async def test_the_end_deletes_it_also_where_it_was_just_kept(calls, services):
    calls.keep(RAHIMA, b"one", ttl=600)
    await calls.finish_writes()
    calls.keep(KARIM, b"one", ttl=600)
    calls.end(RAHIMA)
    calls.end(KARIM)
    assert await calls.find(RAHIMA) is None
    await calls.finish_writes()
    assert await calls.find(RAHIMA) is None
    assert await count_rows(services) == 0


async def test_it_is_gone_after_its_time(calls, services):
    calls.keep(RAHIMA, b"one", ttl=600)
    await calls.finish_writes()
    services.clock.now += timedelta(seconds=599)
    assert await calls.find(RAHIMA) == b"one"
    services.clock.now += timedelta(seconds=1)
    assert await calls.find(RAHIMA) is None


async def test_many_callers_at_once_are_one_write(calls, services):
    numbers = [f"+88017110{number:05}" for number in range(200)]
    assert all(map(is_e164, numbers))
    for number in numbers:
        calls.keep(number, number.encode(), ttl=600)
    await calls.finish_writes()
    assert await asyncio.gather(*map(calls.find, numbers)) == [number.encode() for number in numbers]
    assert await count_rows(services) == 200


async def test_another_key_reads_nothing_of_it(calls, services):
    calls.keep(RAHIMA, b"one", ttl=600)
    await calls.finish_writes()
    assert await OpenCalls(services.database, Cipher(bytes(range(32))), clock=services.clock).find(RAHIMA) is None


async def test_a_row_of_another_caller_is_not_read(calls, services):
    calls.keep(RAHIMA, b"one", ttl=600)
    calls.keep(KARIM, b"two", ttl=600)
    await calls.finish_writes()
    rows = {row.caller: row.session for row in await services.database.fetch(select(open_calls))}
    first, second = rows
    async with services.database.transaction() as transaction:
        swapped = open_calls.update().where(open_calls.c.caller == first).values(session=rows[second])
        await transaction.execute(swapped)
    assert None in [await calls.find(RAHIMA), await calls.find(KARIM)]


async def test_a_number_that_is_released_takes_its_call_with_it(calls, services):
    await services.register(RAHIMA)
    calls.keep(RAHIMA, b"one", ttl=600)
    await calls.finish_writes()
    releases = NumberReleases(services.database, CIPHER, clock=services.clock)
    await releases.release(ReleaseRequest(RAHIMA, "staff", Actor("staff", "amina", "console"), "r1"))
    assert await calls.find(RAHIMA) is None


async def test_what_the_database_does_not_take_is_forgotten_and_said_without_the_number(calls, monkeypatch):
    async def fail(_: object) -> None:
        raise DatabaseUnavailableError("away")

    monkeypatch.setattr(calls, "_upsert", fail)
    with capture_logs() as lines:
        calls.keep(RAHIMA, b"one", ttl=600)
        await calls.finish_writes()
    assert [line["event"] for line in lines] == ["open_calls_not_written"]
    assert RAHIMA[1:] not in str(lines)
    assert await calls.find(RAHIMA) is None
