"""A text names a keyword by the word of its own language: an SMS in Bengali asked for STATUS, MENU, HELP and START."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from stdnum import damm

from core.languages import DEFAULT_LANGUAGE, LOCALE_CODES
from core.toml_source import parse_toml, read_utf8
from menus.rendering.localization import LOCALES_FOLDER
from sms.keywords.parser import KeywordRequest, parse_keyword
from sms.keywords.vocabulary import WORDS_FOLDER

ENGLISH = {
    word
    for name in ("apply", "stop", "refuse", "answer", "status", "help", "menu", "start", "services")
    for word in parse_toml(read_utf8(WORDS_FOLDER / "en.toml"), "en")[name]["en"]
}
OTHERS = [code for code in LOCALE_CODES if code != DEFAULT_LANGUAGE]
DIGITS = "12345678901" + str(damm.calc_check_digit("12345678901"))


def iterate_texts(table: dict[str, Any]) -> Iterator[str]:
    for value in table.values():
        yield from iterate_texts(value) if isinstance(value, dict) else [str(value)]


def list_texts(locale: str) -> list[str]:
    return list(iterate_texts(parse_toml(read_utf8(LOCALES_FOLDER / f"{locale}.toml"), locale)))


def list_told_words(locale: str) -> set[str]:
    """Words in quotes or, in Latin letters, in capitals, each with the number behind it."""
    pattern = r"'([^\s'{}]+(?: \{\w+\})?)'" if "_" not in locale else r"\b([A-Z]{2,}(?: \{number\})?)(?![\w}])"
    return {word for text in list_texts(locale) for word in re.findall(pattern, text)}


@pytest.mark.parametrize("locale", OTHERS)
def test_no_text_asks_for_an_english_keyword(locale: str) -> None:
    own = {
        word
        for table in parse_toml(read_utf8(WORDS_FOLDER / f"{locale[:2]}.toml"), locale).values()
        for word in table.get(locale, ())
    }
    shared = {"MENU"}  # written so in the Latin letters of every language
    english = [text for text in list_texts(locale) if set(re.findall(r"[A-Z]{2,}", text)) & (ENGLISH - own - shared)]

    assert english == []


@pytest.mark.parametrize("locale", [code for code in OTHERS if "_" not in code])
def test_a_word_that_a_text_asks_for_is_a_keyword(locale: str) -> None:
    told = list_told_words(locale)

    assert len(told) >= 10
    for word in told:
        typed = word.replace("{keypad}", "101")
        number = re.sub(r"\{\w+\}", "", typed).strip() + f" {DIGITS}"
        answers = parse_keyword(typed if "{" not in typed else number), parse_keyword(number)
        assert any(isinstance(answer, KeywordRequest) for answer in answers), word
