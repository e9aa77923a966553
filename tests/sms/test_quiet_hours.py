"""When it is night where a message goes to."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from assembly.services import messages_of
from configured import read
from faults import Broken
from services.messages import Message
from services.records.database import Records
from services.records.migrate import upgrade
from sms.quiet import Quiet, QuietHours
from tests.desk import SEAL
from tests.phone import ROOT, settings_for

LAGOS = Quiet.read("20:00-08:00 Africa/Lagos")  # an hour ahead of UTC
DHAKA = Quiet.read("13:00-14:30 Asia/Dhaka")  # six hours
NEW_YORK = Quiet.read("21:00-08:00 America/New_York")


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
def test_the_night_ends_in_the_morning_there(quiet, now, until):
    assert quiet.until(utc(now)) == (utc(until) if until else None)


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
def test_a_networks_own_night_counts_before_its_countrys(number, network, night):
    opens = QuietHours({"NG": LAGOS, "62130": Quiet.read("13:00-14:00 Africa/Lagos")})
    assert bool(opens(number, network, utc("2026-11-21T22:00"))) == night


def test_where_nothing_is_set_it_is_never_night():
    assert QuietHours({})("+2348030000001", "62120", utc("2026-11-21T22:00")) is None


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("20:00-08:00", "is no time of day and zone; write 20:00-08:00 Africa/Lagos"),
        ("8pm-8am Africa/Lagos", "is no time of day and zone; write 20:00-08:00 Africa/Lagos"),
        ("25:00-08:00 Africa/Lagos", "is no time of day and zone; write 20:00-08:00 Africa/Lagos"),
        ("08:00-08:00 Africa/Lagos", "begins when it ends; write 20:00-08:00 Africa/Lagos"),
        ("20:00-08:00 Africa/Nowhere", "'Africa/Nowhere' is not a time zone; write one such as Africa/Lagos"),
        ("20:00-08:00 ../etc", "is no time of day and zone; write 20:00-08:00 Africa/Lagos"),
        ("20:00-08:00 /etc/passwd", "'/etc/passwd' is not a time zone; write one such as Africa/Lagos"),
        ("", "is no time of day and zone; write 20:00-08:00 Africa/Lagos"),
    ],
)
def test_what_is_written_wrong_is_refused_with_what_would_be_right(written, said):
    with pytest.raises(ValueError, match="write") as refused:
        Quiet.read(written)
    assert said in str(refused.value)


def setting(written: str) -> Mapping[str, str]:
    return read(ROOT / "config.toml", {"EKDIAL_SMS__QUIET_HOURS": written}).sms.quiet_hours


def test_it_is_set_by_country_and_by_network():
    nights = {"NG": "20:00-08:00 Africa/Lagos", "62130": "21:00-07:00 Africa/Lagos"}
    assert setting(json.dumps(nights)) == nights
    assert setting("{}") == {}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('{"NG": "at night"}', "is no time of day and zone; write 20:00-08:00 Africa/Lagos"),
        ('{"Nigeria": "20:00-08:00 Africa/Lagos"}', "is not a country; write its two letters, such as BD"),
    ],
)
def test_what_is_set_wrong_is_refused_at_start_in_one_line(written, said):
    with pytest.raises(Broken) as refused:
        setting(written)
    assert said in str(refused.value)
    assert "EKDIAL_SMS__QUIET_HOURS" in str(refused.value)


async def test_messages_are_counted_and_put_off_as_the_settings_say(tmp_path):
    now = datetime.now(UTC)
    night = f"{now - timedelta(hours=1):%H:%M}-{now + timedelta(hours=1):%H:%M} UTC"
    settings = settings_for(tmp_path, SMS__QUIET_HOURS=json.dumps({"NG": night}))
    await upgrade(database := settings.database.url.get_secret_value())
    async with Records(database) as records:
        rows = messages_of(settings, records, SEAL)
        for number in ("+2348030000001", "+8801700000001"):
            await rows.send(Message(number, "আবেদন " * 12, "status", number))
        (claimed,) = await rows.claim("w1", 10)
    assert (claimed.to, claimed.segments) == ("+8801700000001", 2)
