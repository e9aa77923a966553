"""Keywords that cannot be undone act only where they stand alone; in a longer text the sender is asked what they mean."""

from itertools import product

import pytest
from stdnum import damm

from sms.keywords.parser import KeywordRequest, KeywordSuggestions, parse_keyword
from sms.keywords.vocabulary import get_vocabulary

DIGITS = "12345678901" + str(damm.calc_check_digit("12345678901"))
NUMBER = f"{DIGITS[:4]} {DIGITS[4:8]} {DIGITS[8:]}"
NUMBERS = (NUMBER, DIGITS, NUMBER.replace(" ", "-"), NUMBER.translate(str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯")))
WORDS = get_vocabulary().words
REFUSALS = {word.spelling: word for word in WORDS.values() if word.table == "refuse"}
STOPS = {word.spelling: word for word in WORDS.values() if word.table == "stop" and not word.is_suggested_only}
COURTESIES = ("please", "thanks", "sir", "দয়া করে", "ধন্যবাদ", "कृपया", "धन्यवाद", "doya kore", "kripya")
MESSAGE_WORDS = sorted(get_vocabulary().message_words)


@pytest.mark.parametrize(("word", "number"), [*product(REFUSALS, NUMBERS)])
def test_no_and_the_number_alone_refuse(word: str, number: str) -> None:
    expected = KeywordRequest("refuse", DIGITS, REFUSALS[word].language)
    for text in (
        f"{word} {number}",
        f"{word}, {number}.",
        f"{word}{number}",
        f"{word.lower()} {number}!",
        f" {word}\n{number}",
    ):
        assert parse_keyword(text) == expected, text


@pytest.mark.parametrize(("word", "courtesy"), [*product(REFUSALS, COURTESIES)])
def test_no_with_courtesies_refuses(word: str, courtesy: str) -> None:
    for text in (f"{courtesy} {word} {NUMBER}", f"{word} {NUMBER} {courtesy}", f"{word} {courtesy} {NUMBER}"):
        assert parse_keyword(text) == KeywordRequest("refuse", DIGITS, REFUSALS[word].language), text


SENTENCES = (
    *("{word} news about {number}?", "{word}. {number}", "{word}: {number}", "{word} I want to keep {number}"),
    *(
        "{word}, do not withdraw {number}",
        "{word} {number} is mine",
        "{word} {number}?",
        "{word} problem with {number} ok",
    ),
    *(
        "{word} {number}\nkeep it",
        "{word} {number} 7",
        "{word} {number} {word}",
        "{word} রাখব {number}",
        "{word} रखना है {number}",
    ),
    *("{word} {number} রাখতে চাই", "{word} {number} mat hatao", "{word} {word} {number}"),
)


@pytest.mark.parametrize(("word", "sentence", "number"), [*product(REFUSALS, SENTENCES, NUMBERS)])
def test_no_in_a_longer_text_asks_back(word: str, sentence: str, number: str) -> None:
    text = sentence.format(word=word, number=number)
    asked = parse_keyword(text)
    assert isinstance(asked, KeywordSuggestions), text
    assert (asked.names, asked.words, asked.number) == (("refuse", "status"), (word, "STATUS"), DIGITS), text


@pytest.mark.parametrize(
    "text", ["{number} না", "{number} চাই না", "{number} नहीं चाहिए", "amar {number} na", "mujhe {number} nahi"]
)
def test_no_after_the_number_asks_back(text: str) -> None:
    parsed = parse_keyword(text.format(number=NUMBER))
    assert isinstance(parsed, KeywordSuggestions)
    assert (parsed.names[0], parsed.number) == ("refuse", DIGITS)


@pytest.mark.parametrize("text", ["my own tracking paper no {number}", "there is no answer for {number}"])
def test_an_english_no_further_on_may_be_short_for_number(text: str) -> None:
    parsed = parse_keyword(text.format(number=NUMBER))
    assert isinstance(parsed, KeywordSuggestions)
    assert (parsed.names, parsed.number) == (("status",), "")


@pytest.mark.parametrize(("word", "message"), [*product(STOPS, MESSAGE_WORDS)])
def test_stop_in_a_sentence_about_our_sms_asks_back(word: str, message: str) -> None:
    for text in (
        f"{message} {word}",
        f"{word} {message}",
        f"please {word} these {message} to me",
        f"আমার {message} আর {word}",
    ):
        parsed = parse_keyword(text)
        assert isinstance(parsed, KeywordSuggestions), text
        assert parsed.names == ("stop",), text


@pytest.mark.parametrize(
    "text",
    [
        *(
            "please stop sending text reminders",
            "এসএমএস বন্ধ করুন",
            "STOP SMS",
            "unsubscribe me",
            "STOP sending me these",
        ),
        *("SMS band karo", "ये मैसेज बंद करो", "আর মেসেজ পাঠাবেন না", "mujhe sms mat bhejo", "do not send me messages"),
    ],
)
def test_stop_as_people_say_it_asks_back(text: str) -> None:
    parsed = parse_keyword(text)
    assert isinstance(parsed, KeywordSuggestions)
    assert parsed.names[0] == "stop"


@pytest.mark.parametrize(("word", "courtesy"), [*product(STOPS, COURTESIES)])
def test_stop_with_courtesies_is_stop(word: str, courtesy: str) -> None:
    for text in (f"{courtesy} {word}", f"{word}, {courtesy}", f"{word}! {courtesy}.", f"{word} {word} {courtesy}"):
        parsed = parse_keyword(text)
        assert isinstance(parsed, KeywordRequest), text
        assert (parsed.name, parsed.rest) == ("stop", ""), text
