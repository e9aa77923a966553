"""Services found by what people call them: in every script they have a name in, begun, out of order, misspelt."""

from pathlib import Path

import pytest

from services.catalogue.load import load
from services.catalogue.search import MOST, Search

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def search() -> Search:
    return Search(load(ROOT / "services/catalogue/data"))


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
    ],
)
def test_the_service_that_is_meant_comes_first(search: Search, typed: str, found: str) -> None:
    assert search(typed)[0] == found


def test_several_in_the_order_of_their_numbers_and_no_more_than_can_be_read(search: Search) -> None:
    assert search("gas") == ["ujjwala_connection", "indane_refill", "hp_refill", "bharat_refill"]
    assert len(search("a")) == MOST


@pytest.mark.parametrize("typed", ["", " ", "!?", "zz", "qqqqqq", "🙂", "x" * 2000])
def test_nothing_is_found_by_nothing(search: Search, typed: str) -> None:
    assert list(search(typed)) == []
