"""The provider's voice form, field by field: what is a call, what is none of ours, and what is no callback at all."""

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import query_to_pairs

from callbacks import BadCallback
from tests.voice.forms import CALLER, CLIENT, OURS, OVER, RINGING, is_over, rings
from voice.callback import REJECT, Ring, ring_of, said

SESSION = "ATVId_0123456789abcdef0123456789abcdef"


def of_wire(text):
    return ring_of(dict(query_to_pairs(text)))


def without(name):
    return {field: value for field, value in rings("1").items() if field != name}


def test_the_captured_forms_are_understood():
    assert of_wire(RINGING) == Ring(SESSION, CALLER, OURS, active=True, inbound=True, by_client=False)
    assert of_wire(OVER) == Ring(SESSION, CALLER, OURS, active=False, inbound=True, by_client=False)


def test_a_call_is_rejected_while_there_is_one():
    assert said(of_wire(RINGING)) == REJECT == "<Response><Reject/></Response>"
    assert said(of_wire(OVER)) == ""


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("+254700000001", "+254700000001"),
        (" 254700000001", "+254700000001"),  # a plus that was not percent-encoded
        ("254700000001", ""),
        ("0700000001", ""),
        ("+0700000001", ""),
        ("+25470", ""),
        ("+2547000000010000", ""),
        ("+২৫৪৭০০০০০০০০১", ""),
        ("+254700000001\n", ""),
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
def test_a_number_that_cannot_be_used_is_a_hidden_one(written, read):
    assert ring_of(rings("1", caller=written)).caller == read
    assert ring_of(rings("1", dialled=written or "-")).dialled == read


def test_a_number_may_be_missing_altogether():
    assert ring_of(without("callerNumber")).caller == ""


@pytest.mark.parametrize(
    "field", ["callSessionState", "callerCountryCode", "callerCarrierName", "callStartTime", "callerNumber"]
)
def test_what_is_not_needed_may_be_missing(field):
    assert ring_of(without(field)).dialled == OURS


@pytest.mark.parametrize("direction", ["Inbound", "inbound", " INBOUND"])
def test_somebody_called_us(direction):
    assert ring_of(rings("1", direction=direction)).inbound


@pytest.mark.parametrize("direction", ["Outbound", "outbound", "Sideways"])
def test_nobody_did(direction):
    assert not ring_of(rings("1", direction=direction)).inbound


def test_a_client_of_our_own_account_says_whom_it_dialled():
    assert ring_of(rings("1", caller=CLIENT, clientDialedNumber="+254700000002")).by_client
    assert not ring_of(rings("1", clientDialedNumber="")).by_client


@pytest.mark.parametrize("state", ["Ringing", "Answered", "Transferred", "NotAnswered", "Completed", "", "Klingeln"])
def test_whether_there_is_a_call_is_not_told_by_its_state(state):
    assert ring_of(rings("1", callSessionState=state)).active
    assert not ring_of(is_over("1") | {"callSessionState": state}).active


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ({}, "sessionId is missing or longer than 128 characters."),
        (without("sessionId"), "sessionId is missing or longer than 128 characters."),
        (rings("1") | {"sessionId": " "}, "sessionId is missing or longer than 128 characters."),
        (rings("1" * 123), "sessionId is missing or longer than 128 characters."),
        (without("isActive"), "isActive is missing or neither 1 nor 0."),
        (rings("1", isActive="true"), "isActive is missing or neither 1 nor 0."),
        (rings("1", isActive="১"), "isActive is missing or neither 1 nor 0."),
        (without("direction"), "direction is missing."),
        (rings("1", direction=""), "direction is missing."),
        (without("destinationNumber"), "destinationNumber is missing."),
        (rings("1", dialled=" "), "destinationNumber is missing."),
    ],
)
def test_what_is_no_callback_is_told_in_one_line(form, line):
    with pytest.raises(BadCallback) as bad:
        ring_of(form)
    assert (bad.value.status, bad.value.line) == (400, line)


FIELDS = st.sampled_from([*rings("1"), "clientDialedNumber", "durationInSeconds"])


@given(st.dictionaries(FIELDS, st.text(max_size=40)))
def test_no_form_brings_anything_but_a_call_or_one_line(form):
    with suppress(BadCallback):
        ring = ring_of(rings("1") | form)
        assert re.fullmatch(r"(\+[1-9][0-9]{6,14})?", ring.caller)
        assert said(ring) == (REJECT if ring.active else "")


def test_a_call_does_not_say_who_called():
    assert CALLER[1:] not in repr(ring_of(rings("1")))
