"""Times of day on the clock of whom they are said to, and days where an office keeps them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from assembly.countries import local_time, office_zones, served, time_of_day
from services.catalogue.model import Catalogue, Department
from services.catalogue.shelf import Edition, Shelf
from settings import Countries, Settings

MOMENT = datetime(2026, 11, 21, 8, 5, tzinfo=UTC)
WINTER, SUMMER = datetime(2026, 1, 15, 12, 0, tzinfo=UTC), datetime(2026, 7, 15, 12, 0, tzinfo=UTC)


def settings(**countries) -> Settings:
    return Settings.model_construct(countries=Countries(**countries))


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("+8801711000001", "14:05"),
        ("+919812345678", "13:35 (GMT+5:30)"),
        ("+254712345678", "11:05 (GMT+3)"),
        ("+971501234567", "12:05 (GMT+4)"),
        ("+447911123456", "08:05 (GMT+0)"),
        ("+12025550123", "03:05 (GMT-5)"),
        ("+17095550123", "14:05 (GMT+6)"),  # a province with two times: ours
        ("+61412345678", "14:05 (GMT+6)"),  # a mobile of Australia, which has several times: ours
        ("not a number", "14:05 (GMT+6)"),
    ],
)
def test_a_time_of_day_is_that_of_the_number_and_says_whose_where_it_could_be_another(number, said):
    assert time_of_day(settings())(MOMENT, number) == said


def test_clocks_that_go_forward_are_followed():
    clock = time_of_day(settings())
    assert [clock(when, "+447911123456") for when in (WINTER, SUMMER)] == ["12:00 (GMT+0)", "13:00 (GMT+1)"]


def test_where_we_are_in_india_a_number_of_india_needs_no_zone():
    assert time_of_day(settings(time_zone="Asia/Kolkata"))(MOMENT, "+919812345678") == "13:35"


def test_a_moment_is_told_where_its_reader_is():
    there = local_time(settings())
    assert [there(MOMENT, number).hour for number in ("+971501234567", "+61412345678")] == [12, 14]


@pytest.mark.parametrize(
    ("department", "zone"),
    [("dncc", "Asia/Dhaka"), ("uidai", "Asia/Calcutta"), ("huduma", "Africa/Nairobi"), ("consulate", "Asia/Dhaka")],
)
def test_an_offices_days_are_those_of_its_country(department, zone):
    names = {"en": "Office", "bn": "দপ্তর", "hi": "कार्यालय"}
    countries = {"dncc": "BD", "uidai": "IN", "huduma": "KE", "consulate": "US"}
    departments = {code: Department(code, names, country) for code, country in countries.items()}
    shelf = Shelf(Edition.of(Catalogue({}, {}, {}, departments)))
    assert office_zones(settings(), shelf)(department) == ZoneInfo(zone)
    assert office_zones(settings(), shelf)("no more") == ZoneInfo("Asia/Dhaka")
    told = office_zones(settings(time_zones={"US": "America/New_York"}), shelf)
    assert told("consulate") == ZoneInfo("America/New_York")


def test_who_is_served_is_told_by_the_country_of_the_number():
    ours = served(("BD", "US"))
    numbers = ("+8801711000001", "+12025550123", "+15195550123", "+4915100000001")
    assert [ours(number) for number in numbers] == [True, True, False, False]
