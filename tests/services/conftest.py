"""The services on each database in turn."""

from datetime import UTC, datetime

import pytest

from services.pins import Pins
from services.records.database import Records
from services.records.migrate import upgrade
from tests.desk import SEAL, Clock, Desk


@pytest.fixture
def clock():
    return Clock(datetime(2026, 11, 21, 6, 0, tzinfo=UTC))


@pytest.fixture
def pins():
    pins = Pins(SEAL)
    yield pins
    pins.close()


@pytest.fixture
async def records(database_url):
    await upgrade(database_url)
    async with Records(database_url) as records:
        yield records


@pytest.fixture
def desk(records, clock, pins):
    return Desk(records, clock, pins)
