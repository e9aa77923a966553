"""Missed calls on the embedded store and database, and on real servers of both."""

import pytest

from tests.support.databases import delete_all_rows, migrated_sqlite_url
from tests.support.voice import VoiceServiceSet


@pytest.fixture(params=["embedded", "servers"])
def store_urls(request, tmp_path):
    """The addresses of an empty Redis and an empty database."""
    if request.param == "embedded":
        yield "memory://", migrated_sqlite_url(tmp_path / "ekdial.db")
        return
    redis, url = request.getfixturevalue("redis_server"), request.getfixturevalue("migrated_postgres")
    redis.empty()
    yield redis.url, url
    delete_all_rows(url)


@pytest.fixture
def redis_url(store_urls):
    return store_urls[0]


@pytest.fixture
def database_url(store_urls):
    return store_urls[1]


@pytest.fixture
def voice_services(database, redis, clock, pins):
    return VoiceServiceSet(database, redis, clock, pins)


@pytest.fixture
def other_voice_services(database, redis, clock, pins):
    return VoiceServiceSet(database, redis, clock, pins)
