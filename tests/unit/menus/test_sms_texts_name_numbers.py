"""No SMS assumes that a reply to it comes back: whoever is to send something is told the number that takes it."""

import re

import pytest

from menus.rendering.localization import load_locales
from sms.keywords.parser import KeywordRequest, parse_keyword

LOCALES = load_locales({name: lambda code, _form: code for name in (
    "papers", "service", "sector", "office", "biller", "documents", "bring", "centre", "centre_address",
)})  # fmt: skip
SENDS = {
    "en": r"\bsend\b",
    "bn": r"পাঠান(?![\u09be-\u09cc])",
    "bn_Latn": r"\bpathan\b",
    "hi": "भेजें",
    "hi_Latn": r"\bbhejen\b",
}
REPLIES = {
    "en": r"\breply\b|\breplies\b|\banswer this\b",
    "bn": r"উত্তরে|উত্তর দিন|উত্তর পাঠান(?![\u09be-\u09cc])",
    "bn_Latn": r"\buttore\b|\buttor din\b|\buttor pathan\b",
    "hi": "जवाब दें|जवाब भेजें|जवाब में",
    "hi_Latn": r"\bjawab den\b|\bjawab bhejen\b|\bjawab mein\b",
}
TEXTS = [(form, key) for form in SENDS for key in LOCALES[form].sms]
NO_KEYWORDS = {"PIN", "APP", "SMS", "OTP"}
"""Words of ours that texts use for what they are."""


def names_keyword(source):
    """Whether a text quotes a keyword: in capital letters, or between quotes."""
    quoted = {*re.findall(r"\b[A-Z]{2,}\b", source), *re.findall(r"'([^'{]+?)(?: \{[^']*)?'", source)} - NO_KEYWORDS
    return any(isinstance(parse_keyword(word), KeywordRequest) for word in quoted)


@pytest.mark.parametrize(("form", "key"), TEXTS, ids=[f"{form}-{key}" for form, key in TEXTS])
def test_a_text_that_wants_an_sms_names_the_number(form, key):
    source = LOCALES[form].sms[key].source
    assert not re.search(REPLIES[form], source, re.IGNORECASE), "a reply may not come back"
    if re.search(SENDS[form], source, re.IGNORECASE) or names_keyword(source):
        assert "{sms_code}" in source


def test_the_rule_finds_the_texts_that_want_an_sms():
    wanting = {key for form, key in TEXTS if "{sms_code}" in LOCALES[form].sms[key].source}
    assert wanting >= {
        "help",
        "not_understood",
        "stopped",
        "started",
        "sorry",
        "consent_code",
        "service",
        "pin_pending",
    }
    assert names_keyword("Send STOP to us")
    assert names_keyword("'স্টপ' লিখুন")
    assert not names_keyword("your PIN by SMS")


@pytest.mark.parametrize("form", SENDS)
def test_what_is_said_where_no_reply_comes_back_offers_no_menu(form):
    texts = {key: LOCALES[form].sms[key].source for key in LOCALES[form].sms if key.endswith("by_call")}
    assert set(texts) == {"by_call", "help_by_call", "not_understood_by_call", "started_by_call"}
    for source in texts.values():
        assert not split_words(source) & menu_words(form), source
        assert "{short_code}" in source


def menu_words(form):
    """The words of the help text for keywords that begin a conversation."""
    words = split_words(LOCALES[form].sms["help"].source) - {"abc", "HI"}  # the last is a greeting
    found = {word: parse_keyword(word) for word in words}
    begins = {name for name, it in found.items() if isinstance(it, KeywordRequest) and it.name in CONVERSATIONS}
    assert begins
    return begins


CONVERSATIONS = {"menu", "apply", "services", "pay", "documents", "reg"}


def split_words(source):
    return {word for word in re.split(r"[ ,.:'\n]+", source) if word and "{" not in word}
