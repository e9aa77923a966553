"""A catalogue of ten thousand services in two hundred files loads, and lookups in it stay fast."""

import pytest

from services.catalogue.loader import load_catalogue
from tests.support.catalogues import write_catalogue

pytestmark = pytest.mark.slow  # ten thousand services are loaded


def test_ten_thousand_services_load_and_are_found(tmp_path):
    made = load_catalogue(write_catalogue(tmp_path, 10_000))

    assert len(made.services) == 10_000
    assert len(made.departments) == 200
    assert len(made.services_on("web")) == 10_000
    assert len(made.services_on("ussd")) == 1_000
    assert [service.number for service in made.services_in_sector("sector_10", "ussd")] == list(range(10, 10_001, 20))
    assert made.services_in_sector("sector_10", "ussd") is made.services_in_sector("sector_10", "ussd")
    assert made.service_by_number(10_000) is made.services["service_10000"]
