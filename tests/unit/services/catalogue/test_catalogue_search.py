"""The search for services: in every script, by the beginning of words, in any order, misspelt."""

import itertools
from pathlib import Path

import pytest

from services.catalogue.current import CatalogueSnapshot
from services.catalogue.loader import load_catalogue
from services.catalogue.phonetics import keypad_digits, phonetic_key
from services.catalogue.search import MAX_RESULTS, NameSearch
from tests.support.catalogues import write_catalogue

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def index() -> NameSearch:
    return CatalogueSnapshot.build(load_catalogue(ROOT / "services/catalogue/data")).service_search


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("birth certificate", "birth_certificate"),
        ("BIRTH", "birth_certificate"),
        ("certificate birth", "birth_certificate"),
        ("birht certificat", "birth_certificate"),
        ("জন্ম সনদ", "birth_certificate"),
        ("জন্ম", "birth_certificate"),
        ("जन्म प्रमाण", "birth_certificate"),
        ("jonmo sonod", "birth_certificate"),
        ("trade-license", "trade_licence"),
        ("  pan   card! ", "pan_card"),
        ("how do I get a pan card", "pan_card"),
        ("janam praman patra", "birth_certificate"),
        ("জন্ম প্রমাণ পত্র", "birth_certificate"),
        ("treid lisens", "trade_licence"),
        ("ড্রাইভিং লাইসেন্স", "digilocker_driving_licence"),
        ("726", "pan_card"),
        ("72622", "pan_card"),
        ("7260227", "pan_card"),
        ("726 227", "pan_card"),
        ("37367", "epfo_passbook"),
    ],
)
def test_the_service_that_is_meant_comes_first(index: NameSearch, typed: str, found: str) -> None:
    assert index(typed).codes[0] == found


def test_several_in_the_order_of_the_catalogue_and_no_more_than_can_be_read(index: NameSearch) -> None:
    assert index("gas") == (["ujjwala_connection", "indane_refill", "hp_refill", "bharat_refill"], False)
    assert len(index("a").codes) == MAX_RESULTS
    assert index("a").has_more


@pytest.mark.parametrize("typed", ["", " ", "!?", "zz", "qqqqqq", "🙂", "x" * 2000])
def test_nothing_is_found_by_nothing(index: NameSearch, typed: str) -> None:
    assert index(typed) == ([], False)


def test_more_digits_narrow(index: NameSearch) -> None:
    found = [set(index("3736226"[:digits]).codes) for digits in range(3, 8)]
    assert all(more >= fewer for more, fewer in itertools.pairwise(found))
    assert found[-1] < found[0]


def test_what_is_used_most_comes_first_among_what_is_equally_good(index: NameSearch) -> None:
    used = ["bharat_refill", "pan_card", "hp_refill"]
    assert index("gas", used).codes == ["bharat_refill", "hp_refill", "ujjwala_connection", "indane_refill"]


@pytest.mark.parametrize(
    "alike",
    [
        ("জন্ম", "जन्म", "jonmo", "janam", "janma"),
        ("লাইসেন্স", "लाइसेंस", "licence", "license", "lisens"),
        ("পাসপোর্ট", "पासपोर्ट", "passport", "pasport"),
        ("यमुना", "jamuna", "যমুনা"),
    ],
)
def test_words_that_sound_alike_are_one(alike: tuple[str, ...]) -> None:
    assert len({phonetic_key(word) for word in alike}) == 1


@pytest.mark.parametrize("little", ["", "a", "pan", "77", "!"])
def test_too_little_sounds_like_nothing(little: str) -> None:
    assert phonetic_key(little) == ""


def test_the_keys_of_a_phone_are_those_of_every_phone() -> None:
    assert (
        keypad_digits("pan"),
        keypad_digits("epfo"),
        keypad_digits("wxyz"),
        keypad_digits("2nd"),
        keypad_digits("জন্ম"),
    ) == (
        "726",
        "3736",
        "9999",
        "263",
        "",
    )


@pytest.mark.slow
def test_among_ten_thousand_the_whole_name_is_first_in_any_letters(tmp_path: Path) -> None:
    search = CatalogueSnapshot.build(load_catalogue(write_catalogue(tmp_path, 10_000))).service_search
    for typed in ("licence number 77", "licens numbr 77", "lisens nambar 77", "লাইসেন্স নম্বর ৭৭"):
        assert search(typed).codes[0] == "service_77", typed
    assert search("licence").has_more


def test_a_word_that_is_known_is_compared_with_no_other() -> None:
    search = NameSearch([("plot", {"en": "Plot map"}), ("slot", {"en": "Slot badge"})])
    assert search("plot bagde").codes == ["plot", "slot"], "what is called so, and what is nearly"


def test_of_very_many_alike_those_used_most_come_first_and_none_twice() -> None:
    search = NameSearch((f"card_{n}", {"en": f"Card {n}"}) for n in range(1000))
    assert search("card", ["card_700", "other", "card_3"]).codes[:4] == ["card_700", "card_3", "card_0", "card_1"]
    assert len(set(search("card", [f"card_{n}" for n in range(9)]).codes)) == MAX_RESULTS
