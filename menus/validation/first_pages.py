"""Find screens whose first page does not say what they are for, and pages that are less than half full.

A caller turns every page by a key press and reads the first one. On a screen of 70 units it shows what the caller came for: the
fact that the screen names (`key_fact`), an option or a row, or the whole text, which is more than a name. A test holds the
shipped texts and catalogue to this; a deployment may have a service with a longer name.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from core.errors import Problem
from core.languages import LATIN_LOCALES
from menus.model import Choice, Form, ListScreen, Step
from menus.rendering.localization import Locale
from menus.rendering.paging import MORE_KEY, Page, ScreenView, SizeLimit, iter_pages
from menus.validation.report import MenuDefinition, locale_problem
from menus.validation.screen_size import longest_form_views, longest_sample_facts, longest_view

SAMPLE_ROWS: Final = 6


def find_first_page_problems(definition: MenuDefinition, locale_code: str) -> Iterator[Problem]:
    """The problems of every screen, and every question of a form, with the longest likely facts."""
    locale, facts = definition.locales[locale_code], longest_sample_facts(definition, locale_code)
    budget = definition.budget._replace(unicode=locale_code not in LATIN_LOCALES)
    for screen in definition.menu.screen_list:
        if isinstance(screen, Form):
            for where, view in longest_form_views(definition, locale, screen):
                for problem in _find_half_empty_pages(list(iter_pages(view, budget)), budget):
                    yield Problem("catalogue", 0, f"{where} ({locale_code})", *problem)
        elif not isinstance(screen, Step):
            view = longest_view(screen, definition, locale, facts)
            view = _with_sample_rows(view, screen, locale, facts) if isinstance(screen, ListScreen) else view
            pages = list(iter_pages(view, budget))
            problems = list(_find_half_empty_pages(pages, budget))
            if isinstance(screen, Choice | ListScreen) and len(pages) > 1:
                problems += _find_empty_first_page(screen, _content(pages[0]), view, locale, facts)
            for problem in problems:
                yield locale_problem(definition, locale_code, (screen.name, "text"), *problem)


def _with_sample_rows(view: ScreenView, screen: ListScreen, locale: Locale, facts: Mapping[str, Any]) -> ScreenView:
    row = locale.screens[screen.name].row
    label = locale.render(row, facts) if row else ""
    return view._replace(options=tuple((str(number), label) for number in range(1, SAMPLE_ROWS + 1)))


def _content(page: Page) -> str:
    """The page without the ways to the next and the previous one."""
    return page.text.partition(f"\n{MORE_KEY} ")[0]


def _find_half_empty_pages(pages: Sequence[Page], limit: SizeLimit) -> Iterator[tuple[str, str]]:
    for number, page in enumerate(pages[:-1], 1):
        content = _content(page)
        if limit.fits(page.text.replace(content, f"{content}\n{content}", 1)):
            yield f"page {number} is less than half full", "join short lines, or use shorter words"


def _find_empty_first_page(
    screen: Choice | ListScreen, first: str, view: ScreenView, locale: Locale, facts: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """What is wrong with the content of the first of several pages."""
    keys = {key for key, _ in view.options}
    if any(line.partition(" ")[0] in keys for line in first.split("\n")):
        return
    key_fact, is_question = (screen.key_fact, bool(screen.save_as)) if isinstance(screen, Choice) else ("", False)
    if key_fact:
        if not any(beginning in first for beginning in _fact_beginnings(screen.name, key_fact, locale, facts)):
            yield f"page 1 does not say {{{key_fact}}}", "put it first"
    elif is_question and view.text not in first:
        yield "page 1 has no option", "use fewer words before the options"
    elif first.rstrip(",:") in _lines_of_facts(screen.name, locale, facts):
        yield "page 1 has nothing but a name", "join the lines"


def _fact_beginnings(name: str, key_fact: str, locale: Locale, facts: Mapping[str, Any]) -> Iterator[str]:
    """How the key fact begins: its first word, in each of its formats."""
    for fact, formatter in locale.screens[name].text.placeholders:
        if fact == key_fact and (said := locale.formatters[formatter](facts.get(fact))):
            yield said.partition(" ")[0]


def _lines_of_facts(name: str, locale: Locale, facts: Mapping[str, Any]) -> Iterator[str]:
    """The lines of the screen that have no word of their own."""
    for line in locale.screens[name].text.lines:
        if not any(character.isalpha() for literal, _, _ in line for character in literal):
            said = [literal + (locale.formatters[way](facts.get(fact)) if fact else "") for literal, fact, way in line]
            yield "".join(said)
