"""How a text becomes the octets of segments, and is read again."""

import pytest

from providers.smpp.alphabets import Tables
from providers.smpp.text import TextRules, UnreadableTextError, decode_part, encode_text, join_texts
from sms.segments import measure

BOTH = (Tables(4, 4), Tables(6, 6))
PLAIN, PACKED = TextRules(), TextRules(packed=True)
BENGALI = "আবেদন গৃহীত: বুঝে নিন ৮ তারিখে "
HINDI = "आवेदन जमा हुआ। क्रमांक AB-12, 08:00 "


@pytest.mark.parametrize("rules", [PLAIN, PACKED, TextRules(tables=BOTH), TextRules(packed=True, tables=BOTH)])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "OK",
        "x" * 7,
        "x" * 8,
        "x" * 160,
        "x" * 161,
        "[€]" * 60,
        BENGALI,
        BENGALI * 9,
        HINDI * 9,
        "😀" * 80,
        "é" * 153,
    ],
    ids=range(12),
)
def test_a_text_is_read_as_it_was_written(text, rules):
    encoded = encode_text(text, rules, reference=9)
    parts = [decode_part(data, encoded.data_coding, rules, has_header=encoded.has_header) for data in encoded.segments]
    assert join_texts(part.text for part in parts) == text
    assert all(len(data) <= (140 if rules.packed or encoded.data_coding else 160) for data in encoded.segments)
    assert [(part.number, part.total) for part in parts] == [(n + 1, len(parts)) for n in range(len(parts))]


@pytest.mark.parametrize("text", ["x" * 160, "x" * 161, "[" * 81, "é~" * 90, "अ" * 70, "अ" * 71, "क्ष्म" * 40, "😀" * 70])
def test_without_national_tables_a_text_has_the_segments_that_are_charged(text):
    assert len(encode_text(text, PLAIN).segments) == measure(text).segments


@pytest.mark.parametrize(
    ("rules", "text", "wire"),
    [
        (PLAIN, "Hi @", "48692000"),
        (PACKED, "hellohello", "e8329bfd4697d9ec37"),
        (PACKED, "1234567", "31d98c56b3dd1a"),  # seven bits are left over: a carriage return, not an @
        (PLAIN, "€", "1b65"),
        (TextRules(default_alphabet="latin1"), "@é", "40e9"),
        (TextRules(default_alphabet="ascii"), "@é", "004000e9"),
        (PLAIN, "ক", "0995"),
        (TextRules(tables=BOTH), "ক" * 71, "06" + "240104" + "250104" + "15" * 71),
    ],
    ids=range(8),
)
def test_the_octets_of_a_text(rules, text, wire):
    assert [segment.hex() for segment in encode_text(text, rules).segments] == [wire]


def test_a_segment_of_several_begins_with_the_header_that_joins_it():
    first, second = encode_text("x" * 161, PLAIN, reference=0xC8).segments
    assert first == bytes.fromhex("050003c80201") + b"x" * 153
    assert second == bytes.fromhex("050003c80202") + b"x" * 8


def test_packed_septets_begin_on_a_septet_boundary_after_the_header():
    first, _ = encode_text("x" * 161, PACKED, reference=1).segments
    assert len(first) == 140
    assert first[6] == ord("x") << 1 & 0xFF  # one fill bit after six octets


def test_bengali_takes_national_tables_only_where_they_save_a_segment():
    rules = TextRules(tables=BOTH)
    assert encode_text("ক" * 70, rules).data_coding == rules.ucs2_coding
    assert encode_text("ক" * 71, rules).data_coding == 0
    assert len(encode_text("ক" * 152, rules).segments) == 1
    assert len(encode_text("ক" * 152, PLAIN).segments) == 3
    assert encode_text("ক" * 71 + "।", rules).data_coding == rules.ucs2_coding  # Bengali tables have no danda


def test_a_letter_with_a_dot_is_in_the_tables_however_it_was_typed():
    rules = TextRules(tables=(Tables(4, 4),))
    assert encode_text("\u09df" * 71, rules).data_coding == 0


def test_an_escape_is_not_cut_from_its_character():
    rules = TextRules()
    for data in encode_text("x" * 152 + "€" * 20, rules).segments:
        assert not data.endswith(b"\x1b")


def test_the_smsc_splits_what_goes_as_a_payload():
    rules = TextRules(long_form="payload", tables=BOTH)
    assert len(encode_text("x" * 900, rules).segments) == 1
    assert (
        encode_text("ক" * 300, rules).data_coding == rules.ucs2_coding
    )  # it would have to repeat the header of the tables
    assert encode_text("ক" * 100, rules).data_coding == 0


def test_segments_by_optional_parameters_have_no_header_of_their_own():
    encoded = encode_text("x" * 300, TextRules(long_form="sar"))
    assert [len(data) for data in encoded.segments] == [153, 147]
    assert not encoded.has_header


def test_a_text_of_more_than_255_segments_is_refused():
    with pytest.raises(ValueError, match="too long"):
        encode_text("x" * 153 * 256, PLAIN)


# What an SMSC delivers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("coding", "wire", "text"),
    [
        (0, "48692000", "Hi @"),
        (1, "4869", "Hi"),
        (1, "1b2800", "{@"),
        (3, "e9", "é"),
        (6, "bd", "Н"),
        (8, "0995", "ক"),
        (8, "099509", "ক"),
        (0x18, "0995", "ক"),
        (0xF0, "4869", "Hi"),
        (0x10, "4869", "Hi"),
    ],
    ids=range(10),
)
def test_a_text_is_read_by_its_data_coding(coding, wire, text):
    assert decode_part(bytes.fromhex(wire), coding, PLAIN, has_header=False).text == text


@pytest.mark.parametrize("coding", [2, 4, 0xF4, 0x14])
def test_binary_is_no_text(coding):
    with pytest.raises(UnreadableTextError):
        decode_part(b"\x00\x01", coding, PLAIN, has_header=False)


def test_a_reference_of_two_octets_joins_parts_too():
    part = decode_part(bytes.fromhex("060804abcd0302") + b"x", 0, PLAIN, has_header=True)
    assert (part.number, part.total, part.text) == (2, 3, "x")
    assert part.reference != decode_part(bytes.fromhex("0500 03ab0302") + b"x", 0, PLAIN, has_header=True).reference


@pytest.mark.parametrize("header", ["0500 03aa0000", "0500 03aa0203", "0500 03aa0300", "03 000101", "00", "0100"])
def test_a_header_that_makes_no_sense_makes_one_part(header):
    part = decode_part(bytes.fromhex(header) + b"x", 0, PLAIN, has_header=True)
    assert (part.number, part.total) == (1, 1)


@pytest.mark.parametrize("data", [b"", b"\x05\x00", b"\xff"], ids=range(3))
def test_a_header_that_is_longer_than_the_text_is_refused(data):
    with pytest.raises(UnreadableTextError):
        decode_part(data, 0, PLAIN, has_header=True)


def test_a_character_whose_halves_came_in_two_parts_is_whole():
    emoji = "😀".encode("utf-16-be")
    parts = [decode_part(half, 8, PLAIN, has_header=False) for half in (emoji[:2], emoji[2:])]
    assert join_texts(part.text for part in parts) == "😀"
    assert join_texts([parts[0].text]) == "\ufffd"
