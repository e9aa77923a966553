"""The demo phone's texts: their keys, placeholders and wording are checked with file, line and fix."""

import json
from pathlib import Path

import pytest

from core.languages import LANGUAGE_CODES
from web.simulator.wording_check import find_simulator_problems
from web.simulator.words_loader import build_texts_module, load_words, words_file

ENGLISH = """title = "Demo phone"
size = "{used} of {most}"
hint = "Type your postal code"
"""
BENGALI = """title = "ডায়াল করুন ১২৩।"
size = "{used}"
other = "অন্য"
"""


def write_words(folder: Path, **files: str) -> None:
    for code, text in files.items():
        words_file(code, folder).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("code", LANGUAGE_CODES)
def test_our_own_texts_are_sound_and_all_are_read(code: str, tmp_path: Path) -> None:
    assert list(find_simulator_problems()) == []

    for one in LANGUAGE_CODES:
        text = words_file(one).read_text(encoding="utf-8")
        write_words(tmp_path, **{one: text.replace('"\n', ' १।"\n') if one == code else text})
    assert len(list(find_simulator_problems(tmp_path))) == len(load_words(code))


def test_each_mistake_is_told_by_its_line(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_words(Path(), en=ENGLISH, bn=BENGALI, hi="title = ")

    assert [str(problem).partition(";")[0] for problem in find_simulator_problems(Path())] == [
        "en.toml:3: hint: 'postal code' is another word for 'postcode'",
        "bn.toml:1: hint: this text is missing",
        "bn.toml:1: title: has a danda behind a digit, which reads as one more digit",
        "bn.toml:2: size: this text has other placeholders than the English one",
        "bn.toml:3: other: the page has no such text",
        "hi.toml:1: is not TOML: string values must be quoted, expected literal string",
    ]


def test_the_page_gets_each_language_with_its_name_its_tag_and_all_texts() -> None:
    module = build_texts_module().decode()
    texts = json.loads(module.removeprefix("export const TEXTS = ").removesuffix(";\n"))

    assert list(texts) == list(LANGUAGE_CODES)
    assert texts["bn"]["name"] == "বাংলা"
    assert texts["bn"]["tag"] == "bn-BD"
    assert all(one["words"].keys() == texts["en"]["words"].keys() for one in texts.values())
