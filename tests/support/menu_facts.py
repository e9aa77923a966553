"""The checked menu, and Hypothesis strategies for every fact that its screens can show."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st

from app.bootstrap import build_checked_menu
from app.menu import CheckedMenu, build_menu_definition
from app.settings import load_settings
from menus.model import ListScreen
from menus.rendering.localization import LOCALE_CODES, Template
from services.catalogue.form_fields import CatalogueFormField
from tests.support.phone import ROOT

NAMES = ("Amina", "Mohammad Rafiqul Islam Chowdhury", "শাহানারা পারভীন", "अब्दुल्ला ख़ान", "Zoë [x]", "O'Neill-García", "🙂")


@lru_cache(maxsize=1)
def conversation() -> CheckedMenu:
    """The menu of the product. It is built in a thread, because an event loop may run in the caller's."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        build = pool.submit(lambda: asyncio.run(build_checked_menu(load_settings(ROOT / "config.toml", {}))))
        return build.result()


@lru_cache(maxsize=1)
def fact_strategies() -> Mapping[str, st.SearchStrategy[Any]]:
    """A Hypothesis strategy for the values of each formatter."""
    spoken = conversation()
    codes = build_menu_definition(spoken.menu, spoken.services.current_catalogue.snapshot, spoken.locales).codes
    name = st.sampled_from(NAMES)
    texts = st.dictionaries(st.sampled_from(LOCALE_CODES), name, max_size=5)
    return {
        **{way: st.none() | st.sampled_from(list(known)) for way, known in codes.items()},
        "text": st.none() | name,
        "texts": st.none() | texts,
        "list": st.lists(name | texts, max_size=6),
        "count": st.integers(0, 999),
        "money": st.tuples(st.integers(1, 10**8), st.sampled_from(["BDT", "INR", "KES"])).map(list),
        "date": st.none() | st.dates().map(lambda one: one.isoformat()),
        "tracking": st.integers(0, 10**12 - 1).map(lambda one: f"{one:012}"),
    }


def text_facts(*templates: Template) -> dict[str, st.SearchStrategy[Any]]:
    """Strategies for the placeholders of these templates. A placeholder with several formatters has values for all of them."""
    said = sorted(pair for one in templates for pair in one.placeholders)
    return {
        name: fact_strategies()[way] for name, way in sorted(said, key=lambda pair: pair[1] in {"text", "count"})[::-1]
    }


ROWS = {
    "applications": "own_list",
    "billers": "billers",
    "documents_rows": "documents_list",
    "history": "history_list",
    "papers_offered": "papers_offered",
    "papers_rows": "papers_list",
    "profile_rows": "profile_list",
}
"""Which fact the rows of a list are, of those that a step has looked up."""


def rows(screen: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    row = conversation().locales["en"].screens[screen].row
    listing = conversation().menu.screens[screen]
    assert row is not None
    assert isinstance(listing, ListScreen)
    one = {listing.save_as: st.just(1), **text_facts(row)}
    return st.lists(st.fixed_dictionaries(one), min_size=1, max_size=20)


def field_answer(form_field: CatalogueFormField) -> st.SearchStrategy[str]:
    """A strategy for the stored answer to a form field: the code of a choice, or a date in ISO format."""
    if form_field.choices:
        return st.sampled_from([code for code, _ in form_field.choices])
    return st.just("1990-11-21") if form_field.field.kind == "date" else st.sampled_from(NAMES)


@st.composite
def draw_facts(draw: st.DrawFn) -> dict[str, Any]:
    """Facts for every screen and every list, and a form with answers to some fields of its service."""
    catalogue, english = conversation().services.current_catalogue, conversation().locales["en"]
    screens = [it for screen in english.screens.values() for it in (screen.text, *screen.options.values())]
    service = draw(st.sampled_from([it for it in catalogue.catalogue.services.values() if it.fields]))
    fields = [CatalogueFormField(field) for field in service.fields]
    names = [asked.name for asked in fields]
    answers = {asked.name: field_answer(asked) for asked in fields}
    everything: dict[str, st.SearchStrategy[Any]] = {
        **text_facts(*screens),
        **{fact: rows(screen) for fact, screen in ROWS.items()},
        "sector": st.just(service.sector),
        "office": st.just(service.office),
        "recipient": st.sampled_from(sorted(service.recipients)),
        "service": st.just(service.code),
        "ask": st.lists(st.sampled_from(names), min_size=1, unique=True),
        "form": st.fixed_dictionaries({names[0]: answers.pop(names[0])}, optional=answers),
        "hints": st.dictionaries(st.sampled_from(names), st.just("XXXX 1234")),
        "beneficiary": st.sampled_from(["", "+8801711000002"]),
        "address": st.sampled_from(
            ["a@b.example", "mohammad.rafiqul_islam.chowdhury+ekdial@public-services.dhaka.example"]
        ),
        "found": st.lists(st.sampled_from(list(catalogue.catalogue.services)), min_size=1, max_size=8, unique=True),
        "near": st.lists(st.sampled_from(list(catalogue.centres.by_code)), min_size=1, max_size=5, unique=True),
    }
    return draw(st.fixed_dictionaries(everything))
