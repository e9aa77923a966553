"""Find the keyword that a misspelt word was meant to be, by its sound and the number of edits between the two.

The limits were chosen with the misspellings and ordinary sentences in the tests. `python -m bench.keywords` prints how many
misspellings are recognised, and how many sentences are taken for a keyword.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final, NamedTuple, TypeAlias

import regex
from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from core.languages import LANGUAGES, LATIN, SCRIPTS, Language, find_script
from menus.keywords import KEYWORD_NAMES
from sms.keywords.vocabulary import Vocabulary, Word, get_vocabulary

EDIT_LIMITS: Final = ((4, 0), (7, 1))
"""(sounds, edits): a word of fewer sounds may have at most this many edits; a longer word MAX_EDITS."""
MAX_EDITS: Final = 2
LONG_WORD: Final = 6  # sounds: such a word is recognised by its sound even with one edit
MIN_LENGTH, MAX_LENGTH = 3, 24  # characters of a word that is looked up
LANGUAGE_CODE_LENGTH: Final = 3  # characters: the code of a language is too short to be misspelt

SoundRules: TypeAlias = tuple[tuple[regex.Pattern[str], str], ...]


class NearMatch(NamedTuple):
    """A word that may be meant, and the number of edits between its sound and that of the typed word.

    `is_close`: both sound the same, or nearly the same and long. Then a sentence may follow.
    """

    edits: int
    word: Word
    is_close: bool


def find_nearest(typed: str) -> list[NearMatch]:
    """The words that `typed`, one word or several without spaces, may be a misspelling of; best first."""
    if not MIN_LENGTH <= len(typed) <= MAX_LENGTH:
        return []
    sound = phonetic_key(typed)
    max_edits = next((edits for length, edits in EDIT_LIMITS if len(sound) < length), MAX_EDITS)
    words = phonetic_index()[script_name(typed)]
    found = extract(sound, words.keys(), scorer=OSA.distance, score_cutoff=max_edits, limit=None)
    matches = [
        NearMatch(int(edits), word, is_close=edits == 0 or (edits == 1 and max(len(sound), len(key)) >= LONG_WORD))
        for key, edits, _ in found
        for word in words[key]
    ]
    return sorted(matches, key=lambda match: (match.edits, OSA.distance(typed, match.word.spelling.casefold())))


def phonetic_key(word: str) -> str:
    """The word with letters that sound alike, or are mistaken for each other, made one: `obhijog` and `ovijog` are equal."""
    for pattern, replacement in SOUND_RULES[script_name(word)]:
        word = pattern.sub(replacement, word)
    return word


def script_name(word: str) -> str:
    """The script that a word is written in: that of a language, or Latin."""
    return find_script(word) or LATIN


@cache
def phonetic_index() -> Mapping[str, Mapping[str, tuple[Word, ...]]]:
    """The words of keywords and the names of languages, by script and by phonetic key."""
    by_script: dict[str, dict[str, tuple[Word, ...]]] = defaultdict(dict)
    for key, word in _list_suggestable_words(get_vocabulary()):
        words, sound = by_script[script_name(key)], phonetic_key(key.replace(" ", ""))
        words[sound] = (*words.get(sound, ()), word)
    return by_script


def _list_suggestable_words(vocabulary: Vocabulary) -> list[tuple[str, Word]]:
    """Every word that may be suggested. The name of a language suggests the keyword `lang`."""
    keywords = [
        (key, word)
        for key, word in vocabulary.words.items()
        if word.table in KEYWORD_NAMES and not word.is_suggested_only
    ]
    return keywords + [
        (key, word._replace(table="lang"))
        for key, word in vocabulary.languages.items()
        if len(key) > LANGUAGE_CODE_LENGTH
    ]


def _compile_rules(languages: Iterable[Language]) -> SoundRules:
    pairs = dict.fromkeys(pair for language in languages for pair in language.sound_rules)
    return tuple((regex.compile(pattern), replacement) for pattern, replacement in pairs)


SOUND_RULES: Final[Mapping[str, SoundRules]] = {
    script: _compile_rules(language for language in LANGUAGES if language.script == script)
    for script in (LATIN, *SCRIPTS)
}
"""Replacements in a word before it is compared, in their order, by script; languages that share a script share them."""
