"""L10: anyone looks up the amount and the name of any consumer number, without a limit."""

from pathlib import Path

from aiohttp import ClientSession

from core.rate_limit import RedisWindowCounter
from core.verified_caller import unverified_caller
from services.payments.lookup_limits import LookupLimits, LookupQuotas
from tests.support.citizen_steps import register
from tests.support.phone import Phone, build_settings, run_gateway
from tests.support.services import CIPHER, KARIM, RAHIMA

CALLERS = [f"+88018000000{number:02}" for number in range(30)]
TOO_MANY = "You have looked up too many bills. Please try again in an hour."


def build_limits(redis, **quotas: int) -> LookupLimits:
    """The limits of one process."""
    return LookupLimits(RedisWindowCounter(redis), CIPHER.keyed_hash, LookupQuotas(**quotas))


async def test_l10_a_caller_looks_up_ten_bills_an_hour(tmp_path: Path) -> None:
    async with run_gateway(build_settings(tmp_path)) as url, ClientSession() as http:
        phone = Phone(http, url)
        await register(phone)
        for number in range(12):
            await phone.redial()
            screen = await phone.enter("9", "1", f"1234{number:04}")
        assert screen.startswith(TOO_MANY)


async def test_l10_a_caller_is_limited_by_all_processes(redis) -> None:
    processes = [build_limits(redis, per_caller=4) for _ in range(2)]
    found = [await processes[turn % 2].find_rejection(RAHIMA, "power", f"{turn:08}", own=False) for turn in range(6)]
    assert found == [None] * 4 + ["caller"] * 2


async def test_l10_a_consumer_number_is_limited_for_all_callers_but_not_for_who_paid_it(redis) -> None:
    limits = build_limits(redis)
    found = [await limits.find_rejection(caller, "power", "12345671", own=False) for caller in CALLERS[:12]]
    assert found == [None] * 10 + ["consumer"] * 2
    assert await limits.find_rejection(RAHIMA, "power", "12345671", own=True) is None
    assert await limits.find_rejection(KARIM, "water", "12345671", own=False) is None, "another biller"
    assert limits.rejections == {"consumer": 2}


async def test_l10_a_biller_is_limited_for_all_callers(redis) -> None:
    limits = build_limits(redis, per_biller=20)
    found = [await limits.find_rejection(caller, "power", caller, own=False) for caller in CALLERS]
    assert found == [None] * 20 + ["biller"] * 10


async def test_l10_forged_sms_use_up_nothing_of_a_caller(redis) -> None:
    limits = build_limits(redis, per_caller=3, per_consumer=3, per_biller=3)
    with unverified_caller():
        for _ in range(9):
            await limits.find_rejection(RAHIMA, "power", "12345671", own=False)
    assert await limits.find_rejection(RAHIMA, "power", "12345671", own=False) is None


async def test_l10_nothing_in_redis_names_a_caller_or_a_consumer_number(redis) -> None:
    await build_limits(redis).find_rejection(RAHIMA, "power", "12345671", own=False)
    keys = b" ".join(await redis.keys("*"))
    assert keys
    assert b"12345671" not in keys
    assert RAHIMA[1:].encode() not in keys
