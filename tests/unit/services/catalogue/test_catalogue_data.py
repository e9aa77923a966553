"""The demonstration catalogue: every service in every language, short enough for a phone."""

import re

import pytest

from core.gsm7 import count_septets
from services.catalogue.loader import load_catalogue
from services.catalogue.models import FIELD_KINDS, PHONE_CHANNELS

CATALOGUE = load_catalogue()
LATIN = ("en", "bn_Latn", "hi_Latn")
FORMS = ("en", "bn", "hi", "bn_Latn", "hi_Latn")
SEEDS = [
    "Aadhaar",
    "PAN",
    "Passport",
    "NPS",
    "EPFO",
    "Jeevan Pramaan",
    "ESI",
    "Pensioners' Portal",
    "GSTN",
    "Income tax",
    "Mudra",
    "Ujjwala",
    "Jan Dhan",
    "Awas",
    "Indane",
    "HP",
    "Bharat Gas",
    "CBSE",
    "Kendriya Vidyalaya",
    "DigiLocker",
    "SSC",
    "Farmer",
    "Animal",
    "Hospital",
    "Direct benefit transfer",
    "Services of your state",
    "Birth certificate",
    "NID",
    "Khatian",
    "Trade licence",
    "Driving licence",
    "Class X certificate",
    "Class X marksheet",
    "Class XII marksheet",
    "Vehicle registration (RC)",
    "Two-wheeler insurance",
    "Insurance policy",
]
SERVICES = list(CATALOGUE.services.values())
FIELDS = [(service.code, field) for service in SERVICES for field in service.fields]


@pytest.mark.parametrize("named", SEEDS)
def test_every_service_of_the_seeds_is_there(named):
    assert any(named in service.names["en"] for service in SERVICES)


def test_a_phone_does_a_part_of_it_and_the_rest_is_known():
    by_phone = CATALOGUE.services_on("ussd")

    assert len(by_phone) >= 8
    assert by_phone == CATALOGUE.services_on("sms")
    assert len(by_phone) < len(SERVICES) == len(CATALOGUE.services_on("web"))
    assert all(service.fields for service in by_phone)
    assert {field.kind for service in by_phone for field in service.fields} == set(FIELD_KINDS)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.code)
def test_a_service_is_named_briefly_in_every_language(service):
    assert set(service.names) == set(FORMS)
    assert all(len(service.names[form]) <= 28 for form in LATIN)
    assert all(set(paper) == set(FORMS) for paper in service.documents)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.code)
def test_a_service_stands_in_its_department_under_a_number_of_its_sector(service):
    office = CATALOGUE.offices[service.office]
    sector = list(CATALOGUE.sectors).index(service.sector) + 1

    assert office.department == service.department
    assert service.number // 100 == sector
    assert service.currency == {"BD": "BDT", "IN": "INR"}[CATALOGUE.departments[service.department].country]
    assert len(service.fields) <= 5


@pytest.mark.parametrize(("code", "field"), FIELDS, ids=lambda it: it if isinstance(it, str) else it.name)
def test_a_question_says_what_to_do_in_every_language(code, field):
    does = {
        "en": r"\b(Type|Choose)\b",
        "bn": r"(দিন|বেছে নিন)(, যেমন 21111990)?$",
        "hi": r"(लिखें|चुनें)(, जैसे 21111990)?$",
        "bn_Latn": r"\b(din|beche nin)(, jemon 21111990)?$",
        "hi_Latn": r"\b(likhen|chunen)(, jaise 21111990)?$",
    }

    assert set(field.labels) == set(FORMS)
    for form, pattern in does.items():
        assert re.search(pattern, field.labels[form]), field.labels[form]
    assert all(set(choice.names) == set(FORMS) for choice in field.choices)


@pytest.mark.parametrize(("code", "field"), FIELDS, ids=lambda it: it if isinstance(it, str) else it.name)
def test_a_field_has_a_short_name_in_every_language(code, field):
    """Section 5 of the field report: questions stood as labels on the citizen's own-data page."""
    assert set(field.names) == set(FORMS)
    assert all(len(field.names[form]) < len(field.labels[form]) for form in FORMS), field.names
    assert not re.search(r"\b(Type|Choose)\b|\d|\?", field.names["en"])


def test_latin_forms_are_what_people_text_each_other():
    texts = [named.names for named in (*SERVICES, *CATALOGUE.offices.values(), *CATALOGUE.departments.values())]
    texts += [sector.names for sector in CATALOGUE.sectors.values()]

    assert all(count_septets(text[form]) == len(text[form]) for text in texts for form in LATIN)
    assert all(text["bn"] != text["bn_Latn"] and text["hi"] != text["hi_Latn"] for text in texts)


def test_numbers_that_are_typed_back_are_always_0_to_9():
    for _, field in FIELDS:
        example = re.search(r"\d{8}", field.labels["en"])
        assert all(example is None or example[0] in label for label in field.labels.values())


def test_a_phone_field_knows_whose_telephone_numbers_are_meant():
    regions = {code: field.region for code, field in FIELDS if field.kind == "phone"}

    assert regions["nid_correction"] == "BD"
    assert regions["indane_refill"] == "IN"


def test_the_birth_certificate_is_as_the_screens_show_it():
    service = CATALOGUE.services["birth_certificate"]

    assert service.names["en"] == "Birth certificate"
    assert CATALOGUE.offices[service.office].names["en"] == "Mirpur office"
    assert (service.fee_minor, service.currency, service.days) == (5000, "BDT", 7)
    assert service.channels >= PHONE_CHANNELS
    assert [field.kind for field in service.fields] == ["name", "date", "choice", "name", "name"]
    assert len(service.document_codes) == len(service.documents) == 2
