"""The words of the console. Each page's folder has a file for each language; a text may name facts and their formatters."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from core.toml_source import parse_toml, read_utf8
from menus.rendering.localization import Locale, Template, parse_template

CONSOLE_FOLDER: Final = Path(__file__).parent
CONSOLE_LANGUAGES: Final = ("en", "bn", "hi")

Translate = Callable[..., str]


@cache
def load_words(language: str) -> Mapping[str, Template]:
    """Every text of a language, by `page.key`; a key of the file `words/en.toml` of the console itself has no page before it.

    Raises:
        ValidationFailedError: a file is not TOML.
    """
    words: dict[str, Template] = {}
    for file in sorted(CONSOLE_FOLDER.rglob(f"{language}.toml")):
        page = "common" if file.parent == CONSOLE_FOLDER else file.parent.name
        texts = _flatten(parse_toml(read_utf8(file), f"{page}/{file.name}"))
        words |= {f"{page}.{key}": parse_template(text) for key, text in texts.items()}
    return words


def build_translate(language: str, locale: Locale) -> Translate:
    """A function from a key such as `staff.title`, and the facts of its text, to the text in the language."""
    words = load_words(language)

    def translate(key: str, /, **facts: Any) -> str:
        return locale.render(words[key], facts)

    return translate


def _flatten(table: Mapping[str, Any], prefix: str = "") -> Mapping[str, str]:
    texts: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            texts |= _flatten(value, f"{prefix}{key}.")
        else:
            texts[prefix + key] = value
    return texts
