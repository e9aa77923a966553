from datetime import UTC, datetime

import pytest

from core.phone_numbers import (
    PhoneNumberError,
    build_supported_number_check,
    find_calling_code,
    find_country,
    find_msisdn,
    format_gmt_offset,
    is_country,
    is_e164,
    is_possible,
    local_time,
    parse_mobile,
    parse_msisdn,
    parse_other_msisdn,
    sole_time_zone,
)

RAHIMA, KARIM, AMERICAN, CANADIAN = "+8801711000001", "+8801711000002", "+12025550123", "+15195550123"
LANDLINE = "+88029551234"


def is_supported(msisdn: str) -> bool:
    return msisdn.startswith("+880")


def test_a_number_tells_its_country_and_calling_code():
    assert [find_country(one) for one in (RAHIMA, AMERICAN, "nonsense")] == ["BD", "US", ""]
    assert [find_calling_code(one) for one in (RAHIMA, AMERICAN, "nonsense")] == ["880", "1", ""]
    assert is_country("BD")
    assert not is_country("XX")


def test_only_plain_e164_is_an_msisdn():
    assert is_e164(RAHIMA)
    assert not any(map(is_e164, ("8801711000001", "+880 1711 000001", "+880171", "+880\u09e71711000001", "")))
    assert is_possible("+880 1711 000001")


@pytest.mark.parametrize(
    "text",
    [
        *("8801711000001", " 8801711000001", "+8801711000001 ", " +8801711000001", "\t8801711000001\r\n"),
        *("%2B8801711000001", "008801711000001", "\ufeff+8801711000001"),
        *("+880 1711-000.001", "(+880) 1711 000001", "[+8801711000001]", "+880 (0)1711000001", "'8801711000001'"),
        *("\u202a+880 1711 000001\u202c", "<+8801711000001>", '"8801711000001"', "\u00a0880\u00a01711000001"),
    ],
)
def test_a_machines_spelling_of_a_number_is_understood(text):
    assert find_msisdn(text) == RAHIMA


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "+", "00", "-1", "+-1", "anonymous", "MTN", "user.client", "sip:+8801711000001@example.org"),
        *("16247", " 16247", "2238400", " 2238400", "333", "+12", "+8801\u09e7711000001"),  # short codes
        *("01711000001", "1711000001", "0700000001", "700000001", "9000000001", "6591234567"),  # national numbers
        *(
            "+0700000001",
            "88017110000011",
            "880171100000",
            "+880171100000111111",
            "8801711000001x",
            "8801711000001" * 9,
        ),
        *("+8801711000001 +8801711000002", " " * 100_000 + "x"),
    ],
)
def test_what_may_be_a_short_code_a_name_or_a_national_number_is_no_msisdn(text):
    assert find_msisdn(text) == ""


def test_only_with_a_plus_may_a_number_be_newer_than_the_numbering_plans():
    assert find_msisdn(" +8801011000001") == find_msisdn(" 8801011000001") == "+8801011000001"
    assert find_msisdn("8801011000001") == ""


def test_a_number_is_parsed_with_a_plus_or_in_its_country():
    assert parse_msisdn("+880 1711-000001") == parse_msisdn("01711 000001", "BD") == RAHIMA
    for text in ("01711000001", "12", "nonsense"):
        with pytest.raises(PhoneNumberError, match="not_a_phone"):
            parse_msisdn(text)


@pytest.mark.parametrize(
    ("text", "mobile_only", "problem"),
    [
        ("nonsense", False, "not_a_phone"),
        ("nonsense", True, "not_a_phone"),
        ("12345", False, "not_a_phone"),
        ("12345", True, "not_a_mobile"),
        (LANDLINE, True, "not_a_mobile"),
        (RAHIMA, False, "own_number"),
        (AMERICAN, False, "not_served"),
    ],
)
def test_another_persons_number_is_refused_with_the_problem(text, mobile_only, problem):
    with pytest.raises(PhoneNumberError) as caught:
        parse_other_msisdn(text, RAHIMA, is_supported, mobile_only=mobile_only)
    assert caught.value.problem == problem


def test_another_persons_number_is_dialled_as_in_the_own_country():
    assert parse_other_msisdn("01711-000002", RAHIMA, is_supported, mobile_only=True) == KARIM
    assert parse_other_msisdn(LANDLINE, RAHIMA, is_supported) == LANDLINE


def test_a_number_is_supported_by_its_country_also_where_countries_share_a_calling_code():
    is_ours = build_supported_number_check(("BD", "US"))
    assert [is_ours(one) for one in (RAHIMA, AMERICAN, CANADIAN, "+4915100000001")] == [True, True, False, False]


def test_a_time_is_local_only_where_the_number_has_one_time():
    moment = datetime(2026, 11, 21, 8, 5, tzinfo=UTC)
    local = local_time(moment, "+919812345678")
    assert local is not None
    assert (f"{local:%H:%M}", format_gmt_offset(local)) == ("13:35", "GMT+5:30")
    assert local_time(moment, "+61412345678") is None
    assert (sole_time_zone("BD"), sole_time_zone("US")) == ("Asia/Dhaka", "")


@pytest.mark.parametrize(
    ("typed", "countries", "expected"),
    [
        ("01711000001", ("BD", "IN", "KE"), "+8801711000001"),
        ("9876543210", ("BD", "IN", "KE"), "+919876543210"),
        ("0711000001", ("BD", "IN", "KE"), "+254711000001"),
        ("+91 98765 43210", ("BD", "IN"), "+919876543210"),
        ("০১৭১১-০০০০০১", ("BD",), "+8801711000001"),
        ("02 55000000", ("BD",), "not_a_mobile"),
        ("+4915112345678", ("BD",), "not_served"),
        ("9876543210", ("BD",), "not_a_mobile"),
        ("hello", ("BD",), "not_a_phone"),
        ("", ("BD",), "not_a_phone"),
    ],
)
def test_a_mobile_number_is_read_as_people_at_home_write_it(typed, countries, expected):
    try:
        read = parse_mobile(typed, countries)
    except PhoneNumberError as error:
        read = error.problem
    assert read == expected
