"""Read TOML files that people edit: the text, the tables, and the line of each key, which TOML parsers do not tell."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import rtoml

from core.errors import KeyPath, Problem, ValidationFailedError, display_path

SYNTAX_HINT = "look there for a missing quote or bracket, a key written twice, or a number that begins with 0"

_KEY = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_DOTTED_KEY = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER = re.compile(rf"\s*\[\[?\s*({_DOTTED_KEY})\s*\]\]?\s*(?:#.*)?$")
_ASSIGNMENT = re.compile(rf"\s*({_DOTTED_KEY})\s*=")
_KEY_PATTERN = re.compile(_KEY)
_LONG_QUOTE = re.compile(r'"""|' + "'''")
_ERROR_POSITION = re.compile(r" at line (\d+) column \d+$")


def read_utf8(path: Path) -> str:
    """Return the text of the file.

    Raises:
        ValidationFailedError: The file is missing, cannot be read, or is not UTF-8.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
        raise ValidationFailedError([Problem(display_path(path), 0, "", problem, "name a file that exists")]) from None
    try:
        return content.decode("utf-8-sig")  # some editors write a byte order mark
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValidationFailedError(
            [Problem(display_path(path), line, "", "is not UTF-8", "save the file as UTF-8")]
        ) from None


def parse_toml(source: str, display_name: str) -> dict[str, Any]:
    """Return the tables of a TOML text; `display_name` is its file in messages.

    Raises:
        ValidationFailedError: The text is not TOML; the problem has the line of the first error.
    """
    try:
        return rtoml.loads(source.replace("\r\n", "\n"))  # inside multi-line strings too, as TOML requires
    except rtoml.TomlParsingError as error:
        position = _ERROR_POSITION.search(str(error))
        last_line = source.rstrip("\n").count("\n") + 1
        line = min(int(position[1]), last_line) if position else last_line
        problem = f"is not TOML: {_ERROR_POSITION.sub('', str(error))}"
        raise ValidationFailedError([Problem(display_name, line, "", problem, SYNTAX_HINT)]) from None


def index_key_lines(source: str) -> Mapping[KeyPath, int]:
    """Return the line, from 1, of each table and key of a TOML text; of a repeated key the first.

    The tables of an array `[[routes]]` have their number, from 0, in the path: `("routes", "0", "provider")`.
    """
    found: dict[KeyPath, int] = {}
    for path, line in _iter_keys(source):
        for length in range(1, len(path) + 1):
            found.setdefault(path[:length], line)
    return found


def find_line(key_path: KeyPath, key_lines: Mapping[KeyPath, int]) -> int:
    """Return the line of `key_path`, else that of the nearest table above it, else 1."""
    for length in range(len(key_path), 0, -1):
        if key_path[:length] in key_lines:
            return key_lines[key_path[:length]]
    return 1


def _iter_keys(source: str) -> Iterator[tuple[KeyPath, int]]:
    table: KeyPath = ()
    sizes: Counter[KeyPath] = Counter()
    for line, text in _lines_outside_long_strings(source):
        if header := _HEADER.match(text):
            table = _split_key(header[1])
            if text.lstrip().startswith("[["):
                sizes[table] += 1
                table = (*table, str(sizes[table] - 1))
            yield table, line
        elif assigned := _ASSIGNMENT.match(text):
            yield table + _split_key(assigned[1]), line


def _lines_outside_long_strings(source: str) -> Iterator[tuple[int, str]]:
    inside = False
    for line, text in enumerate(source.split("\n"), 1):
        if not inside:
            yield line, text
        if len(_LONG_QUOTE.findall(text)) % 2:
            inside = not inside


def _split_key(dotted: str) -> KeyPath:
    return tuple(part.strip("\"'") for part in _KEY_PATTERN.findall(dotted))
