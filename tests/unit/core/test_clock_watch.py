"""A jump of the wall clock is noticed once, whatever its direction; time that passes is none."""

from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from core.clock_watch import MIN_JUMP, ClockWatch
from tests.support.services import ManualClock

LEASE = timedelta(minutes=5)


@pytest.fixture
def clock():
    return ManualClock(datetime(2026, 11, 30, 12, tzinfo=UTC))


@pytest.fixture
def watch(clock):
    watch = ClockWatch(clock=clock, monotonic=clock.monotonic)
    watch.take_jump_back()
    return watch


def test_time_that_passes_is_no_jump(clock, watch):
    for _ in range(100):
        clock.advance(hours=1)
        assert watch.is_steady(LEASE)
    assert not watch.take_jump_back()


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(hours=-1), MIN_JUMP, -MIN_JUMP, timedelta(days=365)])
def test_after_a_jump_the_clock_is_not_steady_for_as_long_as_a_lease(clock, watch, jump):
    clock.jump(seconds=jump.total_seconds())
    with capture_logs() as logs:
        assert not watch.is_steady(LEASE)
        clock.advance(seconds=LEASE.total_seconds() - 1)
        assert not watch.is_steady(LEASE)
        clock.advance(seconds=1)
        assert watch.is_steady(LEASE)
    assert [(line["event"], line["seconds"]) for line in logs] == [("clock_jumped", jump.total_seconds())]


@pytest.mark.parametrize("hours", [1, -1])
def test_only_a_jump_back_is_one_and_once(clock, watch, hours):
    clock.jump(hours=hours)
    assert [watch.take_jump_back(), watch.take_jump_back()] == [hours < 0, False]


def test_a_process_that_has_just_started_takes_the_clock_for_set_back(clock):
    watch = ClockWatch(clock=clock, monotonic=clock.monotonic)
    assert [watch.take_jump_back(), watch.take_jump_back()] == [True, False]


def test_corrections_by_seconds_are_no_jump(clock, watch):
    clock.jump(seconds=MIN_JUMP.total_seconds() - 1)
    assert watch.is_steady(LEASE)
