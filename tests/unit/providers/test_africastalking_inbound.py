"""Parsing of inbound SMS: every field as captured, missing, or malformed."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.crypto import Cipher
from providers.africastalking.sms_webhooks import parse_inbound_sms
from services.messaging.inbound import InboundSms
from sms.loop_guard import is_answerable

CIPHER = Cipher(bytes(32))
CAPTURED = {
    "linkId": "",
    "text": "JOIN Amina",
    "to": "22384",
    "id": "0f3c1d2e-0000-4000-8000-0123456789ab",
    "date": "2026-01-02 03:04:05",
    "from": "+254700000001",
    "networkCode": "99999",
}
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def parse(**fields: str) -> InboundSms:
    arrived = parse_inbound_sms({**CAPTURED, **fields}, CIPHER.keyed_hash)
    assert arrived is not None
    return arrived


def test_a_captured_form_is_read_whole() -> None:
    assert parse(linkId="L-1") == InboundSms(
        CAPTURED["id"], "+254700000001", "22384", "JOIN Amina", link_id="L-1", network="99999", sent_at=AT
    )


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("2026-01-02 03:04:05", AT),
        ("2026-01-02T03:04:05Z", AT),
        ("2026-01-02T03:04:05.000Z", AT),
        ("2026-01-02T09:04:05+06:00", AT),
        ("yesterday", None),
        ("", None),
    ],
)
def test_every_form_of_the_date(date: str, moment: datetime | None) -> None:
    assert parse(date=date).sent_at == moment


def test_what_is_optional_may_be_missing() -> None:
    arrived = parse_inbound_sms({"from": "+254700000001", "text": ""}, CIPHER.keyed_hash)
    assert arrived is not None
    assert (arrived.text, arrived.link_id, arrived.network, arrived.sent_at) == ("", "", "", None)


@pytest.mark.parametrize("missing", ["from", "text"])
def test_without_who_wrote_or_what_it_is_no_sms(missing: str) -> None:
    assert (
        parse_inbound_sms({key: value for key, value in CAPTURED.items() if key != missing}, CIPHER.keyed_hash) is None
    )


@pytest.mark.parametrize(
    ("sender", "number", "answered"),
    [
        ("+254700000001", "+254700000001", True),
        (" 254700000001", "+254700000001", True),
        ("MTN", "MTN", False),
        ("22384", "22384", False),
        ("254700000001", "+254700000001", True),
        ("8801719900001", "+8801719900001", True),
        ("1719900001", "1719900001", False),
        ("01719900001", "01719900001", False),
        ("2238400", "2238400", False),
        (" 22384", "22384", False),
        ("+12", "+12", False),
        ("EKDIAL", "EKDIAL", False),
        ("+8801৭০০০০০০১", "+8801৭০০০০০০১", False),
        ("an alphanumeric sender far too long", "an alphanumeric", False),
        ("+254700000001123456789", "2547000000011234", False),
        ("MT\x00N", "MTN", False),
    ],
)
def test_only_a_number_that_a_person_can_have_is_answered(sender: str, number: str, answered: bool) -> None:
    assert parse(**{"from": sender}).msisdn == number
    assert is_answerable(number) is answered


def test_an_sms_without_an_id_has_the_same_one_however_its_sender_is_written() -> None:
    ids = {
        parse(id="", **{"from": sender}).provider_id for sender in ("+254700000001", " 254700000001", "254700000001")
    }
    assert len(ids) == 1


@pytest.mark.parametrize("odd", ["", "x" * 129, "two words", "\x00", "আইডি"])
def test_an_id_that_none_would_give_is_made_from_the_form_and_always_the_same(odd: str) -> None:
    one, again = parse(id=odd), parse(id=odd)
    assert one.provider_id == again.provider_id
    assert one.provider_id != parse(id=odd, text="another").provider_id
    assert "254700000001" not in one.provider_id


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(CAPTURED)), st.text(max_size=200)))
def test_no_form_is_more_than_can_be_read_or_refused(form: dict[str, str]) -> None:
    arrived = parse_inbound_sms(form, CIPHER.keyed_hash)
    if arrived is None:
        return
    assert arrived.text == form["text"]
    assert 0 < len(arrived.msisdn) <= 16
    assert len(arrived.sent_to) <= 16
    assert len(arrived.network) <= 16
    assert 0 < len(arrived.provider_id) <= 128
    assert arrived.provider_id.isascii()
