"""Where a caller stands as a page for their screen; a screen that says the same to everybody is laid out once."""

from collections.abc import Mapping

from menus.engine import Reached
from menus.model import Menu
from menus.showing import lies_behind, show
from menus.words import LATIN, Words
from screens.pages import Page, Room, fit


class Layout:
    """A menu in every form of every language, on every size of screen."""

    def __init__(self, menu: Menu, words: Mapping[str, Words]) -> None:
        """`words` by form, as `menus.words.for_screens` gives them."""
        self._menu = menu
        self._words = words
        self._fixed = {form: _fixed(menu, spoken) for form, spoken in words.items()}
        self._pages: dict[tuple[str, str, bool, Room], Page] = {}

    def words_for(self, language: str, budget: Room) -> Words:
        """The words of a language in the form that such a screen can show."""
        return self._words[_form(language, budget)]

    def page(self, reached: Reached, budget: Room) -> Page:
        """What the screen of a caller shows who got there."""
        place = reached.place
        if reached.refused or place.page or place.facts.get("consent"):
            return self._laid_out(reached, budget)
        kind = (place.screen, place.language, lies_behind(place), budget)
        page = self._pages.get(kind)
        if page is None:
            page = self._laid_out(reached, budget)
            if place.screen in self._fixed[_form(place.language, budget)]:
                self._pages[kind] = page
        return page

    def _laid_out(self, reached: Reached, budget: Room) -> Page:
        words = self.words_for(reached.place.language, budget)
        return fit(show(self._menu, reached, words), budget, reached.place.page)


def _form(language: str, budget: Room) -> str:
    return language if budget.unicode else LATIN[language]


def _fixed(menu: Menu, words: Words) -> frozenset[str]:
    """The choices and questions whose words name no fact."""
    return frozenset(name for name in menu.options if words.screens[name].fixed)
