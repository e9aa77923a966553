"""Read the argument after a keyword: a number, a name, a line, or any text."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import regex

from core.languages import LATIN_SUFFIX, language_of_locale
from core.reference_numbers import TRACKING_NUMBER_DIGITS
from menus.keywords import KEYWORD_BY_NAME, ArgumentKind
from sms.keywords.numbers import find_numbers, read_leading_number
from sms.keywords.phrases import KeywordTail, Tokens, match_word, strip_courtesies
from sms.keywords.tokenizer import tokenize
from sms.keywords.vocabulary import get_vocabulary

MAX_ARGUMENT_WORDS: Final = 4  # with as many words after it, most keywords are the beginning of a sentence
MIN_TRACKING_DIGITS: Final = 8  # a shorter number is not meant as a tracking number
MAX_NAME_WORDS: Final = 6  # without initials
NUMBER_SEARCH_WORDS: Final = 3  # the first words of a complaint, among which its tracking number begins
LABEL_MARKS: Final = frozenset(".:#=")  # between a word and a number: the word names the number
QUESTION_MARKS: Final = frozenset("?？")
CLOSING_QUOTES: Final = {'"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "<": ">", "[": "]", "(": ")", "{": "}"}
_split_at_commas = regex.compile(r"\s*[,;،，、]\s*").split
_is_punctuation = regex.compile(r"[\p{P}\s]*").fullmatch
_match_separators = regex.compile(r"[\s\x1c-\x1f\p{Cf}#*\-–—,.:;=/\\|_।]*").match


def parse_argument(kind: ArgumentKind, tail: KeywordTail) -> str | None:
    """The argument of this kind after a keyword, empty where there is none; None where the SMS is not the keyword."""
    return ARGUMENT_PARSERS[kind](tail)


def strip_opening_quote(text: str) -> str:
    """The text without a quote or bracket at its beginning, and without the closing one."""
    bare = _strip_separators(text)
    closing = CLOSING_QUOTES.get(bare[:1])
    return bare[1:].replace(closing, "", 1) if closing else bare


def _strip_wrapping(rest: str) -> str:
    """The text without separators before it, and without quotes or brackets around it, which people copy from a leaflet."""
    rest = _strip_separators(rest).rstrip()
    if len(rest) > 1 and CLOSING_QUOTES.get(rest[0]) == rest[-1]:
        return rest[1:-1].strip()
    return rest


def _strip_separators(text: str) -> str:
    separators = _match_separators(text)
    return text[separators.end() :] if separators else text


def _parse_nothing(tail: KeywordTail) -> str | None:
    return None if tail.extra_tokens() else ""


def _parse_repeated(tail: KeywordTail) -> str | None:
    """Nothing, or STOP again: angry people write it more than once."""
    remaining = tail.extra_tokens()
    while (again := match_word(remaining)) and again.word.table == "stop" and not again.word.is_suggested_only:
        remaining = remaining[again.length :]
    return None if remaining else ""


def _parse_text(tail: KeywordTail) -> str:
    rest = _strip_wrapping(tail.text[tail.keyword_end :])
    return "" if _is_punctuation(rest) else rest


def _parse_polite_text(tail: KeywordTail) -> str:
    return _parse_text(tail) if strip_courtesies(tail.following) else ""


def _parse_line(tail: KeywordTail) -> str:
    """The rest of the line, or the next line with words where the line has none. A number alone is its digits."""
    if not strip_courtesies(tail.following):
        return ""
    number, used = read_leading_number(tail.following)
    if used and not tail._replace(following=tail.following[used:]).extra_tokens():
        return number
    return _strip_wrapping(next(line for line in _parse_text(tail).splitlines() if tokenize(line)))


def _parse_short_line(tail: KeywordTail) -> str | None:
    return _parse_line(tail) if len(tail.extra_tokens()) < MAX_ARGUMENT_WORDS else None


def _parse_payment(tail: KeywordTail) -> str | None:
    """The tracking number, wherever it stands; else a short line: `bill collectors rob us all` is a sentence."""
    numbers = find_numbers(tail.following)
    complete = next((number for number in numbers if len(number) == TRACKING_NUMBER_DIGITS), "")
    return complete or _parse_short_line(tail)


def _parse_name(tail: KeywordTail) -> str:
    """A name, without what follows a comma; empty where the words can be no name, so that the menu asks for it."""
    extras = tail.extra_tokens() or _first_line(strip_courtesies(tail.following))
    has_number = any(token.is_number for token in extras)
    word_count = sum(len(token.key) > 1 for token in extras)
    if has_number or word_count > MAX_NAME_WORDS or not could_be_name(extras, tail.text) or _is_near_keyword(extras):
        return ""
    first, *others = filter(None, _split_at_commas(_parse_line(tail)))
    return first if len(first.split()) > 1 else " ".join((first, *others))


def _first_line(words: Tokens) -> Tokens:
    return tuple(word for word in words if word.line == words[0].line)


def could_be_name(words: Tokens, text: str) -> bool:
    """Whether a person may be called so: there are no words that are in no name, and not only words of keywords.

    A word that is only asked back is a name, as Rai is. One letter is an initial, which the article `a` is taken for only
    as a capital, before a dot, or beside another initial.
    """
    vocabulary = get_vocabulary()
    if any(
        word.key in vocabulary.not_names and not _is_initial(index, words, text) for index, word in enumerate(words)
    ):
        return False
    known = [vocabulary.words.get(word.key) for word in words]
    return not all(word is not None and word.table in KEYWORD_BY_NAME and not word.is_suggested_only for word in known)


def _is_near_keyword(words: Tokens) -> bool:
    """Whether the only word is one that is asked back: right after REG it may be no name."""
    word = get_vocabulary().words.get(words[0].key) if len(words) == 1 else None
    return word is not None and word.is_suggested_only


def _is_initial(index: int, words: Tokens, text: str) -> bool:
    word, beside = words[index], words[max(index - 1, 0) : index + 2]
    if len(word.key) > 1:
        return False
    written, after = text[word.start : word.end], text[word.end : word.end + 1]
    return written.isupper() or after == "." or any(len(other.key) == 1 for other in beside if other is not word)


def _parse_tracking_number(tail: KeywordTail) -> str:
    """The tracking number, wherever it stands; else the longest number that may be meant as one; else the line."""
    numbers = list(find_numbers(tail.following))
    if complete := next((number for number in numbers if len(number) == TRACKING_NUMBER_DIGITS), ""):
        return complete
    longest = max(numbers, key=len, default="")
    return longest if len(longest) >= MIN_TRACKING_DIGITS else _parse_line(tail)


def _parse_tracking_number_alone(tail: KeywordTail) -> str | None:
    """The tracking number where it and courtesies are all that follows; a sentence or a question is not the keyword.

    A mark such as in `No. 1234` or `No: 1234` makes the word the label of the number.
    """
    words = strip_courtesies(tail.following)
    number, used = read_leading_number(words)
    is_label = bool(tail.following) and not LABEL_MARKS.isdisjoint(
        tail.text[tail.keyword_end : tail.following[0].start]
    )
    if len(number) < MIN_TRACKING_DIGITS or words[used:] or is_label or not QUESTION_MARKS.isdisjoint(tail.text):
        return None
    return number


def _parse_complaint(tail: KeywordTail) -> str:
    """The text; a tracking number at its beginning, or after a word such as `no.`, comes first and in twelve digits."""
    for skipped in range(NUMBER_SEARCH_WORDS):
        number, used = read_leading_number(tail.following[skipped:])
        if len(number) == TRACKING_NUMBER_DIGITS:
            rest = tail.text[tail.following[skipped + used - 1].end :]
            return f"{number} {_strip_wrapping(rest)}".rstrip()
    return _parse_text(tail)


def _parse_numbered_text(tail: KeywordTail) -> str | None:
    """The text with its tracking number first; None for a sentence without a number that may be meant as one."""
    has_number = any(len(number) >= MIN_TRACKING_DIGITS for number in find_numbers(tail.following))
    return _parse_complaint(tail) if has_number or not tail.extra_tokens() else None


def _parse_language(tail: KeywordTail) -> str | None:
    """The code of the language's locale, or LATIN_SUFFIX for Latin letters alone; the line where it names neither."""
    if len(tail.extra_tokens()) >= MAX_ARGUMENT_WORDS:
        return None
    vocabulary, words = get_vocabulary(), [token.key for token in tail.following]
    language = vocabulary.languages.get(words[0]) if words else None
    if language:
        return locale_in_letters(language.table, words)
    return LATIN_SUFFIX if words and words[0] in vocabulary.latin_letters else _parse_line(tail)


def locale_in_letters(locale: str, words: Sequence[str]) -> str:
    """The locale of a language's name: the one in Latin letters where one of the words asks for them."""
    asks_for_latin = not get_vocabulary().latin_letters.isdisjoint(words)
    return language_of_locale(locale).latin_locale if asks_for_latin else locale


ARGUMENT_PARSERS: Final[Mapping[ArgumentKind, Callable[[KeywordTail], str | None]]] = {
    "nothing": _parse_nothing,
    "repeated": _parse_repeated,
    "tracking_number": _parse_tracking_number,
    "tracking_number_alone": _parse_tracking_number_alone,
    "name": _parse_name,
    "line": _parse_line,
    "payment": _parse_payment,
    "short_line": _parse_short_line,
    "text": _parse_text,
    "polite_text": _parse_polite_text,
    "complaint": _parse_complaint,
    "numbered_text": _parse_numbered_text,
    "language": _parse_language,
}
"""A parser for each kind of argument. It returns None where the SMS is not the keyword."""
