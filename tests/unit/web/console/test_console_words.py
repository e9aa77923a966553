"""The words of the console: every text in every language, with the same facts, and none that no template uses."""

import re
from pathlib import Path

import pytest

from web.console.words import CONSOLE_FOLDER, CONSOLE_LANGUAGES, load_words

ENGLISH = load_words("en")
USED = re.compile(r"""(?:\bt|translate)\(\s*f?["']([^"']+)["']""")


@pytest.mark.parametrize("language", [one for one in CONSOLE_LANGUAGES if one != "en"])
def test_every_language_has_every_text_with_the_same_facts(language):
    words = load_words(language)
    assert words.keys() == ENGLISH.keys()
    differing = [
        key
        for key, text in ENGLISH.items()
        if {n for n, _ in text.placeholders} != {n for n, _ in words[key].placeholders}
    ]
    assert not differing


def test_every_text_that_is_named_exists():
    sources = [*CONSOLE_FOLDER.rglob("*.html"), *CONSOLE_FOLDER.rglob("*.py")]
    named = {(key, file.name) for file in sources for key in USED.findall(file.read_text(encoding="utf-8"))}
    missing = {(key, file) for key, file in named if not is_known(key)}
    assert not missing


def is_known(key):
    """Whether there is such a text, or for the beginning of a key, one that begins so."""
    start = re.split(r"[{]", key)[0]
    return key in ENGLISH or (start.endswith(".") and any(one.startswith(start) for one in ENGLISH))


def test_vendored_files_are_those_that_are_named():
    table = (CONSOLE_FOLDER / "THIRD_PARTY.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|$", table, flags=re.MULTILINE)
    assert {name for name, _ in rows} == {file.name for file in Path(CONSOLE_FOLDER / "static").glob("*.min.js")}
    from hashlib import sha256

    assert dict(rows) == {name: sha256((CONSOLE_FOLDER / "static" / name).read_bytes()).hexdigest() for name, _ in rows}
