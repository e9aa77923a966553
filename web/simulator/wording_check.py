"""Check the demo phone's texts in `words/`: their keys, their placeholders and their wording."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from core.errors import Problem, ValidationFailedError, display_path
from core.languages import DEFAULT_LANGUAGE, LANGUAGES
from core.toml_source import index_key_lines, parse_toml, read_utf8
from core.wording import find_wording_problems
from web.simulator.words_loader import WORDS_FOLDER, load_words, words_file

_find_placeholders: Final = re.compile(r"\{(\w+)\}").findall


def find_simulator_problems(folder: Path = WORDS_FOLDER) -> Iterator[Problem]:
    """The problems of each text of each language that has a file."""
    try:
        reference = load_words(DEFAULT_LANGUAGE, folder)
    except ValidationFailedError as broken:
        yield from broken.problems
        return
    for language in LANGUAGES:
        path = words_file(language.code, folder)
        if not path.exists():
            continue
        try:
            source = read_utf8(path)
            words = parse_toml(source, display_path(path))
        except ValidationFailedError as broken:
            yield from broken.problems
            continue
        lines = index_key_lines(source)
        for key, problem, fix in _find_text_problems(language.code, words, dict(reference)):
            yield Problem(display_path(path), lines.get((key,), 1), key, problem, fix)


def _find_text_problems(code: str, words: dict[str, Any], reference: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Key, problem and fix of each mistake."""
    for key in reference:
        if key not in words:
            yield key, "this text is missing", "add it"
    for key, text in words.items():
        if not isinstance(text, str):
            yield key, "this is not text", "put it in quotes"
        elif key not in reference:
            yield key, "the page has no such text", "remove it"
        else:
            expected = {*_find_placeholders(reference[key])}
            if {*_find_placeholders(text)} != expected:
                fix = " ".join(sorted(f"{{{name}}}" for name in expected)) or "none"
                yield key, "this text has other placeholders than the English one", f"use {fix}"
            for problem, fix in find_wording_problems(code, text):
                yield key, problem, fix
