"""Texts that are written once and said in several places of a locale.

`like = "status"` in the table of a screen gives it every text of another screen that it does not write itself.
`{>common.sorry}` inserts one text into another; `{>status}` is short for `{>status.text}`.
"""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

from core.errors import Finding, KeyPath

LIKE: Final = "like"
_match_references = re.compile(r"\{>\s*([\w.]+)\s*\}")

Tables = dict[str, dict[str, Any]]


class SharedTexts(NamedTuple):
    """The tables with every reference replaced, the texts as they are written, and what could not be replaced."""

    tables: Tables
    written: Mapping[KeyPath, str]
    findings: list[Finding]


def resolve_shared_texts(tables: Mapping[str, Any]) -> SharedTexts:
    """The tables of a locale file with each `like` and each `{>…}` replaced by the texts that they name."""
    written = dict(_texts_with_keys((), tables))
    findings: list[Finding] = []
    copied = {name: dict(table) if isinstance(table, dict) else table for name, table in tables.items()}
    for name in copied:
        findings += _copy_texts(name, copied, tables)
    texts = dict(_texts_with_keys((), copied))
    for key, source in texts.items():
        text, problem = _insert_texts(key, texts, ())
        if key in written and problem:
            findings.append(Finding(key, *problem))
        if text != source:
            _set_text(copied, key, text)
    return SharedTexts(copied, written, findings)


def find_reference(key: KeyPath) -> str:
    """How a text refers to the text at `key`."""
    return "{>" + ".".join(key[:-1] if key[-1] == "text" else key) + "}"


def _copy_texts(name: str, copied: Tables, tables: Mapping[str, Any]) -> Iterator[Finding]:
    """Give the table the texts of the one that it is like, through as many tables as there are."""
    seen, parent = [name], tables[name].get(LIKE) if isinstance(tables[name], dict) else None
    if parent is not None:
        del copied[name][LIKE]
    while parent is not None:
        if parent in seen or not isinstance(tables.get(parent), dict):
            yield Finding((name, LIKE), *_like_problem(parent, seen, tables))
            return
        copied[name] = {**{key: text for key, text in tables[parent].items() if key != LIKE}, **copied[name]}
        seen.append(parent)
        parent = tables[parent].get(LIKE)


def _like_problem(parent: Any, seen: list[str], tables: Mapping[str, Any]) -> tuple[str, str]:
    if parent in seen:
        return "this screen is like itself", "write the texts in one of the two tables"
    return f"this screen is like {parent!r}, which is not a screen", _suggest(str(parent), set(tables) - set(seen))


def _insert_texts(key: KeyPath, texts: Mapping[KeyPath, str], path: tuple[KeyPath, ...]) -> tuple[str, tuple[str, ...]]:
    """The text at `key` with the texts that it names; and the problem and fix of the first name that is wrong."""
    problem: tuple[str, ...] = ()

    def insert(match: re.Match[str]) -> str:
        nonlocal problem
        named = _read_reference(match[1], texts)
        if named is None:
            problem = problem or (f"there is no text {match[1]!r}", _suggest(match[1], map(".".join, texts)))
            return ""
        if named in path or named == key:
            problem = problem or (f"this text contains itself: {match[0]}", "write the text in one of the two places")
            return ""
        text, inner = _insert_texts(named, texts, (*path, key))
        problem = problem or inner
        return text.strip("\n")

    return _match_references.sub(insert, texts[key]), problem


def _read_reference(name: str, texts: Mapping[KeyPath, str]) -> KeyPath | None:
    key = tuple(name.split("."))
    return next((one for one in (key, (*key, "text")) if one in texts), None)


def _texts_with_keys(path: KeyPath, table: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _texts_with_keys((*path, key), value)
        elif isinstance(value, str) and not (len(path) == 1 and key == LIKE):
            yield (*path, key), value


def _set_text(tables: Tables, key: KeyPath, text: str) -> None:
    table: dict[str, Any] = tables
    for part in key[:-1]:
        table[part] = dict(table[part])
        table = table[part]
    table[key[-1]] = text


def _suggest(name: str, known: Any) -> str:
    close = get_close_matches(name, sorted(known), n=1)
    return f"did you mean {close[0]!r}?" if close else "name a text of this file, such as {>common.sorry}"
