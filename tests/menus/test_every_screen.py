"""Every screen in every language with any likely fact: never over budget, never an option lost."""

import asyncio
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assembly.conversation import Conversation
from assembly.lifecycle import checked
from configured import read
from menus.engine import Reached
from menus.model import Goodbye, Place, Refused, Step
from menus.showing import show
from menus.words import FORMS, Words, for_screens
from screens.alphabet import septets, units
from screens.pages import Budget, fit

ROOT = Path(__file__).parents[2]
NAMES = ("Amina", "Mohammad Rafiqul Islam Chowdhury", "শাহানারা পারভীন", "अब्दुल्ला ख़ान", "Zoë [x]", "O'Neill-García", "🙂")


@lru_cache(maxsize=1)
def conversation() -> Conversation:
    return asyncio.run(checked(read(ROOT / "config.toml", {})))


def codes(kind: str) -> list[str]:
    catalogue = conversation().services.shelf.now
    return list({"service": catalogue.services, "sector": catalogue.sectors, "office": catalogue.offices}[kind])


@st.composite
def facts(draw: st.DrawFn) -> dict[str, Any]:
    day = st.dates().map(lambda one: one.isoformat())
    name = st.sampled_from(NAMES)
    status = st.sampled_from(list(conversation().words["en"].terms["status"]))
    asked = [code for code, it in conversation().services.shelf.now.services.items() if it.fields]
    service = st.sampled_from(codes("service"))
    number = st.integers(0, 10**12 - 1).map(lambda one: f"{one:012}")
    texts = st.dictionaries(st.sampled_from(FORMS), name, max_size=5)
    question = st.sampled_from(list(conversation().words["en"].terms["question"]))
    row = st.fixed_dictionaries({"service": service, "status": status, "number": number})
    kind = st.sampled_from([*conversation().words["en"].terms["document"], "RATCR"])
    document = st.fixed_dictionaries({"document": st.just(1), "document_kind": kind, "document_title": name})
    centre = st.sampled_from(list(conversation().services.shelf.centres.by_code))
    weekday = st.sampled_from(list(conversation().words["en"].terms["weekday"]))
    everything: dict[str, st.SearchStrategy[Any]] = {
        "service": st.sampled_from(asked),
        "sector": st.sampled_from(codes("sector")),
        "office": st.sampled_from(codes("office")),
        "status": status,
        "changed": day,
        "promised": st.none() | day,
        "number": number,
        "note": texts,
        "fee": st.tuples(st.integers(1, 10**8), st.sampled_from(["BDT", "INR", "KES"])).map(list),
        "days": st.integers(0, 400),
        "summary": st.lists(name | texts, max_size=6),
        "name": name,
        "left": st.integers(0, 4),
        "until": st.just("14:05"),
        "question_1": question,
        "question_2": question,
        "phone": st.just("+880 1550-060060"),
        "email": st.just("support@mygov.bd"),
        "address": st.sampled_from(
            ["a@b.example", "mohammad.rafiqul_islam.chowdhury+ekdial@public-services.dhaka.example"]
        ),
        "track_key": st.just("2"),
        "applications": st.lists(row, min_size=1, max_size=20),
        "form": st.just({}),
        "last_four": st.just("2346"),
        "documents_rows": st.lists(document, min_size=1, max_size=20),
        "document_kind": kind,
        "document_title": name,
        "document_number": name,
        "document_holder": name,
        "document_issued": st.none() | day,
        "document_valid": st.none() | day,
        "sample": st.sampled_from(["yes", None]),
        "delivery": st.sampled_from(["waiting", None]),
        "recipient": st.sampled_from(list(conversation().words["en"].terms["recipient"])),
        "found": st.lists(service, min_size=1, max_size=8, unique=True),
        "more": st.sampled_from(["yes", None]),
        "free": st.sampled_from(["yes", None]),
        "centre": centre,
        "near": st.lists(centre, min_size=1, max_size=5, unique=True),
        "first": weekday,
        "last": weekday,
        "opens": st.just("09:00"),
        "closes": st.just("17:00"),
    }
    return draw(st.fixed_dictionaries(everything))


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
