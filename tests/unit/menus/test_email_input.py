"""Validation of e-mail addresses as a keypad and a network deliver them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.validation import Invalid, Valid
from mail.message import parse_address
from menus.validators import email

TODAY = date(2026, 11, 21)
PLAIN = "amina.begum@example.org"


@pytest.mark.parametrize(
    "typed",
    [
        PLAIN,
        "Amina.Begum@Example.ORG",
        " amina.begum @ example.org ",
        "amina.begum@example.org.",
        "amina,begum@example,org",
        "amina.begum(at)example.org",
        "amina.begum[AT]example.org",
        "amina.begum¡example.org",
        "amina.begum\x00example.org",
    ],
)
def test_one_address_is_understood_however_it_is_typed(typed):
    assert email(typed, TODAY) == Valid(PLAIN)


@pytest.mark.parametrize(
    ("typed", "understood"),
    [
        ("a_b@example.org", "a_b@example.org"),
        ("a§b@example.org", "a_b@example.org"),
        ("a\x11b@example.org", "a_b@example.org"),
        ("a+tag@sub.example.co.in", "a+tag@sub.example.co.in"),
        ("1@2.example", "1@2.example"),
        ("a@xn--45be.xn--54b7fta0cc", "a@xn--45be.xn--54b7fta0cc"),
    ],
)
def test_whatever_may_stand_in_an_address_may_be_typed(typed, understood):
    assert email(typed, TODAY) == Valid(understood)


@pytest.mark.parametrize(
    "typed",
    [
        *("", "amina", "amina@", "@example.org", "amina@example", "amina@@example.org", "amina@example..org"),
        *(
            ".amina@example.org",
            "amina.@example.org",
            "am..ina@example.org",
            "amina@-example.org",
            "amina@example-.org",
        ),
        *("amina@example.o", "amina@example.123", "amina@127.0.0.1", "a@example.org;b@example.org", "<a@example.org>"),
        *(
            "আমিনা@example.org",
            "a@উদাহরণ.বাংলা",
            '"a b"@example.org',
            "a@b@c.org",
            "a" * 65 + "@example.org",
            "8801700000001",
        ),
        *("a*b@example.org", "a#b@example.org"),
        "a@" + ".".join(["b" * 60] * 5) + ".org",
    ],
)
def test_what_is_no_address_is_told_so(typed):
    assert email(typed, TODAY) == Invalid("not_an_email")


@given(st.text(max_size=60) | st.from_regex(r"[ -~]{1,20}@[ -~]{1,20}\.[a-z]{2,5}", fullmatch=True))
def test_what_is_understood_stays_so_and_can_be_sent_to(typed):
    understood = email(typed, TODAY)
    if isinstance(understood, Valid):
        assert email(understood.value, TODAY) == understood
        assert parse_address(understood.value).addr_spec == understood.value
