"""The 7-bit alphabets agree with another implementation of the standard, and decode what they encode."""

import gsmcodecs
import pytest

from providers.smpp.alphabets import DEFAULT, ESCAPE, LOCKING, NONE, SINGLE, Tables, UnencodableError

assert gsmcodecs  # its import registers the codecs
COMMA = 0x2C  # where the package has an apostrophe, and telephones a comma
ALL = [Tables(locking, single) for locking in LOCKING for single in SINGLE]


@pytest.mark.parametrize("locking", [4, 6], ids=["Bengali", "Hindi"])
def test_a_locking_table_is_that_of_another_implementation(locking):
    others = {septet: read(bytes([septet]), f"gsm23.038-{locking}-0") for septet in range(128) if septet != ESCAPE}
    ours = dict(enumerate(LOCKING[locking]))
    differing = {septet for septet, character in others.items() if character != ours[septet]}
    assert differing == {COMMA}
    assert ours[COMMA] == ","


@pytest.mark.parametrize("single", [0, 4, 6], ids=["default", "Bengali", "Hindi"])
def test_a_single_shift_table_is_that_of_another_implementation(single):
    for septet in set(range(128)) - {ESCAPE}:
        other = read(bytes([ESCAPE, septet]), f"gsm23.038-0-{single}")
        assert SINGLE[single].get(septet, NONE) in {other, NONE if other == DEFAULT[septet] else other}


@pytest.mark.parametrize("tables", ALL, ids=str)
def test_every_character_of_the_tables_is_read_as_it_was_written(tables):
    for character in {*LOCKING[tables.locking], *SINGLE[tables.single].values()} - {NONE}:
        assert tables.decode(tables.encode(character)) == character


def test_a_character_that_the_tables_do_not_have_is_refused():
    for text in ("আমার", "।"):
        with pytest.raises(UnencodableError):
            Tables().encode(text)
    with pytest.raises(UnencodableError):
        Tables(4, 4).encode("।")  # Hindi has the danda, Bengali does not
    assert Tables(6, 6).encode("।") == b"\x1b\x19"


def test_an_escape_before_a_septet_that_has_no_second_meaning_is_left_out():
    assert Tables().decode(b"\x1bA\x1b\x1b") == "A\ufffd"
    assert Tables(4, 4).decode(b"\x0c\x4d") == "\ufffdহ"


def read(septets, codec):
    try:
        return septets.decode(codec)
    except UnicodeDecodeError:
        return NONE
