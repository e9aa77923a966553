"""A sample answer to each field of a form, for an application that tries a department's system out."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final, NamedTuple, TypeAlias

from core.validation import Valid
from services.catalogue import id_schemes
from services.catalogue.field_validation import find_date_bounds, find_limits, validate_answer
from services.catalogue.models import DIGITS_SCHEME, Field, FieldKind, Service

SAMPLE_NAME: Final = "Rahima Begum"
_SAMPLE_DAY: Final = date(1990, 11, 21)
_SAMPLE_DIGITS: Final = "1234567890"
_POSTCODES: Final[Mapping[str, str]] = {"BD": "1207", "IN": "110001", "KE": "00100"}
"""Postcodes of Dhaka, New Delhi and Nairobi."""


class NoSampleAnswerError(Exception):
    """No sample is a valid answer to this field."""

    def __init__(self, field: Field) -> None:
        super().__init__(field.name)
        self.field = field


class _Applicant(NamedTuple):
    """The sample number, and the day of the answers."""

    msisdn: str
    today: date


_Sample: TypeAlias = Callable[[Field, _Applicant], str]


def build_sample_form(service: Service, msisdn: str, today: date) -> Mapping[str, str]:
    """A valid answer to each field of the service's form, in its stored form; `msisdn` answers a field for a phone number.

    Raises:
        NoSampleAnswerError: a field takes none of the samples.
    """
    applicant = _Applicant(msisdn, today)
    return {field.name: _build_answer(field, applicant) for field in service.fields}


def _build_answer(field: Field, applicant: _Applicant) -> str:
    answer = validate_answer(field, _SAMPLES[field.kind](field, applicant), applicant.today)
    if not isinstance(answer, Valid):
        raise NoSampleAnswerError(field)
    return str(answer.value)


def _sample_text(field: Field, _: _Applicant) -> str:
    return _fit_length("Sample answer", field)


def _sample_name(field: Field, _: _Applicant) -> str:
    return _fit_length(SAMPLE_NAME, field)


def _fit_length(text: str, field: Field) -> str:
    """The text, or as many of its letters as the field takes; the last one is repeated up to the least length."""
    least, most = find_limits(field)
    return text if least <= len(text) <= most else text.replace(" ", "").ljust(least, text[-1])[:most]


def _sample_number(field: Field, _: _Applicant) -> str:
    least, _most = find_limits(field)
    return str(least)


def _sample_date(field: Field, applicant: _Applicant) -> str:
    earliest, latest = find_date_bounds(field, applicant.today)
    return min(max(_SAMPLE_DAY, earliest), latest).isoformat()


def _sample_choice(_field: Field, _: _Applicant) -> str:
    return "1"


def _sample_identity_number(field: Field, _: _Applicant) -> str:
    if field.scheme == DIGITS_SCHEME:
        length = min(field.lengths, default=len(_SAMPLE_DIGITS))
        return (_SAMPLE_DIGITS * length)[:length]
    fitting = (one for one in id_schemes.list_samples(field.scheme) if not field.lengths or len(one) in field.lengths)
    return next(fitting, "")


def _sample_phone_number(_field: Field, applicant: _Applicant) -> str:
    return applicant.msisdn


def _sample_postcode(field: Field, _: _Applicant) -> str:
    return _POSTCODES.get(field.region, _POSTCODES["BD"])


_SAMPLES: Final[Mapping[FieldKind, _Sample]] = {
    "text": _sample_text,
    "name": _sample_name,
    "number": _sample_number,
    "date": _sample_date,
    "choice": _sample_choice,
    "identity": _sample_identity_number,
    "phone": _sample_phone_number,
    "postcode": _sample_postcode,
}
