"""Every screen in every language with any likely facts: no screen exceeds its budget, no option is lost."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.gsm7 import count_septets, count_utf16_units
from core.validation import Invalid
from menus.model import Form, Goodbye, ListScreen, Navigation, Position, Step
from menus.rendering.localization import Locale, build_screen_locales
from menus.rendering.paging import ScreenBudget, iter_pages
from menus.rendering.view import build_view
from tests.support.menu_facts import conversation, draw_facts

ROOT = Path(__file__).parents[3]


@settings(max_examples=5, deadline=None)
@given(st.data())
def test_no_list_and_no_form_goes_unwalked(data: st.DataObject) -> None:
    said = data.draw(draw_facts())
    asked = [it for it in conversation().menu.screen_list if isinstance(it, ListScreen | Form)]

    empty = [it.name for it in asked if not (it.fields(said) if isinstance(it, Form) else it.rows(said))]

    assert empty == []


@pytest.mark.parametrize("unicode", [True, False], ids=["Unicode", "Latin"])
@pytest.mark.parametrize("language", ["en", "bn", "hi"])
@settings(max_examples=12, deadline=None)
@given(st.data())
def test_every_screen_fits_and_shows_every_option(language: str, unicode: bool, data: st.DataObject) -> None:
    menu, words = conversation().menu, build_screen_locales(conversation().locales)
    spoken = words[language if unicode else f"{language}_Latn"]
    budget = ScreenBudget(data.draw(st.integers(120, 182)), data.draw(st.integers(66, 80)), unicode=unicode)
    said = data.draw(draw_facts())
    refused = data.draw(st.sampled_from([None, Invalid("not_an_option", {"first": "1", "last": "8"})]))
    for screen in menu.screen_list:
        if isinstance(screen, Step):
            continue
        trail = () if isinstance(screen, Goodbye) else (("main", 0),)
        assert_screen_fits(
            menu, Navigation(Position(screen.name, language, history=trail, facts=said), refused), spoken, budget
        )


def assert_screen_fits(menu: Any, reached: Navigation, spoken: Locale, budget: ScreenBudget) -> None:
    showing = build_view(menu, reached, spoken)
    shown = ""
    for page in iter_pages(showing, budget):
        cost = count_septets(page.text)
        assert cost is not None or budget.unicode, reached.position.screen
        taken, most = (count_utf16_units(page.text), budget.units) if cost is None else (cost, budget.septets)
        assert taken + len("CON ") <= most, f"{reached.position.screen} in {spoken.code}: {page.text}"
        shown = f"{shown}\n{page.text}"
    for key, _ in showing.options:
        assert f"\n{key} " in shown, f"{reached.position.screen} in {spoken.code} loses {key}"
