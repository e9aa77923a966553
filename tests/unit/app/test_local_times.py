"""Times in the zone of a number, and days in the zone of a department."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from app.localization import build_department_zones, build_local_clock, build_time_formatter
from config.settings import CountrySettings, Settings
from services.catalogue.current import CatalogueSnapshot, CurrentCatalogue
from services.catalogue.models import Catalogue, Department

MOMENT = datetime(2026, 11, 21, 8, 5, tzinfo=UTC)
WINTER, SUMMER = datetime(2026, 1, 15, 12, 0, tzinfo=UTC), datetime(2026, 7, 15, 12, 0, tzinfo=UTC)


def settings(**countries) -> Settings:
    return Settings.model_construct(countries=CountrySettings(**countries))


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
def test_a_time_is_local_to_the_number_and_names_another_offset(number, said):
    assert build_time_formatter(settings())(MOMENT, number) == said


def test_daylight_saving_time_is_followed():
    clock = build_time_formatter(settings())
    assert [clock(when, "+447911123456") for when in (WINTER, SUMMER)] == ["12:00 (GMT+0)", "13:00 (GMT+1)"]


def test_a_number_in_the_gateways_zone_gets_no_offset():
    assert build_time_formatter(settings(time_zone="Asia/Kolkata"))(MOMENT, "+919812345678") == "13:35"


def test_a_local_clock_uses_the_zone_of_the_number():
    there = build_local_clock(settings())
    assert [there(MOMENT, number).hour for number in ("+971501234567", "+61412345678")] == [12, 14]


@pytest.mark.parametrize(
    ("department", "zone"),
    [("dncc", "Asia/Dhaka"), ("uidai", "Asia/Calcutta"), ("huduma", "Africa/Nairobi"), ("consulate", "Asia/Dhaka")],
)
def test_a_department_has_the_zone_of_its_country(department, zone):
    names = {"en": "Office", "bn": "দপ্তর", "hi": "कार्यालय"}
    countries = {"dncc": "BD", "uidai": "IN", "huduma": "KE", "consulate": "US"}
    departments = {code: Department(code, names, country) for code, country in countries.items()}
    catalogue = CurrentCatalogue(CatalogueSnapshot.build(Catalogue({}, {}, {}, departments)))
    assert build_department_zones(settings(), catalogue)(department) == ZoneInfo(zone)
    assert build_department_zones(settings(), catalogue)("no more") == ZoneInfo("Asia/Dhaka")
    told = build_department_zones(settings(time_zones={"US": "America/New_York"}), catalogue)
    assert told("consulate") == ZoneInfo("America/New_York")
