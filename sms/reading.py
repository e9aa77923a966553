"""Decide how an SMS is read while a conversation waits for input: as the answer, as a keyword, or as if nothing were asked."""

from collections.abc import Callable
from typing import Final, Literal, TypeAlias

from menus.keywords import KEYWORD_BY_NAME
from sessions.message_turns import Turn
from sms.conversation import SmsConversations
from sms.keywords.numbers import is_tracking_number
from sms.keywords.parser import KeywordRequest, KeywordSuggestions, is_number_only, is_person_name

ParsedKeyword: TypeAlias = KeywordRequest | KeywordSuggestions | None
MIN_SENTENCE_WORDS: Final = 3
Reading: TypeAlias = Literal["answer", "keyword", "alone"]
"""`alone`: there is no keyword, and the text is read as if nothing were asked."""


def decide_reading(
    conversations: SmsConversations,
    running: Turn,
    parsed: ParsedKeyword,
    text: str,
    is_service_name: Callable[[str], bool],
) -> Reading:
    """How `text`, parsed as `parsed`, is read at the screen of the running turn.

    What the screen takes is its answer, except for the keywords that leave every question. What it refuses is a keyword,
    the name of a service, or a misspelt keyword; where it is none of these, the screen says why it refuses it, except where
    it has said so before and is the only question of a keyword. A text typed where a secret is asked, unless it asks for no
    more SMS, and a wrong number typed where a text is asked, is left to the screen. A keyword or a sentence is the name of
    nobody's account, and a keyword with what it is about is no security answer: a wrong one would cost a try.
    """
    if _is_no_name(conversations, running, text):
        return "keyword" if isinstance(parsed, KeywordRequest) else "alone"
    if isinstance(parsed, KeywordRequest):
        is_sentence = conversations.expects_secret(running) and _is_sentence_of_keyword(parsed, is_service_name)
        return "keyword" if is_sentence or _is_command(conversations, running, parsed, text) else "answer"
    if conversations.accepts(running, text) or is_number_only(text):
        return "answer"
    if conversations.expects_secret(running):
        return "alone" if parsed and "stop" in parsed.names else "answer"
    if is_service_name(text):
        return "answer" if conversations.takes_search(running) else "alone"
    return "alone" if parsed or conversations.is_given_up(running) else "answer"


def _is_no_name(conversations: SmsConversations, running: Turn, text: str) -> bool:
    """Whether a text that the question for a name takes is a keyword or a sentence; a number goes back."""
    if not conversations.expects_name(running) or is_number_only(text) or is_person_name(text):
        return False
    return conversations.accepts(running, text)


def _is_sentence_of_keyword(keyword: KeywordRequest, is_service_name: Callable[[str], bool]) -> bool:
    """Whether the text after a keyword is what the keyword is about: the name of a service, or a complaint of a few words.

    The name of a school may begin with a keyword: Seva Sadan.
    """
    if keyword.name in {"apply", "services"}:
        return bool(keyword.rest) and is_service_name(keyword.rest)
    return keyword.name in {"complain", "feedback"} and len(keyword.rest.split()) >= MIN_SENTENCE_WORDS


def _is_command(conversations: SmsConversations, running: Turn, keyword: KeywordRequest, text: str) -> bool:
    """Whether a keyword is a command, and not the input that the screen asks for: a name, a text, a number.

    A number without a word of `status` is an input wherever the screen asks for a secret or the field of a form, and
    wherever it is no tracking number and the screen asks for text: the error message says how to correct it.
    """
    interrupts = KEYWORD_BY_NAME[keyword.name].interrupts
    is_number = keyword.by_number or is_number_only(text)
    if interrupts == "alone" and not keyword.rest:
        return True
    if interrupts == "with_number" and keyword.rest.isdigit() and not is_number:
        return True
    if is_number and conversations.expects_private_number(running):
        return False
    if is_number and conversations.expects_text(running) and not is_tracking_number(keyword.rest):
        return False
    return not conversations.accepts(running, text)
