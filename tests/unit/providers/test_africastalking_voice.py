"""Parsing of voice webhooks, field by field: calls, calls that are not ours, malformed forms."""

import re
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import query_to_pairs

from core.http.webhooks import BadWebhookError
from providers.africastalking.voice import REJECT_RESPONSE, parse_call, render_call_action
from tests.support.voice_forms import (
    APP_LINK_NUMBER,
    CALLER_MSISDN,
    CLIENT,
    ENDED_FORM,
    RINGING_FORM,
    ended_form,
    ringing_form,
)
from voice.provider import IncomingCall

SESSION = "ATVId_0123456789abcdef0123456789abcdef"
BEGAN_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def parse_wire_form(text):
    return parse_call(dict(query_to_pairs(text)))


def form_without(name):
    return {field: value for field, value in ringing_form("1").items() if field != name}


def test_the_captured_forms_are_understood():
    assert parse_wire_form(RINGING_FORM) == IncomingCall(
        SESSION,
        CALLER_MSISDN,
        APP_LINK_NUMBER,
        is_active=True,
        is_inbound=True,
        is_from_client=False,
        began_at=BEGAN_AT,
    )
    assert parse_wire_form(ENDED_FORM) == IncomingCall(
        SESSION,
        CALLER_MSISDN,
        APP_LINK_NUMBER,
        is_active=False,
        is_inbound=True,
        is_from_client=False,
        began_at=BEGAN_AT,
    )


def test_a_call_is_rejected_while_there_is_one():
    assert render_call_action(parse_wire_form(RINGING_FORM)) == REJECT_RESPONSE == "<Response><Reject/></Response>"
    assert render_call_action(parse_wire_form(ENDED_FORM)) == ""


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("+254700000001", "+254700000001"),
        (" 254700000001", "+254700000001"),  # a plus that was not percent-encoded
        ("254700000001", "+254700000001"),
        ("+254700000001\n", "+254700000001"),
        ("700000001", ""),
        ("0700000001", ""),
        ("+0700000001", ""),
        ("+25470", ""),
        ("+2547000000010000", ""),
        ("+২৫৪৭০০০০০০০০১", ""),
        ("anonymous", ""),
        ("Withheld", ""),
        ("Unknown", ""),
        ("None", ""),
        ("-1", ""),
        ("+-1", ""),
        ("", ""),
        (CLIENT, ""),
        ("sip:+254700000001@example.org", ""),
    ],
)
def test_a_number_that_cannot_be_used_is_a_hidden_one(text, read):
    assert parse_call(ringing_form("1", caller=text)).caller_msisdn == read
    assert parse_call(ringing_form("1", dialled=text or "-")).called_number == read


def test_a_number_may_be_missing_altogether():
    assert parse_call(form_without("callerNumber")).caller_msisdn == ""


@pytest.mark.parametrize(
    "field", ["callSessionState", "callerCountryCode", "callerCarrierName", "callStartTime", "callerNumber"]
)
def test_what_is_not_needed_may_be_missing(field):
    assert parse_call(form_without(field)).called_number == APP_LINK_NUMBER


@pytest.mark.parametrize("direction", ["Inbound", "inbound", " INBOUND"])
def test_somebody_called_us(direction):
    assert parse_call(ringing_form("1", direction=direction)).is_inbound


@pytest.mark.parametrize("direction", ["Outbound", "outbound", "Sideways"])
def test_nobody_did(direction):
    assert not parse_call(ringing_form("1", direction=direction)).is_inbound


def test_a_client_of_our_own_account_says_whom_it_dialled():
    assert parse_call(ringing_form("1", caller=CLIENT, clientDialedNumber="+254700000002")).is_from_client
    assert not parse_call(ringing_form("1", clientDialedNumber="")).is_from_client


@pytest.mark.parametrize("state", ["Ringing", "Answered", "Transferred", "NotAnswered", "Completed", "", "Klingeln"])
def test_whether_there_is_a_call_is_not_told_by_its_state(state):
    assert parse_call(ringing_form("1", callSessionState=state)).is_active
    assert not parse_call(ended_form("1") | {"callSessionState": state}).is_active


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ({}, "sessionId is missing or longer than 128 characters."),
        (form_without("sessionId"), "sessionId is missing or longer than 128 characters."),
        (ringing_form("1") | {"sessionId": " "}, "sessionId is missing or longer than 128 characters."),
        (ringing_form("1" * 123), "sessionId is missing or longer than 128 characters."),
        (form_without("isActive"), "isActive is missing or neither 1 nor 0."),
        (ringing_form("1", isActive="true"), "isActive is missing or neither 1 nor 0."),
        (ringing_form("1", isActive="১"), "isActive is missing or neither 1 nor 0."),
        (form_without("direction"), "direction is missing."),
        (ringing_form("1", direction=""), "direction is missing."),
        (form_without("destinationNumber"), "destinationNumber is missing."),
        (ringing_form("1", dialled=" "), "destinationNumber is missing."),
    ],
)
def test_what_is_no_callback_is_told_in_one_line(form, line):
    with pytest.raises(BadWebhookError) as bad:
        parse_call(form)
    assert (bad.value.status, bad.value.message) == (400, line)


FIELDS = st.sampled_from([*ringing_form("1"), "clientDialedNumber", "durationInSeconds"])


@given(st.dictionaries(FIELDS, st.text(max_size=40)))
def test_no_form_brings_anything_but_a_call_or_one_line(form):
    with suppress(BadWebhookError):
        ring = parse_call(ringing_form("1") | form)
        assert re.fullmatch(r"(\+[1-9][0-9]{6,14})?", ring.caller_msisdn)
        assert render_call_action(ring) == (REJECT_RESPONSE if ring.is_active else "")


def test_a_call_does_not_say_who_called():
    assert CALLER_MSISDN[1:] not in repr(parse_call(ringing_form("1")))
