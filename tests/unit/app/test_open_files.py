"""The limit of open files: raised to what the connections need, else the connections are fewer."""

import resource

import pytest
from structlog.testing import capture_logs

from app.open_files import (
    MIN_CONNECTIONS,
    SPARE_FILES,
    count_other_files,
    fit_connections,
    highest_connection_descriptor,
)
from tests.support.phone import build_settings

SYSTEM_LIMIT = 4096


@pytest.fixture
def limits(monkeypatch):
    """The limits that were set; the system allows 4096 files, and 1024 without asking."""
    set_limits = []
    current = [1024]

    def setrlimit(_, pair):
        set_limits.append(pair)
        current[0] = pair[0]

    monkeypatch.setattr(resource, "getrlimit", lambda _: (current[0], SYSTEM_LIMIT))
    monkeypatch.setattr(resource, "setrlimit", setrlimit)
    return set_limits


@pytest.mark.parametrize("wanted", [1, 100, 2000, 3000, 4000, 9000])
def test_connections_and_everything_else_fit_into_the_limit(limits, tmp_path, wanted):
    settings = build_settings(tmp_path, SERVER__MAX_CONNECTIONS=str(wanted))
    others = count_other_files(settings)
    with capture_logs() as logs:
        fitted = fit_connections(settings).server.max_connections
    allowed = limits[0][0] if limits else 1024
    assert fitted + others <= allowed
    assert fitted == min(wanted, SYSTEM_LIMIT - others)
    assert [line["event"] for line in logs] == (["open_files_limit_too_low"] if fitted < wanted else [])


def test_a_limit_that_is_below_everything_else_leaves_a_few_connections(limits, monkeypatch, tmp_path):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (64, 64))
    server = fit_connections(build_settings(tmp_path)).server
    assert (server.max_connections, server.max_connections_per_address) == (MIN_CONNECTIONS, MIN_CONNECTIONS // 2)


def test_each_store_and_department_adds_to_what_is_kept(tmp_path):
    land = '{"url": "https://land.example", "token": "a token of the department", "concurrency": 20}'
    embedded = count_other_files(build_settings(tmp_path))
    redis = count_other_files(build_settings(tmp_path, REDIS__URL="redis://127.0.0.1:1"))
    cluster = count_other_files(build_settings(tmp_path, REDIS__URL="redis://127.0.0.1:1", REDIS__CLUSTER="true"))
    assert embedded < redis < cluster
    assert count_other_files(build_settings(tmp_path, DEPARTMENTS__LAND=land)) == embedded + 21


def test_the_last_descriptors_are_not_for_connections(limits):
    assert highest_connection_descriptor() == 1024 - SPARE_FILES
    assert not limits
