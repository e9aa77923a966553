"""Finds the vocabulary's words in a text, and sets aside what is only polite."""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Final, NamedTuple, TypeAlias

import regex

from sms.keywords.spelling import Token, from_bijoy
from sms.keywords.vocabulary import WORDS, Word, known

GREETINGS: Final = "greetings"
POLITE: Final = frozenset({GREETINGS, "courtesies"})
SIGNATURE: Final = 4  # words at most
_drawn_out = regex.compile(r"(\w)\1{2,}").sub

Tokens: TypeAlias = tuple[Token, ...]


class Found(NamedTuple):
    """A word of the vocabulary, and how many words of the text it is."""

    word: Word
    length: int


class Said(NamedTuple):
    """A text whose keyword is found: where that ends and on which line, and the words and numbers after it."""

    text: str
    end: int
    line: int
    after: Tokens

    def extras(self) -> Tokens:
        """What stands after it beside courtesies and a signature, which is a few words on lines of their own."""
        own = tuple(token for token in self.after if token.line == self.line)
        below = self.after[len(own) :]
        if len(below) > SIGNATURE or any(token.key[-1].isdigit() for token in below):
            own = self.after
        return without_courtesies(own)


def said(text: str, body: Tokens, length: int) -> Said:
    """`text`, the first `length` words of whose `body` are its keyword."""
    last = body[length - 1]
    return Said(text, last.end, last.line, body[length:])


def first(body: Tokens) -> Found | None:
    """The longest word of the vocabulary that a text begins with."""
    words = known().words
    for length in range(min(WORDS, len(body)), 0, -1):
        if word := words.get(" ".join(token.key for token in body[:length])):
            return Found(word, length)
    otherwise = _otherwise(body[0].key) if body else None
    return Found(otherwise, 1) if otherwise else None


def _otherwise(key: str) -> Word | None:
    """A word that a Bijoy converter made Bengali, or a greeting that is drawn out (`hellooo`)."""
    words = known().words
    if word := words.get(from_bijoy(key)):
        return word._replace(language="bn")
    drawn = words.get(_drawn_out(r"\1", key))
    return drawn if drawn and drawn.table == GREETINGS else None


def greeted(body: Tokens) -> tuple[str, Tokens]:
    """The language of a greeting before it, or none, and the text without what is said before what is wanted."""
    language = ""
    while (found := first(body)) and found.word.table in POLITE:
        if found.word.table == GREETINGS:
            language = language or found.word.language
        body = body[found.length :]
    return language, body


def without_courtesies(body: Tokens) -> Tokens:
    """The words and numbers of a text that are not merely polite."""
    return tuple(_not_polite(body))


def _not_polite(left: Tokens) -> Iterator[Token]:
    while left:
        found = first(left)
        if found and found.word.table in POLITE:
            left = left[found.length :]
        else:
            yield left[0]
            left = left[1:]


def unglued(body: Tokens) -> Tokens:
    """With letters that are digits (`STATUSO1234`) cut off the keyword that they are written onto."""
    return tuple(piece for token, after in zip_longest(body, body[1:]) for piece in _pieces(token, after))


def _pieces(token: Token, after: Token | None) -> Iterator[Token]:
    word, words = token.key.rstrip("oil"), known().words
    as_written = token.end - token.start == len(token.key)
    glued = after is not None and after.is_number and after.start == token.end
    if glued and as_written and token.key not in words and word in words:
        cut = token.start + len(word)
        yield token._replace(key=word, end=cut)
        yield token._replace(key=token.key[len(word) :], start=cut)
    else:
        yield token
