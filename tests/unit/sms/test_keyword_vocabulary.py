"""The file of keyword words: each mistake is reported with its line and a fix."""

import pytest

from app.bootstrap import build_checked_menu
from config.settings import Settings
from core.errors import ValidationFailedError
from sms.keywords.fuzzy_match import phonetic_index
from sms.keywords.vocabulary import (
    ALL_TABLES,
    LANGUAGES_TABLE,
    LETTERS_TABLE,
    MESSAGES_TABLE,
    NOT_NAMES_TABLE,
    REQUESTS_TABLE,
    SERVICE_REQUESTS_TABLE,
    TABLES,
    WRITING_FORMS,
    Word,
    get_vocabulary,
    load_vocabulary,
    normalize_phrase,
    script_language,
)

LETTERS = {
    "Latin letters": "ABCDEFGHIJKLMNOPQRST",
    "Bengali letters": "কখগঘঙচছজঝটঠডঢণতথদধনপ",
    "Devanagari letters": "कखगघङचछजझटठडढणतथदधनप",
}


def valid_vocabulary():
    """A file with one word in every form of every table; a table has six lines, its header first."""
    for place, name in enumerate(TABLES):
        yield f"[{name}]"
        for form, (_, emails, _) in WRITING_FORMS.items():
            tail = {"bn_Latn": "B", "hi_Latn": "H"}.get(form, "")
            yield f'{form} = ["{LETTERS[emails][place] * 2}{tail}"]'
    yield from (
        f"[{NOT_NAMES_TABLE}]",
        'en = ["FEE"]',
        'bn = ["কবে"]',
        'hi = ["कब"]',
        'bn_Latn = ["KI"]',
        'hi_Latn = ["KI"]',
    )
    yield from (
        f"[{MESSAGES_TABLE}]",
        'en = ["SMS"]',
        'bn = ["খবর"]',
        'hi = ["ख़बर"]',
        'bn_Latn = ["BARTA"]',
        'hi_Latn = ["SANDESH"]',
    )
    yield from (f"[{LANGUAGES_TABLE}]", 'en = ["EN"]', 'bn = ["BN"]', 'hi = ["HI", "हिंदी"]')
    yield from (
        f"[{REQUESTS_TABLE}]",
        'en = ["IN"]',
        'bn = ["চাই"]',
        'hi = ["में"]',
        'bn_Latn = ["TE"]',
        'hi_Latn = ["MEIN"]',
    )
    yield from (
        f"[{SERVICE_REQUESTS_TABLE}]",
        'en = ["WANT"]',
        'bn = ["চাই"]',
        'hi = ["चाहिए"]',
        'bn_Latn = ["CHAI"]',
        'hi_Latn = ["CHAHIYE"]',
    )
    yield from (
        f"[{LETTERS_TABLE}]",
        'en = ["ABC"]',
        'bn = ["রোমান"]',
        'hi = ["रोमन"]',
        'bn_Latn = ["LETIN"]',
        'hi_Latn = ["LATEEN"]',
    )


LINES_PER_TABLE = 1 + len(WRITING_FORMS)
AFTER_TABLES = LINES_PER_TABLE * len(TABLES)
VALID_VOCABULARY = "\n".join(valid_vocabulary()) + "\n"


def load_text(folder, text):
    (folder / "keywords.toml").write_text(text, encoding="utf-8")
    return load_vocabulary(folder / "keywords.toml")


def test_the_valid_vocabulary_has_no_problems(tmp_path):
    made = load_text(tmp_path, VALID_VOCABULARY)

    assert made.words["aa"] == Word("status", "en", "AA")
    assert made.words["कक"] == Word("status", "hi", "कक")
    assert made.words["aab"] == Word("status", "bn", "AAB")
    assert made.languages["हिंदी"] == Word("hi", "hi", "हिंदी")
    assert made.message_words == {"sms", "খবর", normalize_phrase("ख़बर"), "barta", "sandesh"}
    assert made.not_names == {"fee", "কবে", "कब", "ki"}
    assert made.find_spelling("status", "bn") == "কক"


@pytest.mark.parametrize(
    ("sound", "broken", "said"),
    [
        ('"BB"', '"AA"', ["8: reg.en: 'AA' means status already; leave it with one of them"]),
        ('"BB"', '"aA"', ["8: reg.en: 'aA' means status already; leave it with one of them"]),
        ('"AA"', '"AA", "Aa"', ["2: status.en: 'Aa' is 'AA' once more; write it once"]),
        ('"AA"', '\n  "AA",\n  "AC",\n  "Aa",\n', ["5: status.en: 'Aa' is 'AA' once more; write it once"]),
        ('"कक"', '"कक", "क़क"', ["4: status.hi: 'क़क' is 'कक' once more; write it once"]),
        ('["AAB"]', '["AA"]', ["5: status.bn_Latn: 'AA' is 'AA' once more; write it once"]),
        ('"AA"', '"কক"', ["2: status.en: 'কক' cannot be used; write one to 4 words, one blank between them, in Latin letters"]),
        ('"কক"', '"KK"', ["3: status.bn: 'KK' cannot be used; write one to 4 words, one blank between them, in Bengali letters"]),
        ('"কক"', '"কক১"', ["3: status.bn: 'কক১' cannot be used; write one to 4 words, one blank between them, in Bengali letters"]),
        ('"कक"', '"कक।"', ["4: status.hi: 'कक।' cannot be used; write one to 4 words, one blank between them, in Devanagari letters"]),
        ('"AA"', '"A-A"', ["2: status.en: 'A-A' cannot be used; write one to 4 words, one blank between them, in Latin letters"]),
        ('"AA"', '""', ["2: status.en: '' cannot be used; write one to 4 words, one blank between them, in Latin letters"]),
        ('"AA"', '"A B C D E"', ["2: status.en: 'A B C D E' cannot be used; write one to 4 words, one blank between them, in Latin letters"]),
        ('"AA"', '"A  B"', ["2: status.en: 'A  B' cannot be used; write one to 4 words, one blank between them, in Latin letters"]),
        ('"BN"', '"BN", "en"', [f"{AFTER_TABLES + 15}: languages.bn: 'en' means en already; leave it with one of them"]),
        ('"EN"', '"E N"', [f"{AFTER_TABLES + 14}: languages.en: 'E N' cannot be used; write one word in letters of one script"]),
        ('"FEE"', '"THE FEE"', [f"{AFTER_TABLES + 2}: not_names.en: 'THE FEE' cannot be used; write one word in Latin letters"]),
        ('["AA"]', '"AA"', ['2: status.en: this is not a list of words; write it as ["…", "…"]']),
        ('["AA"]', "[1]", ['2: status.en: this is not a list of words; write it as ["…", "…"]']),
        ('["AA"]', "[]", ['2: status.en: there are no words; write at least one, such as ["…"]']),
        ('en = ["AA"]\n', "", ['1: status.en: there are no words; write at least one, such as ["…"]']),
        ("hi_Latn", "hi_latin", [
            '1: status.hi_Latn: there are no words; write at least one, such as ["…"]',
            "6: status.hi_latin: no form is called so; choose from en, bn, hi, bn_Latn, hi_Latn, near",
        ]),
        ('hi = ["HI"', 'near = ["X"]\nhi = ["HI"', [f"{AFTER_TABLES + 16}: languages.near: no form is called so; choose from en, bn, hi, bn_Latn, hi_Latn"]),
        ("[start]", "[begin]", [
            "1: start: this table is missing; write [start] with words in every form",
            f"{LINES_PER_TABLE * TABLES.index('start') + 1}: begin: no keyword is called so; choose from {', '.join(ALL_TABLES)}",
        ]),
        ("[status]\n", "status = 1\n[statuses]\n", [
            "1: status: this is not a table; put it under a header such as [status]",
            f"2: statuses: no keyword is called so; choose from {', '.join(ALL_TABLES)}",
        ]),
        ('"AA"]', '"AA"', ["3: is not TOML: missing comma between array elements, expected `,`; look there for a missing quote or bracket, a key written twice, or a number that begins with 0"]),
    ],
)  # fmt: skip
def test_a_mistake_is_reported_with_line_problem_and_fix(sound, broken, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    changed = VALID_VOCABULARY.replace(sound, broken, 1)
    assert changed != VALID_VOCABULARY

    with pytest.raises(ValidationFailedError) as refused:
        load_text(tmp_path, changed)

    assert str(refused.value).split("\n") == [f"keywords.toml:{line}" for line in said]


def test_a_latin_word_of_two_languages_tells_no_language(tmp_path):
    made = load_text(tmp_path, VALID_VOCABULARY.replace('"AAH"', '"AAB"'))

    assert made.words["aab"] == Word("status", "en", "AAB", is_shared=True)


def test_a_word_that_is_only_suggested_may_be_in_any_script(tmp_path):
    made = load_text(tmp_path, VALID_VOCABULARY.replace('en = ["AA"]', 'near = ["রদ"]\nen = ["AA"]'))

    assert made.words[normalize_phrase("রদ")] == Word("status", "bn", "রদ", is_suggested_only=True)


@pytest.mark.parametrize(
    ("word", "script"), [("STOP", "en"), ("স্টপ", "bn"), ("১২", "bn"), ("बंद", "hi"), ("你好", "en"), ("", "en")]
)
def test_the_script_of_a_word_tells_its_language(word, script):
    assert script_language(word) == script


async def test_the_gateway_does_not_start_with_an_invalid_file(tmp_path, monkeypatch):
    monkeypatch.setattr("sms.keywords.vocabulary.WORDS_FOLDER", tmp_path)
    (tmp_path / "words.toml").write_text(VALID_VOCABULARY.replace('"BB"', '"AA"'), encoding="utf-8")
    get_vocabulary.cache_clear()
    phonetic_index.cache_clear()
    try:
        with pytest.raises(ValidationFailedError, match=r"words.toml:8: reg.en: 'AA' means status already"):
            await build_checked_menu(Settings())
    finally:
        get_vocabulary.cache_clear()
        phonetic_index.cache_clear()


def test_a_missing_file_is_reported(tmp_path):
    with pytest.raises(ValidationFailedError, match="cannot be read"):
        load_vocabulary(tmp_path / "keywords.toml")
