"""The rules of wording: one word for one thing, one spelling, no danda behind a digit."""

import pytest

from core.languages import LATIN_LOCALES, LOCALE_CODES
from core.toml_source import parse_toml, read_utf8
from core.wording import WORDING_FILE, find_wording_problems

TABLES = parse_toml(read_utf8(WORDING_FILE), WORDING_FILE.name)
RULES = [(code, rule) for by_locale in TABLES.values() for code, rules in by_locale.items() for rule in rules]


def find_refused(locale_code: str, text: str) -> list[str]:
    return [problem for problem, _ in find_wording_problems(locale_code, text)]


@pytest.mark.parametrize(("code", "rule"), RULES, ids=[f"{code}-{rule['use']}" for code, rule in RULES])
def test_each_word_is_refused_as_a_whole_word_and_the_right_one_is_not(code: str, rule: dict[str, list[str]]) -> None:
    for word in rule["not"]:
        assert find_refused(code, f"A {word.upper()}, b"), word
        assert not [it for it in find_refused(code, f"xx{word}xx") if word.casefold() in it.casefold()], word
    for phrase in (*rule.get("except", ()), *str(rule["use"]).split(", ")):
        assert find_refused(code, f"A {phrase}, b") == []


def test_the_words_are_those_of_locales_and_spellings_those_of_latin_letters() -> None:
    assert {code for code, _ in RULES} <= set(LOCALE_CODES)
    assert {*TABLES["spellings"], *TABLES["endings"]} <= set(LATIN_LOCALES)


def test_a_vowel_sign_or_an_ending_makes_another_word() -> None:
    assert find_refused("bn", "আগের হিসাবে") == []
    assert find_refused("hi", "मिलाएँगे") == []
    assert find_refused("bn_Latn", "Phone-e jante parben") == []


@pytest.mark.parametrize("text", ["কল করুন ১৬২৬৩।", "कॉल करें 16263 ।", "২১-১১-১৯৯০।\nধন্যবাদ"])
def test_a_danda_behind_a_digit_is_refused(text: str) -> None:
    assert find_refused("bn", text) == ["has a danda behind a digit, which reads as one more digit"]


@pytest.mark.parametrize("text", ["ধন্যবাদ।", "২১ নভেম্বর, ধন্যবাদ।", "১৬২৬৩\nধন্যবাদ।"])
def test_a_danda_behind_a_word_is_not(text: str) -> None:
    assert find_refused("bn", text) == []
