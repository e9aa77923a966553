"""The activity report of operators, with unusual counts flagged."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.assisted.activity_report import COUNTERS, OperatorActivity, OperatorReport, flag_unusual
from tests.support.assisted_services import ANOTHER, AssistedServiceSet, different_code

EARLY = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def assisted_services(services, redis, clock):
    return AssistedServiceSet(services, redis, clock)


@pytest.fixture
def operator_activity(services):
    return OperatorActivity(services.database, ZoneInfo("Asia/Dhaka"))


def report_line(operator: int, *, limited: bool = False, **counts: int) -> OperatorReport:
    return OperatorReport(operator, "mirpur", False, {**dict.fromkeys(COUNTERS, 0), **counts}, limited)


async def test_the_report_counts_everything_and_names_no_citizen(assisted_services, operator_activity, services):
    account = await services.register()
    operator = await assisted_services.enrol()
    consent = await assisted_services.give_consent(operator)
    await assisted_services.act(operator, consent, account=account)
    asked, (code,) = await assisted_services.request_consent(operator, "s2:10", ANOTHER)
    await assisted_services.consents.verify_code(asked.consent, different_code(code), "s2:17")
    await assisted_services.consents.revoke_by_citizen(ANOTHER, "sms/1")
    (report,) = await operator_activity.reports_since(EARLY)
    assert report.counts == {
        "asked": 2,
        "given": 1,
        "refused": 1,
        "wrong": 1,
        "cash": 0,
        "applications": 1,
        "citizens": 2,
        "nights": 0,
    }
    assert (report.operator, report.centre, report.is_suspended, report.limit_reached) == (
        operator,
        "mirpur",
        False,
        False,
    )


async def test_acts_before_the_start_are_not_counted(assisted_services, operator_activity, clock):
    await assisted_services.give_consent(await assisted_services.enrol())
    (report,) = await operator_activity.reports_since(clock() + timedelta(days=1))
    assert set(report.counts.values()) == {0}


async def test_a_consent_at_night_is_counted(assisted_services, operator_activity, clock):
    operator = await assisted_services.enrol()
    clock.advance(hours=11)  # 23:00 in Dhaka
    await assisted_services.give_consent(operator)
    (report,) = await operator_activity.reports_since(EARLY)
    assert report.counts["nights"] == 1


def test_a_count_far_above_the_others_is_unusual():
    reports = flag_unusual(
        [
            report_line(1, asked=10),
            report_line(2, asked=12),
            report_line(3, asked=11),
            report_line(4, asked=15),
            report_line(5, asked=60),
        ]
    )
    assert {one.operator: set(one.unusual) for one in reports} == {1: set(), 2: set(), 3: set(), 4: set(), 5: {"asked"}}


def test_a_little_more_than_equal_counts_is_not_unusual():
    reports = flag_unusual(
        [
            report_line(1, asked=5),
            report_line(2, asked=5),
            report_line(3, asked=5),
            report_line(4, asked=8),
            report_line(5, asked=9),
        ]
    )
    assert [set(one.unusual) for one in reports] == [set(), set(), set(), set(), {"asked"}]


def test_an_inactive_operator_does_not_make_the_others_unusual():
    reports = flag_unusual(
        [*(report_line(at) for at in range(1, 9)), report_line(9, asked=10), report_line(10, asked=11)]
    )
    assert not any(one.unusual for one in reports)


def test_nobody_is_unusual_where_nobody_did_anything():
    assert not any(one.unusual for one in flag_unusual([report_line(1), report_line(2)]))
