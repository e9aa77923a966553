"""Select and order tests: the quick ones for `pytest --quick`, the longest ones first."""

from typing import Final

import pytest

REAL_BACKENDS: Final = frozenset({"postgresql", "valkey", "cluster", "servers"})
"""Parameters of fixtures that stand for a real Redis or a real PostgreSQL."""
SLOW_FIXTURES: Final = frozenset(
    {"redis_server", "postgres_server", "cluster_server", "browser_context", "browser", "killable_redis"}
)
"""Fixtures that start a server or a browser."""
SLOW_PATHS: Final = (
    "tests/failure/",
    "tests/features/",
    "tests/unit/bench/",
    "tests/unit/web/simulator/",
    "tests/unit/menus/test_paging",
    "tests/unit/menus/test_every_screen",
    "tests/unit/web/api/",
)
"""Paths whose tests take most of the time; conversations with a whole gateway (`features`) are among them."""
LONG_TESTS: Final = (
    "tests/unit/bench/",
    "tests/failure/test_sms_crashes",
    "tests/failure/test_inbound_crash",
    "tests/failure/test_department_outage",
    "tests/features/test_console_in_chromium",
    "tests/features/test_console_staff",
    "tests/features/test_fourth_language",
    "tests/features/test_kaios_accessibility",
    "tests/unit/cli/test_smpp_command",
    "tests/unit/cli/test_worker_metrics",
)
"""Tests that take ten seconds or more."""


def is_quick(item: pytest.Item) -> bool:
    """Whether `--quick` runs this test."""
    if item.get_closest_marker("slow") or item.nodeid.startswith(SLOW_PATHS):
        return False
    call = getattr(item, "callspec", None)
    if call and any(isinstance(value, str) and value in REAL_BACKENDS for value in call.params.values()):
        return False
    # `getfixturevalue` asks for the servers of a parameter, so they are no fixtures of an item of one backend.
    return SLOW_FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))


def is_pure_backend(item: pytest.Item) -> bool:
    """Whether this test runs on two embedded backends, on two real ones, or on one backend only.

    A test of a store and a database has four pairs. The two mixed pairs find no failure that the pure pairs do not find.
    """
    params = getattr(getattr(item, "callspec", None), "params", {})
    if not {"redis_url", "database_url"} <= params.keys():
        return True
    return (params["redis_url"] == "fakeredis") == (params["database_url"] == "sqlite")


def is_long(item: pytest.Item) -> bool:
    """Whether this test takes ten seconds or more."""
    return item.nodeid.startswith(LONG_TESTS)
