"""Missed calls on the embedded store and database, and on real servers of both."""

import pytest

from tests.servers import new_database
from tests.voice.switchboard import Switchboard


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
