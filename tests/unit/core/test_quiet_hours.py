"""Quiet hours by country and network."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from app.container import build_messages
from app.settings import load_settings
from core.errors import ValidationFailedError
from core.quiet_hours import QuietHours, QuietPeriod
from db.database import Database
from db.migrate import upgrade
from services.messaging.models import Message
from tests.support.phone import ROOT, build_settings
from tests.support.services import CIPHER

LAGOS = QuietPeriod.parse("20:00-08:00 Africa/Lagos")  # an hour ahead of UTC
DHAKA = QuietPeriod.parse("13:00-14:30 Asia/Dhaka")  # six hours
NEW_YORK = QuietPeriod.parse("21:00-08:00 America/New_York")


def utc(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("quiet", "now", "until"),
    [
        (LAGOS, "2026-11-21T18:59", None),
        (LAGOS, "2026-11-21T19:00", "2026-11-22T07:00"),
        (LAGOS, "2026-11-21T23:30", "2026-11-22T07:00"),  # past midnight there, not yet in UTC
        (LAGOS, "2026-11-22T06:59", "2026-11-22T07:00"),
        (LAGOS, "2026-11-22T07:00", None),
        (DHAKA, "2026-11-21T06:59", None),
        (DHAKA, "2026-11-21T07:00", "2026-11-21T08:30"),
        (DHAKA, "2026-11-21T08:30", None),
        (NEW_YORK, "2026-11-01T05:30", "2026-11-01T13:00"),  # the clocks go back in that night: eight is an hour later
        (NEW_YORK, "2026-10-31T05:30", "2026-10-31T12:00"),
    ],
)
def test_quiet_hours_end_in_the_time_zone_of_the_period(quiet, now, until):
    assert quiet.end_after(utc(now)) == (utc(until) if until else None)


@pytest.mark.parametrize(
    ("number", "network", "night"),
    [
        ("+2348030000001", "", True),
        ("+2348030000001", "62120", True),
        ("+2348030000001", "62130", False),  # this network's own night, which is in the afternoon
        ("+8801700000001", "", False),
        ("+8801700000001", "62120", False),
        ("no number", "", False),
    ],
)
def test_the_period_of_a_network_overrides_that_of_its_country(number, network, night):
    opens = QuietHours({"NG": LAGOS, "62130": QuietPeriod.parse("13:00-14:00 Africa/Lagos")})
    assert bool(opens(number, network, utc("2026-11-21T22:00"))) == night


def test_a_number_without_a_period_has_no_quiet_hours():
    assert QuietHours({})("+2348030000001", "62120", utc("2026-11-21T22:00")) is None


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("20:00-08:00", "is not a period with a time zone; write 20:00-08:00 Africa/Lagos"),
        ("8pm-8am Africa/Lagos", "is not a period with a time zone; write 20:00-08:00 Africa/Lagos"),
        ("25:00-08:00 Africa/Lagos", "is not a period with a time zone; write 20:00-08:00 Africa/Lagos"),
        ("08:00-08:00 Africa/Lagos", "begins when it ends; write 20:00-08:00 Africa/Lagos"),
        ("20:00-08:00 Africa/Nowhere", "'Africa/Nowhere' is not a time zone; write one such as Africa/Lagos"),
        ("20:00-08:00 ../etc", "is not a period with a time zone; write 20:00-08:00 Africa/Lagos"),
        ("20:00-08:00 /etc/passwd", "'/etc/passwd' is not a time zone; write one such as Africa/Lagos"),
        ("", "is not a period with a time zone; write 20:00-08:00 Africa/Lagos"),
    ],
)
def test_an_invalid_period_is_rejected_with_an_example(written, said):
    with pytest.raises(ValueError, match="write") as refused:
        QuietPeriod.parse(written)
    assert said in str(refused.value)


def setting(written: str) -> Mapping[str, str]:
    return load_settings(ROOT / "config.toml", {"EKDIAL_SMS__QUIET_HOURS": written}).sms.quiet_hours


def test_quiet_hours_are_set_by_country_and_by_network():
    nights = {"NG": "20:00-08:00 Africa/Lagos", "62130": "21:00-07:00 Africa/Lagos"}
    assert setting(json.dumps(nights)) == nights
    assert setting("{}") == {}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('{"NG": "at night"}', "is not a period with a time zone; write 20:00-08:00 Africa/Lagos"),
        ('{"Nigeria": "20:00-08:00 Africa/Lagos"}', "is not a country; write its two letters, such as BD"),
    ],
)
def test_an_invalid_setting_of_quiet_hours_is_reported_in_one_line(written, said):
    with pytest.raises(ValidationFailedError) as refused:
        setting(written)
    assert said in str(refused.value)
    assert "EKDIAL_SMS__QUIET_HOURS" in str(refused.value)


async def test_messages_are_counted_and_postponed_by_the_settings(tmp_path):
    now = datetime.now(UTC)
    night = f"{now - timedelta(hours=1):%H:%M}-{now + timedelta(hours=1):%H:%M} UTC"
    settings = build_settings(tmp_path, SMS__QUIET_HOURS=json.dumps({"NG": night}))
    await upgrade(database := settings.database.url.get_secret_value())
    async with Database(database) as records:
        rows = build_messages(settings, records, CIPHER)
        for number in ("+2348030000001", "+8801700000001"):
            await rows.send(Message(number, "আবেদন " * 12, "status", number))
        (claimed,) = await rows.claim("w1", 10)
    assert (claimed.to, claimed.segments) == ("+8801700000001", 2)
