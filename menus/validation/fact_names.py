"""Check that every placeholder of a text names a fact that its screen or message has."""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final

from core.errors import Problem
from menus.rendering.localization import CONSTANTS, RESERVED_TABLES, Template
from menus.validation.report import LocaleKey, MenuDefinition, locale_problem
from menus.validation.translations import texts_by_key

CLOSE_ENOUGH: Final = 0.6
"""Likeness of a misspelt name to the one that is suggested, from 0 to 1."""


def find_fact_problems(definition: MenuDefinition, locale_code: str) -> Iterator[Problem]:
    """Every placeholder with a name that its text has no fact for. Without `facts` of the definition nothing is checked."""
    if not definition.facts:
        return
    locale = definition.locales[locale_code]
    everywhere = frozenset[str]().union(*definition.facts.values())
    for key, text in texts_by_key(locale).items():
        for name in unknown_facts(definition, key, text):
            is_here = re.search(rf"\{{{name}[:}}]", locale.written.get(key, "")) is not None
            if is_here or name in everywhere:  # else it is misspelt in the text that this one is like
                what = "message" if key[0] in RESERVED_TABLES else "screen"
                fix = _suggest(definition, key, text, name)
                yield locale_problem(definition, locale_code, key, f"this {what} has no fact {name!r}", fix)


def unknown_facts(definition: MenuDefinition, key: LocaleKey, text: Template) -> list[str]:
    """The names in a text that are no facts of its screen or message; none where its facts are not known."""
    known = definition.facts.get(key)
    return [] if known is None else sorted({name for name, _ in text.placeholders} - known)


def _suggest(definition: MenuDefinition, key: LocaleKey, text: Template, name: str) -> str:
    """The closest fact: of those that the text shows in some language, else of those that some text shows."""
    shown_here, shown = _shown_facts(definition, key)
    said = {placeholder for placeholder, _ in text.placeholders}  # hardly meant twice
    for candidates in (shown_here - said, shown - said, shown):
        if close := get_close_matches(name, sorted(candidates), n=1, cutoff=CLOSE_ENOUGH):
            return f"did you mean {{{close[0]}}}?"
    return f"use {' '.join(f'{{{one}}}' for one in sorted(shown_here))}" if shown_here else "remove it"


def _shown_facts(definition: MenuDefinition, key: LocaleKey) -> tuple[frozenset[str], frozenset[str]]:
    """The facts of a text that its own versions show, and those that any text shows."""
    here: set[str] = set()
    anywhere: set[str] = set()
    for locale in definition.locales.values():
        for other, text in texts_by_key(locale).items():
            names = {name for name, _ in text.placeholders}
            anywhere |= names
            here |= names if other == key else set()
    known = definition.facts[key]
    return known & here, (known & anywhere) | CONSTANTS.keys()
