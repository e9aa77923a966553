"""The validation of each kind of field: the normalised answer, or the reason why it is invalid."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.typed_input import clean_text
from core.validation import Invalid, Valid
from services.catalogue.field_validation import display_value, mask_identity_number, validate_answer
from services.catalogue.id_schemes import UnknownSchemeError, find_validator
from services.catalogue.loader import load_catalogue
from services.catalogue.models import Choice, Field

TODAY = date(2026, 11, 21)
LABELS = {"en": "Type it", "bn": "দিন", "hi": "लिखें"}
REASONS = {
    "empty": set(),
    "too_short": {"least"},
    "too_long": {"most"},
    "not_a_name": set(),
    "not_a_number": set(),
    "not_whole": set(),
    "not_a_postcode": set(),
    "out_of_range": {"least", "most"},
    "not_a_date": set(),
    "no_such_day": set(),
    "date_in_future": set(),
    "date_in_past": set(),
    "date_too_old": {"earliest"},
    "date_too_late": {"latest"},
    "not_a_choice": {"most"},
    "not_an_identity": set(),
    "wrong_length": {"lengths"},
    "not_a_phone": set(),
}


def field(kind, **facts):
    return Field(name="it", kind=kind, labels=LABELS, **facts)


TEXT = field("text", least=3, most=10)
NAME = field("name")
NUMBER = field("number", least=1000, most=500_000)
DATE = field("date")
BORN = field("date", when="past", least=1900)
VISIT = field("date", when="future", within_days=90)
SINCE = field("date", when="past", within_days=365)
TRADE = field(
    "choice",
    choices=(
        Choice("shop", {"en": "Shop", "bn": "দোকান", "hi": "दुकान", "hi_Latn": "Dukan"}),
        Choice("other", {"en": "Other", "bn": "অন্যান্য", "hi": "अन्य"}),
    ),
)
AADHAAR = field("identity", scheme="in_.aadhaar", lengths=(12,))
PAN = field("identity", scheme="in_.pan")
NID = field("identity", scheme="digits", lengths=(10, 13, 17))
POSTCODE = field("postcode")
POSTCODE_IN = field("postcode", region="IN")
PHONE_BD = field("phone", region="BD")
PHONE_IN = field("phone", region="IN")
FIELDS = (
    TEXT,
    NAME,
    NUMBER,
    DATE,
    BORN,
    VISIT,
    SINCE,
    TRADE,
    AADHAAR,
    PAN,
    NID,
    PHONE_BD,
    PHONE_IN,
    POSTCODE,
    POSTCODE_IN,
)


@pytest.mark.parametrize(("field_", "typed", "kept"), [
    (TEXT, "  House  7 ", "House 7"),
    (TEXT, "বাড়ি ৭", "বাড়ি 7"),
    (TEXT, "a\x00b\u200bcd\u202e", "abcd"),
    (TEXT, "Cafe\u200b\u0301", "Café"),
    (NAME, "Amina Begum", "Amina Begum"),
    (NAME, "আমিনা বেগম", "আমিনা বেগম"),
    (NAME, "मो. रफ़ी", "मो. रफ़ी"),
    (NAME, "মো: রহিম", "মোঃ রহিম"),
    (NAME, "Anne-Marie D'Souza Jr.", "Anne-Marie D'Souza Jr."),
    (NAME, "আব্দুল্লাহ\u200dক", "আব্দুল্লাহ\u200dক"),
    (NUMBER, "5000", "5000"),
    (NUMBER, "৫০০০", "5000"),
    (NUMBER, "१,२०,०००", "120000"),
    (NUMBER, "005 000", "5000"),
    (DATE, "21112026", "2026-11-21"),
    (DATE, "21-11-2026", "2026-11-21"),
    (DATE, "21/11/2026", "2026-11-21"),
    (DATE, "21.11.2026", "2026-11-21"),
    (DATE, "21 11 2026", "2026-11-21"),
    (DATE, "1 - 2 - 2026", "2026-02-01"),
    (DATE, "2026-11-21", "2026-11-21"),
    (DATE, "২১১১২০২৬", "2026-11-21"),
    (DATE, "२१/११/२०२६", "2026-11-21"),
    (DATE, "03042026", "2026-04-03"),
    (DATE, "29022024", "2024-02-29"),
    (BORN, "21112026", "2026-11-21"),
    (VISIT, "21112026", "2026-11-21"),
    (VISIT, "19022027", "2027-02-19"),
    (SINCE, "21112025", "2025-11-21"),
    (NUMBER, "Rs 1200", "1200"),
    (NUMBER, "1200/-", "1200"),
    (NUMBER, "5000.", "5000"),
    (NUMBER, "12000.00", "12000"),
    (NUMBER, "৳1,200", "1200"),
    (NUMBER, "১২০০ টাকা", "1200"),
    (NUMBER, "Rs. 1,20,000/- only", "120000"),
    (NUMBER, "5OOO", "5000"),
    (POSTCODE, "02139", "02139"),
    (POSTCODE, "00100", "00100"),
    (POSTCODE, "1012 AB", "1012 AB"),
    (POSTCODE, "1012  ab", "1012 AB"),
    (POSTCODE, "0872", "0872"),
    (POSTCODE, "110 001", "110001"),
    (POSTCODE, "১২০৭", "1207"),
    (POSTCODE, "02139–1234", "02139-1234"),
    (POSTCODE_IN, "110-001", "110001"),
    (TRADE, "1", "shop"),
    (TRADE, "01", "shop"),
    (TRADE, "(২)", "other"),
    (TRADE, "২", "other"),
    (TRADE, "OTHER", "other"),
    (TRADE, "দোকান", "shop"),
    (TRADE, "dukan", "shop"),
    (AADHAAR, "2341 2341 2346", "234123412346"),
    (AADHAAR, "২৩৪১-২৩৪১-২৩৪৬", "234123412346"),
    (PAN, "acupa 7085 r", "ACUPA7085R"),
    (NID, "1234567890", "1234567890"),
    (NID, "I23456789O", "1234567890"),
    (PAN, "ＡＣＵＰＡ–７０８５–Ｒ", "ACUPA7085R"),
    (NID, "১৯৯০ ১২৩৪৫৬৭৮৯ ০১২৩", "19901234567890123"),
    (PHONE_BD, "01712-345678", "+8801712345678"),
    (PHONE_BD, "01711‑000001", "+8801711000001"),
    (PHONE_BD, "\u202a+8801711000001\u202c", "+8801711000001"),
    (PHONE_BD, "+880 (0) 1711-000001", "+8801711000001"),
    (PHONE_BD, "০১৭১২৩৪৫৬৭৮", "+8801712345678"),
    (PHONE_BD, "+91 98765 43210", "+919876543210"),
    (PHONE_BD, "00919876543210", "+919876543210"),
    (PHONE_IN, "९८७६५४३२१०", "+919876543210"),
])  # fmt: skip
def test_understands(field_, typed, kept):
    assert validate_answer(field_, typed, TODAY) == Valid(kept)


@pytest.mark.parametrize(("field_", "typed", "reason", "facts"), [
    (TEXT, "", "empty", {}),
    (NUMBER, " \u200b\n", "empty", {}),
    (TEXT, "ab", "too_short", {"least": 3}),
    (TEXT, "a" * 11, "too_long", {"most": 10}),
    (NAME, "A" * 61, "too_long", {"most": 60}),
    (NAME, "Amina 2", "not_a_name", {}),
    (NAME, "আমিনা ২", "not_a_name", {}),
    (NAME, "/O Karim", "not_a_name", {}),
    (NAME, "..", "not_a_name", {}),
    (NUMBER, "five", "not_a_number", {}),
    (NUMBER, "-5000", "not_a_number", {}),
    (NUMBER, "5000.50", "not_whole", {}),
    (NUMBER, "1.2 lakh", "not_a_number", {}),
    (NUMBER, "10L", "not_a_number", {}),
    (NUMBER, "2000,50", "not_a_number", {}),
    (NUMBER, "2000-3000", "not_a_number", {}),
    (NUMBER, "²", "not_a_number", {}),
    (NUMBER, "999", "out_of_range", {"least": 1000, "most": 500_000}),
    (NUMBER, "500001", "out_of_range", {"least": 1000, "most": 500_000}),
    (NUMBER, "9" * 5000, "out_of_range", {"least": 1000, "most": 500_000}),
    (DATE, "21-11-26", "not_a_date", {}),
    (DATE, "211126", "not_a_date", {}),
    (DATE, "11-21-2026", "no_such_day", {}),
    (DATE, "31022026", "no_such_day", {}),
    (DATE, "29022026", "no_such_day", {}),
    (DATE, "20261121", "no_such_day", {}),
    (DATE, "01010000", "no_such_day", {}),
    (DATE, "21 Nov 2026", "not_a_date", {}),
    (DATE, "21111190", "date_too_old", {"earliest": "1850-01-01"}),
    (DATE, "21113026", "date_too_late", {"latest": "2200-12-31"}),
    (BORN, "22112026", "date_in_future", {}),
    (BORN, "31121899", "date_too_old", {"earliest": "1900-01-01"}),
    (VISIT, "20112026", "date_in_past", {}),
    (VISIT, "20022027", "date_too_late", {"latest": "2027-02-19"}),
    (SINCE, "20112025", "date_too_old", {"earliest": "2025-11-21"}),
    (field("date", most=2030), "01012031", "date_too_late", {"latest": "2030-12-31"}),
    (TRADE, "0", "not_a_choice", {"most": 2}),
    (TRADE, "3", "not_a_choice", {"most": 2}),
    (TRADE, "1.0", "not_a_choice", {"most": 2}),
    (TRADE, "00", "not_a_choice", {"most": 2}),
    (TRADE, "market", "not_a_choice", {"most": 2}),
    (AADHAAR, "2341 2341 2347", "not_an_identity", {}),
    (AADHAAR, "2341 2341 234", "wrong_length", {"lengths": "12"}),
    (PAN, "ACUPA7085", "not_an_identity", {}),
    (PAN, "AAAAA0000A", "not_an_identity", {}),
    (NID, "12345678901", "wrong_length", {"lengths": "10 / 13 / 17"}),
    (NID, "123456789X", "not_an_identity", {}),
    (POSTCODE, "1", "not_a_postcode", {}),
    (POSTCODE, "Mirpur", "not_a_postcode", {}),
    (POSTCODE_IN, "011000", "not_a_postcode", {}),
    (POSTCODE_IN, "1207", "not_a_postcode", {}),
    (PHONE_BD, "12345", "not_a_phone", {}),
    (PHONE_BD, "+880171234567", "not_a_phone", {}),
    (PHONE_BD, "0171-CALLNOW", "not_a_phone", {}),
    (field("phone"), "01712345678", "not_a_phone", {}),
])  # fmt: skip
def test_does_not_understand(field_, typed, reason, facts):
    assert validate_answer(field_, typed, TODAY) == Invalid(reason, facts)


@given(st.sampled_from(FIELDS), st.text(max_size=40) | st.from_regex(r"[0-9০-৯ /.+-]{1,20}", fullmatch=True))
def test_whatever_is_typed_is_kept_in_one_form_or_refused_for_a_known_reason(field_, typed):
    match validate_answer(field_, typed, TODAY):
        case Valid(value):
            assert validate_answer(field_, value, TODAY) == Valid(value)
        case Invalid(reason, facts):
            assert set(facts) == REASONS[reason]


@given(st.text(max_size=40))
def test_tidying_twice_changes_nothing_more(typed):
    assert clean_text(clean_text(typed)) == clean_text(typed)


def test_an_identity_number_is_shown_by_its_last_four():
    assert display_value(AADHAAR, "234123412346", "en") == "XXXX 2346"
    assert mask_identity_number("ACUPA7085R") == "XXXX 085R"
    assert mask_identity_number("12345678") == "XXXX"


def test_other_answers_are_shown_as_their_owner_would_say_them():
    assert display_value(TRADE, "shop", "bn") == "দোকান"
    assert display_value(TRADE, "shop", "bn_Latn") == "Shop"
    assert display_value(NAME, "Amina Begum", "en") == "Amina Begum"


def test_every_scheme_of_the_catalogue_is_one_that_is_checked():
    fields = [
        field for service in load_catalogue().services.values() for field in service.fields if field.kind == "identity"
    ]

    assert {field.scheme for field in fields} == {"digits", "in_.aadhaar", "in_.pan"}
    assert all(isinstance(validate_answer(field, "7", TODAY), Invalid) for field in fields)


@pytest.mark.parametrize("name", ["in_.aadhar", "util", "os", "in_", "..os", "in_.aadhaar.validate", ""])
def test_only_modules_that_check_identity_numbers_are_schemes(name):
    with pytest.raises(UnknownSchemeError):
        find_validator(name)
