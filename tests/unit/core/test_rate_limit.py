"""Counters with a fixed window: over Redis for all processes, and in one process while Redis is down."""

from datetime import timedelta

from structlog.testing import capture_logs

from core.rate_limit import DailyQuota, FallbackWindowCounter, LocalWindowCounter, RedisWindowCounter

WINDOW = timedelta(minutes=10)


class ManualTimer:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class UnavailableRedis:
    async def eval(self, *_):
        raise TimeoutError


async def test_a_redis_counter_counts_for_all_processes_and_says_when_its_window_ends(redis):
    counters = [RedisWindowCounter(redis) for _ in range(2)]
    counts = [await counters[turn % 2].increment("a", WINDOW) for turn in range(3)]
    assert [count for count, _ in counts] == [1, 2, 3]
    assert all(0 < ms_left <= 600_000 for _, ms_left in counts)
    assert [await counters[0].count(key) for key in "ab"] == [3, 0]


async def test_the_window_begins_with_the_first_count_and_is_not_extended(redis):
    counter = RedisWindowCounter(redis)
    await counter.increment("a", WINDOW)
    await redis.pexpire("a", 1000)
    assert (await counter.increment("a", WINDOW)).ms_left <= 1000


async def test_while_redis_is_down_a_fallback_counter_counts_in_this_process():
    counter = FallbackWindowCounter(RedisWindowCounter(UnavailableRedis()), LocalWindowCounter())
    with capture_logs() as logs:
        assert [(await counter.increment("a", WINDOW)).value for _ in range(2)] == [1, 2]
        assert await counter.count("a") == 2
    assert {line["event"] for line in logs} == {"window_counted_in_this_process_only"}


async def test_a_daily_quota_allows_its_limit_and_logs_the_first_use_beyond_it_once(redis):
    quota = DailyQuota(redis, 2, "calls")
    with capture_logs() as logs:
        assert [await quota.try_consume() for _ in range(4)] == [True, True, False, False]
    assert [(line["event"], line["limit"], line["log_level"]) for line in logs] == [
        ("daily_quota_exhausted", 2, "critical")
    ]


async def test_a_daily_quota_allows_every_use_while_redis_is_down():
    quota = DailyQuota(UnavailableRedis(), 0, "calls")
    with capture_logs() as logs:
        assert await quota.try_consume()
    assert [line["event"] for line in logs] == ["daily_quota_not_counted"]


async def test_a_local_counter_begins_anew_after_its_window_and_remembers_the_newest_keys() -> None:
    clock = ManualTimer()
    counters = LocalWindowCounter(clock, limit=3)
    assert [(await counters.increment("a", WINDOW)).value for _ in range(2)] == [1, 2]
    clock.now = WINDOW.total_seconds() - 1
    assert await counters.count("a") == 2
    clock.now = WINDOW.total_seconds()
    assert await counters.count("a") == 0
    assert (await counters.increment("a", WINDOW)).value == 1
    for name in "bcd":
        await counters.increment(name, WINDOW)
    assert await counters.count("a") == 0
    assert await counters.count("d") == 1
