"""Render the position of a caller as a page. The pages of static screens are cached."""

from collections.abc import Mapping

from core.languages import LATIN_SUFFIX
from menus.model import Menu, Navigation
from menus.rendering.localization import Locale
from menus.rendering.paging import Page, SizeLimit, paginate
from menus.rendering.view import build_view, can_go_back


class Renderer:
    """Renders a menu in every locale and for every screen size."""

    def __init__(self, menu: Menu, locales: Mapping[str, Locale]) -> None:
        """`locales` by code, as `localization.build_screen_locales` returns them."""
        self._menu = menu
        self._locales = locales
        self._static_screens = {form: _find_static_screens(menu, locale) for form, locale in locales.items()}
        self._pages: dict[tuple[str, str, bool, SizeLimit], Page] = {}

    def locale_for(self, language: str, limit: SizeLimit) -> Locale:
        """The locale of a language for a screen of this size."""
        return self._locales[_locale_code(language, limit)]

    def render_page(self, navigation: Navigation, limit: SizeLimit) -> Page:
        """The page at the caller's position."""
        position = navigation.position
        if navigation.invalid or position.page or position.facts.get("consent"):
            return self._render(navigation, limit)
        kind = (position.screen, position.language, can_go_back(position), limit)
        page = self._pages.get(kind)
        if page is None:
            page = self._render(navigation, limit)
            if position.screen in self._static_screens[_locale_code(position.language, limit)]:
                self._pages[kind] = page
        return page

    def _render(self, navigation: Navigation, limit: SizeLimit) -> Page:
        locale = self.locale_for(navigation.position.language, limit)
        return paginate(build_view(self._menu, navigation, locale), limit, navigation.position.page)


def _locale_code(language: str, limit: SizeLimit) -> str:
    return language if limit.unicode else language + LATIN_SUFFIX


def _find_static_screens(menu: Menu, locale: Locale) -> frozenset[str]:
    """The choices and questions that are the same for everybody: no placeholder, no option that depends on the facts."""
    return frozenset(name for name in menu.options.keys() - menu.conditional_screens if locale.screens[name].is_static)
