"""On which line of a TOML text a key stands: `tomllib` does not say, and an editor wants to know."""

import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias

Path: TypeAlias = tuple[str, ...]

_KEY = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_DOTTED = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER = re.compile(rf"\s*\[\[?\s*({_DOTTED})\s*\]\]?\s*(?:#.*)?$")
_ASSIGNED = re.compile(rf"\s*({_DOTTED})\s*=")
_PART = re.compile(_KEY)
_LONG_QUOTE = re.compile(r'"""|' + "'''")


def lines(source: str) -> Mapping[Path, int]:
    """Every table and key of a TOML text to its line, from 1; where one is written twice, the first."""
    found: dict[Path, int] = {}
    for path, line in _walk(source):
        for length in range(1, len(path) + 1):
            found.setdefault(path[:length], line)
    return found


def line_of(place: Path, found: Mapping[Path, int]) -> int:
    """The line of `place`, of the nearest table above it where it is not there, or 1."""
    for length in range(len(place), 0, -1):
        if place[:length] in found:
            return found[place[:length]]
    return 1


def _walk(source: str) -> Iterator[tuple[Path, int]]:
    table: Path = ()
    for line, text in _outside_long_strings(source):
        if header := _HEADER.match(text):
            table = _parts(header[1])
            yield table, line
        elif assigned := _ASSIGNED.match(text):
            yield table + _parts(assigned[1]), line


def _outside_long_strings(source: str) -> Iterator[tuple[int, str]]:
    inside = False
    for line, text in enumerate(source.split("\n"), 1):
        if not inside:
            yield line, text
        if len(_LONG_QUOTE.findall(text)) % 2:
            inside = not inside


def _parts(dotted: str) -> Path:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))
