"""The documents desk on each database in turn, over an issuer of samples or one that does as a test tells it."""

from datetime import UTC, datetime

import pytest
from fakeredis import FakeAsyncRedis
from redis.asyncio import Redis

from services.documents.sandbox import Sandbox
from services.records.database import Records
from services.records.migrate import upgrade
from tests.desk import Clock
from tests.documents.helpdesk import Helpdesk, Told


@pytest.fixture
def clock():
    return Clock(datetime(2026, 11, 21, 6, 0, tzinfo=UTC))


@pytest.fixture
async def records(database_url):
    await upgrade(database_url)
    async with Records(database_url) as records:
        yield records


@pytest.fixture
async def redis(redis_url):
    client = FakeAsyncRedis() if redis_url == "memory://" else Redis.from_url(redis_url)
    async with client:
        yield client


@pytest.fixture
def sandbox(records, redis, clock):
    return Helpdesk(records, redis, clock, Sandbox(records, clock=clock))


@pytest.fixture
def told(records, clock):
    return Helpdesk(records, FakeAsyncRedis(), clock, Told())
