"""The ranking of services: equal in every process, and changed only at midnight."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from services.catalogue.usage import ServiceUsage
from tests.support.services import ServiceSet, birth_certificate_submission

DHAKA = ZoneInfo("Asia/Dhaka")


def build_usage(services: ServiceSet) -> ServiceUsage:
    return ServiceUsage(services.database, DHAKA, lambda: services.clock().astimezone(DHAKA).date())


async def submit_applications(services: ServiceSet, service: str, times: int, idempotency_key: str) -> None:
    account = await services.register(
        idempotency_key=f"{idempotency_key}:r", msisdn=f"+88017{abs(hash(idempotency_key)) % 10**8:08}"
    )
    for time in range(times):
        await services.applications.submit(
            birth_certificate_submission(account, service=service), f"{idempotency_key}:{time}"
        )


async def test_the_most_used_come_first_and_only_those_of_ninety_days(services: ServiceSet) -> None:
    await submit_applications(services, "long_ago", 5, "a")
    services.clock.advance(days=100)
    await submit_applications(services, "gas_refill", 1, "b")
    await submit_applications(services, "pan_card", 3, "c")
    services.clock.advance(days=2)
    usage = build_usage(services)
    assert list(usage.ranking()) == [], "nothing is counted while somebody waits"
    await usage.refresh()
    assert list(usage.ranking()) == ["pan_card", "gas_refill"]


async def test_what_is_applied_for_today_changes_no_list_today_or_tomorrow(services: ServiceSet) -> None:
    await submit_applications(services, "gas_refill", 1, "b")
    services.clock.advance(days=2)
    usage = build_usage(services)
    await usage.refresh()
    await submit_applications(services, "pan_card", 3, "c")
    await usage.refresh()
    assert list(usage.ranking()) == list((await recount(services)).ranking()) == ["gas_refill"]
    services.clock.advance(days=1)
    assert list(usage.ranking()) == list((await recount(services)).ranking()) == ["gas_refill"], "known a day ahead"
    services.clock.advance(days=1)
    await usage.refresh()
    assert list(usage.ranking()) == ["pan_card", "gas_refill"]


async def test_a_day_begins_at_midnight_where_dates_are_promised(services: ServiceSet) -> None:
    services.clock.now = datetime(2026, 11, 20, 17, 59, tzinfo=UTC)  # a minute before midnight in Dhaka
    await submit_applications(services, "pan_card", 1, "c")
    services.clock.advance(minutes=2)
    assert services.clock().astimezone(DHAKA).date() == date(2026, 11, 21)
    assert list((await recount(services)).ranking()) == []
    services.clock.advance(days=1)
    assert list((await recount(services)).ranking()) == ["pan_card"]


async def recount(services: ServiceSet) -> ServiceUsage:
    usage = build_usage(services)
    await usage.refresh()
    return usage
