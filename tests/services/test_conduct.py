"""What operators did, counted from the records, and what is far from what the others did."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.conduct import COUNTED, Conduct, Line, judged
from tests.services.test_consents import ANOTHER, Village, other_than

EARLY = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def village(desk, redis, clock):
    return Village(desk, redis, clock)


@pytest.fixture
def conduct(desk):
    return Conduct(desk.records, ZoneInfo("Asia/Dhaka"))


def line(operator: int, *, limited: bool = False, **counts: int) -> Line:
    return Line(operator, "mirpur", False, {**dict.fromkeys(COUNTED, 0), **counts}, limited)


async def test_everything_is_counted_and_nobody_is_named(village, conduct, desk):
    account = await desk.registers()
    operator = await village.enrols()
    consent = await village.given(operator)
    await village.does(operator, consent, account=account)
    asked, (code,) = await village.asks(operator, "s2:10", ANOTHER)
    await village.consents.check(asked.consent, other_than(code), "s2:17")
    await village.consents.stop(ANOTHER, "sms/1")
    (told,) = await conduct.since(EARLY)
    assert told.counts == {
        "asked": 2,
        "given": 1,
        "refused": 1,
        "wrong": 1,
        "applications": 1,
        "citizens": 2,
        "nights": 0,
    }
    assert (told.operator, told.centre, told.suspended, told.limited) == (operator, "mirpur", False, False)


async def test_what_was_before_is_not_counted(village, conduct, clock):
    await village.given(await village.enrols())
    (told,) = await conduct.since(clock() + timedelta(days=1))
    assert set(told.counts.values()) == {0}


async def test_a_consent_at_night_is_counted_as_one(village, conduct, clock):
    operator = await village.enrols()
    clock.moves(hours=11)  # 23:00 in Dhaka
    await village.given(operator)
    (told,) = await conduct.since(EARLY)
    assert told.counts["nights"] == 1


def test_what_is_far_above_the_others_is_unusual_and_what_is_near_is_not():
    told = judged([line(1, asked=10), line(2, asked=12), line(3, asked=11), line(4, asked=15), line(5, asked=60)])
    assert {one.operator: set(one.unusual) for one in told} == {1: set(), 2: set(), 3: set(), 4: set(), 5: {"asked"}}


def test_where_all_do_the_same_a_little_more_is_not_unusual():
    told = judged([line(1, asked=5), line(2, asked=5), line(3, asked=5), line(4, asked=8), line(5, asked=9)])
    assert [set(one.unusual) for one in told] == [set(), set(), set(), set(), {"asked"}]


def test_who_did_nothing_does_not_make_the_others_unusual():
    told = judged([*(line(at) for at in range(1, 9)), line(9, asked=10), line(10, asked=11)])
    assert not any(one.unusual for one in told)


def test_nobody_is_unusual_where_nobody_did_anything():
    assert not any(one.unusual for one in judged([line(1), line(2)]))
