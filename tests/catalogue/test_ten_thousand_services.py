"""A country's catalogue: ten thousand services in two hundred files load, and are looked up, not searched."""

from services.catalogue.load import load
from tests.catalogues import write_catalogue


def test_ten_thousand_services_load_and_are_found(tmp_path):
    made = load(write_catalogue(tmp_path, 10_000))

    assert len(made.services) == 10_000
    assert len(made.departments) == 200
    assert len(made.offered("web")) == 10_000
    assert len(made.offered("ussd")) == 1_000
    assert [service.number for service in made.in_sector("sector_10", "ussd")] == list(range(10, 10_001, 20))
    assert made.in_sector("sector_10", "ussd") is made.in_sector("sector_10", "ussd")
    assert made.numbered(10_000) is made.services["service_10000"]
