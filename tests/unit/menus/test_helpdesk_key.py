"""A screen that sends its reader to the helpdesk has the key to the helpdesk's number."""

import pytest

from menus.model import Navigation, Position
from menus.rendering.localization import build_screen_locales
from menus.rendering.paging import ScreenBudget, paginate
from menus.rendering.view import build_view
from tests.support.menu_facts import conversation

SCREENS = ("frozen", "codes_spent", "sim_replaced", "number_unproved", "operator_suspended", "sim_unknown")
HELP_KEY = "7"


def view_screen(name: str, form: str):
    place = Position(name, form.removesuffix("_Latn"))
    return build_view(conversation().menu, Navigation(place), build_screen_locales(conversation().locales)[form])


@pytest.mark.parametrize("form", ["en_Latn", "bn_Latn", "hi_Latn"])
@pytest.mark.parametrize("name", SCREENS)
def test_the_key_to_the_number_is_on_the_first_page_in_latin_letters(name: str, form: str) -> None:
    page = paginate(view_screen(name, form), ScreenBudget(unicode=False))

    assert f"\n{HELP_KEY} " in page.text, page.text


@pytest.mark.parametrize("form", ["bn", "hi"])
@pytest.mark.parametrize("name", SCREENS)
def test_the_key_works_on_every_page_in_other_letters(name: str, form: str) -> None:
    """70 letters do not hold it on the first page; whoever heard of the key can press it at once."""
    assert HELP_KEY in dict(view_screen(name, form).options)
    options = conversation().menu.offered_options(name, {})
    assert options[HELP_KEY].goto == "get_help"
