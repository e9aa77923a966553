"""The words around the menus: sign-in, keys, signing out."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from core.toml_source import parse_toml, read_utf8

FOLDER: Final = Path(__file__).parent
KAIOS_LANGUAGES: Final = ("en", "bn", "hi")


@cache
def load_words(language: str) -> Mapping[str, str]:
    """Every text of a language by its key. Other languages have those of the first one.

    Raises:
        ValidationFailedError: the file is not TOML.
    """
    code = language if language in KAIOS_LANGUAGES else KAIOS_LANGUAGES[0]
    return parse_toml(read_utf8(FOLDER / f"{code}.toml"), f"kaios/{code}.toml")
