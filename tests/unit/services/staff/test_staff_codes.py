"""Codes of authenticator apps."""

from datetime import UTC, datetime

import pytest

from services.staff.codes import (
    build_enrolment_uri,
    compute_code,
    find_code_step,
    generate_code_secret,
    is_code_secret,
    parse_code,
)

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # of the test vectors of RFC 6238, in Base32
NOON = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
STEP = int(NOON.timestamp()) // 30


@pytest.mark.parametrize(
    ("seconds", "code"), [(59, "287082"), (1111111109, "081804"), (2000000000, "279037"), (20000000000, "353130")]
)
def test_codes_are_those_of_rfc_6238(seconds, code):
    at = datetime.fromtimestamp(seconds, UTC)
    assert compute_code(SECRET, at) == code
    assert find_code_step(SECRET, code, at, 0) == seconds // 30


@pytest.mark.parametrize(("drift", "found"), [(-60, 0), (-30, STEP - 1), (0, STEP), (30, STEP + 1), (60, 0)])
def test_the_clock_of_a_phone_may_be_wrong_by_one_step(drift, found):
    code = compute_code(SECRET, datetime.fromtimestamp(NOON.timestamp() + drift, UTC))
    assert find_code_step(SECRET, code, NOON, 0) == found


def test_a_step_up_to_the_last_one_is_not_accepted():
    assert find_code_step(SECRET, compute_code(SECRET, NOON), NOON, STEP) == 0
    assert find_code_step(SECRET, compute_code(SECRET, NOON), NOON, STEP - 1) == STEP


@pytest.mark.parametrize("typed", ["081804", "081 804", " 081804 ", "০৮১৮০৪", "०८१८०४"])
def test_spaces_and_the_script_of_digits_do_not_count(typed):
    assert parse_code(typed) == "081804"


@pytest.mark.parametrize("typed", ["", "08180", "0818044", "08180x", "²²²²²²", "k7mq-p2xd-9wte-hbn4"])
def test_other_texts_are_no_codes(typed):
    assert parse_code(typed) == ""
    assert find_code_step(SECRET, typed, NOON, 0) == 0


def test_a_secret_has_160_bits_and_is_recognized():
    secret = generate_code_secret()
    assert is_code_secret(secret)
    assert secret != generate_code_secret()
    assert not any(map(is_code_secret, ("", secret[:-1], secret.lower(), secret[:-1] + "1")))


def test_the_qr_code_names_the_console_and_the_login():
    assert build_enrolment_uri(SECRET, "asha") == f"otpauth://totp/Ekdial:asha?secret={SECRET}&issuer=Ekdial"
