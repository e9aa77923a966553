"""Parse an SMS: the keyword that it begins with and the argument after it, or the keywords that it may mean.

An SMS is a keyword where its first word is one, after any greeting and courtesy. STOP, START and PIN change something for
the sender, and NO cannot be undone, so they count only where they stand alone, NO with its tracking number. The sender of a
longer text with STOP or NO in it is asked what they mean. A misspelt keyword is suggested, never executed.
`docs/keywords.md` lists the words and the rules.
"""

from itertools import takewhile
from typing import Final, NamedTuple

from core.languages import DEFAULT_LANGUAGE, language_by_script
from core.reference_numbers import TRACKING_NUMBER_DIGITS
from menus.keywords import KEYWORD_BY_NAME, Keyword
from sms.keywords.arguments import could_be_name, locale_in_letters, parse_argument, strip_opening_quote
from sms.keywords.fuzzy_match import phonetic_index
from sms.keywords.numbers import contains_only_numbers, find_numbers, is_tracking_number, read_leading_number
from sms.keywords.phrases import (
    KeywordTail,
    Tokens,
    WordMatch,
    build_tail,
    match_word,
    split_glued_digits,
    split_greeting,
    strip_courtesies,
)
from sms.keywords.suggestions import suggest_keywords
from sms.keywords.tokenizer import tokenize
from sms.keywords.vocabulary import Word, get_vocabulary, normalize_phrase, script_language

PLAUSIBLE_NUMBER_LENGTHS: Final = range(TRACKING_NUMBER_DIGITS - 1, TRACKING_NUMBER_DIGITS + 2)
"""An SMS of nothing but this many digits is meant as a tracking number, possibly with a mistake."""
MAX_WORDS_TO_SUGGEST: Final = 2  # beside a keyword that must stand alone; with more words, the SMS is a sentence
MAX_LABEL_WORDS: Final = 3  # before a number, as in `my application no 1234…`; with more, unless a keyword, a sentence
MAX_REQUEST_WORDS: Final = 2  # beside the name of a language
OPT_OUT_TABLES: Final = frozenset({"stop", "start"})
OWN_NUMBER_TABLES: Final = frozenset({"status", "pay", "complain", "answer", "refuse"})
LINE_ARGUMENTS: Final = frozenset({"line", "short_line"})


class KeywordRequest(NamedTuple):
    """A keyword and its argument.

    `rest` is the text after the keyword as it was typed. A number that the keyword takes has the digits 0-9 and no spaces.
    For `lang` it is the code of the locale, such as `bn_Latn`, if the SMS names one. `language` is the language of the keyword's word; it is
    empty for digits 0-9, for a word that several languages share, and for the name of a language in Latin letters. `by_number`: no word of the SMS is
    the keyword's, and its tracking number alone tells it.
    """

    name: str
    rest: str
    language: str
    by_number: bool = False


class KeywordSuggestions(NamedTuple):
    """Keywords that an SMS may mean, best first, and the word of each in the script of the SMS.

    `number` is the tracking number that the keyword `refuse` may be about. `language` is that of the words of the SMS, empty
    where they tell none.
    """

    names: tuple[str, ...]
    words: tuple[str, ...]
    number: str = ""
    language: str = ""


def warm_up() -> None:
    """Load the words and index them, so that the first SMS does not wait.

    Raises:
        ValidationFailedError: the file of words has mistakes.
    """
    phonetic_index()


def parse_keyword(text: str) -> KeywordRequest | KeywordSuggestions | None:
    """The keyword in an SMS, the keywords it may mean, or None. Raises nothing, and reads only the first 64 words."""
    text = strip_opening_quote(text)
    greeting, body = split_greeting(split_glued_digits(tokenize(text)))
    if body:
        for match in MATCHERS:
            if found := match(text, body):
                return found
    return KeywordRequest("documents", "", greeting) if greeting and len(body) <= 1 else None


def is_person_name(text: str) -> bool:
    """Whether a text that answers the question for a name could be one: not a keyword, and not a sentence."""
    return could_be_name(tokenize(text), text)


def strip_service_request(text: str) -> str:
    """The text without the words around it that ask for a service: `trade licence` of `trade licence korte chai`."""
    requests = get_vocabulary().service_requests
    words = strip_courtesies(tokenize(text))
    named = [index for index, word in enumerate(words) if word.key not in requests]
    return text[words[named[0]].start : words[named[-1]].end] if named else text


def is_number_only(text: str) -> bool:
    """Whether an SMS contains digits, of any script, and separators, and nothing else."""
    return contains_only_numbers(tokenize(strip_opening_quote(text)))


def _match_labelled_number(text: str, body: Tokens) -> KeywordRequest | KeywordSuggestions | None:
    """A number with a right check digit after a few words that name it, keywords or not: `Application No. 1234…`.

    A complaint, a refusal and `status` read their number themselves. With STOP the sender is asked.
    """
    label = tuple(takewhile(lambda token: not token.is_number, body))
    number, used = read_leading_number(body[len(label) :])
    found = match_word(body)
    max_words = max(MAX_LABEL_WORDS, found.length if found else 0)
    if not 0 < len(label) <= max_words or not is_tracking_number(number):
        return None
    if build_tail(text, body, len(label) + used).extra_tokens():
        return None
    word = found.word if found else None
    if word and word.table == "stop":
        words = (*_suggest_word(word).words, _find_spelling("status", word.language))
        return KeywordSuggestions(("stop", "status"), words, language=word.told_language)
    if found and not found.word.is_suggested_only and _takes_number(found, label, text):
        return None
    language = word.told_language if word else language_by_script(label[0].key)
    return _suggest_refusal(text, body) or KeywordRequest("status", number, language, by_number=True)


def _takes_number(found: WordMatch, label: Tokens, text: str) -> bool:
    """Whether a keyword reads the number after it itself, or is REG with a name."""
    is_named = found.word.table == "reg" and could_be_name(label[found.length :], text)
    return is_named or found.word.table in OWN_NUMBER_TABLES


def _match_keyword(text: str, body: Tokens) -> KeywordRequest | KeywordSuggestions | None:
    found = match_word(body)
    if found is None:
        return _match_glued_language(body)
    word, tail = found.word, build_tail(text, body, found.length)
    if word.is_suggested_only:
        return None if tail.extra_tokens() else _suggest_word(word)
    keyword = KEYWORD_BY_NAME.get(word.table)
    return _read_argument(keyword, word, tail) if keyword else None


def _read_argument(keyword: Keyword, word: Word, tail: KeywordTail) -> KeywordRequest | KeywordSuggestions | None:
    if keyword.argument in LINE_ARGUMENTS and any(map(is_tracking_number, find_numbers(tail.following))):
        return _suggest("status", word.language)._replace(language=word.told_language)
    argument = parse_argument(keyword.argument, tail)
    if argument is not None:
        return KeywordRequest(keyword.name, argument, word.told_language)
    if keyword.is_common_word or len(tail.following) > MAX_WORDS_TO_SUGGEST:
        return None
    return KeywordSuggestions((keyword.name,), (word.spelling,), language=word.told_language)


def _suggest(name: str, language: str) -> KeywordSuggestions:
    return KeywordSuggestions((name,), (_find_spelling(name, language),))


def _suggest_word(word: Word) -> KeywordSuggestions:
    """The keyword of a word, by the word itself if it is executed where it stands alone."""
    spelling = _find_spelling(word.table, word.language) if word.is_suggested_only else word.spelling
    return KeywordSuggestions((word.table,), (spelling,), language=word.told_language)


def _find_spelling(name: str, language: str) -> str:
    return get_vocabulary().find_spelling(name, language)


def _match_glued_language(body: Tokens) -> KeywordRequest | None:
    """A language without a space after the keyword: `LANGBN`."""
    if len(body) != 1:
        return None
    vocabulary, key = get_vocabulary(), body[0].key
    for cut in range(1, len(key)):
        word, language = vocabulary.words.get(key[:cut]), vocabulary.languages.get(key[cut:])
        if word and word.table == "lang" and language:
            return KeywordRequest("lang", language.table, word.told_language)
    return None


def _match_tracking_number(text: str, body: Tokens) -> KeywordRequest | None:
    """A tracking number alone, or with the keyword `status` after it."""
    number, used = read_leading_number(body)
    if len(number) not in PLAUSIBLE_NUMBER_LENGTHS:
        return None
    extras = build_tail(text, body, used).extra_tokens()
    found = match_word(extras)
    if extras and not (found and found.word.table == "status" and found.length == len(extras)):
        return None
    told = found.word.told_language if found else ""
    return KeywordRequest("status", number, language_by_script(text[body[0].start]) or told)


def _match_language(_: str, body: Tokens) -> KeywordRequest | None:
    """The name of a language, alone or with a few words that ask for it: `বাংলা চাই`, `hindi mein`, `English language`."""
    vocabulary, words = get_vocabulary(), strip_courtesies(body)
    named = [language for token in words if (language := vocabulary.languages.get(token.key))]
    others = [token.key for token in words if token.key not in vocabulary.languages]
    if len(named) != 1 or len(others) > MAX_REQUEST_WORDS or not all(map(_asks_for_language, others)):
        return None
    locale = locale_in_letters(named[0].table, others)
    return KeywordRequest("lang", locale, language_by_script(named[0].spelling))


def _asks_for_language(key: str) -> bool:
    vocabulary = get_vocabulary()
    word = vocabulary.words.get(key)
    return (
        key in vocabulary.language_requests
        or key in vocabulary.latin_letters
        or (word is not None and word.table == "lang")
    )


def _suggest_refusal(_: str, body: Tokens) -> KeywordSuggestions | None:
    """A longer text with NO and a tracking number. In English the word may also be short for `number`, unless it is first."""
    number = next((number for number in find_numbers(body) if len(number) == TRACKING_NUMBER_DIGITS), "")
    for place in range(len(body) if number else 0):
        found = match_word(body[place:])
        if found and found.word.table == "refuse" and (place == 0 or found.word.language != DEFAULT_LANGUAGE):
            words = (found.word.spelling, "STATUS")
            return KeywordSuggestions(("refuse", "status"), words, number, found.word.told_language)
    return None


def _suggest_stop_or_start(_: str, body: Tokens) -> KeywordSuggestions | None:
    """A sentence about our SMS that has STOP or START in it, wherever the verb stands: `এসএমএস বন্ধ করুন`, `stop texting me`.

    A phrase of STOP at the end of a few words says so without naming the SMS: `আর পাঠাবেন না`.
    """
    messages = get_vocabulary().message_words
    names_messages = any(token.key in messages for token in body)
    for place in range(len(body)):
        found = match_word(body[place:])
        if found is None or found.word.table not in OPT_OUT_TABLES:
            continue
        word, length = found
        ends = length > 1 and place + length == len(body) and place <= MAX_WORDS_TO_SUGGEST
        if names_messages or (ends and word.is_suggested_only and word.table == "stop"):
            return _suggest_word(word)
    return None


def _suggest_misspelt(text: str, body: Tokens) -> KeywordSuggestions | None:
    suggestions = suggest_keywords(text, body)
    words = {name: word for name, word in suggestions.items() if not KEYWORD_BY_NAME[name].is_common_word}
    if not words:
        return None
    first = get_vocabulary().words.get(normalize_phrase(next(iter(words.values()))))
    return KeywordSuggestions(tuple(words), tuple(words.values()), language=first.told_language if first else "")


def _suggest_status(_: str, body: Tokens) -> KeywordSuggestions | None:
    """A sentence with a twelve-digit number that has a valid check digit, or with a word of `status` beside it."""
    words = get_vocabulary().words
    mentions_status = any(token.key in words and words[token.key].table == "status" for token in body)
    numbers = (number for number in find_numbers(body) if len(number) == TRACKING_NUMBER_DIGITS)
    if not any(mentions_status or is_tracking_number(number) for number in numbers):
        return None
    return _suggest("status", script_language("".join(token.key for token in body if not token.is_number)))


MATCHERS: Final = (
    *(_match_labelled_number, _match_keyword, _match_tracking_number, _match_language),
    *(_suggest_refusal, _suggest_stop_or_start, _suggest_misspelt, _suggest_status),
)
"""In their order: the first that finds something decides."""
