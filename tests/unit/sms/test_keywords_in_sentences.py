"""What a keyword means with a number, a name or a few words beside it, for every word of the vocabulary."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import damm

from menus.keywords import KEYWORD_NAMES
from sms.keywords.parser import KeywordRequest, KeywordSuggestions, parse_keyword
from sms.keywords.vocabulary import Word, get_vocabulary
from tests.support.misspelt_keywords import keyword_names

DIGITS = "12345678901" + str(damm.calc_check_digit("12345678901"))
NUMBER = f"{DIGITS[:4]} {DIGITS[4:8]} {DIGITS[8:]}"
BENGALI = DIGITS.translate(str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯"))
WORDS = tuple(get_vocabulary().words.values())
LABELS = ("", "no", "No.", "number", "id", "নম্বর", "নং", "संख्या", "#", ":")
POLITE = ("please", "sir", "ধন্যবাদ", "कृपया", "")


def read(text: str) -> tuple[str, str]:
    """The keyword and the argument of a text; empty for a question back and for nothing."""
    answer = parse_keyword(text)
    return (answer.name, answer.rest) if isinstance(answer, KeywordRequest) else ("", "")


# A number after words -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Application No. {number}",
        "আবেদন নম্বর {bengali}",
        "APPLICATION {number}",
        "आवेदन संख्या {number}",
        "abedon no {number}",
        "Tracking No. {number}",
        "APPLICATION STATUS {number}",
        "Token no {number}",
        "my application {number}?",
        "my application no {number} please",
        "Feedback number {number}",
        "registration no {number}",
        "reference id: {number}",
        "Hello sir, application {number}",
    ],
)
def test_a_number_after_a_few_words_is_a_status(text: str) -> None:
    assert read(text.format(number=NUMBER, bengali=BENGALI)) == ("status", DIGITS)


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("table", KEYWORD_NAMES)
def test_every_keyword_before_a_good_number(table: str, label: str) -> None:
    for word in WORDS:
        if word.table == table and len(word.spelling.split()) + len(label.split()) <= 3:
            for number in (NUMBER, DIGITS, BENGALI):
                check_number_after(word, f"{word.spelling} {label} {number}")


def check_number_after(word: Word, text: str) -> None:
    answer = parse_keyword(text)
    if word.table == "stop":
        assert isinstance(answer, KeywordSuggestions), text
        assert {"stop", "status"} & set(answer.names), text
    elif word.table in {"complain", "pay", "answer"} and not word.is_suggested_only:
        assert read(text) == (word.table, DIGITS), text
    elif word.table == "refuse":
        assert "refuse" in keyword_names(answer), text
    else:
        asks_to_refuse = isinstance(answer, KeywordSuggestions) and answer.number == DIGITS
        assert asks_to_refuse or read(text) == ("status", DIGITS), text


STANDALONE = [word for word in WORDS if word.table in {"apply", "services", "documents", "app", "lang"}]
"""Words of keywords that take no tracking number."""


@pytest.mark.parametrize("separator", ["", *" -.,/:"])
@pytest.mark.parametrize("polite", POLITE)
def test_a_good_number_after_every_word_of_a_keyword_is_a_status(separator: str, polite: str) -> None:
    """Keywords of four words, such as `I WANT TO APPLY`, were taken for a sentence."""
    for word in STANDALONE:
        assert read(f"{word.spelling}{separator} {NUMBER} {polite}") == ("status", DIGITS), word.spelling


@given(
    word=st.sampled_from(STANDALONE),
    random_digits=st.text("0123456789", min_size=11, max_size=11),
    separators=st.text(" -.,/:", min_size=3, max_size=3),
    polite=st.sampled_from(POLITE),
)
def test_any_good_number_after_a_keyword_is_a_status(
    word: Word, random_digits: str, separators: str, polite: str
) -> None:
    digits = random_digits + str(damm.calc_check_digit(random_digits))
    number = f"{digits[:4]}{separators[0]}{digits[4:8]}{separators[1]}{digits[8:]}"
    assert read(f"{word.spelling}{separators[2]} {number} {polite}") == ("status", digits)


@pytest.mark.parametrize(
    ("text", "keyword"),
    [
        ("COMPLAIN {number} nobody came", ("complain", f"{DIGITS} nobody came")),
        ("Complaint no {number} nobody came", ("complain", f"{DIGITS} nobody came")),
        ("অভিযোগ {bengali} কেউ আসেনি", ("complain", f"{DIGITS} কেউ আসেনি")),
        ("FEEDBACK {number} very good", ("feedback", f"{NUMBER} very good")),
        ("APPLY 106", ("apply", "106")),
        ("application 106", ("apply", "106")),
        ("REG Amina {number}", ("reg", "")),
        ("NO {number}", ("refuse", DIGITS)),
        ("না {bengali}", ("refuse", DIGITS)),
    ],
)
def test_what_a_number_does_not_change(text: str, keyword: tuple[str, str]) -> None:
    assert read(text.format(number=NUMBER, bengali=BENGALI)) == keyword


@pytest.mark.parametrize(
    "text",
    [
        "application {number} when will it be done",
        "when do I get an answer for {number} sir",
        "আবেদন {bengali} কবে হবে",
        "services {number} not received yet",
    ],
)
def test_a_number_in_a_longer_text_asks_back(text: str) -> None:
    answer = parse_keyword(text.format(number=NUMBER, bengali=BENGALI))
    assert isinstance(answer, KeywordSuggestions)
    assert answer.names == ("status",)


@pytest.mark.parametrize(
    "text",
    [
        "No news about {number}?",
        "No. {number}",
        "NO I want to keep {number}",
        "No, do not withdraw {number}",
        "আবেদন না {bengali}",
    ],
)
def test_a_refusal_with_other_words_asks_back(text: str) -> None:
    answer = parse_keyword(text.format(number=NUMBER, bengali=BENGALI))
    assert isinstance(answer, KeywordSuggestions)
    assert (answer.names, answer.number) == (("refuse", "status"), DIGITS)


# Names ----------------------------------------------------------------------------------------------------------------

NAMES = (
    "A.K.M. Fazlul Haque",
    "Md Abdullah Al Mamun Khan",
    "A R Rahman",
    "A. Rahman",
    "Dr. A.P.J. Abdul Kalam",
    "Mst. Rina (Begum)",
    "D'Souza",
    "O`Brien",
    "Abdul Hai",
    "Main Uddin Ahmed",
    "Amar Chandra Das",
    "Seba Khatun",
    "Sheikh Mohammad Abdul Aziz bin Rahman",
    "E",
    "এ কে এম ফজলুল হক",
    "মোঃ আব্দুল্লাহ আল মামুন খান",
    "মোসাঃ রিনা বেগম",
    "डॉ. ए. पी. जे. अब्दुल कलाम",
    "अब्दुल हई",
)
REG_WORDS = sorted({word.spelling for word in WORDS if word.table == "reg" and not word.is_suggested_only})


@pytest.mark.parametrize("name", NAMES)
def test_every_word_of_reg_takes_every_name(name: str) -> None:
    for word in REG_WORDS:
        for text in (f"{word} {name}", f"{word}: {name}.", f"please {word} {name}", f"{word}\n{name}"):
            assert read(text)[0] == "reg", text
            assert read(text)[1].rstrip(".") == name, text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("REG Amina Khatun, Dhaka", "Amina Khatun"),
        ("REG Khan, Rahim", "Khan Rahim"),
        ("reg a r rahman", "a r rahman"),
        ("REG Amina,", "Amina"),
    ],
)
def test_what_is_beside_a_name(text: str, name: str) -> None:
    assert read(text) == ("reg", name)


SENTENCES = (
    *("failed", "not working", "problem", "is not done", "status", "pending", "error", "fee", "link", "of birth"),
    *("হয়নি", "হচ্ছে না", "সমস্যা", "করতে পারিনি", "বাতিল", "কবে হবে"),
    *("नहीं हुआ", "विफल", "समस्या", "नहीं हो रहा", "कब होगा"),
    *("is not working since yesterday morning", "of my land in the village is not done"),
    "Sheikh Mohammad Abdul Aziz bin Abdul Rahman Chowdhury Khan",
    *("hoyni", "hocche na", "somossa", "nahi hua", "nahi ho raha", "25", "a shop", "my shop"),
)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_no_word_of_reg_takes_a_sentence_for_a_name(sentence: str) -> None:
    for word in REG_WORDS:
        answer = parse_keyword(f"{word} {sentence}")
        assert keyword_names(answer), (word, sentence)
        assert not isinstance(answer, KeywordRequest) or answer.name != "reg" or not answer.rest, (word, sentence)


# STOP and START -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "please stop sending text reminders",
        "এসএমএস বন্ধ করুন",
        "SMS বন্ধ করুন",
        "sms band karo",
        "মেসেজ বন্ধ",
        "মেসেজ বন্ধ করেন ভাই",
        "আর পাঠাবেন না",
        "আমাকে আর পাঠাবেন না",
        "SMS STOP",
        "STOP SMS",
        "unsubscribe me",
        "ar pathaben na",
        "mujhe mat bhejo",
        f"STOP {DIGITS}",
    ],
)
def test_a_request_to_stop_is_done_or_asked_back(text: str) -> None:
    assert keyword_names(parse_keyword(text))[:1] == ("stop",)


@pytest.mark.parametrize(
    "text",
    [
        "stop corruption in office",
        "please stop the water supply cut",
        "রাস্তার কাজ বন্ধ কেন",
        "bijli band hai subah se",
        "do not send the card to my old address",
    ],
)
def test_stop_in_a_sentence_about_something_else_is_nothing(text: str) -> None:
    assert "stop" not in keyword_names(parse_keyword(text))


@pytest.mark.parametrize("text", ["SMS চালু করুন", "এসএমএস চালু", "sms shuru karo", "मैसेज चालू करो", "start sms"])
def test_a_request_to_start_asks_back(text: str) -> None:
    assert keyword_names(parse_keyword(text)) == ("start",)


# Languages ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("বাংলা চাই", "bn"),
        ("bangla chai", "bn"),
        ("বাংলা ভাষা", "bn"),
        ("bangla te", "bn"),
        ("আমি বাংলা চাই", "bn"),
        ("hindi mein", "hi"),
        ("हिंदी में", "hi"),
        ("हिंदी चाहिए", "hi"),
        ("in English", "en"),
        ("English language please", "en"),
        ("I want English", "en"),
    ],
)
def test_a_language_with_a_few_words_that_ask_for_it(text: str, code: str) -> None:
    assert read(text) == ("lang", code)


@pytest.mark.parametrize(
    "text",
    ["English medium school", "Hindi teacher", "bangla academy", "বাংলা একাডেমি", "hindi english", "in Bangla road"],
)
def test_the_name_of_a_language_in_another_text_changes_nothing(text: str) -> None:
    assert read(text)[0] != "lang"


@given(st.sampled_from(sorted(get_vocabulary().languages)), st.sampled_from(sorted(get_vocabulary().language_requests)))
def test_every_name_of_a_language_with_every_request(name: str, request_word: str) -> None:
    expected = get_vocabulary().languages[name].table
    for text in (f"{name} {request_word}", f"{request_word} {name}"):
        answer = read(text)
        assert answer == ("lang", expected) or re.search(r"\b(hi|en)\b", name), text
