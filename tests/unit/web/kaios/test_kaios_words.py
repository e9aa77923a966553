"""The words around the menus: every text in every language, with the same facts, and none that no page uses."""

import re
from typing import get_args

import pytest

from web.kaios.rendering import STATIC_FILES
from web.kaios.sign_in import Refusal
from web.kaios.words import FOLDER, KAIOS_LANGUAGES, load_words

ENGLISH = load_words("en")
FACTS = re.compile(r"\{\w+\}")
USED = re.compile(r"words\.(\w+)")
SOFT_KEYS = ("ok", "choose", "menu", "back", "out", "sign_in", "code", "pin")
CHOSEN_BY_CODE = {*get_args(Refusal), "over", "expired", "unavailable", "unsure", "busy_go_on"}


@pytest.mark.parametrize("language", [one for one in KAIOS_LANGUAGES if one != "en"])
def test_every_language_has_every_text_with_the_same_facts(language):
    words = load_words(language)
    assert words.keys() == ENGLISH.keys()
    assert {key: FACTS.findall(text) for key, text in words.items()} == {
        key: FACTS.findall(text) for key, text in ENGLISH.items()
    }


def test_every_text_is_used_and_every_used_text_exists():
    used = {key for file in FOLDER.glob("*.html") for key in USED.findall(file.read_text(encoding="utf-8"))}
    assert used | CHOSEN_BY_CODE == ENGLISH.keys()


@pytest.mark.parametrize("language", KAIOS_LANGUAGES)
def test_a_soft_key_has_room_for_its_word(language):
    assert {key: len(load_words(language)[key]) for key in SOFT_KEYS if len(load_words(language)[key]) > 12} == {}


@pytest.mark.parametrize("word", ["let ", "const ", "=>", "`", "fetch(", "async ", "?.", "...", "class "])
def test_the_script_is_of_2016(word):
    script = re.sub(
        r"/\*.*?\*/|//[^\n]*|\"[^\"]*\"",
        "",
        (STATIC_FILES.folder / "kaios.js").read_text(encoding="utf-8"),
        flags=re.DOTALL,
    )
    assert word not in script


@pytest.mark.parametrize(
    "word", ["grid", "var(--", "gap:", ":is(", ":where(", ":has(", "clamp(", "inset:", "aspect-ratio"]
)
def test_the_styles_are_of_2016(word):
    styles = re.sub(r"/\*.*?\*/", "", (STATIC_FILES.folder / "kaios.css").read_text(encoding="utf-8"), flags=re.DOTALL)
    assert word not in styles
