"""The texts of the demo phone: one file a language in `words/`, with the texts of the default language for those that it lacks."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from core.errors import ValidationFailedError
from core.languages import DEFAULT_LANGUAGE, LANGUAGES
from core.toml_source import parse_toml, read_utf8

WORDS_FOLDER: Final = Path(__file__).with_name("words")


def words_file(code: str, folder: Path = WORDS_FOLDER) -> Path:
    """The file with the texts of a language."""
    return folder / f"{code}.toml"


def load_words(code: str, folder: Path = WORDS_FOLDER) -> Mapping[str, str]:
    """The texts of a language's file; none where it has no file.

    Raises:
        ValidationFailedError: the file is not TOML.
    """
    path = words_file(code, folder)
    return parse_toml(read_utf8(path), path.name) if path.exists() else {}


@cache
def build_texts_module() -> bytes:
    """The JavaScript module with the name, the tag, the script and the texts of each language.

    A file that is broken counts as missing: `server.py check` reports it, and the page stays usable.
    """
    texts = {
        language.code: {
            "name": language.own_name,
            "tag": language.browser_tag or language.code,
            "script": language.script,
            "words": {**_words_or_none(DEFAULT_LANGUAGE), **_words_or_none(language.code)},
        }
        for language in LANGUAGES
    }
    return f"export const TEXTS = {json.dumps(texts, ensure_ascii=False)};\n".encode()


def _words_or_none(code: str) -> Mapping[str, str]:
    try:
        return load_words(code)
    except ValidationFailedError:
        return {}
