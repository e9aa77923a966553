"""Missed calls on the embedded store and database, and on real servers of both."""

from datetime import UTC, datetime

import pytest

from services.pins import Pins
from services.records.database import Records
from services.records.migrate import upgrade
from sessions.redis import open_sessions
from tests.desk import SEAL, Clock
from tests.servers import new_database
from tests.voice.switchboard import Switchboard


@pytest.fixture
def clock():
    return Clock(datetime(2026, 11, 21, 6, 0, tzinfo=UTC))


@pytest.fixture
def pins():
    pins = Pins(SEAL)
    yield pins
    pins.close()


@pytest.fixture(params=["embedded", "servers"])
def places(request, tmp_path):
    """The addresses of a Redis and of a database without tables."""
    if request.param == "embedded":
        yield "memory://", f"sqlite+aiosqlite:///{tmp_path}/ekdial.db"
        return
    redis = request.getfixturevalue("redis_server")
    redis.empty()
    with new_database(request.getfixturevalue("postgres_server")) as url:
        yield redis.url, url


@pytest.fixture
async def records(places):
    _, url = places
    await upgrade(url)
    async with Records(url) as records:
        yield records


@pytest.fixture
async def client(places):
    url, _ = places
    async with open_sessions(url, SEAL) as opened:
        yield opened.client


@pytest.fixture
def board(records, client, clock, pins):
    return Switchboard(records, client, clock, pins)


@pytest.fixture
def other_board(records, client, clock, pins):
    return Switchboard(records, client, clock, pins)
