"""L2: a name has no control or bidi character, is no formula and no address; other texts lose what is not seen."""

import csv
import io
import unicodedata
from datetime import date

import pytest

from core.foreign_text import FORMULA_STARTS, break_links, escape_formula
from core.person_names import parse_person_name
from core.typed_input import JOINERS, clean_text
from menus import validators
from menus.journeys.complaints import complaint_text
from services.audit.export import _csv_line
from services.catalogue.field_validation import validate_answer
from services.catalogue.models import Field

TODAY = date(2026, 11, 30)
UNSEEN = [
    *(chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))),
    *"\u00ad\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2028\u2029\u2060\u2066\u2067\u2068\u2069\ufeff\ufff9",
    "\U000e0041",
    "\ue000",
]
"""Control characters, invisible ones, those that change the direction, tags, and characters for private use."""
NO_NAMES = [
    "=HYPERLINK(…)",
    '=HYPERLINK("http://evil.example","Amina")',
    "@SUM(1+1)",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "-Amina",
    "'Amina",
    ".Amina",
    "http://evil.example",
    "https://evil.example/Amina",
    "amina@evil.example",
    "Amina <amina@evil.example>",
    "Amina; drop",
    "{link}",
    "%s",
    "Amina 5",
    "12345",
    "<b>Amina</b>",
    "Amina\\n",
    "🙂",
    "...",
    "",
]
NAMES = [
    "Amina Begum",
    "Md. Abdul Karim",
    "A.K.M. Fazlul Huq",
    "O'Neil",
    "D’Souza",
    "Anne-Marie",
    "আমিনা বেগম",
    "মোঃ আব্দুল করিম",
    "श्रीमती कमला देवी",
    "محمد",
    "Núñez",
    "Ng'ang'a wa Mũgo",
    "ক্\u200cষ",
]


def validate_both(text: str) -> list[object]:
    """What the menus and the forms of the catalogue make of a name: the stored value, or None."""
    field = Field(name="holder", kind="name", labels={"en": "Name"})
    results = validators.person_name(text, TODAY), validate_answer(field, text, TODAY)
    return [getattr(result, "value", None) for result in results]


@pytest.mark.parametrize("text", NO_NAMES)
def test_l2_what_is_no_name_is_rejected(text: str) -> None:
    assert validate_both(text) == [None, None]


@pytest.mark.parametrize("name", NAMES)
def test_l2_names_of_every_script_are_accepted(name: str) -> None:
    stored = unicodedata.normalize("NFC", name)
    assert validate_both(name) == [stored, stored]


def test_l2_menus_and_forms_accept_the_same_and_nothing_unseen_is_stored() -> None:
    for unseen in UNSEEN:
        for text in (f"Amina{unseen}Begum", f"{unseen}Amina Begum", f"Amina Begum{unseen}"):
            menu, form = validate_both(text)
            assert menu == form, repr(text)
            assert menu is not None
            assert not set(str(menu)) & set(UNSEEN), repr(text)


@pytest.mark.parametrize(
    ("typed", "stored"), [("Md.Karim", "Md. Karim"), ("evil.example", "evil. example"), ("www.t.me", "www.t. me")]
)
def test_l2_a_name_is_no_host(typed: str, stored: str) -> None:
    assert parse_person_name(typed) == stored
    assert break_links(stored) == stored


def test_l2_complaints_keep_their_words_and_lose_what_is_not_seen() -> None:
    for unseen in UNSEEN:
        text = complaint_text(f"No {unseen}water since\u200d May.{unseen}\nCall me", TODAY)
        stored = str(getattr(text, "value", ""))
        assert not set(stored) & set(UNSEEN)
        assert stored.replace(JOINERS[1], "").split() == ["No", "water", "since", "May.", "Call", "me"]
        assert clean_text(stored) == stored


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see http://evil.example/x?y=1", "see http[:]//evil[.]example/x?y=1"),
        ("write to a.b@evil.example", "write to a.b[@]evil[.]example"),
        ("www.evil.example", "www[.]evil[.]example"),
        ("HTTPS://EVIL.EXAMPLE", "HTTPS[:]//EVIL[.]EXAMPLE"),
        ("Rs. 500, 12.5 km. Thanks.", "Rs. 500, 12.5 km. Thanks."),
        ("পানি নেই। আবার কবে?", "পানি নেই। আবার কবে?"),
    ],
)
def test_l2_a_mail_of_other_peoples_words_has_no_link(text: str, shown: str) -> None:
    assert break_links(text) == shown


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_l2_no_cell_of_an_export_is_a_formula(start: str) -> None:
    (cells,) = csv.reader(io.StringIO(_csv_line([f"{start}1+1", "plain", 7, None])))
    assert cells == [f"'{start}1+1", "plain", "7", ""]
    assert escape_formula("a=b") == "a=b"
