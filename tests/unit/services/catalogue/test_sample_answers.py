"""Sample answers: valid for every form of the catalogue, and for a field of every kind with any limits."""

import importlib
import pkgutil
from datetime import date, timedelta

import pytest
import stdnum.in_
from hypothesis import given
from hypothesis import strategies as st

from core.validation import Valid
from services.catalogue.field_validation import validate_answer
from services.catalogue.id_schemes import UnknownSchemeError, list_samples, normalize_number
from services.catalogue.loader import load_catalogue
from services.catalogue.models import FIELD_KINDS, Choice, Field, Service
from services.catalogue.profile_fields import PROFILE_FIELDS
from services.catalogue.sample_answers import NoSampleAnswerError, build_sample_form
from tests.support.program import ROOT
from web.simulator.routes import SAMPLE_MSISDNS

TODAY = date(2026, 11, 21)
FORMS = [
    service for service in load_catalogue(ROOT / "services" / "catalogue" / "data").ordered_services if service.fields
]


def service_with(*fields):
    given = {"code": "a", "names": {}, "sector": "", "office": "", "department": "", "fee_minor": 0, "currency": ""}
    return Service(**given, days=1, number=1, channels=frozenset(), fields=fields)


def is_valid(fields, form):
    return all(validate_answer(field, form[field.name], TODAY) == Valid(form[field.name]) for field in fields)


@pytest.mark.parametrize("msisdn", SAMPLE_MSISDNS)
@pytest.mark.parametrize("service", FORMS, ids=lambda service: service.code)
def test_every_form_of_the_catalogue_gets_answers_that_it_takes(service, msisdn):
    form = build_sample_form(service, msisdn, TODAY)
    assert list(form) == [field.name for field in service.fields]
    assert is_valid(service.fields, form)


def test_the_fields_of_the_profile_are_answered_with_every_kind_and_every_scheme_in_use():
    fields = tuple(field for field in PROFILE_FIELDS.values())
    assert is_valid(fields, build_sample_form(service_with(*fields), SAMPLE_MSISDNS[0], TODAY))


LIMITS = st.integers(1, 60).flatmap(lambda least: st.tuples(st.just(least), st.integers(least, 90)))
DATES = st.builds(
    Field,
    name=st.just("day"),
    kind=st.just("date"),
    labels=st.just({}),
    when=st.sampled_from(["any", "past", "future"]),
    within_days=st.none() | st.integers(1, 400),
)


@given(LIMITS, st.sampled_from(["text", "name", "number"]))
def test_an_answer_keeps_the_limits_of_its_field(limits, kind):
    field = Field(name="a", kind=kind, labels={}, least=limits[0], most=limits[1])
    assert is_valid([field], build_sample_form(service_with(field), SAMPLE_MSISDNS[0], TODAY))


@given(DATES, st.integers(0, 4000))
def test_a_date_is_one_that_the_field_takes_on_any_day(field, days):
    today = TODAY + timedelta(days=days)
    form = build_sample_form(service_with(field), SAMPLE_MSISDNS[0], today)
    assert validate_answer(field, form["day"], today) == Valid(form["day"])


@pytest.mark.parametrize("kind", FIELD_KINDS)
def test_a_field_of_every_kind_has_a_sample(kind):
    field = Field(name="a", kind=kind, labels={}, scheme="digits", choices=(Choice("yes", {"en": "Yes"}),), region="KE")
    assert is_valid([field], build_sample_form(service_with(field), SAMPLE_MSISDNS[2], TODAY))


def list_indian_schemes():
    modules = [f"in_.{one.name}" for one in pkgutil.iter_modules(stdnum.in_.__path__)]
    return [name for name in modules if hasattr(importlib.import_module(f"stdnum.{name}"), "validate")]


@pytest.mark.parametrize("name", list_indian_schemes())
def test_the_samples_of_a_scheme_have_its_check_digit(name):
    samples = list_samples(name)
    assert samples
    assert all(normalize_number(name, sample) == sample for sample in samples)


def test_a_scheme_that_does_not_exist_is_an_error():
    with pytest.raises(UnknownSchemeError):
        list_samples("in_.nothing")


def test_a_field_that_no_sample_answers_is_named():
    field = Field(name="a", kind="identity", labels={}, scheme="in_.pan", lengths=(3,))
    with pytest.raises(NoSampleAnswerError) as raised:
        build_sample_form(service_with(field), SAMPLE_MSISDNS[0], TODAY)
    assert raised.value.field == field
