"""What an SMS asks for: the keyword it begins with and what stands after it, or the keywords it may have meant.

A text is a keyword's where its first word is one, greetings and courtesies before it aside. `STOP`, `START` and `PIN` do
something to whoever sends them, so they are themselves only where they stand alone; a sentence that begins so is none.
Nothing that is merely like a keyword is acted on. `docs/keywords.md` has the words and the rules for who writes them.
"""

from typing import Final, NamedTuple, cast

from stdnum import damm

from sms.keywords.arguments import TAKES, unquoted
from sms.keywords.guesses import guesses
from sms.keywords.nearness import heard
from sms.keywords.numerals import NUMBER, leading, numbers_only, runs
from sms.keywords.phrases import Tokens, first, greeted, said, unglued
from sms.keywords.spelling import tokens
from sms.keywords.vocabulary import Name, known, script_of

__all__ = ["Asked", "Meant", "Name", "number_alone", "prepare", "understood"]

MISTYPED: Final = range(NUMBER - 1, NUMBER + 2)  # digits of a text that can be nothing but a tracking number
SHORT: Final = 2  # words after a keyword that stands alone: with so few it is suggested, with more it is a sentence
EVERYDAY: Final = frozenset({"refuse"})  # whose words are said all day, and mean it only where they are followed right


class Asked(NamedTuple):
    """What a text asks for.

    `rest` is what stands after the keyword, as it was written; a number in it that the keyword takes is in 0-9 without
    blanks. For `lang` it is the code of the language where it names one that there is. `language` is the keyword's;
    `en` also stands for a word that several write alike with Latin letters, and for digits 0-9.
    """

    name: Name
    rest: str
    language: str


class Meant(NamedTuple):
    """Keywords that a text may have meant, best first, and each as it is written in the script that was used."""

    names: tuple[Name, ...]
    words: tuple[str, ...]


def prepare() -> None:
    """Read the words and learn how they sound, so that the first SMS does not wait for it.

    Raises:
        Broken: the words cannot be used.
    """
    heard()


def understood(text: str) -> Asked | Meant | None:
    """What a text asks for, what it may have meant, or None where it is nothing like a keyword.

    Never raises, whatever the text is, and looks at no more than its first words.
    """
    text = unquoted(text)
    greeting, body = greeted(unglued(tokens(text)))
    for read in (_keyword, _number_alone, _language_alone, _misspelt, _number_within) if body else ():
        if answer := read(text, body):
            return answer
    return Asked("documents", "", greeting) if greeting and len(body) <= 1 else None


def number_alone(text: str) -> bool:
    """Whether a text is digits of any script and what may stand between them: no keyword, no word, and not nothing."""
    return numbers_only(tokens(unquoted(text)))


def _keyword(text: str, body: Tokens) -> Asked | Meant | None:
    if not (found := first(body)):
        return _language_written_onto(body)
    word, name = found.word, cast("Name", found.word.table)
    rest = said(text, body, found.length)
    if word.near:
        return None if rest.extras() else _suggested(name, word.language)
    taken = TAKES[name](rest)
    if taken is not None:
        return Asked(name, taken, word.language)
    return Meant((name,), (word.written,)) if len(rest.after) <= SHORT and name not in EVERYDAY else None


def _suggested(name: Name, script: str) -> Meant:
    return Meant((name,), (known().told(name, script),))


def _language_written_onto(body: Tokens) -> Asked | None:
    """`LANGBN`: a language written onto the keyword."""
    vocabulary, key = known(), body[0].key
    for cut in range(1, len(key)):
        word, called = vocabulary.words.get(key[:cut]), vocabulary.languages.get(key[cut:])
        if word and word.table == "lang" and called and len(body) == 1:
            return Asked("lang", called.table, word.language)
    return None


def _number_alone(text: str, body: Tokens) -> Asked | None:
    """A tracking number with nothing around it but the keyword, behind it."""
    number, used = leading(body)
    if len(number) not in MISTYPED:
        return None
    extras = said(text, body, used).extras()
    found = first(extras)
    if extras and not (found and found.word.table == "status" and found.length == len(extras)):
        return None
    return Asked("status", number, script_of(text[body[0].start]))


def _language_alone(text: str, body: Tokens) -> Asked | None:
    called = known().languages.get(body[0].key)
    if called is None or said(text, body, 1).extras():
        return None
    return Asked("lang", called.table, called.language)


def _misspelt(text: str, body: Tokens) -> Meant | None:
    near = {name: word for name, word in guesses(text, body).items() if name not in EVERYDAY}
    return Meant(tuple(near), tuple(near.values())) if near else None


def _number_within(_: str, body: Tokens) -> Meant | None:
    """A sentence may ask after a number that has a tracking number's check digit, or that it speaks of the status of."""
    words = known().words
    spoken = any(token.key in words and words[token.key].table == "status" for token in body)
    if not any(len(number) == NUMBER and (spoken or damm.is_valid(number)) for number in runs(body)):
        return None
    return _suggested("status", script_of("".join(token.key for token in body if not token.is_number)))
