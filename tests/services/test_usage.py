"""What is applied for most: the same in every process, changing at midnight alone."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from services.usage import Usage
from tests.desk import Desk, birth_certificate

DHAKA = ZoneInfo("Asia/Dhaka")


def usage_of(desk: Desk) -> Usage:
    return Usage(desk.records, DHAKA, lambda: desk.clock().astimezone(DHAKA).date())


async def applies(desk: Desk, service: str, times: int, effect: str) -> None:
    account = await desk.registers(effect=f"{effect}:r", number=f"+88017{abs(hash(effect)) % 10**8:08}")
    for time in range(times):
        await desk.applications.submit(birth_certificate(account, service=service), f"{effect}:{time}")


async def test_the_most_used_come_first_and_only_those_of_ninety_days(desk: Desk) -> None:
    await applies(desk, "long_ago", 5, "a")
    desk.clock.moves(days=100)
    await applies(desk, "gas_refill", 1, "b")
    await applies(desk, "pan_card", 3, "c")
    desk.clock.moves(days=2)
    usage = usage_of(desk)
    assert list(usage.order()) == [], "nothing is counted while somebody waits"
    await usage.count()
    assert list(usage.order()) == ["pan_card", "gas_refill"]


async def test_what_is_applied_for_today_changes_no_list_today_or_tomorrow(desk: Desk) -> None:
    await applies(desk, "gas_refill", 1, "b")
    desk.clock.moves(days=2)
    usage = usage_of(desk)
    await usage.count()
    await applies(desk, "pan_card", 3, "c")
    await usage.count()
    assert list(usage.order()) == list((await _counted_anew(desk)).order()) == ["gas_refill"]
    desk.clock.moves(days=1)
    assert list(usage.order()) == list((await _counted_anew(desk)).order()) == ["gas_refill"], "known a day ahead"
    desk.clock.moves(days=1)
    await usage.count()
    assert list(usage.order()) == ["pan_card", "gas_refill"]


async def test_a_day_begins_at_midnight_where_dates_are_promised(desk: Desk) -> None:
    desk.clock.now = datetime(2026, 11, 20, 17, 59, tzinfo=UTC)  # a minute before midnight in Dhaka
    await applies(desk, "pan_card", 1, "c")
    desk.clock.moves(minutes=2)
    assert desk.clock().astimezone(DHAKA).date() == date(2026, 11, 21)
    assert list((await _counted_anew(desk)).order()) == []
    desk.clock.moves(days=1)
    assert list((await _counted_anew(desk)).order()) == ["pan_card"]


async def _counted_anew(desk: Desk) -> Usage:
    usage = usage_of(desk)
    await usage.count()
    return usage
