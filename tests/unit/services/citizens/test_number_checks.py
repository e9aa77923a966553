"""SIM swap checks: asked once, reported later, kept for ten minutes; any failure is `unknown`."""

import asyncio
from datetime import date, timedelta

import pytest
from structlog.testing import capture_logs

from services.citizens.number_checks import (
    NumberChecks,
    SimSwapPending,
    SimSwapReport,
    SimSwapResult,
)
from sessions.redis_store import open_session_store
from tests.support.phone import UNREACHABLE_REDIS_URL
from tests.support.services import CIPHER, KARIM, RAHIMA

SWAPPED = SimSwapResult("swapped", date(2026, 11, 20))


class PlannedProvider:
    """Answers with what is planned, else queues; `asked` has the numbers."""

    name = "planned"
    recent_days = 14
    deadline = 1.0

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    async def request_check(self, msisdn):
        self.asked.append(msisdn)
        return self.answers.pop(0) if self.answers else SimSwapPending(f"r{len(self.asked)}")

    def parse_report(self, body):
        raise NotImplementedError


def build_checks(redis, clock, provider):
    return NumberChecks(redis, CIPHER.keyed_hash, provider, clock=clock)


async def test_without_a_provider_nothing_is_asked(redis, clock):
    checks = build_checks(redis, clock, None)
    assert await checks.check(RAHIMA) == "unchanged"
    assert not checks.counts


@pytest.mark.parametrize(
    ("result", "state"),
    [
        (SimSwapResult("unchanged"), "unchanged"),
        (SimSwapResult("unknown", reason="Failed"), "unknown"),
        (SimSwapResult("swapped"), "swapped"),
        (SimSwapResult("swapped", date(2026, 11, 22)), "swapped"),
        (SimSwapResult("swapped", date(2026, 11, 7)), "swapped"),
        (SimSwapResult("swapped", date(2026, 11, 6)), "unchanged"),
        (SimSwapResult("swapped", date(1900, 1, 1)), "unchanged"),
    ],
)
async def test_a_swap_counts_for_some_days(redis, clock, result, state):
    assert await build_checks(redis, clock, PlannedProvider(result)).check(RAHIMA) == state
    reporting = PlannedProvider()
    checks = build_checks(redis, clock, reporting)
    waiting = asyncio.create_task(checks.check(KARIM))
    await asyncio.sleep(0.05)
    await checks.record_report(SimSwapReport("r1", result))
    assert await waiting == state


async def test_a_result_is_kept_so_that_a_session_asks_once(redis, clock):
    provider = PlannedProvider(SWAPPED)
    checks = build_checks(redis, clock, provider)
    assert [await checks.check(RAHIMA) for _ in range(3)] == ["swapped"] * 3
    assert provider.asked == [RAHIMA]
    assert checks.counts == {"swapped": 3}


async def test_checks_of_one_number_at_once_share_one_request(redis, clock):
    provider = PlannedProvider()
    checks = build_checks(redis, clock, provider)
    waiting = [asyncio.create_task(checks.check(RAHIMA)) for _ in range(5)]
    await asyncio.sleep(0.05)
    await checks.record_report(SimSwapReport("r1", SWAPPED))
    assert await asyncio.gather(*waiting) == ["swapped"] * 5
    assert provider.asked == [RAHIMA]


async def test_a_report_may_arrive_before_the_answer(redis, clock):
    checks = build_checks(redis, clock, PlannedProvider())
    await checks.record_report(SimSwapReport("r1", SWAPPED))
    assert await checks.check(RAHIMA) == "swapped"


async def test_a_report_may_arrive_in_another_process_and_twice(redis, clock):
    here, there = (build_checks(redis, clock, PlannedProvider()) for _ in range(2))
    waiting = asyncio.create_task(here.check(RAHIMA))
    await asyncio.sleep(0.05)
    for _ in range(2):
        await there.record_report(SimSwapReport("r1", SWAPPED))
    assert await waiting == "swapped"


async def test_a_report_that_is_late_is_there_for_the_next_check(redis, clock):
    provider = PlannedProvider()
    provider.deadline = 0.2
    checks = build_checks(redis, clock, provider)
    assert await checks.check(RAHIMA) == "unknown"
    await checks.record_report(SimSwapReport("r1", SimSwapResult("unchanged")))
    assert await checks.check(RAHIMA) == "unchanged"
    assert provider.asked == [RAHIMA], "a check costs"


async def test_a_report_about_nothing_changes_no_number(redis, clock):
    provider = PlannedProvider(SimSwapResult("unchanged"))
    checks = build_checks(redis, clock, provider)
    await checks.record_report(SimSwapReport("somebody else's", SWAPPED))
    assert await checks.check(RAHIMA) == "unchanged"


async def test_what_is_no_number_is_unknown(redis, clock):
    provider = PlannedProvider()
    assert await build_checks(redis, clock, provider).check("EKDIAL") == "unknown"
    assert provider.asked == []


async def test_without_redis_the_state_is_unknown(clock):
    async with open_session_store(UNREACHABLE_REDIS_URL, CIPHER) as store:
        assert await build_checks(store.client, clock, PlannedProvider(SWAPPED)).check(RAHIMA) == "unknown"


async def test_redis_and_log_have_no_number(redis, clock):
    checks = build_checks(redis, clock, PlannedProvider(SimSwapResult("unknown", reason="Failed"), SWAPPED))
    with capture_logs() as lines:
        await checks.check(RAHIMA)
        await checks.check(KARIM)
    keys = [key async for key in redis.scan_iter()]
    stored = str([(key, await redis.get(key), await redis.pttl(key)) for key in keys])
    assert RAHIMA[1:] not in f"{stored} {lines}"
    assert len(keys) == 2
    for key in keys:
        assert 0 < await redis.pttl(key) <= timedelta(minutes=10) // timedelta(milliseconds=1)
