"""Generated: every reader of a webhook understands a number however a provider spells it, and takes nothing else for one."""

from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.http.webhooks import BadWebhookError
from menus.rendering.paging import ScreenBudget
from providers.africastalking.sms_webhooks import parse_delivery_report, parse_inbound_sms, parse_opt_out
from providers.africastalking.ussd import parse_ussd_request
from providers.africastalking.voice import parse_call
from sms.loop_guard import is_answerable
from tests.support.voice_forms import ringing_form
from ussd.provider import ShortCodeConfig

CONFIG = ShortCodeConfig(("*123#",), ScreenBudget(), {})
NUMBERS = ("+8801719900001", "+919000000001", "+254700000001", "+12025550123", "+447911123456", "+971501234567")
PLUSES = ("+", " ", " +", "%2B", "%2b", "00", "", "+ ", "\u202a+")
AROUND = ("", " ", "  ", "\t", "\r\n", "\u00a0", "\u200b", "\u202c", "\ufeff")
BRACKETS = (("", ""), ("[", "]"), ("(", ")"), ("<", ">"), ('"', '"'), ("'", "'"))
SEPARATORS = ("", " ", "-", ".", ") ", "\u00a0", "\u2060")


def read_caller(text: str) -> str:
    form = {"phoneNumber": text, "sessionId": "ATUid_1", "text": "", "serviceCode": "*123#"}
    try:
        return parse_ussd_request(form, "", CONFIG).caller
    except BadWebhookError:
        return ""


def read_sender(text: str) -> str:
    sms = parse_inbound_sms({"from": text, "text": "HELP"}, lambda _, value: str(len(value)))
    return sms.msisdn if sms and is_answerable(sms.msisdn) else ""


def read_reported(text: str) -> str:
    report = parse_delivery_report({"id": "ATXid_1", "status": "Success", "phoneNumber": text})
    return report.msisdn if report else ""


READERS: Mapping[str, Callable[[str], str]] = {
    "the caller of a session": read_caller,
    "the sender of an SMS": read_sender,
    "the receiver of a report": read_reported,
    "who opts out": lambda text: parse_opt_out({"phoneNumber": text}) or "",
    "the caller of a call": lambda text: parse_call(ringing_form("1", caller=text)).caller_msisdn,
    "the number that was called": lambda text: parse_call(ringing_form("1", dialled=text or "-")).called_number,
}


@st.composite
def spelled_numbers(draw: st.DrawFn) -> tuple[str, str]:
    """A number, and a spelling of it."""
    number = draw(st.sampled_from(NUMBERS))
    left, right = draw(st.sampled_from(BRACKETS))
    cut = draw(st.integers(4, 9))
    digits = f"{number[1:cut]}{draw(st.sampled_from(SEPARATORS))}{number[cut:]}"
    before, behind = draw(st.sampled_from(AROUND)), draw(st.sampled_from(AROUND))
    return number, f"{before}{left}{draw(st.sampled_from(PLUSES))}{digits}{right}{behind}"


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@given(spelled_numbers())
def test_every_spelling_of_a_number_is_that_number(reader: Callable[[str], str], spelled: tuple[str, str]) -> None:
    number, text = spelled
    assert reader(text) == number


NO_NUMBERS = st.one_of(
    st.from_regex(r"[0-9]{1,8}", fullmatch=True),  # short codes
    st.from_regex(r"0[1-9][0-9]{8,9}", fullmatch=True),  # national numbers
    st.from_regex(r"[1-9][0-9]{8,9}", fullmatch=True),
    st.from_regex(r"[A-Za-z][A-Za-z0-9 -]{0,10}", fullmatch=True),  # alphanumeric senders
    st.sampled_from(("", "-1", "anonymous", "None", "ekdial.client", "sip:+254700000001@example.org", "+0700000001")),
)


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@given(NO_NUMBERS)
def test_a_short_code_a_name_and_a_national_number_are_no_msisdn(reader: Callable[[str], str], text: str) -> None:
    assert reader(text) == ""


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@given(st.text(max_size=60))
def test_what_is_read_is_an_msisdn_or_nothing(reader: Callable[[str], str], text: str) -> None:
    number = reader(text)
    assert number == "" or (
        number[0] == "+" and number[1:].isascii() and number[1:].isdigit() and 8 <= len(number) <= 16
    )
