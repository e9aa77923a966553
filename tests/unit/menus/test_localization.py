"""Templates: how they are parsed, and how facts are formatted in each language."""

from datetime import date

import pytest

from core.errors import ValidationFailedError
from menus.rendering.localization import LOCALE_CODES, LOCALES_FOLDER, load_locale, load_locales, parse_template
from tests.support.small_menu import LOCALE_SOURCES

NAMES = {"service": lambda code, form: f"{code} in {form}"}


def build_renderer(form="en", terms=""):
    return load_locale(form, f"[terms.days]\n{terms}\n", NAMES)


def render(text, form="en", terms="", **facts):
    words = build_renderer(form, terms)
    return words.render(parse_template(text), facts)


# Templates -----------------------------------------------------------------------------------------------------------


def test_a_template_knows_which_facts_it_says_and_how():
    assert parse_template("{a} {b:date}\n{a:money}").placeholders == {("a", "text"), ("b", "date"), ("a", "money")}


@pytest.mark.parametrize(
    "text", ["{", "}", "{}", "{0}", "{a", "a}", "{a b}", "{a!r}", "{a.b}", "{a[0]}", "{a:{b}}", "{a:x y}"]
)
def test_what_is_no_placeholder_is_refused(text):
    with pytest.raises(ValueError, match=r"\{|\}"):
        parse_template(text)


def test_a_text_without_facts_is_said_as_it_stands():
    assert render("Two\n\n lines. ") == "Two\n\n lines. "


def test_the_line_breaks_that_long_quotes_begin_and_end_with_are_none_of_the_text():
    assert parse_template("\nOne\nTwo\n").source == "One\nTwo"


def test_a_line_whose_facts_are_all_empty_is_left_out():
    text = "{service:service}\nPromised by {promised:date}\n{note:texts}"

    assert render(text, service="pan", promised="2026-11-28", note={"en": "Bring it"}) == (
        "pan in en\nPromised by 28 Nov 2026\nBring it"
    )
    assert render(text, service="pan", promised=None, note={}) == "pan in en"
    assert render(text) == ""


def test_a_line_stays_for_as_long_as_one_of_its_facts_does():
    assert render("{a}, {b}\nAlways", a="only") == "only,\nAlways"


def test_nothing_is_a_fact_and_no_is_none():
    assert render("{left:count} tries", left=0) == "0 tries"
    assert render("{left} tries", left=0) == "0 tries"


# Facts ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("en", "5 Nov 2027"),
        ("bn", "৫ নভেম্বর ২০২৭"),
        ("hi", "5 नवंबर 2027"),
        ("bn_Latn", "5 Nov 2027"),
        ("hi_Latn", "5 Nov 2027"),
    ],
)
def test_a_date_is_said_as_people_write_it(form, expected):
    assert render("{day:date}", form, day="2027-11-05") == render("{day:date}", form, day=date(2027, 11, 5)) == expected


@pytest.mark.parametrize(
    ("form", "fee", "expected"),
    [
        ("en", [50_000, "BDT"], "Tk 500"),
        ("en", [123_456_750, "INR"], "Rs 12,34,567.50"),
        ("bn", [50_005, "BDT"], "৳৫০০.০৫"),
        ("hi", [50_000, "INR"], "₹500"),
        ("bn_Latn", [50_000, "BDT"], "Tk 500"),
        ("hi_Latn", [100, "KES"], "KSh 1"),
        ("en", [100, "USD"], "USD 1"),
        ("en", [123_456_700, "BDT"], "Tk 12,34,567"),
        ("en", [123_456_700, "KES"], "KSh 1,234,567"),
        ("bn", [123_456_700, "KES"], "KSh ১২,৩৪,৫৬৭"),
        ("hi", [123_456_700, "BDT"], "৳12,34,567"),
        ("hi_Latn", [123_456_700, "KES"], "KSh 12,34,567"),
        ("bn", [-12_345_650, "BDT"], "-৳১,২৩,৪৫৬.৫০"),
    ],
)
def test_money_is_said_with_its_sign_and_its_hundredths_only_where_there_are_some(form, fee, expected):
    assert render("{fee:money}", form, fee=fee) == expected


@pytest.mark.parametrize(("form", "expected"), [("en", "12"), ("bn", "১২"), ("hi", "12"), ("bn_Latn", "12")])
def test_a_count_has_the_digits_of_running_text(form, expected):
    assert render("{n:count}", form, n=12) == expected


@pytest.mark.parametrize("form", LOCALE_CODES)
def test_what_is_to_be_typed_back_has_the_digits_of_the_keypad(form):
    assert render("{number:tracking}", form, number="123456789012") == "1234 5678 9012"


@pytest.mark.parametrize(
    ("form", "expected"), [("hi_Latn", "Naam"), ("hi", "नाम"), ("bn_Latn", "নাম"), ("bn", "নাম"), ("en", "Name")]
)
def test_texts_are_said_in_the_form_that_is_nearest(form, expected):
    assert render("{label:texts}", form, label={"en": "Name", "bn": "নাম", "hi": "नाम", "hi_Latn": "Naam"}) == expected


@pytest.mark.parametrize("language", ["bn", "hi"])
def test_texts_in_one_script_are_said_in_the_other_before_english(language):
    """A minor of section 4 of the field report: a note in `bn_Latn` alone was not used for an SMS in `bn`."""
    for only, read_in in ((f"{language}_Latn", language), (language, f"{language}_Latn")):
        assert render("{label:texts}", read_in, label={"en": "Name", only: "Naam"}) == "Naam"


def test_texts_that_a_language_lacks_are_said_in_english():
    assert render("{label:texts}", "bn", label={"en": "Name"}) == "Name"
    assert render("{label:texts}", "bn", label={"hi": "नाम"}) == ""


def test_a_name_is_asked_for_in_the_form_that_is_spoken():
    assert render("{service:service}", "hi_Latn", service="pan") == "pan in hi_Latn"


# Terms ---------------------------------------------------------------------------------------------------------------

DAYS = '0 = "at once"\n1 = "in one day"\nmany = "in {n} days"'


@pytest.mark.parametrize(("days", "expected"), [(0, "at once"), (1, "in one day"), (2, "in 2 days"), (None, "")])
def test_a_number_without_a_term_of_its_own_is_one_of_many(days, expected):
    assert render("{days:days}", terms=DAYS, days=days) == expected


def test_many_has_the_digits_of_its_language():
    assert render("{days:days}", "bn", terms='many = "{n} দিনে"', days=14) == "১৪ দিনে"


def test_a_code_that_nobody_has_a_word_for_is_not_said():
    assert render("Status: {days:days}\nx", terms=DAYS, days="unheard_of") == "x"


# Locales -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    for form, source in LOCALE_SOURCES.items():
        (tmp_path / f"{form}.toml").write_text(source, encoding="utf-8")
    return tmp_path


def test_every_form_is_read(folder):
    assert set(load_locales({}, folder)) == set(load_locales(NAMES, LOCALES_FOLDER)) == set(LOCALE_CODES)


def test_a_file_from_another_editor_is_read_all_the_same(folder):
    as_it_was = load_locales({}, folder)["bn"].screens

    (folder / "bn.toml").write_bytes(("\ufeff" + LOCALE_SOURCES["bn"].replace("\n", "\r\n")).encode())

    assert load_locales({}, folder)["bn"].screens == as_it_was


def test_every_file_is_complained_of_at_once(folder, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "en.toml").write_text("[main]\ntext = 5\nfind = 6\n")
    (folder / "bn.toml").unlink()
    (folder / "hi.toml").write_bytes(b'[main]\ntext = "\xff"\n')
    (folder / "hi_Latn.toml").write_text("[main\n")

    with pytest.raises(ValidationFailedError) as broken:
        load_locales({}, folder)

    assert [str(fault).split(";")[0] for fault in broken.value.problems] == [
        "menus/locales/en.toml:2: main.text: this is not text",
        "menus/locales/en.toml:3: main.find: this is not text",
        "bn.toml: cannot be read: No such file or directory",
        "hi.toml:2: is not UTF-8",
        "menus/locales/hi_Latn.toml:1: is not TOML: unclosed table, expected `]`",
    ]


def test_the_lengths_of_the_pin_policy_are_inserted_in_the_digits_of_the_language():
    messages = [load_locales(NAMES)[form].validation_messages["not_a_pin"].source for form in ("en", "bn")]
    assert messages == ["A PIN has 4 to 6 digits", "পিনে ৪ থেকে ৬টি সংখ্যা থাকে"]


def test_the_text_of_a_status_is_written_once_in_each_locale():
    """Section 5 of the field report: one word of the status screen stood in thirty places."""
    for form in LOCALE_CODES:
        locale = load_locales(NAMES)[form]
        same = {"status_own", "status_due", "status_own_due"}
        assert {locale.screens[name].text.source for name in same} == {locale.screens["status"].text.source}
        assert not {(name, "text") for name in same} & locale.written.keys(), form


def test_a_screen_has_the_texts_of_the_one_that_it_is_like_and_its_own_before_them():
    source = """
[first]
text = "One {n}"
help = "Help"
[second]
like = "first"
text = "Two, {>first}, {>sms.last}"
[third]
like = "second"
own = "Mine"
[sms]
last = \"\"\"
And {m}\"\"\"
"""
    locale = load_locale("en", source, {})

    assert locale.screens["third"].text.source == "Two, One {n}, And {m}"
    assert {key: text.source for key, text in locale.screens["third"].options.items()} == {
        "help": "Help",
        "own": "Mine",
    }
    assert ("third", "help") not in locale.written
    assert locale.render(locale.screens["second"].text, {"n": 1, "m": 2}) == "Two, One 1, And 2"
