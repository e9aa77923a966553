"""The file of keywords: one mistake at a time, each with the line that whoever edits the file is shown."""

import pytest

from assembly.lifecycle import checked
from faults import Broken
from settings import Settings
from sms.keywords.nearness import heard
from sms.keywords.vocabulary import ALL, FORMS, LANGUAGES, NOT_NAMES, TABLES, Word, known, load, phrase, script_of

LETTERS = {
    "Latin letters": "ABCDEFGHIJKLMNOPQRST",
    "Bengali letters": "কখগঘঙচছজঝটঠডঢণতথদধনপ",
    "Devanagari letters": "कखगघङचछजझटठडढणतथदधनप",
}


def sound():
    """A file with one word in every form of every table; a table has six lines, its header first."""
    for place, name in enumerate(TABLES):
        yield f"[{name}]"
        for form, (_, letters, _) in FORMS.items():
            tail = {"bn_Latn": "B", "hi_Latn": "H"}.get(form, "")
            yield f'{form} = ["{LETTERS[letters][place] * 2}{tail}"]'
    yield from (f"[{NOT_NAMES}]", 'en = ["FEE"]', 'bn = ["কবে"]', 'hi = ["कब"]', 'bn_Latn = ["KI"]', 'hi_Latn = ["KI"]')
    yield from (f"[{LANGUAGES}]", 'en = ["EN"]', 'bn = ["BN"]', 'hi = ["HI", "हिंदी"]')


SOUND = "\n".join(sound()) + "\n"


def loaded(folder, text):
    (folder / "keywords.toml").write_text(text, encoding="utf-8")
    return load(folder / "keywords.toml")


def test_what_the_broken_ones_are_made_from_is_sound(tmp_path):
    made = loaded(tmp_path, SOUND)

    assert made.words["aa"] == Word("status", "en", "AA")
    assert made.words["कक"] == Word("status", "hi", "कक")
    assert made.words["aab"] == Word("status", "bn", "AAB")
    assert made.languages["हिंदी"] == Word("hi", "hi", "हिंदी")
    assert made.not_names == {"fee", "কবে", "कब", "ki"}
    assert made.told("status", "bn") == "কক"


@pytest.mark.parametrize(
    ("sound", "broken", "said"),
    [
        ('"BB"', '"AA"', ["8: reg.en: 'AA' means status already; leave it with one of them"]),
        ('"BB"', '"aA"', ["8: reg.en: 'aA' means status already; leave it with one of them"]),
        ('"AA"', '"AA", "Aa"', ["2: status.en: 'Aa' is 'AA' once more; write it once"]),
        ('"AA"', '\n  "AA",\n  "AC",\n  "Aa",\n', ["5: status.en: 'Aa' is 'AA' once more; write it once"]),
        ('"कक"', '"कक", "क़क"', ["4: status.hi: 'क़क' is 'कक' once more; write it once"]),
        ('["AAB"]', '["AA"]', ["5: status.bn_Latn: 'AA' is 'AA' once more; write it once"]),
        ('"AA"', '"কক"', ["2: status.en: 'কক' cannot be used; write one to 3 words, one blank between them, in Latin letters"]),
        ('"কক"', '"KK"', ["3: status.bn: 'KK' cannot be used; write one to 3 words, one blank between them, in Bengali letters"]),
        ('"কক"', '"কক১"', ["3: status.bn: 'কক১' cannot be used; write one to 3 words, one blank between them, in Bengali letters"]),
        ('"कक"', '"कक।"', ["4: status.hi: 'कक।' cannot be used; write one to 3 words, one blank between them, in Devanagari letters"]),
        ('"AA"', '"A-A"', ["2: status.en: 'A-A' cannot be used; write one to 3 words, one blank between them, in Latin letters"]),
        ('"AA"', '""', ["2: status.en: '' cannot be used; write one to 3 words, one blank between them, in Latin letters"]),
        ('"AA"', '"A B C D"', ["2: status.en: 'A B C D' cannot be used; write one to 3 words, one blank between them, in Latin letters"]),
        ('"AA"', '"A  B"', ["2: status.en: 'A  B' cannot be used; write one to 3 words, one blank between them, in Latin letters"]),
        ('"BN"', '"BN", "en"', ["117: languages.bn: 'en' means en already; leave it with one of them"]),
        ('"EN"', '"E N"', ["116: languages.en: 'E N' cannot be used; write one word in letters of one script"]),
        ('"FEE"', '"THE FEE"', ["110: not_names.en: 'THE FEE' cannot be used; write one word in Latin letters"]),
        ('["AA"]', '"AA"', ['2: status.en: this is not a list of words; write it as ["…", "…"]']),
        ('["AA"]', "[1]", ['2: status.en: this is not a list of words; write it as ["…", "…"]']),
        ('["AA"]', "[]", ['2: status.en: there are no words; write at least one, such as ["…"]']),
        ('en = ["AA"]\n', "", ['1: status.en: there are no words; write at least one, such as ["…"]']),
        ("hi_Latn", "hi_latin", [
            '1: status.hi_Latn: there are no words; write at least one, such as ["…"]',
            "6: status.hi_latin: no form is called so; choose from en, bn, hi, bn_Latn, hi_Latn, near",
        ]),
        ('hi = ["HI"', 'near = ["X"]\nhi = ["HI"', ["118: languages.near: no form is called so; choose from en, bn, hi"]),
        ("[start]", "[begin]", [
            "1: start: this table is missing; write [start] with words in every form",
            f"85: begin: no keyword is called so; choose from {', '.join(ALL)}",
        ]),
        ("[status]\n", "status = 1\n[statuses]\n", [
            "1: status: this is not a table; put it under a header such as [status]",
            f"2: statuses: no keyword is called so; choose from {', '.join(ALL)}",
        ]),
        ('"AA"]', '"AA"', ["3: is not TOML: missing comma between array elements, expected `,`; look there for a missing quote or bracket, a key written twice, or a number that begins with 0"]),
    ],
)  # fmt: skip
def test_says_where_what_is_wrong_and_what_would_be_right(sound, broken, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    changed = SOUND.replace(sound, broken, 1)
    assert changed != SOUND

    with pytest.raises(Broken) as refused:
        loaded(tmp_path, changed)

    assert str(refused.value).split("\n") == [f"keywords.toml:{line}" for line in said]


def test_a_word_that_two_languages_write_alike_with_latin_letters_tells_neither(tmp_path):
    made = loaded(tmp_path, SOUND.replace('"AAH"', '"AAB"'))

    assert made.words["aab"] == Word("status", "en", "AAB")


def test_a_near_word_may_be_in_any_script(tmp_path):
    made = loaded(tmp_path, SOUND.replace('en = ["AA"]', 'near = ["রদ"]\nen = ["AA"]'))

    assert made.words[phrase("রদ")] == Word("status", "bn", "রদ", near=True)


@pytest.mark.parametrize(
    ("word", "script"), [("STOP", "en"), ("স্টপ", "bn"), ("১২", "bn"), ("बंद", "hi"), ("你好", "en"), ("", "en")]
)
def test_a_script_tells_a_language(word, script):
    assert script_of(word) == script


async def test_the_gateway_does_not_start_on_a_file_that_cannot_be_used(tmp_path, monkeypatch):
    monkeypatch.setattr("sms.keywords.vocabulary.KEYWORDS", tmp_path / "words.toml")
    (tmp_path / "words.toml").write_text(SOUND.replace('"BB"', '"AA"'), encoding="utf-8")
    known.cache_clear()
    heard.cache_clear()
    try:
        with pytest.raises(Broken, match=r"words.toml:8: reg.en: 'AA' means status already"):
            await checked(Settings())
    finally:
        known.cache_clear()
        heard.cache_clear()


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(Broken, match="cannot be read"):
        load(tmp_path / "keywords.toml")
