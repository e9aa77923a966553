"""Signatures: ours are read by the library of Standard Webhooks, its are read by us, and what was touched is refused."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from core.http.signatures import SignatureError, parse_secret, sign, verify

NOW = datetime.now(UTC).replace(microsecond=0)
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER = "whsec_" + base64.b64encode(bytes(32)).decode()
KEYS = [parse_secret(SECRET)]
BODY = json.dumps({"type": "application.moved", "note": {"bn": "কার্ড আনুন"}}).encode()


def test_the_library_of_standard_webhooks_reads_what_we_sign():
    headers = sign(KEYS, "msg_1", datetime.now(UTC), BODY)
    assert Webhook(SECRET).verify(BODY, dict(headers)) == json.loads(BODY)


def test_we_read_what_the_library_of_standard_webhooks_signs():
    signature = Webhook(SECRET).sign("msg_1", NOW, BODY.decode())
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(NOW.timestamp())), "webhook-signature": signature}
    assert verify(KEYS, headers, BODY, NOW) == "msg_1"


def test_while_a_secret_is_changed_both_are_good():
    headers = sign([parse_secret(OTHER), parse_secret(SECRET)], "msg_1", NOW, BODY)
    assert len(headers["webhook-signature"].split()) == 2
    assert verify([parse_secret(OTHER)], headers, BODY, NOW) == verify(KEYS, headers, BODY, NOW) == "msg_1"


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("webhook-id", "msg_2"),
        ("webhook-id", ""),
        ("webhook-id", "msg.1"),
        ("webhook-id", "m" * 129),
        ("webhook-id", "msg\n1"),
        ("webhook-timestamp", ""),
        ("webhook-timestamp", "now"),
        ("webhook-timestamp", "9" * 30),
        ("webhook-timestamp", "9" * 12),  # a year that no calendar has
        ("webhook-timestamp", "٣"),
        ("webhook-signature", ""),
        ("webhook-signature", "v1,"),
        ("webhook-signature", "v1,c2VjcmV0"),
        ("webhook-signature", "v1a,c2VjcmV0"),
        ("webhook-signature", "v1,কার্ড"),
        ("webhook-signature", "v1,\udcff"),  # an octet that is no UTF-8, as aiohttp reads it
    ],
)
def test_a_header_that_was_touched_is_refused(header, value):
    with pytest.raises(SignatureError):
        verify(KEYS, {**sign(KEYS, "msg_1", NOW, BODY), header: value}, BODY, NOW)


def test_another_body_another_secret_and_no_headers_are_refused():
    headers = sign(KEYS, "msg_1", NOW, BODY)
    for keys, given_headers, body in (
        (KEYS, headers, BODY + b" "),
        ([parse_secret(OTHER)], headers, BODY),
        (KEYS, {}, BODY),
    ):
        with pytest.raises(SignatureError):
            verify(keys, given_headers, body, NOW)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_what_was_signed_more_than_five_minutes_away_is_refused(seconds):
    headers = sign(KEYS, "msg_1", NOW, BODY)
    assert verify(KEYS, headers, BODY, NOW + timedelta(seconds=300))
    with pytest.raises(SignatureError, match="five minutes"):
        verify(KEYS, headers, BODY, NOW + timedelta(seconds=seconds))


@given(st.dictionaries(st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]), st.text()))
def test_whatever_stands_in_the_headers_it_is_refused_and_nothing_else_is_raised(headers):
    with pytest.raises(SignatureError):
        verify(KEYS, headers, BODY, NOW)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "c2VjcmV0" * 5, "whsec_" + "?" * 40])
def test_a_secret_that_is_none_is_refused(secret):
    with pytest.raises(ValueError, match="whsec_"):
        parse_secret(secret)
