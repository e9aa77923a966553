"""A small menu with one screen of each kind, and its five locales; the broken menus and locales are variants of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from menus import validators
from menus.model import Choice, Form, Goodbye, ListScreen, Menu, Option, Outcome, Question, Step, StepContext
from menus.rendering.localization import LOCALE_CODES, RESERVED_TABLES, load_locale
from menus.validation.report import MenuDefinition
from menus.validation.translations import COMMON_KEYS

LOCALES = Path(__file__).parent / "locales"
LOCALE_SOURCES = {form: (LOCALES / f"{form}.toml").read_text(encoding="utf-8") for form in LOCALE_CODES}
LABELS = {
    "en": "Type the child's name",
    "bn": "শিশুর নাম দিন",
    "hi": "बच्चे का नाम लिखें",
    "bn_Latn": "Shishur nam din",
    "hi_Latn": "Bachche ka naam likhen",
}


async def find_number(_: StepContext) -> Outcome[Literal["found", "unknown"]]:
    return Outcome("found")


TREE = (
    Choice("main", (Option("track", goto="ask_number"), Option("offices", goto="offices"))),
    Question(
        "ask_number",
        "number",
        validators.tracking_number,
        goto="look_up",
        options=(Option("help", goto="help", key="7"),),
    ),
    Step("look_up", find_number, {"found": "status", "unknown": "ask_number"}),
    Choice("status", (Option("again", goto="ask_number"),)),
    ListScreen("offices", lambda _: (), save_as="office", goto="fields", goto_if_empty="help"),
    Form("fields", lambda _: (), save_as="form", goto="help"),
    Goodbye("help"),
    Goodbye("stuck"),
)


def build_menu(tree) -> Menu:
    return Menu(tree, home="main", stuck="stuck", persistent_facts=frozenset())


def build_report(tree=TREE, sources: Mapping[str, str] = LOCALE_SOURCES, labels=LABELS) -> MenuDefinition:
    """The definition of the menu with the given parts replaced."""
    words = {form: load_locale(form, source, {}) for form, source in sources.items()}
    codes = {kind: tuple(terms) for kind, terms in words["en"].terms.items()}
    return MenuDefinition(build_menu(tree), words, sources, codes, [("birth.child", labels)])


def locale_sources_for(tree) -> Mapping[str, str]:
    """Locales for any tree, in every form."""
    screens = {
        screen.name: screen for screen in tree if not isinstance(screen, Step) and screen.name not in RESERVED_TABLES
    }
    tables = ["[common]", *(f'{key} = "Word"' for key in COMMON_KEYS)]
    for name, screen in screens.items():
        options = [option.name for option in getattr(screen, "options", ()) if option.name != "text"]
        tables += [f"[{name}]", 'text = "Text"', *(f'{option} = "Label"' for option in options)]
        tables += ['row = "Row"'] * isinstance(screen, ListScreen)
    return dict.fromkeys(LOCALE_CODES, "\n".join(tables))
