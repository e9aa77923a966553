"""Check that a text is written once in a locale: whoever changes it in one place would forget the others."""

import re
from collections.abc import Iterator
from typing import Final

from core.errors import Problem
from menus.rendering.localization import RESERVED_TABLES
from menus.rendering.shared_texts import find_reference
from menus.validation.report import LocaleKey, MenuDefinition, locale_problem

MAX_REPEATED_LETTERS: Final = 15
"""A text with more letters than these, without its placeholders, is written once."""
_match_placeholders = re.compile(r"\{[^}]*\}")


def find_repeated_texts(definition: MenuDefinition, locale_code: str) -> Iterator[Problem]:
    """Every long text that stands in an earlier place of the file word for word."""
    first: dict[str, LocaleKey] = {}
    for key, text in definition.locales[locale_code].written.items():
        if _count_letters(text) <= MAX_REPEATED_LETTERS:
            continue
        earlier = first.setdefault(text.strip(), key)
        if earlier != key:
            yield locale_problem(
                definition,
                locale_code,
                key,
                f"this text stands at {'.'.join(earlier)} already",
                _write_once(earlier, key),
            )


def _count_letters(text: str) -> int:
    """The length of a text without its placeholders and references."""
    return len(_match_placeholders.sub("", text).strip())


def _write_once(earlier: LocaleKey, key: LocaleKey) -> str:
    """How to write the text at `key` without repeating it."""
    refer = f'write {key[-1]} = "{find_reference(earlier)}"'
    both_are_screens = earlier[0] not in RESERVED_TABLES and key[0] not in RESERVED_TABLES
    if both_are_screens and earlier[-1] == key[-1]:
        return f'write like = "{earlier[0]}" in [{key[0]}], or {refer}'
    return refer
