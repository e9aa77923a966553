"""Delivery reports by optional parameters and by text."""

import pytest

from providers.smpp.pdus import Deliver
from providers.smpp.receipts import STATES, MessageIds, is_report, parse_report
from services.messaging.delivery_status import DeliveryReport, DeliveryStatus

TEXT = "id:0123456789 sub:001 dlvrd:001 submit date:2611301200 done date:2611301201 stat:DELIVRD err:000 text:Received: KA7F"
IDS = MessageIds("robi")


def report(text=TEXT, esm_class=0x04, tlvs=None, source="8801711000001"):
    return Deliver(source, "333", text.encode("latin-1"), esm_class=esm_class, tlvs=tlvs or {})


def test_a_report_by_text():
    assert parse_report(report(), IDS) == DeliveryReport(
        "smpp/robi/0123456789", DeliveryStatus.DELIVERED, "DELIVRD", "", "+8801711000001"
    )


def test_a_report_by_optional_parameters_counts_more_than_its_text():
    tlvs = {0x001E: b"m7\0", 0x0427: b"\x05", 0x0423: b"\x03\x00\x1b"}
    assert parse_report(report(tlvs=tlvs), IDS) == DeliveryReport(
        "smpp/robi/m7", DeliveryStatus.FAILED, "UNDELIV", "3/27", "+8801711000001"
    )


@pytest.mark.parametrize(("state", "facts"), STATES.items(), ids=[name for name, _ in STATES.values()])
def test_each_state_has_one_status_by_number_and_by_word(state, facts):
    name, status = facts
    by_number = parse_report(report("", tlvs={0x001E: b"m7", 0x0427: bytes([state])}), IDS)
    by_word = parse_report(report(f"id:m7 stat:{name}"), IDS)
    assert by_number.status is by_word.status is status


@pytest.mark.parametrize(
    ("text", "status", "reason"),
    [
        ("id:7 stat:delivrd err:0", DeliveryStatus.DELIVERED, ""),
        ("ID:7 SUB:001 STAT:UNDELIV ERR:04B TEXT:", DeliveryStatus.FAILED, "04B"),
        ("id: 7 stat: EXPIRED err: 254", DeliveryStatus.EXPIRED, "254"),
        ("id:7 stat:WHATEVER err:1", DeliveryStatus.UNRECOGNIZED, "1"),
        ("id:7 stat:UNDELIVERABLE", DeliveryStatus.FAILED, ""),
    ],
    ids=range(5),
)
def test_texts_that_differ_from_the_standard_are_read(text, status, reason):
    read = parse_report(report(text), IDS)
    assert (read.provider_id, read.status, read.reason) == ("smpp/robi/7", status, reason)


@pytest.mark.parametrize("text", ["", "Delivered!", "stat:DELIVRD", "id:7", "id:\x01 stat:DELIVRD", "grid:7 stat:"])
def test_a_report_without_an_id_or_a_status_is_none(text):
    assert parse_report(report(text), IDS) is None


@pytest.mark.parametrize(
    ("esm_class", "tlvs", "is_one"),
    [(0, {}, False), (0x40, {}, False), (0x04, {}, True), (0x44, {}, True), (0x20, {}, True), (0x08, {}, False),
     (0, {0x001E: b"m1", 0x0427: b"\x02"}, True), (0, {0x001E: b"m1"}, False)],
    ids=range(8),
)  # fmt: skip
def test_a_report_is_told_from_an_sms(esm_class, tlvs, is_one):
    assert is_report(report(esm_class=esm_class, tlvs=tlvs)) is is_one


@pytest.mark.parametrize(
    ("form", "answer", "in_report", "same"),
    [
        ("same", "0A1", "0A1", True),
        ("same", "0A1", "a1", False),
        ("hex", "161", "A1", True),
        ("hex", "161", "000000a1", True),
        ("decimal", "A1", "161", True),
        ("decimal", "00000A1", "161", True),
        ("decimal", "uuid-7", "uuid-7", True),
    ],
    ids=range(7),
)
def test_the_ids_of_answer_and_report_are_one(form, answer, in_report, same):
    ids = MessageIds("robi", form)
    assert (ids.from_answer(answer) == ids.from_report(in_report)) is same
