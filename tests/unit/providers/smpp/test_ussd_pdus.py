"""What the PDUs of USSD say in each dialect, field by field as they were met."""

import pytest

from providers.smpp.dialects import DIALECTS
from providers.smpp.pdus import Deliver
from providers.smpp.settings import DialectSettings
from providers.smpp.text import TextRules
from providers.smpp.ussd_pdus import build_submit, find_dialled_digits, is_ussd, read_dialled, read_event, read_input

OP, INFO, REFERENCE = 0x0501, 0x1383, 0x0204
PLAIN = TextRules()
CODES = ("*123#", "*384*70001#")


def deliver(op=None, text=b"*123#", *, info=None, reference=None, **fields):
    tlvs = {
        tag: bytes.fromhex(value)
        for tag, value in ((OP, op), (INFO, info), (REFERENCE, reference))
        if value is not None
    }
    return Deliver("8801711000001", "123", text, tlvs=tlvs, **fields)


@pytest.mark.parametrize(
    ("dialect", "op", "fields", "kind", "reference"),
    [
        ("standard", "01", {"info": "2a00"}, "dial", "2a"),
        ("standard", "00", {"info": "2a00"}, "dial", "2a"),
        ("standard", "12", {"info": "2a02"}, "answer", "2a"),
        ("standard", "12", {"info": "2a03"}, "abort", "2a"),
        ("standard", "13", {"info": "2a02"}, "confirm", "2a"),
        ("standard", "01", {}, "dial", ""),
        ("standard", "02", {}, "unknown", ""),
        ("mica", "01", {"reference": "04d2"}, "dial", "04d2"),
        ("mica", "12", {"reference": "04d2"}, "answer", "04d2"),
        ("mica", "81", {"reference": "04d2"}, "abort", "04d2"),
        ("mica", "12", {"reference": "04d2", "info": "0001"}, "answer", "04d2"),
        ("sixdee", "01", {"info": "1234"}, "dial", "1234"),
        ("sixdee", "12", {"info": "1234"}, "answer", "1234"),
        ("sixdee", "12", {"info": "1235"}, "abort", "1234"),
        ("sixdee", "81", {"info": "1234"}, "abort", "1234"),
        ("huawei", "01", {}, "dial", ""),
        ("huawei", "12", {"info": "0001"}, "answer", ""),
        ("vendor32", "01", {}, "dial", ""),
        ("vendor32", "12", {}, "answer", ""),
    ],
)
def test_what_is_delivered_starts_answers_or_ends_a_session(dialect, op, fields, kind, reference):
    event = read_event(DIALECTS[dialect], deliver(op, **fields))
    assert (event.kind, event.reference) == (kind, reference)


def test_an_sms_and_a_delivery_report_are_no_ussd():
    assert not is_ussd(deliver())
    assert not is_ussd(deliver("01", esm_class=0x04))
    assert is_ussd(deliver("00"))


@pytest.mark.parametrize(
    ("dialect", "fields", "goes_on", "ends"),
    [
        ("standard", {"info": "2a02"}, {OP: "02", INFO: "2a02"}, {OP: "11", INFO: "2a03"}),
        ("mica", {"reference": "04d2"}, {OP: "02", REFERENCE: "04d2"}, {OP: "11", REFERENCE: "04d2"}),
        ("sixdee", {"info": "1234"}, {OP: "02", INFO: "1234"}, {OP: "11", INFO: "1235"}),
        ("huawei", {}, {OP: "02"}, {OP: "11"}),
        ("vendor32", {}, {OP: "02"}, {OP: "20"}),
    ],
)
def test_a_screen_goes_back_with_the_session_and_says_whether_it_is_the_last(dialect, fields, goes_on, ends):
    pressed = deliver("12", b"1", source_ton=1, source_npi=1, service_type="USSD", **fields)
    for is_last, expected in ((False, goes_on), (True, ends)):
        submit = build_submit(DIALECTS[dialect], pressed, PLAIN, "1 Yes\n2 No", ends=is_last)
        assert {tag: value.hex() for tag, value in submit.tlvs.items()} == expected
        assert (submit.source, submit.destination, submit.service_type) == ("123", "8801711000001", "USSD")
        assert (submit.destination_ton, submit.destination_npi) == (1, 1)
        assert (submit.text, submit.data_coding, submit.registered_delivery) == (b"1 Yes\n2 No", 0, 0)


@pytest.mark.parametrize(
    ("dialect", "text", "destination", "digits"),
    [
        ("mica", b"*123#", "123", ""),
        ("mica", b"*123*2*99#", "123", "2*99"),
        ("mica", b"*384*70001*4#", "123", "4"),
        ("sixdee", b"", "*123*7#", "7"),
        ("sixdee", b"123*7", "123", "7"),
        ("standard", b"*999*1#", "123", ""),
        ("standard", b"", "", ""),
    ],
)
def test_what_was_dialled_past_the_code_is_found_where_the_dialect_has_it(dialect, text, destination, digits):
    dialled = Deliver("8801711000001", destination, text, tlvs={OP: b"\1"})
    assert find_dialled_digits(read_dialled(DIALECTS[dialect], dialled, PLAIN), CODES) == digits


@pytest.mark.parametrize("coding", [8, 0x48], ids=["smpp", "cell-broadcast"])
def test_letters_of_every_script_are_read_and_written(coding):
    rules = TextRules(ucs2_coding=coding)
    pressed = deliver("12", "রহিমা".encode("utf-16-be"), data_coding=coding)
    assert read_input(pressed, rules) == "রহিমা"
    submit = build_submit(DIALECTS["standard"], pressed, rules, "১ হ্যাঁ", ends=False)
    assert (submit.text.decode("utf-16-be"), submit.data_coding) == ("১ হ্যাঁ", coding)


def test_packed_septets_are_read_and_written():
    rules = TextRules(packed=True)
    assert read_input(deliver("12", bytes.fromhex("31190c")), rules) == "120"
    submit = build_submit(DIALECTS["standard"], deliver("12"), rules, "1234567", ends=True)
    assert submit.text.hex() == "31d98c56b3dd1a"  # the seven bits left over are a carriage return
    assert read_input(deliver("12", submit.text), rules) == "1234567"


def test_a_screen_is_one_pdu_however_long_it_is():
    submit = build_submit(DIALECTS["standard"], deliver("12"), PLAIN, "x" * 182, ends=False)
    assert len(submit.text) == 182
    long = build_submit(DIALECTS["standard"], deliver("12"), PLAIN, "x" * 300, ends=False)
    assert (long.text, len(long.tlvs[0x0424])) == (b"", 300)


def test_binary_is_no_input():
    assert read_input(deliver("12", b"\1\2", data_coding=4), PLAIN) == ""


def test_an_operator_that_differs_has_a_row_of_its_own():
    row = DialectSettings(like="mica", ends=32, aborts=(0x81, 0x82), gsm7_coding=15).build()
    assert read_event(row, deliver("82", reference="0001")).kind == "abort"
    submit = build_submit(row, deliver("12", reference="0001"), PLAIN, "Bye", ends=True)
    assert (submit.tlvs[OP], submit.data_coding) == (b"\x20", 15)


@pytest.mark.parametrize(
    "fields", [{"dials": (1, 18)}, {"answers": ()}, {"goes_on": 17}], ids=["two meanings", "no answer", "no end"]
)
def test_a_row_that_cannot_be_told_apart_is_refused(fields):
    assert DialectSettings(**fields).find_ambiguity()
    assert DialectSettings().find_ambiguity() is None
