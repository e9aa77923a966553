"""Parse SMS in three scripts: keywords as people type them, misspelt ones, and sentences that are none."""

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from stdnum import damm

from core.typed_words import MAX_WORD_LENGTH, normalize_word
from menus.keywords import KEYWORD_NAMES
from sms.keywords.parser import KeywordRequest, KeywordSuggestions, parse_keyword
from sms.keywords.tokenizer import MAX_TOKENS, tokenize
from sms.keywords.vocabulary import WRITING_FORMS, get_vocabulary, normalize_phrase, script_language
from tests.support.misspelt_keywords import (
    HELD_OUT_MISSPELLINGS,
    HELD_OUT_SENTENCES,
    MISSPELLINGS,
    ORDINARY_SENTENCES,
    keyword_names,
    measure_recognition,
    single_typos,
)

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "keywords.md").read_text(encoding="utf-8")
NUMBER = "123456789012"


def parsed_keyword(name, rest="", language="en"):
    return KeywordRequest(name, rest, language)


# The contract's table, in three scripts ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("STATUS 123456789012", parsed_keyword("status", NUMBER)),
        ("অবস্থা ১২৩৪৫৬৭৮৯০১২", parsed_keyword("status", NUMBER, "bn")),
        ("स्थिति १२३४५६७८९०१२", parsed_keyword("status", NUMBER, "hi")),
        ("obostha 123456789012", parsed_keyword("status", NUMBER, "bn")),
        ("sthiti 123456789012", parsed_keyword("status", NUMBER, "hi")),
        ("123456789012", parsed_keyword("status", NUMBER, "")),
        ("১২৩৪ ৫৬৭৮ ৯০১২", parsed_keyword("status", NUMBER, "bn")),
        ("१२३४ ५६७८ ९०१२", parsed_keyword("status", NUMBER, "hi")),
        ("REG", parsed_keyword("reg")),
        ("REG Amina Begum", parsed_keyword("reg", "Amina Begum")),
        ("নিবন্ধন আমিনা বেগম", parsed_keyword("reg", "আমিনা বেগম", "bn")),
        ("पंजीकरण अमीना", parsed_keyword("reg", "अमीना", "hi")),
        ("nibondhon Amina", parsed_keyword("reg", "Amina", "bn")),
        ("panjikaran Amina", parsed_keyword("reg", "Amina", "hi")),
        ("PIN", parsed_keyword("pin")),
        ("পিন ভুলে গেছি", parsed_keyword("pin", "", "bn")),
        ("पिन भूल गया", parsed_keyword("pin", "", "hi")),
        ("pin bhool gayi", parsed_keyword("pin", "", "hi")),
        ("APPLY 106", parsed_keyword("apply", "106")),
        ("APPLY pan_card", parsed_keyword("apply", "pan_card")),
        ("আবেদন করুন ১০৬", parsed_keyword("apply", "106", "bn")),
        ("आवेदन 106", parsed_keyword("apply", "106", "hi")),
        ("abedon 106", parsed_keyword("apply", "106", "bn")),
        ("aavedan 106", parsed_keyword("apply", "106", "hi")),
        ("SERVICES", parsed_keyword("services")),
        ("SERVICES birth", parsed_keyword("services", "birth")),
        ("সেবা জন্ম", parsed_keyword("services", "জন্ম", "bn")),
        ("सेवा जन्म", parsed_keyword("services", "जन्म", "hi")),
        ("seva pension", parsed_keyword("services", "pension", "hi")),
        ("HI", parsed_keyword("documents")),
        ("Hello!", parsed_keyword("documents")),
        ("DIGILOCKER", parsed_keyword("documents")),
        ("digi locker", parsed_keyword("documents")),
        ("docs", parsed_keyword("documents")),
        ("হাই", parsed_keyword("documents", "", "bn")),
        ("হ্যালো", parsed_keyword("documents", "", "bn")),
        ("ডিজিলকার", parsed_keyword("documents", "", "bn")),
        ("कागज़ात", parsed_keyword("documents", "", "hi")),
        ("हैलो", parsed_keyword("documents", "", "hi")),
        ("नमस्ते", parsed_keyword("documents", "", "hi")),
        ("डिजिलॉकर", parsed_keyword("documents", "", "hi")),
        ("COMPLAIN 123456789012 nobody came", parsed_keyword("complain", "123456789012 nobody came")),
        ("অভিযোগ ১২৩৪ ৫৬৭৮ ৯০১২ কেউ আসেনি", parsed_keyword("complain", "123456789012 কেউ আসেনি", "bn")),
        ("शिकायत १२३४५६७८९०१२ कोई नहीं आया", parsed_keyword("complain", "123456789012 कोई नहीं आया", "hi")),
        ("obhijog rasta kharap", parsed_keyword("complain", "rasta kharap", "bn")),
        ("shikayat sadak kharab hai", parsed_keyword("complain", "sadak kharab hai", "hi")),
        ("FEEDBACK Very good.", parsed_keyword("feedback", "Very good.")),
        ("মতামত খুব ভালো!", parsed_keyword("feedback", "খুব ভালো!", "bn")),
        ("सुझाव और काउंटर खोलें", parsed_keyword("feedback", "और काउंटर खोलें", "hi")),
        ("APP", parsed_keyword("app")),
        ("অ্যাপ", parsed_keyword("app", "", "bn")),
        ("ऐप", parsed_keyword("app", "", "hi")),
        ("MENU", parsed_keyword("menu")),
        ("মেনু", parsed_keyword("menu", "", "bn")),
        ("मेनू", parsed_keyword("menu", "", "hi")),
        ("LANG BN", parsed_keyword("lang", "bn")),
        ("LANG HI", parsed_keyword("lang", "hi")),
        ("lang english", parsed_keyword("lang", "en")),
        ("LANG বাংলা", parsed_keyword("lang", "bn")),
        ("LANG হিন্দি", parsed_keyword("lang", "hi")),
        ("ভাষা বাংলা", parsed_keyword("lang", "bn", "bn")),
        ("भाषा हिन्दी", parsed_keyword("lang", "hi", "hi")),
        ("bhasha hindi", parsed_keyword("lang", "hi", "hi")),
        ("BANGLA", parsed_keyword("lang", "bn", "")),
        ("LANG BN ABC", parsed_keyword("lang", "bn_Latn")),
        ("LANG BANGLA LATIN", parsed_keyword("lang", "bn_Latn")),
        ("BN LATIN", parsed_keyword("lang", "bn_Latn", "")),
        ("bangla abc please", parsed_keyword("lang", "bn_Latn", "")),
        ("BANGLISH", parsed_keyword("lang", "bn_Latn", "")),
        ("hinglish", parsed_keyword("lang", "hi_Latn", "")),
        ("LANG HI roman", parsed_keyword("lang", "hi_Latn")),
        ("LANG EN ABC", parsed_keyword("lang", "en")),
        ("LANG ABC", parsed_keyword("lang", "_Latn")),
        ("ভাষা বাংলা রোমান", parsed_keyword("lang", "bn_Latn", "bn")),
        ("বাংলা", parsed_keyword("lang", "bn", "bn")),
        ("हिंदी", parsed_keyword("lang", "hi", "hi")),
        ("HELP", parsed_keyword("help")),
        ("সাহায্য", parsed_keyword("help", "", "bn")),
        ("sahajjo", parsed_keyword("help", "", "bn")),
        ("मदद", parsed_keyword("help", "", "hi")),
        ("madad", parsed_keyword("help", "", "hi")),
        ("STOP", parsed_keyword("stop")),
        ("স্টপ", parsed_keyword("stop", "", "bn")),
        ("বন্ধ", parsed_keyword("stop", "", "bn")),
        ("bondho", parsed_keyword("stop", "", "bn")),
        ("बंद", parsed_keyword("stop", "", "hi")),
        ("band", parsed_keyword("stop", "", "hi")),
        ("START", parsed_keyword("start")),
        ("চালু", parsed_keyword("start", "", "bn")),
        ("शुरू", parsed_keyword("start", "", "hi")),
    ],
)
def test_each_keyword_in_three_scripts(text, answer):
    assert parse_keyword(text) == answer


@pytest.mark.parametrize("name", KEYWORD_NAMES)
@pytest.mark.parametrize("form", WRITING_FORMS)
def test_every_keyword_has_a_word_in_every_form(name, form):
    language = WRITING_FORMS[form].language
    written = [
        word for word in get_vocabulary().words.values() if word.table == name and word.language in (language, "en")
    ]

    assert written


REFUSALS = [key for key, word in get_vocabulary().words.items() if word.table == "refuse"]


@pytest.mark.parametrize("key", REFUSALS)
def test_no_is_a_keyword_only_with_a_tracking_number(key):
    word = get_vocabulary().words[key]

    assert parse_keyword(word.spelling) is None
    assert parse_keyword(f"{word.spelling}, thanks") is None
    assert parse_keyword(f"{word.spelling} 1234-5678-9012") == parsed_keyword("refuse", "123456789012", word.language)


@pytest.mark.parametrize(
    "key",
    [
        key
        for key, word in get_vocabulary().words.items()
        if word.table in KEYWORD_NAMES and not word.is_suggested_only and key not in REFUSALS
    ],
)
def test_every_word_alone_is_its_keyword(key):
    word = get_vocabulary().words[key]

    assert parse_keyword(word.spelling) == parsed_keyword(word.table, "", word.told_language)
    assert parse_keyword(f" «{word.spelling.swapcase()}» ") == parsed_keyword(word.table, "", word.told_language)


# As it is typed ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "status 123456789012",
        "Status: 1234 5678 9012",
        "STATUS123456789012",
        "#STATUS#123456789012#",
        "*status*123456789012",
        "status,123456789012",
        "status-1234-5678-9012",
        "STATUS.123456789012.",
        "STATUS=123456789012",
        '"STATUS 123456789012"',
        "STATUS <1234 5678 9012>",
        "STATUS [123456789012]",
        "STATUS\n123456789012",
        "STATUS\t1234\t5678\t9012",
        "  \r\n\u200bSTATUS\u00a01234\u202f5678\u20099012  ",
        "\u202bSTATUS\u202c 123456789012\u200f",
        "S\u00adT\u200bA\u200dT\u200cUS 123456789012",
        "\ufeffSTATUS 1234\u200b5678\u200b9012",
        "ＳＴＡＴＵＳ　１２３４５６７８９０１２",
        "𝗦𝗧𝗔𝗧𝗨𝗦 𝟭𝟮𝟯𝟰𝟱𝟲𝟳𝟴𝟵𝟬𝟭𝟮",
        "Státus 123456789012",
        "status ১২৩৪५६७८9012",
        "status no. 123456789012",
        "Status of my application 123456789012 please",
        "tracking number: 1234 5678 9012",
        "Hello, STATUS 123456789012",
        "Dear Sir,\nplease status 123456789012",
        "Assalamu alaikum. Status 123456789012",
        "नमस्ते जी status 123456789012",
        "STATUS 123456789012 01700000001",
        "STATUS 123456789012\nRegards\nA citizen of ward 5, Mirpur",
        "STATUS 123456789012\n--\nSent from my phone 01700000001",
        "STATUS 1234 5678 9012 👍",
        "1234 5678 9012",
        "1234-5678-9012.",
        "1234\n5678\n9012",
        "Hi 1234 5678 9012",
        "123456789012 please",
        "123456789012 STATUS",
        "1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣9️⃣0️⃣1️⃣2️⃣",
    ],
)
def test_a_tracking_number_alone_asks_for_the_status(text):
    keyword = parse_keyword(text)

    assert (keyword.name, keyword.rest) == ("status", NUMBER)
    words = {word for word in re.findall(r"[a-z]+", text.casefold()) if word not in {"hi", "please"}}
    assert keyword.language == ("en" if words or (not text.isascii() and "\u20e3" not in text) else "")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("STATUS O23456789012", "023456789012"),
        ("STATUSO23456789012", "023456789012"),
        ("STATUS I234 5678 9OI2", "123456789012"),
        ("STATUS l2345678901l", "123456789011"),
        ("status 1234 5oo8 9012", "123450089012"),
        ("12345678901O", "123456789010"),
        ("অবস্থা ১২৩৪৫৬৭৮৯O১২", "123456789012"),
    ],
)
def test_letters_that_touch_digits_are_digits(text, number):
    assert parse_keyword(text)[:2] == ("status", number)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("STATUS", ""),
        ("status?", ""),
        ("STATUS please", ""),
        ("STATUS of my application", "of my application"),
        ("STATUS 12345678901", "12345678901"),
        ("STATUS 1234567890123", "1234567890123"),
        ("STATUS 12345", "12345"),
        ("STATUS no 12345678", "12345678"),
        ("12345678901", "12345678901"),
        ("1234567890123", "1234567890123"),
    ],
)
def test_a_wrong_tracking_number_is_returned_as_typed(text, rest):
    keyword = parse_keyword(text)

    assert (keyword.name, keyword.rest) == ("status", rest)


@pytest.mark.parametrize(
    "text", ["1", "0", "00", "98", "482913", "01-01-1980", "+8801700000001", "+91 98765 43210", "9" * 30]
)
def test_other_numbers_are_no_keyword(text):
    assert parse_keyword(text) is None


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("REG <Amina Begum>", parsed_keyword("reg", "Amina Begum")),
        ("REG: Amina", parsed_keyword("reg", "Amina")),
        ("REG\nAmina", parsed_keyword("reg", "Amina")),
        ("REG Md. Abdul Karim Khan", parsed_keyword("reg", "Md. Abdul Karim Khan")),
        ("REG Amina\nsent from my phone", parsed_keyword("reg", "Amina")),
        ("REG my name is Amina", parsed_keyword("reg")),
        ("REG 12345", parsed_keyword("reg")),
        ("registration fee how much", parsed_keyword("reg")),
        ("নিবন্ধন সনদ কবে পাব", parsed_keyword("reg", "", "bn")),
        ("पंजीकरण शुल्क कितना है", parsed_keyword("reg", "", "hi")),
        ("register my complaint no water for 3 days", parsed_keyword("complain", "no water for 3 days")),
        ('FEEDBACK "It works"', parsed_keyword("feedback", "It works")),
        ("FEEDBACK: good (very)", parsed_keyword("feedback", "good (very)")),
        ("feedback\nline one\nline two", parsed_keyword("feedback", "line one\nline two")),
        ("Feedback👍 good 👍", parsed_keyword("feedback", "👍 good 👍")),
        ("COMPLAIN 1234-5678-9012: nobody came", parsed_keyword("complain", "123456789012 nobody came")),
        ("COMPLAIN123456789012nobody came", parsed_keyword("complain", "123456789012 nobody came")),
        ("COMPLAIN no. 123456789012, nobody came", parsed_keyword("complain", "123456789012 nobody came")),
        ("COMPLAIN 12 days without water", parsed_keyword("complain", "12 days without water")),
        ("COMPLAIN ১২ দিন পানি নাই", parsed_keyword("complain", "১২ দিন পানি নাই")),
        ("COMPLAIN 123456789012", parsed_keyword("complain", "123456789012")),
        ("complain", parsed_keyword("complain")),
        ("APPLY ১০৬", parsed_keyword("apply", "106")),
        ("APPLY1O6", parsed_keyword("apply", "106")),
        ("APPLY 106 please", parsed_keyword("apply", "106")),
        ("apply for pan card", parsed_keyword("apply", "pan card")),
        ("LANG:BN", parsed_keyword("lang", "bn")),
        ("LANGBN", parsed_keyword("lang", "bn")),
        ("langhindi", parsed_keyword("lang", "hi")),
        ("ভাষাবাংলা", parsed_keyword("lang", "bn", "bn")),
        ("LANG FR", parsed_keyword("lang", "FR")),
        ("LANG", parsed_keyword("lang")),
        ("Bangla please", parsed_keyword("lang", "bn", "")),
        ("MENU please", parsed_keyword("menu")),
        ("HELP!!", parsed_keyword("help")),
        ("help please, sir", parsed_keyword("help")),
        ("Hiiii", parsed_keyword("documents")),
        ("hellooo sir", parsed_keyword("documents")),
        ("complaint status 123456789012", parsed_keyword("status", NUMBER)),
        ("please help", parsed_keyword("help")),
        ("Hello sir", parsed_keyword("documents")),
        ("hello ekdial team", parsed_keyword("documents")),
        ("hi there!!", parsed_keyword("documents")),
        ("hello anybody", parsed_keyword("documents")),
        ("DOCS pan card", parsed_keyword("documents", "pan card")),
        ("HELP me with my form", parsed_keyword("help", "with my form")),
    ],
)
def test_the_argument_of_a_keyword(text, answer):
    assert parse_keyword(text) == answer


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("শিকায়ত", None),
        ("সহায়তা", "help"),
        ("रोज़", None),
        ("शिक़ायत", "complain"),
        ("शिकायत", "complain"),
        ("दस्तावेज़", "documents"),
        ("दस्तावेज", "documents"),
        ("अंग्रेज़ी", "lang"),
        ("नया पिन", "pin"),
        ("অভিযোগ", "complain"),
        ("ঢ়াকা", None),
        ("REGÍSTER", "reg"),
    ],
)
def test_normalisation_and_nuktas_make_no_difference(form, text, name):
    answer = parse_keyword(unicodedata.normalize(form, text))

    assert (answer.name if isinstance(answer, KeywordRequest) else None) == name


@pytest.mark.parametrize("ro", ["র", "ৰ", "ব\u09bc"])
def test_the_letter_ro_is_recognised_in_each_encoding(ro):
    assert parse_keyword(f"আবেদন ক{ro}ুন ১০৬") == parsed_keyword("apply", "106", "bn")
    assert parse_keyword(f"{ro}েজি") == parsed_keyword("reg", "", "bn")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("ঝঞঅঞটঝ ১২৩৪৫৬৭৮৯০১২", parsed_keyword("status", NUMBER, "bn")),
        ("ঝঞঙচ", parsed_keyword("stop", "", "bn")),
        ("ঐঊখচ", parsed_keyword("help", "", "bn")),
        ("ঝঝঈ", None),
    ],
)
def test_latin_capitals_converted_to_bengali_are_recognised(text, answer):
    assert parse_keyword(text) == answer


# STOP ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        *(
            "STOP",
            "stop",
            "Stop.",
            "stop!!!",
            " STOP ",
            "«স্টপ»",
            '"STOP"',
            "#STOP",
            "*STOP#",
            "STOP 🙏",
            "s\u200btop",
            "ＳＴＯＰ",
        ),
        *(
            "STOPALL",
            "stop all",
            "UNSUBSCRIBE",
            "quit",
            "OPT-OUT",
            "বন্ধ করুন",
            "বন্ধ।",
            "बंद करो",
            "band karo",
            "থামান",
        ),
        *(
            "Stop. Thank you",
            "please stop",
            "STOP sir",
            "Hello, stop",
            "ok stop",
            "দয়া করে বন্ধ করুন",
            "कृपया बंद करें",
        ),
        *("STOP\n", "\nSTOP\n--\nRegards", "STOP\n\nA citizen of Mirpur", "STOP STOP STOP", "stop!!! stop all!!!"),
    ],
)
def test_stop_alone_is_stop(text):
    assert parse_keyword(text)[:2] == ("stop", "")


@pytest.mark.parametrize(
    "text",
    [
        *("STOP 12345", "STOP12345", "STOP\n12345", "stop 1", "12345 STOP", "STOP STATUS", "STOP it"),
        *(
            "STOP sending me these",
            "we must stop this",
            "Stop by the office",
            "bus stop",
            "non-stop",
            "nonstop",
            "stops",
            "stopp",
        ),
        *(
            "দোকান বন্ধ",
            "বন্ধ ছিল",
            "বন্ধু",
            "বন্দ",
            "बैंक बंद है",
            "बंद है",
            "bank band hai",
            "band hai",
            "bandar",
            "bondhu",
            "স্টপেজ",
        ),
        *(
            "END",
            "CANCEL",
            "end",
            "cancel please",
            "বাতিল",
            "रद्द",
            "STATUS STOP",
            "STOP\nby the office on your way home today",
        ),
    ],
)
def test_a_sentence_with_stop_in_it_is_not_stop(text):
    answer = parse_keyword(text)

    assert not isinstance(answer, KeywordRequest) or answer.name != "stop"


@pytest.mark.parametrize("text", ["STOP CANCEL", "STOP 12345", "stopp", "END", "cancel", "বন্দ", "रद्द", "sotp"])
def test_some_sentences_with_stop_are_suggested_as_stop(text):
    assert parse_keyword(text).names[0] == "stop"


def test_a_misspelt_stop_does_not_opt_out():
    slips = [slip for slip, name in single_typos() if name == "stop"]

    assert len(slips) > 200
    assert [slip for slip in slips if isinstance(parse_keyword(slip), KeywordRequest)] == []


# Near misses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("stauts 123456789012", ("STATUS",)),
        ("obhijok rasta kharap", ("OBHIJOG",)),
        ("অভিজোগ রাস্তা খারাপ", ("অভিযোগ",)),
        ("সাহাজ্য", ("সাহায্য",)),
        ("सिकायत सड़क खराब", ("शिकायत",)),
        ("digi lockar", ("DIGILOCKER",)),
        ("STOP 12345", ("STOP",)),
        ("PIN 1234", ("PIN",)),
        ("cancel", ("STOP",)),
        ("বাতিল", ("স্টপ",)),
    ],
)
def test_a_misspelt_keyword_is_suggested_in_the_same_script(text, words):
    answer = parse_keyword(text)

    assert isinstance(answer, KeywordSuggestions)
    assert answer.words[:1] == words
    assert len(answer.names) == len(answer.words) <= 3
    assert len(set(answer.names)) == len(answer.names)


@pytest.mark.parametrize(
    ("misspelt", "ordinary", "recall", "precision"),
    [(MISSPELLINGS, ORDINARY_SENTENCES, 0.97, 0.99), (HELD_OUT_MISSPELLINGS, HELD_OUT_SENTENCES, 0.95, 0.97)],
    ids=["chosen over", "written later"],
)
def test_misspellings_are_distinguished_from_sentences(misspelt, ordinary, recall, precision):
    told = measure_recognition(misspelt, ordinary)

    assert told.recall >= recall, told.missed
    assert told.precision >= precision, told.mistaken
    assert told.first >= 0.95 * told.found, "what was meant is nearly always named first"


def test_a_typo_in_a_long_word_is_nearly_always_recognised():
    slips = [name in keyword_names(parse_keyword(slip)) for slip, name in single_typos() if len(slip) >= 5]

    assert len(slips) > 3000
    assert sum(slips) / len(slips) >= 0.96


@pytest.mark.parametrize("text", ["pan", "PAN", "nid", "map", "bus", "tax", "id", "age", "gas", "মা", "চা", "माँ", "गैस"])
def test_a_short_word_is_never_suggested(text):
    assert parse_keyword(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Stop by the office",
        "Start of the exam",
        "pin code of Mirpur",
        "App is not working today",
        "Menu card of the hotel",
        "Services are very bad here",
        "Language is a barrier here",
        "Hello how are you",
        "रोको मत जाने दो",
    ],
)
def test_a_sentence_is_not_the_keyword_it_begins_with(text):
    assert parse_keyword(text) is None


@pytest.mark.parametrize("text", [*MISSPELLINGS, *HELD_OUT_MISSPELLINGS])
def test_a_misspelt_keyword_is_never_executed(text):
    assert not isinstance(parse_keyword(text), KeywordRequest)


def test_a_sentence_with_a_tracking_number_suggests_status():
    number = "12345678901" + str(damm.calc_check_digit("12345678901"))

    assert parse_keyword(f"when do I get an answer for {number} sir") == KeywordSuggestions(("status",), ("STATUS",))
    assert parse_keyword(f"আমার {number} কবে হবে") == KeywordSuggestions(("status",), ("অবস্থা",))
    assert parse_keyword(f"what is the status of {NUMBER}") == KeywordSuggestions(("status",), ("STATUS",))
    assert parse_keyword(f"call me at {number[:-1]}{(int(number[-1]) + 1) % 10}") is None


# Whatever else comes in ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\n\n",
        "?",
        "...",
        "😀😀😀",
        "👍🏽",
        "\u200f\u200e",
        "\ufffd" * 50,
        "\x00",
        "\ud83d",
        "a",
        "ক",
        "্",
        "\u0301" * 900,
        *("http://example.org/x?y=z", "🇧🇩", "مرحبا", "שלום", "你好", "привет", "ok", "thanks", "#" * 2000, "ha" * 1000),
    ],
)
def test_junk_is_no_keyword(text):
    assert parse_keyword(text) is None


def test_a_long_complaint_is_kept_whole():
    story = "The drain is open. " * 105

    assert parse_keyword(f"COMPLAIN {story}") == parsed_keyword("complain", story.strip())


def test_only_the_first_characters_of_a_word_are_normalized():
    assert len(normalize_word("a" + "\u0301\u0316" * 5000)) <= MAX_WORD_LENGTH
    assert len(tokenize("a " * 5000)) == MAX_TOKENS


def test_every_word_of_the_vocabulary_is_shorter_than_the_limit():
    assert max(len(token) for key in get_vocabulary().words for token in key.split()) < MAX_WORD_LENGTH


anything = st.one_of(
    st.text(max_size=300),
    st.text(alphabet=st.characters(), max_size=100),
    st.lists(
        st.sampled_from(
            [
                *(word.spelling for word in get_vocabulary().words.values()),
                *get_vocabulary().languages,
                *MISSPELLINGS,
                "1234",
                "O",
                "১২",
                "\n",
                "\u0301" * 40,
                "ব\u09bc",
                "#",
                "\ud83d",
                "+",
            ]
        ),
        max_size=12,
    ).map(" ".join),
)


@given(anything)
@example("STATUS\ud83d12")
def test_any_text_is_parsed_without_an_error(text):
    answer = parse_keyword(text)

    assert answer is None or set(keyword_names(answer)) <= set(KEYWORD_NAMES)
    if isinstance(answer, KeywordRequest):
        assert answer.language in {"en", "bn", "hi"}
        assert answer.rest == answer.rest.strip()
        assert answer.name != "stop" or answer.rest == ""
    if isinstance(answer, KeywordSuggestions):
        assert all(
            normalize_phrase(word) in get_vocabulary().words or normalize_phrase(word) in get_vocabulary().languages
            for word in answer.words
        )


@given(anything, st.sampled_from(["NFC", "NFD"]))
def test_unicode_normalization_does_not_change_the_result(text, form):
    other = parse_keyword(unicodedata.normalize(form, text))

    assert keyword_names(other) == keyword_names(parse_keyword(text))


# The page about it ---------------------------------------------------------------------------------------------------


def rows():
    """The last three cells of the page's rows, as the file has them; what a keyword is for, the page says itself."""
    for name in (*KEYWORD_NAMES, "greetings"):
        words = [
            word.spelling
            for word in get_vocabulary().words.values()
            if word.table == name and not word.is_suggested_only
        ]
        cells = (", ".join(word for word in words if script_language(word) == script) for script in ("en", "bn", "hi"))
        yield f"| {' | '.join(cells)} |"


@pytest.mark.parametrize("row", list(rows()))
def test_the_documentation_lists_every_word(row):
    assert row in PAGE


def test_the_examples_of_the_documentation_are_parsed_as_it_says():
    examples = re.findall(r"^\| `([^`]+)` \| (\w+) (?:`([^`]*)` )?\|$", PAGE, re.MULTILINE)

    assert len(examples) >= 12
    for text, name, rest in examples:
        assert parse_keyword(text)[:2] == (name, rest), text
