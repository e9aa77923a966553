"""The lists of the menus: most used services first, then in catalogue order; updated with the catalogue and the day."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from services.catalogue.current import CatalogueSnapshot, CurrentCatalogue
from services.catalogue.listings import MAX_ROWS, CatalogueListings
from services.catalogue.loader import DATA_FOLDER, load_catalogue
from tests.support.catalogues import write_catalogue


class FakeUsage:
    """A fixed ranking."""

    def __init__(self) -> None:
        self.used: Sequence[str] = []

    def ranking(self) -> Sequence[str]:
        return self.used


@pytest.fixture
def usage() -> FakeUsage:
    return FakeUsage()


def build_listings(folder: Path, usage: FakeUsage) -> CatalogueListings:
    return CatalogueListings(CurrentCatalogue(CatalogueSnapshot.build(load_catalogue(folder))), usage)  # type: ignore[arg-type]


def test_what_is_used_most_comes_first_and_the_rest_as_the_catalogue_has_it(usage: FakeUsage) -> None:
    lists = build_listings(DATA_FOLDER, usage)
    before = list(lists.services("gas", ""))
    assert lists.services("gas", "") is lists.services("gas", ""), "worked out once"
    usage.used = ["pan_card", "bharat_refill"]
    assert list(lists.services("gas", "")) == ["bharat_refill", *(code for code in before if code != "bharat_refill")]
    assert lists.offices()[0] == load_catalogue(DATA_FOLDER).services["pan_card"].office


def test_sectors_keep_their_numbers_whatever_is_used(usage: FakeUsage) -> None:
    lists = build_listings(DATA_FOLDER, usage)
    before = list(lists.sectors(""))
    usage.used = ["animal_care"]
    assert list(lists.sectors("")) == before


def test_by_recipient_only_what_is_for_them(usage: FakeUsage) -> None:
    lists, catalogue = build_listings(DATA_FOLDER, usage), load_catalogue(DATA_FOLDER)
    for recipient in lists.recipients():
        for sector in lists.sectors(recipient):
            codes = lists.services(sector, recipient)
            assert codes
            assert all(recipient in catalogue.services[code].recipients for code in codes)


def test_a_list_is_as_long_as_somebody_would_page_through(tmp_path: Path, usage: FakeUsage) -> None:
    lists = build_listings(write_catalogue(tmp_path, 2000), usage)
    assert len(lists.services("sector_0", "")) == MAX_ROWS
    usage.used = ["service_2000"]
    assert lists.services("sector_0", "")[0] == "service_2000"


def test_another_edition_has_other_lists(usage: FakeUsage, tmp_path: Path) -> None:
    catalogue = CurrentCatalogue(CatalogueSnapshot.build(load_catalogue(DATA_FOLDER)))
    lists = CatalogueListings(catalogue, usage)  # type: ignore[arg-type]
    before = list(lists.sectors(""))
    catalogue.replace(CatalogueSnapshot.build(load_catalogue(write_catalogue(tmp_path, 20))))
    assert before != list(lists.sectors("")) == [f"sector_{n}" for n in range(20)]
    assert list(lists.services("gas", "")) == []
