"""What people text and what is made of it: keywords in three scripts, as they are typed, misspelt and not meant."""

import re
import unicodedata
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from stdnum import damm

from sms.keywords import Asked, Meant, Name, understood
from sms.keywords.spelling import LONGEST, MOST, key_of, tokens
from sms.keywords.vocabulary import FORMS, NAMES, known, phrase, script_of
from tests.sms.misspelt import LATER_MISSPELT, LATER_ORDINARY, MISSPELT, ORDINARY, names, one_finger, told_apart

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "keywords.md").read_text(encoding="utf-8")
NUMBER = "123456789012"


def asked(name, rest="", language="en"):
    return Asked(name, rest, language)


# The contract's table, in three scripts ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("STATUS 123456789012", asked("status", NUMBER)),
        ("অবস্থা ১২৩৪৫৬৭৮৯০১২", asked("status", NUMBER, "bn")),
        ("स्थिति १२३४५६७८९०१२", asked("status", NUMBER, "hi")),
        ("obostha 123456789012", asked("status", NUMBER, "bn")),
        ("sthiti 123456789012", asked("status", NUMBER, "hi")),
        ("123456789012", asked("status", NUMBER)),
        ("১২৩৪ ৫৬৭৮ ৯০১২", asked("status", NUMBER, "bn")),
        ("१२३४ ५६७८ ९०१२", asked("status", NUMBER, "hi")),
        ("REG", asked("reg")),
        ("REG Amina Begum", asked("reg", "Amina Begum")),
        ("নিবন্ধন আমিনা বেগম", asked("reg", "আমিনা বেগম", "bn")),
        ("पंजीकरण अमीना", asked("reg", "अमीना", "hi")),
        ("nibondhon Amina", asked("reg", "Amina", "bn")),
        ("panjikaran Amina", asked("reg", "Amina", "hi")),
        ("PIN", asked("pin")),
        ("পিন ভুলে গেছি", asked("pin", "", "bn")),
        ("पिन भूल गया", asked("pin", "", "hi")),
        ("pin bhool gayi", asked("pin", "", "hi")),
        ("APPLY 106", asked("apply", "106")),
        ("APPLY pan_card", asked("apply", "pan_card")),
        ("আবেদন করুন ১০৬", asked("apply", "106", "bn")),
        ("आवेदन 106", asked("apply", "106", "hi")),
        ("abedon 106", asked("apply", "106", "bn")),
        ("aavedan 106", asked("apply", "106", "hi")),
        ("SERVICES", asked("services")),
        ("SERVICES birth", asked("services", "birth")),
        ("সেবা জন্ম", asked("services", "জন্ম", "bn")),
        ("सेवा जन्म", asked("services", "जन्म", "hi")),
        ("seva pension", asked("services", "pension", "hi")),
        ("HI", asked("documents")),
        ("Hello!", asked("documents")),
        ("DIGILOCKER", asked("documents")),
        ("digi locker", asked("documents")),
        ("docs", asked("documents")),
        ("হাই", asked("documents", "", "bn")),
        ("হ্যালো", asked("documents", "", "bn")),
        ("ডিজিলকার", asked("documents", "", "bn")),
        ("कागज़ात", asked("documents", "", "hi")),
        ("हैलो", asked("documents", "", "hi")),
        ("नमस्ते", asked("documents", "", "hi")),
        ("डिजिलॉकर", asked("documents", "", "hi")),
        ("COMPLAIN 123456789012 nobody came", asked("complain", "123456789012 nobody came")),
        ("অভিযোগ ১২৩৪ ৫৬৭৮ ৯০১২ কেউ আসেনি", asked("complain", "123456789012 কেউ আসেনি", "bn")),
        ("शिकायत १२३४५६७८९०१२ कोई नहीं आया", asked("complain", "123456789012 कोई नहीं आया", "hi")),
        ("obhijog rasta kharap", asked("complain", "rasta kharap", "bn")),
        ("shikayat sadak kharab hai", asked("complain", "sadak kharab hai", "hi")),
        ("FEEDBACK Very good.", asked("feedback", "Very good.")),
        ("মতামত খুব ভালো!", asked("feedback", "খুব ভালো!", "bn")),
        ("सुझाव और काउंटर खोलें", asked("feedback", "और काउंटर खोलें", "hi")),
        ("APP", asked("app")),
        ("অ্যাপ", asked("app", "", "bn")),
        ("ऐप", asked("app", "", "hi")),
        ("MENU", asked("menu")),
        ("মেনু", asked("menu", "", "bn")),
        ("मेनू", asked("menu", "", "hi")),
        ("LANG BN", asked("lang", "bn")),
        ("LANG HI", asked("lang", "hi")),
        ("lang english", asked("lang", "en")),
        ("LANG বাংলা", asked("lang", "bn")),
        ("LANG হিন্দি", asked("lang", "hi")),
        ("ভাষা বাংলা", asked("lang", "bn", "bn")),
        ("भाषा हिन्दी", asked("lang", "hi", "hi")),
        ("bhasha hindi", asked("lang", "hi", "hi")),
        ("BANGLA", asked("lang", "bn")),
        ("বাংলা", asked("lang", "bn", "bn")),
        ("हिंदी", asked("lang", "hi", "hi")),
        ("HELP", asked("help")),
        ("সাহায্য", asked("help", "", "bn")),
        ("sahajjo", asked("help", "", "bn")),
        ("मदद", asked("help", "", "hi")),
        ("madad", asked("help", "", "hi")),
        ("STOP", asked("stop")),
        ("স্টপ", asked("stop", "", "bn")),
        ("বন্ধ", asked("stop", "", "bn")),
        ("bondho", asked("stop", "", "bn")),
        ("बंद", asked("stop", "", "hi")),
        ("band", asked("stop", "", "hi")),
        ("START", asked("start")),
        ("চালু", asked("start", "", "bn")),
        ("शुरू", asked("start", "", "hi")),
    ],
)
def test_the_table_of_keywords(text, answer):
    assert understood(text) == answer


@pytest.mark.parametrize("name", get_args(Name))
@pytest.mark.parametrize("form", FORMS)
def test_every_keyword_has_a_word_in_every_form(name, form):
    language = FORMS[form].language
    written = [word for word in known().words.values() if word.table == name and word.language in (language, "en")]

    assert written


REFUSALS = [key for key, word in known().words.items() if word.table == "refuse"]


@pytest.mark.parametrize("key", REFUSALS)
def test_no_is_a_keyword_only_with_the_number_of_what_is_refused(key):
    word = known().words[key]

    assert understood(word.written) is None
    assert understood(f"{word.written}, thanks") is None
    assert understood(f"{word.written} 1234-5678-9012") == asked("refuse", "123456789012", word.language)


@pytest.mark.parametrize(
    "key",
    [key for key, word in known().words.items() if word.table in NAMES and not word.near and key not in REFUSALS],
)
def test_every_word_alone_is_its_keyword(key):
    word = known().words[key]

    assert understood(word.written) == asked(word.table, "", word.language)
    assert understood(f" «{word.written.swapcase()}» ") == asked(word.table, "", word.language)


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
def test_however_a_tracking_number_is_sent_it_is_asked_after(text):
    assert understood(text) == asked("status", NUMBER)


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
    assert understood(text)[:2] == ("status", number)


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
def test_a_number_that_is_none_is_told_as_it_is(text, rest):
    assert understood(text) == asked("status", rest)


@pytest.mark.parametrize(
    "text", ["1", "0", "00", "98", "482913", "01-01-1980", "+8801700000001", "+91 98765 43210", "9" * 30]
)
def test_other_numbers_ask_for_nothing(text):
    assert understood(text) is None


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("REG <Amina Begum>", asked("reg", "Amina Begum")),
        ("REG: Amina", asked("reg", "Amina")),
        ("REG\nAmina", asked("reg", "Amina")),
        ("REG Md. Abdul Karim Khan", asked("reg", "Md. Abdul Karim Khan")),
        ("REG Amina\nsent from my phone", asked("reg", "Amina")),
        ("REG my name is Amina", asked("reg")),
        ("REG 12345", asked("reg")),
        ("registration fee how much", asked("reg")),
        ("নিবন্ধন সনদ কবে পাব", asked("reg", "", "bn")),
        ("पंजीकरण शुल्क कितना है", asked("reg", "", "hi")),
        ("register my complaint no water for 3 days", asked("complain", "no water for 3 days")),
        ('FEEDBACK "It works"', asked("feedback", "It works")),
        ("FEEDBACK: good (very)", asked("feedback", "good (very)")),
        ("feedback\nline one\nline two", asked("feedback", "line one\nline two")),
        ("Feedback👍 good 👍", asked("feedback", "👍 good 👍")),
        ("COMPLAIN 1234-5678-9012: nobody came", asked("complain", "123456789012 nobody came")),
        ("COMPLAIN123456789012nobody came", asked("complain", "123456789012 nobody came")),
        ("COMPLAIN no. 123456789012, nobody came", asked("complain", "123456789012 nobody came")),
        ("COMPLAIN 12 days without water", asked("complain", "12 days without water")),
        ("COMPLAIN ১২ দিন পানি নাই", asked("complain", "১২ দিন পানি নাই")),
        ("COMPLAIN 123456789012", asked("complain", "123456789012")),
        ("complain", asked("complain")),
        ("APPLY ১০৬", asked("apply", "106")),
        ("APPLY1O6", asked("apply", "106")),
        ("APPLY 106 please", asked("apply", "106")),
        ("apply for pan card", asked("apply", "pan card")),
        ("LANG:BN", asked("lang", "bn")),
        ("LANGBN", asked("lang", "bn")),
        ("langhindi", asked("lang", "hi")),
        ("ভাষাবাংলা", asked("lang", "bn", "bn")),
        ("LANG FR", asked("lang", "FR")),
        ("LANG", asked("lang")),
        ("Bangla please", asked("lang", "bn")),
        ("MENU please", asked("menu")),
        ("HELP!!", asked("help")),
        ("help please, sir", asked("help")),
        ("Hiiii", asked("documents")),
        ("hellooo sir", asked("documents")),
        ("complaint status 123456789012", asked("status", NUMBER)),
        ("please help", asked("help")),
        ("Hello sir", asked("documents")),
        ("hello ekdial team", asked("documents")),
        ("hi there!!", asked("documents")),
        ("hello anybody", asked("documents")),
        ("DOCS pan card", asked("documents", "pan card")),
        ("HELP me with my form", asked("help", "with my form")),
    ],
)
def test_what_stands_after_a_keyword(text, answer):
    assert understood(text) == answer


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
    answer = understood(unicodedata.normalize(form, text))

    assert (answer.name if isinstance(answer, Asked) else None) == name


@pytest.mark.parametrize("ro", ["র", "ৰ", "ব\u09bc"])
def test_a_ro_is_a_ro_however_its_dot_is_typed(ro):
    assert understood(f"আবেদন ক{ro}ুন ১০৬") == asked("apply", "106", "bn")
    assert understood(f"{ro}েজি") == asked("reg", "", "bn")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("ঝঞঅঞটঝ ১২৩৪৫৬৭৮৯০১২", asked("status", NUMBER, "bn")),
        ("ঝঞঙচ", asked("stop", "", "bn")),
        ("ঐঊখচ", asked("help", "", "bn")),
        ("ঝঝঈ", None),
    ],
)
def test_latin_capitals_that_a_bijoy_converter_made_bengali(text, answer):
    assert understood(text) == answer


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
    assert understood(text)[:2] == ("stop", "")


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
def test_what_merely_has_stop_in_it_is_not(text):
    answer = understood(text)

    assert not isinstance(answer, Asked) or answer.name != "stop"


@pytest.mark.parametrize("text", ["STOP CANCEL", "STOP 12345", "stopp", "END", "cancel", "বন্দ", "रद्द", "sotp"])
def test_but_it_may_be_suggested(text):
    assert understood(text).names[0] == "stop"


def test_no_slip_of_a_finger_stops_anything():
    slips = [slip for slip, name in one_finger() if name == "stop"]

    assert len(slips) > 200
    assert [slip for slip in slips if isinstance(understood(slip), Asked)] == []


# Near misses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("stauts 123456789012", ("STATUS",)),
        ("obhijok rasta kharap", ("OBHIJOG",)),
        ("অভিজোগ রাস্তা খারাপ", ("অভিযোগ",)),
        ("সাহাজ্য", ("সাহায্য",)),
        ("सिकायत सड़क खराब", ("शिकायत",)),
        ("digi loker", ("DIGILOCKER",)),
        ("STOP 12345", ("STOP",)),
        ("PIN 1234", ("PIN",)),
        ("cancel", ("STOP",)),
        ("বাতিল", ("স্টপ",)),
    ],
)
def test_a_near_miss_is_suggested_as_it_is_written_in_that_script(text, words):
    answer = understood(text)

    assert isinstance(answer, Meant)
    assert answer.words[:1] == words
    assert len(answer.names) == len(answer.words) <= 3
    assert len(set(answer.names)) == len(answer.names)


@pytest.mark.parametrize(
    ("misspelt", "ordinary", "recall", "precision"),
    [(MISSPELT, ORDINARY, 0.97, 0.99), (LATER_MISSPELT, LATER_ORDINARY, 0.95, 0.97)],
    ids=["chosen over", "written later"],
)
def test_misspellings_are_told_from_sentences(misspelt, ordinary, recall, precision):
    told = told_apart(misspelt, ordinary)

    assert told.recall >= recall, told.missed
    assert told.precision >= precision, told.mistaken
    assert told.first >= 0.95 * told.found, "what was meant is nearly always named first"


def test_a_slip_in_a_long_word_is_nearly_always_told():
    slips = [name in names(understood(slip)) for slip, name in one_finger() if len(slip) >= 5]

    assert len(slips) > 3000
    assert sum(slips) / len(slips) >= 0.96


@pytest.mark.parametrize("text", ["pan", "PAN", "nid", "map", "bus", "tax", "id", "age", "gas", "মা", "চা", "माँ", "गैस"])
def test_a_short_word_is_nothing_like_another(text):
    assert understood(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "STOP sending me these",
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
    assert understood(text) is None


@pytest.mark.parametrize("text", [*MISSPELT, *LATER_MISSPELT])
def test_nothing_misspelt_is_acted_on(text):
    assert not isinstance(understood(text), Asked)


def test_a_sentence_with_a_tracking_number_may_be_about_it():
    number = "12345678901" + str(damm.calc_check_digit("12345678901"))

    assert understood(f"when do I get an answer for {number} sir") == Meant(("status",), ("STATUS",))
    assert understood(f"আমার {number} কবে হবে") == Meant(("status",), ("অবস্থা",))
    assert understood(f"what is the status of {NUMBER}") == Meant(("status",), ("STATUS",))
    assert understood(f"call me at {number[:-1]}{(int(number[-1]) + 1) % 10}") is None


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
def test_junk_is_nothing(text):
    assert understood(text) is None


def test_a_long_complaint_is_kept_whole():
    story = "The drain is open. " * 105

    assert understood(f"COMPLAIN {story}") == asked("complain", story.strip())


def test_no_more_of_a_word_is_put_in_order_than_a_word_has():
    assert len(key_of("a" + "\u0301\u0316" * 5000)) <= LONGEST
    assert len(tokens("a " * 5000)) == MOST


def test_a_word_of_the_vocabulary_is_never_too_long_to_be_looked_into():
    assert max(len(token) for key in known().words for token in key.split()) < LONGEST


anything = st.one_of(
    st.text(max_size=300),
    st.text(alphabet=st.characters(), max_size=100),
    st.lists(
        st.sampled_from(
            [
                *(word.written for word in known().words.values()),
                *known().languages,
                *MISSPELT,
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
def test_any_text_is_answered_in_a_form_of_ours(text):
    answer = understood(text)

    assert answer is None or set(names(answer)) <= set(NAMES)
    if isinstance(answer, Asked):
        assert answer.language in {"en", "bn", "hi"}
        assert answer.rest == answer.rest.strip()
        assert answer.name != "stop" or answer.rest == ""
    if isinstance(answer, Meant):
        assert all(phrase(word) in known().words or phrase(word) in known().languages for word in answer.words)


@given(anything, st.sampled_from(["NFC", "NFD"]))
def test_the_same_text_in_another_normalisation_form_asks_for_the_same(text, form):
    other = understood(unicodedata.normalize(form, text))

    assert names(other) == names(understood(text))


# The page about it ---------------------------------------------------------------------------------------------------


def rows():
    """The last three cells of the page's rows, as the file has them; what a keyword is for, the page says itself."""
    for name in (*NAMES, "greetings"):
        words = [word.written for word in known().words.values() if word.table == name and not word.near]
        cells = (", ".join(word for word in words if script_of(word) == script) for script in ("en", "bn", "hi"))
        yield f"| {' | '.join(cells)} |"


@pytest.mark.parametrize("row", list(rows()))
def test_the_page_has_every_keyword_as_it_may_be_written(row):
    assert row in PAGE


def test_every_example_on_the_page_is_understood_as_it_says():
    examples = re.findall(r"^\| `([^`]+)` \| (\w+) (?:`([^`]*)` )?\|$", PAGE, re.MULTILINE)

    assert len(examples) >= 12
    for text, name, rest in examples:
        assert understood(text)[:2] == (name, rest), text
