"""Check that every screen fits with the longest likely facts."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from core.errors import Problem
from core.languages import LATIN_LOCALES
from menus.model import Choice, Form, Goodbye, Question, Screen, Step, number_options
from menus.rendering.clock_times import CLOCK_TERMS, longest_clock_time
from menus.rendering.localization import Locale, ScreenTexts
from menus.rendering.paging import ScreenBudget, ScreenView, SizeLimit, paginate
from menus.rendering.sms_texts import build_sms_locales
from menus.validation.last_screens import list_last_screens
from menus.validation.report import MenuDefinition, locale_problem
from menus.validation.translations import texts_by_key

MAX_PAGES = 3
MAX_UNICODE_PAGES = 8

SAMPLE_FACTS: Mapping[str, Any] = {
    "address": "mohammad.rafiqul.islam@services.example",
    "amount": [500_000, "BDT"],
    "about": "123456789012",
    "pay_account": "123456789012",
    "answer_by": "2026-12-25",
    "begun": "2026-12-25",
    "applied_for": "dependent",
    "beneficiary": "",  # a dependent has no number, and the line about one is longer
    "bringing": 4,
    "changed": "2026-11-21",
    "complaint": "123456789012",
    "promised": "2026-12-25",
    "date": "2026-12-25",
    "days": 120,
    "differing": ["XXXX 1234"],
    "document_holder": "Mohammad Rafiqul Islam Chow",
    "document_issued": "2026-12-25",
    "document_number": "SAMPLE/LIFE/1234567",
    "document_title": "",  # only documents whose kind has no name of its own have one, and those names are as long
    "document_valid": "2026-12-25",
    "due": [500_000, "BDT"],
    "email": "helpdesk@services.example",
    "event_day": "2026-12-25",
    "fee": [500_000, "BDT"],
    "feedback": "123456789012",
    "hint": "XXXX 1234",
    "item": 5,
    "items": 5,
    "known_area": "Mirpur Section 10",
    "known_born": "21-11-1990",
    "known_district": "Dhaka",
    "known_father": "Karim Uddin Chowdhury",
    "known_house": "House 5, Road 27",
    "known_mother": "Ayesha Begum",
    "known_name": "Mohammad Rafiqul Islam Chow",
    "known_phone": "+8801711000002",
    "known_postcode": "1216",
    "last_four": "1234",
    "late": 120,
    "left": 4,
    "name": "Mohammad Rafiqul Islam Chow",
    "number": "123456789012",
    "pay_bill": "600000",
    "phone": "+880 1550-060060",
    "summary": ["Mohammad Rafiqul Islam Chow", "21-11-1990", "House 5, Road 27, Mirpur"],
    "track_key": "2",
}
"""The longest likely facts, by name. Clock times, and names of services, offices and the like, are the longest there are."""


def longest_sample_facts(definition: MenuDefinition, locale_code: str) -> Mapping[str, Any]:
    """The longest likely fact for each placeholder of the locale's texts."""
    locale = definition.locales[locale_code]
    facts = {
        **SAMPLE_FACTS,
        "known_gender": {locale_code: max(locale.terms.get("gender", {}).values(), key=len, default="")},
    }
    for text in texts_by_key(locale).values():
        for name, formatter in text.placeholders:
            if name not in facts and formatter == CLOCK_TERMS:
                facts[name] = longest_clock_time(locale.terms[CLOCK_TERMS])
            elif name not in facts and formatter in locale.formatters:
                codes = definition.codes.get(formatter, ())
                facts[name] = max(codes, key=lambda code, say=locale.formatters[formatter]: len(say(code)), default="")  # type: ignore[misc]
    return facts


class _Rendering(NamedTuple):
    """One way to display the screens of a locale.

    `page_label` is what messages call a page. Questions, goodbyes and the home screen may take `max_question_pages`, all other
    screens `max_menu_pages`.
    """

    locale: Locale
    limit: SizeLimit
    page_label: str
    max_question_pages: int
    max_menu_pages: int

    def max_pages(self, screen: Screen, home: str) -> int:
        """The number of pages that a screen may take."""
        return (
            self.max_question_pages
            if isinstance(screen, Question | Form | Goodbye) or screen.name == home
            else self.max_menu_pages
        )


def find_size_problems(definition: MenuDefinition, locale_code: str) -> Iterator[Problem]:
    """Every screen, and every question of a form, that takes too many pages in one of the renderings."""
    facts = longest_sample_facts(definition, locale_code)
    for rendering in _renderings(definition, locale_code):
        for screen in definition.menu.screen_list:
            if isinstance(screen, Form):
                yield from _form_size_problems(definition, locale_code, rendering, screen)
            elif not isinstance(screen, Step):
                page_limit = rendering.max_pages(screen, definition.menu.home)
                for problem in _size_problem(
                    longest_view(screen, definition, rendering.locale, facts), rendering, page_limit
                ):
                    yield locale_problem(definition, locale_code, (screen.name, "text"), *problem)
    yield from _last_screen_problems(definition, locale_code, facts)


def _last_screen_problems(definition: MenuDefinition, locale_code: str, facts: Mapping[str, Any]) -> Iterator[Problem]:
    """The screens that must end the call and do not fit on one page of the smallest screen."""
    locale = definition.locales[locale_code]
    budget = definition.smallest_budget._replace(unicode=locale_code not in LATIN_LOCALES)
    for name in sorted(list_last_screens(definition.menu)):
        view = longest_view(definition.menu.screens[name], definition, locale, facts)
        if paginate(view, budget).has_more:
            limit = f"{budget.units} units" if budget.unicode else f"{budget.septets} septets"
            problem = f"this screen must end the call, but {len(view.text)} characters do not fit on one of {limit}"
            yield locale_problem(definition, locale_code, (name, "text"), problem, "use fewer words")


def _renderings(definition: MenuDefinition, locale_code: str) -> Iterator[_Rendering]:
    """On screens and by SMS in the script of the locale. A question in Latin script has one page."""
    locale = definition.locales[locale_code]
    if locale_code in LATIN_LOCALES:
        yield _Rendering(locale, definition.budget, "screen", 1, MAX_PAGES)
    else:
        unicode = ScreenBudget(definition.budget.septets, definition.budget.units, unicode=True)
        yield _Rendering(locale, unicode, "screen", MAX_UNICODE_PAGES, MAX_UNICODE_PAGES)
    if definition.sms_limit is not None:
        yield _Rendering(
            build_sms_locales(definition.locales, definition.menu)[locale_code],
            definition.sms_limit,
            "SMS page",
            1,
            MAX_PAGES,
        )


def longest_view(screen: Screen, definition: MenuDefinition, locale: Locale, facts: Mapping[str, Any]) -> ScreenView:
    """A screen as it is shown with these facts; a list has no rows."""
    texts: ScreenTexts = locale.screens[screen.name]
    options: tuple[tuple[str, str], ...] = ()
    if isinstance(screen, Choice | Question):
        options = tuple(
            (key, locale.render(texts.options[option.name], facts)) for key, option in number_options(screen.options)
        )
    back = "" if isinstance(screen, Goodbye) or screen.name == definition.menu.home else _longest_back_label(locale)
    return ScreenView(locale.render(texts.text, facts), options, back, locale.common["more"])


def _longest_back_label(locale: Locale) -> str:
    """The longer label of `0`: back or home."""
    return max(locale.common["back"], locale.common["home"], key=len)


def _size_problem(view: ScreenView, rendering: _Rendering, max_pages: int) -> Iterator[tuple[str, str]]:
    if paginate(view, rendering.limit, max_pages - 1).has_more:
        cost = " and ".join((_pluralize(len(view.text), "character"), _pluralize(len(view.options), "option")))
        yield f"{cost} need more than {_pluralize(max_pages, rendering.page_label)}", "use fewer words"


def _pluralize(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number or 'no'} {what}s"


def _form_size_problems(
    definition: MenuDefinition, locale_code: str, rendering: _Rendering, screen: Form
) -> Iterator[Problem]:
    """The problems of the catalogue's questions in each language."""
    for where, view in longest_form_views(definition, rendering.locale, screen):
        for problem in _size_problem(view, rendering, rendering.max_pages(screen, definition.menu.home)):
            yield Problem("catalogue", 0, f"{where} ({locale_code})", *problem)


def longest_form_views(definition: MenuDefinition, locale: Locale, screen: Form) -> Iterator[tuple[str, ScreenView]]:
    """Every question of a form in a language, with its place in the catalogue."""
    for where, labels in definition.field_labels:
        question = locale.render(locale.screens[screen.name].text, {**SAMPLE_FACTS, "label": labels})
        yield where, ScreenView(question, back_label=_longest_back_label(locale))
