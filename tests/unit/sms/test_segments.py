"""How an SMS is counted and cut, beside another library's count and the rules of the air interface."""

from decimal import Decimal
from itertools import pairwise

import pytest
import regex
import smsutil
from hypothesis import assume, example, given
from hypothesis import strategies as st

from core.gsm7 import BASIC_CHARACTERS, EXTENSION_CHARACTERS, count_septets, count_utf16_units
from sms.segments import (
    PLAIN_REPLACEMENTS,
    SmsPreview,
    SmsSize,
    fits_segments,
    fold_to_gsm7,
    measure,
    preview_cost,
    split_segments,
)

FAMILY = "👨‍👩‍👧"  # 8 UTF-16 units, one grapheme
KSSHI = "ক্ষি"  # 4 units, one grapheme

gsm = st.text(alphabet=BASIC_CHARACTERS + EXTENSION_CHARACTERS, max_size=500)
pieces = st.sampled_from(
    [
        *"abc ’“—…\u00a0€[]\n",
        "\r\n",
        "বাংলা ",
        KSSHI,
        "हिन्दी ",
        "स्थिति",
        "👍",
        "👍🏽",
        FAMILY,
        "e\u0301",
        "é",
        "ç",
        "\U0001f1e7\U0001f1e9",
        "x" * 60,
    ]
)
written = st.one_of(gsm, st.text(max_size=400), st.lists(pieces, max_size=80).map("".join))


def graphemes(text):
    return regex.findall(r"\X", text)


def has_single_character_graphemes(text):
    """Whether every character is a grapheme, so that who cuts between characters cuts between graphemes."""
    return len(graphemes(text)) == len(text)


def cost(text, alphabet):
    return count_septets(text) if alphabet == "gsm7" else count_utf16_units(text)


# Sizes ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", SmsSize(0, 0, 160, "gsm7")),
        ("a" * 160, SmsSize(1, 160, 160, "gsm7")),
        ("a" * 161, SmsSize(2, 161, 153, "gsm7")),
        ("a" * 306, SmsSize(2, 306, 153, "gsm7")),
        ("a" * 307, SmsSize(3, 307, 153, "gsm7")),
        ("€" * 80, SmsSize(1, 160, 160, "gsm7")),
        ("€" * 81, SmsSize(2, 162, 153, "gsm7")),
        ("€" * 153, SmsSize(3, 306, 153, "gsm7")),  # 76 escapes and no half one in each
        ("a" * 152 + "€" + "a" * 152, SmsSize(3, 306, 153, "gsm7")),  # the escape would straddle the boundary
        ("ক" * 70, SmsSize(1, 70, 70, "ucs2")),
        ("ক" * 71, SmsSize(2, 71, 67, "ucs2")),
        ("ক" * 134, SmsSize(2, 134, 67, "ucs2")),
        ("ক" * 135, SmsSize(3, 135, 67, "ucs2")),
        ("👍" * 35, SmsSize(1, 70, 70, "ucs2")),
        ("👍" * 36, SmsSize(2, 72, 67, "ucs2")),
        ("👍" * 67, SmsSize(3, 134, 67, "ucs2")),  # 33 pairs in a segment, and a unit left over
    ],
)
def test_what_a_text_takes(text, size):
    assert measure(text) == size
    assert len(split_segments(text)) == size.segments


def test_one_curly_quote_does_not_make_two_segments():
    curly = "The officer’s answer is ready: please bring the old card and the slip to the counter before noon."

    assert measure(curly) == SmsSize(1, len(curly), 160, "gsm7")
    assert split_segments(curly) == [curly.replace("’", "'")]


# Cutting -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("a" * 152 + "€" + "b" * 20, ["a" * 152, "€" + "b" * 20]),
        ("a" * 152 + "\r\n" + "b" * 20, ["a" * 152, "\r\n" + "b" * 20]),
        ("ক" * 66 + "👍" + "খ" * 9, ["ক" * 66, "👍" + "খ" * 9]),
        ("ক" * 65 + KSSHI + "খ" * 9, ["ক" * 65, KSSHI + "খ" * 9]),
        ("ক" * 60 + FAMILY + "খ" * 9, ["ক" * 60, FAMILY + "খ" * 9]),
        ("ক" * 66 + "न" + "ि" + "खग" * 4, ["ক" * 66, "नि" + "खग" * 4]),
    ],
)
def test_what_belongs_together_stays_together(text, cut):
    assert split_segments(text) == cut


def test_a_grapheme_longer_than_a_segment_is_cut_between_its_characters():
    tower = "ক" + "👍\u200d" * 40

    assert "".join(split_segments(tower)) == tower
    assert [count_utf16_units(part) for part in split_segments(tower)][:1] == [67]


@given(written, st.integers(0, 4))
def test_a_text_fits_the_segments_that_it_takes_and_no_fewer(text, limit):
    assert fits_segments(text, limit) == (measure(text).segments <= limit)


@given(written)
def test_the_parts_are_the_text_as_it_is_sent_and_each_fits(text):
    cut, size = split_segments(text), measure(text)

    assert "".join(cut) == fold_to_gsm7(text)
    assert len(cut) == size.segments
    assert all(part and cost(part, size.alphabet) <= size.units_per_segment for part in cut)


@given(written)
@example("ক" * 64 + KSSHI * 40)
def test_no_part_begins_inside_a_grapheme_that_a_segment_could_have_held(text):
    cut, size = split_segments(text), measure(text)
    begins, at = set(), 0
    for part in cut:
        begins.add(at)
        at += len(part)
    at = 0
    for grapheme in graphemes(fold_to_gsm7(text)):
        if cost(grapheme, size.alphabet) <= size.units_per_segment:
            assert not begins & set(range(at + 1, at + len(grapheme))), grapheme
        at += len(grapheme)


@given(written)
def test_no_part_could_have_held_more(text):
    size = measure(text)

    for part, after in pairwise(split_segments(text)):
        first = graphemes(after)[0]
        assume(cost(first, size.alphabet) <= size.units_per_segment)
        assert cost(part, size.alphabet) + cost(first, size.alphabet) > size.units_per_segment


# Beside another library ----------------------------------------------------------------------------------------------
# smsutil counts an empty text as one part and the escape character as GSM-7, and it cuts between characters: through
# graphemes, and between a carriage return and its line feed. It folds nothing, so it is asked about what is sent.


def smsutil_count(text):
    result = smsutil.split(text)
    return ["ucs2" if result.encoding == "utf_16_be" else "gsm7", *(part.content for part in result.parts)]


@given(written.filter(lambda text: text and "\x1b" not in text))
@example("a" * 152 + "€" + "a" * 152)
@example("👍" * 67)
def test_another_library_cuts_the_same_where_every_character_is_a_grapheme(text):
    assume(fold_to_gsm7(text) and has_single_character_graphemes(fold_to_gsm7(text)))

    assert smsutil_count(fold_to_gsm7(text)) == [measure(text).alphabet, *split_segments(text)]


@given(written.filter(lambda text: text and "\x1b" not in text))
def test_to_keep_graphemes_whole_never_takes_fewer_segments_than_another_library_counts(text):
    assume(fold_to_gsm7(text))
    alphabet, *cut = smsutil_count(fold_to_gsm7(text))

    assert alphabet == measure(text).alphabet
    assert len(cut) <= measure(text).segments
    if len(cut) == 1:
        assert measure(text).segments == 1


@given(gsm.filter(bool))
def test_another_library_encodes_every_part_in_as_many_septets(text):
    for part in split_segments(text):
        assert len(part.encode("gsm0338")) == count_septets(part) <= measure(text).units_per_segment


# Folding -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("“Ready” – bring the slip…", '"Ready" - bring the slip...'),
        ("Tk\u00a0250\u202fonly", "Tk 250 only"),
        ("«Oui»\u200b\ufeff", '"Oui"'),
        ("cafe\u0301’s", "café's"),
        ("one\ttwo\u2028three", "one two\nthree"),
    ],
)
def test_typography_is_folded_where_that_saves_segments(typed, sent):
    long = " and much more to be said of it" * 3

    assert fold_to_gsm7(typed + long) == sent + long
    assert fold_to_gsm7(typed) == typed, "one segment either way"


@pytest.mark.parametrize(
    "text",
    [
        "আপনার আবেদন “গৃহীত” – ধন্যবাদ… " * 5,  # needs UCS-2 anyway, where an ellipsis is one unit and three dots are three
        "François’s licence " * 8,  # the small c with a cedilla is not in GSM-7, and a name is not respelt
        "plain " * 40,
    ],
)
def test_nothing_is_folded_where_it_saves_nothing(text):
    assert fold_to_gsm7(text) == text


def test_everything_that_is_folded_becomes_gsm_7():
    assert all(count_septets(plain) == len(plain) for plain in PLAIN_REPLACEMENTS.values())
    assert all(count_septets(character) is None for character in PLAIN_REPLACEMENTS)


@given(written)
def test_folding_never_costs_and_is_done_once(text):
    assert fold_to_gsm7(fold_to_gsm7(text)) == fold_to_gsm7(text)
    assert fold_to_gsm7(text) == text or measure(text).segments < -(-count_utf16_units(text) // 67)


# Cost ----------------------------------------------------------------------------------------------------------------


def test_a_preview_says_what_an_sms_costs_and_why():
    text = "৳" + "a" * 70

    assert preview_cost(text, Decimal("0.80"), recipients=1000) == SmsPreview(
        text, SmsSize(2, 71, 67, "ucs2"), Decimal("1600.00"), 0, "৳"
    )


def test_a_preview_says_what_folding_saved():
    seen = preview_cost("It’s " + "a" * 140, Decimal("0.80"))

    assert (seen.size.segments, seen.saved_segments, seen.price, seen.non_gsm7_characters) == (
        1,
        2,
        Decimal("0.80"),
        "",
    )
