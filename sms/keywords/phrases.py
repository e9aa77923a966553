"""Find words of the vocabulary at the beginning of an SMS, and skip greetings and courtesies."""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Final, NamedTuple, TypeAlias

import regex

from sms.keywords.tokenizer import Token, undo_bijoy
from sms.keywords.vocabulary import MAX_PHRASE_WORDS, Word, get_vocabulary, script_language

GREETINGS: Final = "greetings"
POLITE_TABLES: Final = frozenset({GREETINGS, "courtesies"})
MAX_SIGNATURE_WORDS: Final = 4
_collapse_repeats = regex.compile(r"(\w)\1{2,}").sub

Tokens: TypeAlias = tuple[Token, ...]


class WordMatch(NamedTuple):
    """A word of the vocabulary, and the number of tokens it takes."""

    word: Word
    length: int


class KeywordTail(NamedTuple):
    """An SMS whose keyword is known: the index and the line where the keyword ends, and the tokens after it."""

    text: str
    keyword_end: int
    keyword_line: int
    following: Tokens

    def extra_tokens(self) -> Tokens:
        """The tokens after the keyword without courtesies and without a signature: a few words on lines of their own."""
        same_line = tuple(token for token in self.following if token.line == self.keyword_line)
        below = self.following[len(same_line) :]
        is_signature = len(below) <= MAX_SIGNATURE_WORDS and not any(token.key[-1].isdigit() for token in below)
        return strip_courtesies(same_line if is_signature else self.following)


def build_tail(text: str, body: Tokens, length: int) -> KeywordTail:
    """The tail of an SMS whose keyword takes the first `length` tokens of `body`."""
    last = body[length - 1]
    return KeywordTail(text, last.end, last.line, body[length:])


def match_word(body: Tokens) -> WordMatch | None:
    """The longest phrase of the vocabulary at the beginning of `body`."""
    words = get_vocabulary().words
    for length in range(min(MAX_PHRASE_WORDS, len(body)), 0, -1):
        if word := words.get(" ".join(token.key for token in body[:length])):
            return WordMatch(word, length)
    variant = _match_variant(body[0].key) if body else None
    return WordMatch(variant, 1) if variant else None


def split_greeting(body: Tokens) -> tuple[str, Tokens]:
    """The language of a greeting at the beginning, or an empty text; and the tokens after greetings and courtesies."""
    language = ""
    while (found := match_word(body)) and found.word.table in POLITE_TABLES:
        if found.word.table == GREETINGS:
            language = language or found.word.language
        body = body[found.length :]
    return language, body


def strip_courtesies(body: Tokens) -> Tokens:
    """The tokens without greetings and courtesies."""
    return tuple(_iterate_without_courtesies(body))


def split_glued_digits(body: Tokens) -> Tokens:
    """The tokens, where letters that look like digits are split off the keyword before them: `STATUSO1234`."""
    return tuple(piece for token, after in zip_longest(body, body[1:]) for piece in _split_token(token, after))


def _match_variant(key: str) -> Word | None:
    """A Latin word that a Bijoy converter turned into Bengali, or a greeting with repeated letters: `hellooo`."""
    words = get_vocabulary().words
    if word := words.get(undo_bijoy(key)):
        return word._replace(language=script_language(key))
    greeting = words.get(_collapse_repeats(r"\1", key))
    return greeting if greeting and greeting.table == GREETINGS else None


def _iterate_without_courtesies(remaining: Tokens) -> Iterator[Token]:
    while remaining:
        found = match_word(remaining)
        if found and found.word.table in POLITE_TABLES:
            remaining = remaining[found.length :]
        else:
            yield remaining[0]
            remaining = remaining[1:]


def _split_token(token: Token, next_token: Token | None) -> Iterator[Token]:
    word, words = token.key.rstrip("oil"), get_vocabulary().words
    as_written = token.end - token.start == len(token.key)
    is_glued = next_token is not None and next_token.is_number and next_token.start == token.end
    if is_glued and as_written and token.key not in words and word in words:
        cut = token.start + len(word)
        yield token._replace(key=word, end=cut)
        yield token._replace(key=token.key[len(word) :], start=cut)
    else:
        yield token
