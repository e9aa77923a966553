"""The answers of a form beside the short names of their fields, as their owner reads them."""

from dataclasses import replace

from services.catalogue.current import CatalogueSnapshot, CurrentCatalogue
from services.catalogue.loader import load_catalogue
from services.privacy.form_answers import FormAnswers

CATALOGUE = load_catalogue()


def format_answers(catalogue, form):
    answers = FormAnswers(CurrentCatalogue(CatalogueSnapshot.build(catalogue)))
    return {name["en"]: value for name, value in answers.format("birth_certificate", form)}


def without_names(code):
    service = CATALOGUE.services[code]
    fields = tuple(replace(field, names={}) for field in service.fields)
    return replace(CATALOGUE, services={**CATALOGUE.services, code: replace(service, fields=fields)})


def test_an_answer_stands_beside_a_short_name():
    """Section 5 of the field report: `Type the date of birth, like 21111990` was the label of a birthday."""
    assert format_answers(CATALOGUE, {"born": "1990-11-21"}) == {"Date of birth": "21-11-1990"}
    kept = FormAnswers(CurrentCatalogue(CatalogueSnapshot.build(CATALOGUE)))
    [(name, _)] = kept.format("birth_certificate", {"born": "1990-11-21"})
    assert name["bn"] == "জন্ম তারিখ"


def test_a_field_without_a_short_name_shows_its_question():
    shown = format_answers(without_names("birth_certificate"), {"born": "1990-11-21"})

    assert shown == {"Type the date of birth, like 21111990": "21-11-1990"}


def test_a_choice_and_a_field_that_left_the_catalogue_keep_their_codes():
    shown = format_answers(CATALOGUE, {"sex": "unknown", "nid": "19950000000000001"})

    assert shown["Gender"] == "unknown"
    assert "1995" not in shown["nid"]


def test_identity_numbers_are_whole_where_they_are_not_masked():
    form = {"nid": "19950000000000001", "former": "19950000000000002"}
    answers = FormAnswers(CurrentCatalogue(CatalogueSnapshot.build(CATALOGUE)))
    masked, whole = (
        [value for _, value in answers.format("trade_licence", form, masked=masked)] for masked in (True, False)
    )

    assert masked == ["XXXX 0001", "XXXX 0002"]
    assert whole == list(form.values())
