"""The menus for a caller of whom not even the number is known: they record nothing, send nothing, and lead nowhere else."""

import pytest

from menus.model import Choice, ListScreen, Menu, Question, Step, successors
from menus.public_screens import PUBLIC_SCREENS
from tests.support.menu_facts import conversation


@pytest.fixture(scope="module")
def menu() -> Menu:
    return conversation().menu


def test_every_public_screen_exists(menu: Menu) -> None:
    assert set(menu.screens) >= PUBLIC_SCREENS


def test_no_public_step_records_reveals_or_sends(menu: Menu) -> None:
    for name in PUBLIC_SCREENS:
        screen = menu.screens[name]
        if isinstance(screen, Step):
            assert not screen.commits, name
            assert not screen.once, name
            assert not screen.effects, name


def test_the_restricted_menu_offers_and_reaches_nothing_else(menu: Menu) -> None:
    public = menu.restrict(PUBLIC_SCREENS)
    for name in PUBLIC_SCREENS:
        screen = public.screens[name]
        if isinstance(screen, Choice | Question):
            assert {option.goto for option in public.options[name].values()} <= PUBLIC_SCREENS
        for goto in successors(screen):
            assert public.resolve_screen(goto, {}).name in PUBLIC_SCREENS


def test_every_screen_that_is_left_out_leads_home(menu: Menu) -> None:
    public = menu.restrict(PUBLIC_SCREENS)
    for name in set(menu.screens) - PUBLIC_SCREENS:
        assert public.resolve_screen(name, {}).name == "main"


def test_options_keep_their_numbers(menu: Menu) -> None:
    public = menu.restrict(PUBLIC_SCREENS)
    assert public.options["main"].items() <= menu.options["main"].items()
    assert "1" in public.options["main"]


def test_a_list_leads_to_public_screens(menu: Menu) -> None:
    lists = [screen for name in PUBLIC_SCREENS if isinstance(screen := menu.screens[name], ListScreen)]
    assert lists
    assert {screen.goto for screen in lists} <= PUBLIC_SCREENS
