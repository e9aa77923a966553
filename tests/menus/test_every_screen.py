"""Every screen in every language with any likely fact: never over budget, never an option lost."""

import asyncio
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assembly.conversation import Conversation, proof_of
from assembly.forms import FormField
from assembly.lifecycle import checked
from configured import read
from menus.engine import Reached
from menus.model import Form, Goodbye, Listing, Place, Refused, Step
from menus.showing import show
from menus.words import FORMS, Template, Words, for_screens
from screens.alphabet import septets, units
from screens.pages import Budget, fit

ROOT = Path(__file__).parents[2]
NAMES = ("Amina", "Mohammad Rafiqul Islam Chowdhury", "শাহানারা পারভীন", "अब्दुल्ला ख़ान", "Zoë [x]", "O'Neill-García", "🙂")


@lru_cache(maxsize=1)
def conversation() -> Conversation:
    return asyncio.run(checked(read(ROOT / "config.toml", {})))


@lru_cache(maxsize=1)
def strategies() -> Mapping[str, st.SearchStrategy[Any]]:
    """What a fact is likely to be, by the way it is said; a name that is typed can be anything."""
    spoken = conversation()
    codes = proof_of(spoken.menu, spoken.services.shelf.edition, spoken.words).codes
    name = st.sampled_from(NAMES)
    texts = st.dictionaries(st.sampled_from(FORMS), name, max_size=5)
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


def told(*templates: Template) -> dict[str, st.SearchStrategy[Any]]:
    """Everything that texts say, and what it may be; what is said in two ways is whatever both can say."""
    said = sorted(pair for one in templates for pair in one.placeholders)
    return {name: strategies()[way] for name, way in sorted(said, key=lambda pair: pair[1] in {"text", "count"})[::-1]}


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
    row = conversation().words["en"].screens[screen].row
    listing = conversation().menu.screens[screen]
    assert row is not None
    assert isinstance(listing, Listing)
    one = {listing.saves: st.just(1), **told(row)}
    return st.lists(st.fixed_dictionaries(one), min_size=1, max_size=20)


def answer(asked: FormField) -> st.SearchStrategy[str]:
    """What is kept of a question: a choice by its code, a day as the calendar has it."""
    if asked.choices:
        return st.sampled_from([code for code, _ in asked.choices])
    return st.just("1990-11-21") if asked.field.kind == "date" else st.sampled_from(NAMES)


@st.composite
def facts(draw: st.DrawFn) -> dict[str, Any]:
    """What every screen and every list may say, and a form with answers to some questions of its service."""
    shelf, english = conversation().services.shelf, conversation().words["en"]
    screens = [it for screen in english.screens.values() for it in (screen.text, *screen.options.values())]
    service = draw(st.sampled_from([it for it in shelf.now.services.values() if it.fields]))
    fields = [FormField(field) for field in service.fields]
    names = [asked.name for asked in fields]
    answers = {asked.name: answer(asked) for asked in fields}
    everything: dict[str, st.SearchStrategy[Any]] = {
        **told(*screens),
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
        "found": st.lists(st.sampled_from(list(shelf.now.services)), min_size=1, max_size=8, unique=True),
        "near": st.lists(st.sampled_from(list(shelf.centres.by_code)), min_size=1, max_size=5, unique=True),
    }
    return draw(st.fixed_dictionaries(everything))


@settings(max_examples=5, deadline=None)
@given(st.data())
def test_no_list_and_no_form_goes_unwalked(data: st.DataObject) -> None:
    said = data.draw(facts())
    asked = [it for it in conversation().menu.listed if isinstance(it, Listing | Form)]

    empty = [it.name for it in asked if not (it.fields(said) if isinstance(it, Form) else it.rows(said))]

    assert empty == []


@pytest.mark.parametrize("unicode", [True, False], ids=["Unicode", "Latin"])
@pytest.mark.parametrize("language", ["en", "bn", "hi"])
@settings(max_examples=12, deadline=None)
@given(st.data())
def test_every_screen_fits_and_shows_every_option(language: str, unicode: bool, data: st.DataObject) -> None:
    menu, words = conversation().menu, for_screens(conversation().words)
    spoken = words[language if unicode else f"{language}_Latn"]
    budget = Budget(data.draw(st.integers(120, 182)), data.draw(st.integers(66, 80)), unicode=unicode)
    said = data.draw(facts())
    refused = data.draw(st.sampled_from([None, Refused("not_an_option", {"first": "1", "last": "8"})]))
    for screen in menu.listed:
        if isinstance(screen, Step):
            continue
        trail = () if isinstance(screen, Goodbye) else (("main", 0),)
        holds(menu, Reached(Place(screen.name, language, trail=trail, facts=said), refused), spoken, budget)


def holds(menu: Any, reached: Reached, spoken: Words, budget: Budget) -> None:
    showing = show(menu, reached, spoken)
    shown, number, more = "", 0, True
    while more:
        page = fit(showing, budget, number)
        cost = septets(page.text)
        assert cost is not None or budget.unicode, reached.place.screen
        taken, most = (units(page.text), budget.units) if cost is None else (cost, budget.septets)
        assert taken + len("CON ") <= most, f"{reached.place.screen} in {spoken.form}: {page.text}"
        shown, number, more = f"{shown}\n{page.text}", number + 1, page.more
    for key, _ in showing.options:
        assert f"\n{key} " in shown, f"{reached.place.screen} in {spoken.form} loses {key}"
