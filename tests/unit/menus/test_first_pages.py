"""The first page of every screen in every form with the longest likely facts: finding 1.3 of the field report."""

import pytest

from app.menu import build_menu_definition
from core.languages import LATIN_LOCALES, LOCALE_CODES
from core.validation import Invalid
from menus.model import Choice, Goodbye, ListScreen, Navigation, Option, Position
from menus.rendering.localization import build_screen_locales
from menus.rendering.paging import ScreenBudget, ScreenView, paginate
from menus.rendering.view import build_view
from menus.validation.first_pages import find_first_page_problems
from menus.validation.report import MenuDefinition
from tests.support.menu_facts import conversation
from tests.support.small_menu import build_report, locale_sources_for

LONGEST_REFUSAL_FACTS = {
    "first": "1",
    "last": "12",
    "key": "7",
    "keys": "1, 2, 3, 4, 7",
    "digits": 11,
    "most": 120,
    "least": 500,
    "earliest": "1906-12-25",
    "latest": "2026-12-25",
    "lengths": "10, 13, 17",
}
"""The longest likely facts of the notes about a rejected input."""


def shipped_definition() -> MenuDefinition:
    checked = conversation()
    return build_menu_definition(checked.menu, checked.services.current_catalogue.snapshot, checked.locales)


@pytest.mark.parametrize("form", LOCALE_CODES)
def test_the_first_page_of_every_screen_has_its_content_and_no_page_is_half_empty(form: str) -> None:
    assert [str(problem) for problem in find_first_page_problems(shipped_definition(), form)] == []


TREE = (
    Choice("main", (Option("help", goto="rows"),)),
    Choice("status", (Option("help", goto="main"),), key_fact="status"),
    Choice("question", (Option("help", goto="main"),), save_as="question"),
    ListScreen("rows", lambda _: (), save_as="office", goto="status", goto_if_empty="question"),
    Goodbye("stuck"),
)
LONG_NAME = "একটি অনেক লম্বা নামের সরকারি সেবা"


@pytest.mark.parametrize(
    ("screen", "text", "problem"),
    [
        ("status", f"{LONG_NAME} {LONG_NAME}\n{{status}}", "page 1 does not say {status}; put it first"),
        ("question", f"{LONG_NAME}, {LONG_NAME}", "page 1 has no option; use fewer words before the options"),
        ("rows", f"{{name}}\n{LONG_NAME}", "page 1 has nothing but a name; join the lines"),
        ("main", f"ছোট\n{'অ' * 57}", "page 1 is less than half full; join short lines"),
    ],
)
def test_a_page_without_content_is_found(screen: str, text: str, problem: str) -> None:
    sources = dict(locale_sources_for(TREE))
    before, _, after = sources["bn"].partition(f"[{screen}]\ntext = ")
    sources["bn"] = f'{before}[{screen}]\ntext = """{text}"""\n{after.partition(chr(10))[2]}'
    facts = {"name": LONG_NAME, "status": "Received"}
    definition = build_report(TREE, sources)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("menus.validation.first_pages.longest_sample_facts", lambda *_: facts)
        found = [str(one).partition(": ")[2] for one in find_first_page_problems(definition, "bn")]
    assert any(one.startswith(f"{screen}.text: {problem}") for one in found), found


@pytest.mark.parametrize("form", LOCALE_CODES)
def test_every_note_about_a_rejected_input_fits_on_a_page_whole(form: str) -> None:
    """Minor of finding 1.3: "a refusal note can cut a date"."""
    locale = conversation().locales[form]
    budget = ScreenBudget(unicode=form not in LATIN_LOCALES)
    for reason, template in locale.validation_messages.items():
        note = locale.render(template, LONGEST_REFUSAL_FACTS)
        page = paginate(ScreenView("\n".join(["x" * 20] * 9), back_label=locale.common["back"], note=note), budget)
        assert page.text.startswith(f"{note}\n"), f"{reason} in {form}: {page.text}"


@pytest.mark.parametrize("form", LOCALE_CODES)
def test_a_refusal_shows_the_page_that_the_caller_answered(form: str) -> None:
    """Minor of finding 1: "Please choose 1 to 12" showed another window of the list; `১ থেকে ২` showed option 2 alone."""
    menu, language = conversation().menu, form.partition("_")[0]
    locale, budget = build_screen_locales(conversation().locales)[form], ScreenBudget(unicode=form not in LATIN_LOCALES)
    for name in ("sectors", "main", "offer_questions", "complaint_answered", "questions"):
        position = Position(name, language, history=(("main", 0),))
        refused = Navigation(position, Invalid("not_an_option", {"first": "1", "last": "12"}))
        plain = paginate(build_view(menu, Navigation(position), locale), budget)
        page = paginate(build_view(menu, refused, locale), budget)
        shown = set(page.text.split("\n"))
        first = plain.text.partition("\n98 ")[0].split("\n")
        keys = [line for line in first if line.partition(" ")[0].isdecimal()]
        assert page.text.endswith(plain.text) or (page.is_partial and (not keys or keys[0] in shown)), page.text
