"""Missed calls on the embedded store and database, and on real servers of both."""

import pytest

from tests.migrated import empty, sqlite_file
from tests.voice.switchboard import Switchboard


@pytest.fixture(params=["embedded", "servers"])
def places(request, tmp_path):
    """The addresses of a Redis and of a database, with nothing in either."""
    if request.param == "embedded":
        yield "memory://", sqlite_file(tmp_path / "ekdial.db")
        return
    redis, url = request.getfixturevalue("redis_server"), request.getfixturevalue("migrated_postgres")
    redis.empty()
    yield redis.url, url
    empty(url)


@pytest.fixture
def redis_url(places):
    return places[0]


@pytest.fixture
def database_url(places):
    return places[1]


@pytest.fixture
def board(records, redis, clock, pins):
    return Switchboard(records, redis, clock, pins)


@pytest.fixture
def other_board(records, redis, clock, pins):
    return Switchboard(records, redis, clock, pins)
