"""Lookups in a catalogue: services by channel, sector and number, in order."""

import pytest

from services.catalogue.loader import load_catalogue
from services.catalogue.models import Catalogue, Sector, Service, pick_translation

NAMES = {"en": "Licence", "bn": "লাইসেন্স", "hi": "लाइसेंस", "bn_Latn": "Licence nite"}


def service(code, number, sector="tax", channels=("web",), order=0):
    return Service(
        code=code,
        names=NAMES,
        sector=sector,
        office="mirpur",
        department="dncc",
        fee_minor=0,
        currency="BDT",
        days=1,
        number=number,
        channels=frozenset(channels),
        order=order,
    )


def catalogue(*services):
    sectors = {code: Sector(code, NAMES) for code in ("land", "tax", "health")}
    return Catalogue(services={it.code: it for it in services}, sectors=sectors, offices={}, departments={})


def codes(services):
    return [service.code for service in services]


def test_services_stand_in_the_order_of_their_sectors_then_by_order_or_number():
    made = catalogue(
        service("c", 103), service("a", 101), service("first", 199, order=1), service("z", 900, sector="land")
    )

    assert codes(made.services_on("web")) == ["z", "first", "a", "c"]
    assert codes(made.services_in_sector("tax")) == ["first", "a", "c"]


def test_a_phone_is_offered_what_it_can_do():
    made = catalogue(
        service("form", 1, channels=("ussd", "web")), service("page", 2), service("deed", 3, sector="land")
    )

    assert codes(made.services_on("ussd")) == ["form"]
    assert codes(made.services_in_sector("tax", "ussd")) == ["form"]
    assert codes(made.services_in_sector("tax")) == ["form", "page"]
    assert [sector.code for sector in made.sectors_on("ussd")] == ["tax"]
    assert [sector.code for sector in made.sectors_on()] == ["land", "tax"]


def test_what_is_not_there_is_nothing():
    made = catalogue(service("a", 101))

    assert made.services_on("fax") == ()
    assert made.services_in_sector("sea") == ()
    assert made.service_by_number(102) is None
    assert made.service_by_number(101) == made.services["a"]


@pytest.mark.parametrize(("language", "said"), [("bn", "লাইসেন্স"), ("bn_Latn", "Licence nite"), ("hi_Latn", "Licence")])
def test_a_form_of_a_language_that_is_not_given_is_said_in_english(language, said):
    assert pick_translation(NAMES, language) == said


def test_a_service_cannot_be_changed_once_loaded():
    with pytest.raises(AttributeError):
        load_catalogue().services["pan_card"].fee_minor = 0
