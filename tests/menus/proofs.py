"""A small menu with one screen of each kind and its words in five forms, from which the broken ones were made."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from menus import checks
from menus.check import Proof
from menus.model import Choice, Form, Goodbye, Listing, Menu, Option, Outcome, Question, Step, Visit
from menus.words import FORMS, RESERVED, load

SOUND = Path(__file__).parent / "locales"
SOURCES = {form: (SOUND / f"{form}.toml").read_text(encoding="utf-8") for form in FORMS}
LABELS = {
    "en": "Type the child's name",
    "bn": "শিশুর নাম দিন",
    "hi": "बच्चे का नाम लिखें",
    "bn_Latn": "Shishur nam din",
    "hi_Latn": "Bachche ka naam likhen",
}


async def look_up(_: Visit) -> Outcome[Literal["found", "unknown"]]:
    return Outcome("found")


TREE = (
    Choice("main", (Option("track", goto="ask_number"), Option("offices", goto="offices"))),
    Question(
        "ask_number", "number", checks.tracking_number, goto="look_up", options=(Option("help", goto="help", key="7"),)
    ),
    Step("look_up", look_up, {"found": "status", "unknown": "ask_number"}),
    Choice("status", (Option("again", goto="ask_number"),)),
    Listing("offices", lambda _: (), saves="office", goto="fields", empty="help"),
    Form("fields", lambda _: (), saves="form", goto="help"),
    Goodbye("help"),
    Goodbye("stuck"),
)


def menu_of(tree) -> Menu:
    return Menu(tree, home="main", stuck="stuck", keeps=frozenset())


def proof(tree=TREE, sources: Mapping[str, str] = SOURCES, labels=LABELS) -> Proof:
    """All of it, with whatever is broken in the place of what is sound."""
    words = {form: load(form, source, {}) for form, source in sources.items()}
    codes = {kind: tuple(terms) for kind, terms in words["en"].terms.items()}
    return Proof(menu_of(tree), words, sources, codes, [("birth.child", labels)])


def sources_for(tree) -> Mapping[str, str]:
    """Words that fit any tree, in every form."""
    screens = {screen.name: screen for screen in tree if not isinstance(screen, Step) and screen.name not in RESERVED}
    tables = ["[common]", *(f'{key} = "Word"' for key in ("back", "home", "more", "sorry", "abroad", "unheard"))]
    for name, screen in screens.items():
        options = [option.name for option in getattr(screen, "options", ()) if option.name != "text"]
        tables += [f"[{name}]", 'text = "Text"', *(f'{option} = "Label"' for option in options)]
        tables += ['row = "Row"'] * isinstance(screen, Listing)
    return dict.fromkeys(FORMS, "\n".join(tables))
