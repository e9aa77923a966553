"""TOML as people edit it: its text, its tables, and what its reader does not say: on which line a key stands."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import rtoml

from faults import Broken, Fault, Place, shown

LOOK_FOR = "look there for a missing quote or bracket, a key written twice, or a number that begins with 0"

_KEY = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_DOTTED = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER = re.compile(rf"\s*\[\[?\s*({_DOTTED})\s*\]\]?\s*(?:#.*)?$")
_ASSIGNED = re.compile(rf"\s*({_DOTTED})\s*=")
_PART = re.compile(_KEY)
_LONG_QUOTE = re.compile(r'"""|' + "'''")
_AT = re.compile(r" at line (\d+) column \d+$")


def text_of(path: Path) -> str:
    """What a file says.

    Raises:
        Broken: it is not there, cannot be read, or is not UTF-8.
    """
    try:
        content = path.read_bytes()
    except OSError as missing:
        problem = f"cannot be read: {missing.strerror}"
        raise Broken([Fault(shown(path), 0, "", problem, "name a file that is there")]) from None
    try:
        return content.decode("utf-8-sig")  # some editors begin a file with a mark
    except UnicodeDecodeError as broken:
        line = content[: broken.start].count(b"\n") + 1
        raise Broken([Fault(shown(path), line, "", "is not UTF-8", "save the file as UTF-8")]) from None


def tables_of(source: str, file: str) -> dict[str, Any]:
    """The tables of a TOML text that people know as `file`.

    Raises:
        Broken: it is not TOML; the fault has the line where it stops being it.
    """
    try:
        return rtoml.loads(source.replace("\r\n", "\n"))  # in a long text too, as TOML wants it
    except rtoml.TomlParsingError as broken:
        at = _AT.search(str(broken))
        written = source.rstrip("\n").count("\n") + 1
        line = min(int(at[1]), written) if at else written
        problem = f"is not TOML: {_AT.sub('', str(broken))}"
        raise Broken([Fault(file, line, "", problem, LOOK_FOR)]) from None


def lines(source: str) -> Mapping[Place, int]:
    """Every table and key of a TOML text to its line, from 1; where one is written twice, the first."""
    found: dict[Place, int] = {}
    for path, line in _walk(source):
        for length in range(1, len(path) + 1):
            found.setdefault(path[:length], line)
    return found


def line_of(place: Place, found: Mapping[Place, int]) -> int:
    """The line of `place`, of the nearest table above it where it is not there, or 1."""
    for length in range(len(place), 0, -1):
        if place[:length] in found:
            return found[place[:length]]
    return 1


def _walk(source: str) -> Iterator[tuple[Place, int]]:
    table: Place = ()
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


def _parts(dotted: str) -> Place:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))
