"""The lists of the menus: what is used most first, then in catalogue order; new with an edition and with a day."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from assembly.catalogue import MOST_ROWS, Lists
from services.catalogue.load import DATA, load
from services.catalogue.shelf import Edition, Shelf
from tests.catalogues import write_catalogue


class Usage:
    """What is used most, as a test says."""

    def __init__(self) -> None:
        self.used: Sequence[str] = []

    def order(self) -> Sequence[str]:
        return self.used


@pytest.fixture
def usage() -> Usage:
    return Usage()


def lists_of(folder: Path, usage: Usage) -> Lists:
    return Lists(Shelf(Edition.of(load(folder))), usage)  # type: ignore[arg-type]


def test_what_is_used_most_comes_first_and_the_rest_as_the_catalogue_has_it(usage: Usage) -> None:
    lists = lists_of(DATA, usage)
    before = list(lists.services("gas", ""))
    assert lists.services("gas", "") is lists.services("gas", ""), "worked out once"
    usage.used = ["pan_card", "bharat_refill"]
    assert list(lists.services("gas", "")) == ["bharat_refill", *(code for code in before if code != "bharat_refill")]
    assert lists.offices()[0] == load(DATA).services["pan_card"].office


def test_sectors_keep_their_numbers_whatever_is_used(usage: Usage) -> None:
    lists = lists_of(DATA, usage)
    before = list(lists.sectors(""))
    usage.used = ["animal_care"]
    assert list(lists.sectors("")) == before


def test_by_recipient_only_what_is_for_them(usage: Usage) -> None:
    lists, catalogue = lists_of(DATA, usage), load(DATA)
    for recipient in lists.recipients():
        for sector in lists.sectors(recipient):
            codes = lists.services(sector, recipient)
            assert codes
            assert all(recipient in catalogue.services[code].recipients for code in codes)


def test_a_list_is_as_long_as_somebody_would_page_through(tmp_path: Path, usage: Usage) -> None:
    lists = lists_of(write_catalogue(tmp_path, 2000), usage)
    assert len(lists.services("sector_0", "")) == MOST_ROWS
    usage.used = ["service_2000"]
    assert lists.services("sector_0", "")[0] == "service_2000"


def test_another_edition_has_other_lists(usage: Usage, tmp_path: Path) -> None:
    shelf = Shelf(Edition.of(load(DATA)))
    lists = Lists(shelf, usage)  # type: ignore[arg-type]
    before = list(lists.sectors(""))
    shelf.put(Edition.of(load(write_catalogue(tmp_path, 20))))
    assert before != list(lists.sectors("")) == [f"sector_{n}" for n in range(20)]
    assert list(lists.services("gas", "")) == []
