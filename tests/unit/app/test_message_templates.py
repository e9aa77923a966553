"""Every SMS text in every language: its registered form, with the variables of a message put in, is the message."""

import unicodedata
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.localization import build_default_language_lookup
from app.settings import load_settings
from app.texts import build_sms_renderer
from core.gsm7 import count_septets
from core.types import SmsText, Template
from menus.rendering.localization import LOCALE_CODES, Locale, parse_template
from menus.rendering.message_templates import build_form, fill_template, list_variables, write_form
from sms.segments import fold_characters
from tests.support.menu_facts import conversation, text_facts
from tests.support.phone import ROOT


def locale(form: str) -> Locale:
    return conversation().locales[form]


def substitute(form: str, variables: tuple[tuple[str, str], ...]) -> str:
    """The registered form with each mark replaced by the value in its place."""
    for _, value in variables:
        form = form.replace("{#var#}", value.replace("{#var#}", ""), 1)
    return form


@pytest.mark.parametrize("form", LOCALE_CODES)
@settings(max_examples=12, deadline=None)
@given(st.data())
def test_every_text_is_its_registered_form_with_its_variables(form: str, data: st.DataObject) -> None:
    words = locale(form)
    for key, template in words.sms.items():
        facts = {name: data.draw(st.none() | values) for name, values in text_facts(template).items()}
        filled = fill_template(template, facts, words.formatters)
        registered = write_form(build_form(template, filled.omitted), "{#var#}")
        assert substitute(registered, filled.variables) == filled.text == words.render(template, facts), key
        assert registered.count("{#var#}") == len(filled.variables), key


@pytest.mark.parametrize("form", LOCALE_CODES)
def test_whatever_is_omitted_the_form_has_only_what_is_left(form: str) -> None:
    for key, template in locale(form).sms.items():
        placeholders = {pair for variable in list_variables(template) for pair in variable.placeholders}
        for left_out in combinations(sorted(placeholders), min(2, len(placeholders))):
            named = {name for name, _ in left_out}
            facts = {name: name.upper() for name, _ in placeholders if name not in named}
            filled = fill_template(template, facts, dict.fromkeys(locale(form).formatters, lambda fact: fact or ""))
            registered = write_form(build_form(template, filled.omitted), "{#var#}")
            assert substitute(registered, filled.variables) == filled.text, key
            assert {name for name, _ in filled.variables}.isdisjoint(filled.omitted), key


@pytest.mark.parametrize("form", LOCALE_CODES)
def test_the_words_of_a_form_are_sent_as_they_are_registered(form: str) -> None:
    """Folding to GSM-7 changes what people typed, never our own words of a text that can be sent so."""
    for key, template in locale(form).sms.items():
        words = write_form(build_form(template), "")
        folded = fold_characters(words)
        assert folded == words or count_septets(folded) is None, key


def fill(source: str, **facts: Any) -> tuple[str, tuple[tuple[str, str], ...], tuple[str, ...]]:
    return tuple(fill_template(parse_template(source), facts, locale("en").formatters))  # type: ignore[return-value]


def test_placeholders_side_by_side_are_one_variable() -> None:
    source = "Paid to {first}{second}, {number:tracking}."
    assert fill(source, second="Water", number="123456789012") == (
        "Paid to Water, 1234 5678 9012.",
        (("first+second", "Water"), ("number", "1234 5678 9012")),
        (),
    )


def test_a_note_at_the_end_that_is_empty_takes_its_space_along() -> None:
    source = "{number}: ready. {note:texts}\nPromised by {promised:date}"
    assert fill(source, number="1", note={"en": "Bring it "}) == (
        "1: ready. Bring it",
        (("number", "1"), ("note", "Bring it")),
        ("promised",),
    )
    assert fill(source, number="1") == ("1: ready.", (("number", "1"),), ("note", "promised"))
    registered = build_form(parse_template(source), ("note", "promised"))
    assert write_form(registered, "{#var#}") == "{#var#}: ready."


def test_a_text_of_both_letters_has_a_template_for_each() -> None:
    render = build_sms_renderer(conversation().locales, load_settings(ROOT / "config.toml", {}))
    text = render("hi", "complaint_moved", {"complaint": "123456789012", "status": "received"})
    assert isinstance(text, SmsText)
    assert text.template is not None
    assert text.latin_template is not None
    assert (text.template.name, text.latin_template.name) == ("complaint_moved-note.hi", "complaint_moved-note.hi_Latn")


def test_a_name_says_what_is_omitted() -> None:
    assert Template("received", "hi", (), ("due", "to_pay_at")).name == "received-due-to_pay_at.hi"
    assert Template("code", "bn_Latn").name == "code.bn_Latn"


def test_bangladesh_is_written_to_in_bengali_letters() -> None:
    """A number of Bangladesh that has chosen nothing; BTRC wants it for all but codes."""
    settings = load_settings(ROOT / "config.toml", {})
    assert build_default_language_lookup(settings)("+8801711000001") == "bn"
    for key, template in locale("bn").sms.items():
        words = write_form(build_form(template), "")
        assert any("BENGALI" in unicodedata.name(letter, "") for letter in words) or not words.strip(": \n.,()"), key
