"""Parse an SMS: the keyword that it begins with and the argument after it, or the keywords that it may mean.

An SMS is a keyword where its first word is one, after any greeting and courtesy. STOP, START and PIN change something for
the sender, and NO cannot be undone, so they count only where they stand alone, NO with its tracking number. The sender of a
longer text with STOP or NO in it is asked what they mean. A misspelt keyword is suggested, never executed.
`docs/keywords.md` lists the words and the rules.
"""

from typing import Final, NamedTuple

from stdnum import damm

from core.languages import DEFAULT_LANGUAGE
from core.reference_numbers import TRACKING_NUMBER_DIGITS
from menus.keywords import KEYWORD_BY_NAME
from sms.keywords.arguments import parse_argument, strip_opening_quote
from sms.keywords.fuzzy_match import phonetic_index
from sms.keywords.numbers import contains_only_numbers, find_numbers, read_leading_number
from sms.keywords.phrases import Tokens, build_tail, match_word, split_glued_digits, split_greeting
from sms.keywords.suggestions import suggest_keywords
from sms.keywords.tokenizer import tokenize
from sms.keywords.vocabulary import get_vocabulary, script_language

PLAUSIBLE_NUMBER_LENGTHS: Final = range(TRACKING_NUMBER_DIGITS - 1, TRACKING_NUMBER_DIGITS + 2)
"""An SMS of nothing but this many digits is meant as a tracking number, possibly with a mistake."""
MAX_WORDS_TO_SUGGEST: Final = 2  # after a keyword that must stand alone; with more words, the SMS is a sentence


class KeywordRequest(NamedTuple):
    """A keyword and its argument.

    `rest` is the text after the keyword as it was typed. A number that the keyword takes has the digits 0-9 and no spaces.
    For `lang` it is the code of the language, if the SMS names one. `language` is the language of the keyword's word; for
    digits 0-9 and for a word that several languages share it is the default language.
    """

    name: str
    rest: str
    language: str


class KeywordSuggestions(NamedTuple):
    """Keywords that an SMS may mean, best first, and the word of each in the script of the SMS.

    `number` is the tracking number that the keyword `refuse` may be about.
    """

    names: tuple[str, ...]
    words: tuple[str, ...]
    number: str = ""


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


def is_number_only(text: str) -> bool:
    """Whether an SMS contains digits, of any script, and separators, and nothing else."""
    return contains_only_numbers(tokenize(strip_opening_quote(text)))


def _match_keyword(text: str, body: Tokens) -> KeywordRequest | KeywordSuggestions | None:
    found = match_word(body)
    if found is None:
        return _match_glued_language(body)
    word, tail = found.word, build_tail(text, body, found.length)
    if word.is_suggested_only:
        return None if tail.extra_tokens() else _suggest(word.table, word.language)
    keyword = KEYWORD_BY_NAME.get(word.table)
    if keyword is None:
        return None
    argument = parse_argument(keyword.argument, tail)
    if argument is not None:
        return KeywordRequest(keyword.name, argument, word.language)
    if keyword.is_common_word or len(tail.following) > MAX_WORDS_TO_SUGGEST:
        return None
    return KeywordSuggestions((keyword.name,), (word.spelling,))


def _suggest(name: str, language: str) -> KeywordSuggestions:
    return KeywordSuggestions((name,), (get_vocabulary().find_spelling(name, language),))


def _match_glued_language(body: Tokens) -> KeywordRequest | None:
    """A language without a space after the keyword: `LANGBN`."""
    if len(body) != 1:
        return None
    vocabulary, key = get_vocabulary(), body[0].key
    for cut in range(1, len(key)):
        word, language = vocabulary.words.get(key[:cut]), vocabulary.languages.get(key[cut:])
        if word and word.table == "lang" and language:
            return KeywordRequest("lang", language.table, word.language)
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
    return KeywordRequest("status", number, script_language(text[body[0].start]))


def _match_language(text: str, body: Tokens) -> KeywordRequest | None:
    """The name of a language alone."""
    language = get_vocabulary().languages.get(body[0].key)
    if language is None or build_tail(text, body, 1).extra_tokens():
        return None
    return KeywordRequest("lang", language.table, language.language)


def _suggest_refusal(_: str, body: Tokens) -> KeywordSuggestions | None:
    """A longer text with NO and a tracking number. In English the word may also be short for `number`, unless it is first."""
    number = next((number for number in find_numbers(body) if len(number) == TRACKING_NUMBER_DIGITS), "")
    words = get_vocabulary().words
    for place, token in enumerate(body):
        word = words.get(token.key)
        if number and word and word.table == "refuse" and (place == 0 or word.language != DEFAULT_LANGUAGE):
            return KeywordSuggestions(("refuse", "status"), (word.spelling, "STATUS"), number)
    return None


def _suggest_stop(_: str, body: Tokens) -> KeywordSuggestions | None:
    """A sentence about our SMS that has STOP in it, wherever the verb stands: `এসএমএস বন্ধ করুন`, `stop texting me`."""
    messages = get_vocabulary().message_words
    if not any(token.key in messages for token in body):
        return None
    found = (match_word(body[place:]) for place in range(len(body)))
    word = next((match.word for match in found if match and match.word.table == "stop"), None)
    if word is None:
        return None
    if word.is_suggested_only:
        return _suggest("stop", word.language)
    return KeywordSuggestions(("stop",), (word.spelling,))


def _suggest_misspelt(text: str, body: Tokens) -> KeywordSuggestions | None:
    suggestions = suggest_keywords(text, body)
    words = {name: word for name, word in suggestions.items() if not KEYWORD_BY_NAME[name].is_common_word}
    return KeywordSuggestions(tuple(words), tuple(words.values())) if words else None


def _suggest_status(_: str, body: Tokens) -> KeywordSuggestions | None:
    """A sentence with a twelve-digit number that has a valid check digit, or with a word of `status` beside it."""
    words = get_vocabulary().words
    mentions_status = any(token.key in words and words[token.key].table == "status" for token in body)
    numbers = (number for number in find_numbers(body) if len(number) == TRACKING_NUMBER_DIGITS)
    if not any(mentions_status or damm.is_valid(number) for number in numbers):
        return None
    return _suggest("status", script_language("".join(token.key for token in body if not token.is_number)))


MATCHERS: Final = (
    *(_match_keyword, _match_tracking_number, _match_language),
    *(_suggest_refusal, _suggest_stop, _suggest_misspelt, _suggest_status),
)
"""In their order: the first that finds something decides."""
