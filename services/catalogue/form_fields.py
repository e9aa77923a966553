"""The fields of the catalogue as a form asks them: validate a typed answer, display a stored one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from core.types import Translations
from core.validation import Invalid, Valid
from services.catalogue import field_validation
from services.catalogue.models import Field, Service

DIGIT_KINDS: Final = frozenset({"number", "date", "phone"})


@dataclass(frozen=True, slots=True)
class CatalogueFormField:
    """A field of the catalogue with the operations of a form."""

    field: Field

    @property
    def name(self) -> str:
        """The key under which the answer is stored."""
        return self.field.name

    @property
    def labels(self) -> Translations:
        """The question."""
        return self.field.labels

    @property
    def choices(self) -> Sequence[tuple[str, Translations]]:
        """Code and name of each answer to choose from; empty where the answer is typed."""
        return self.field.choices

    @property
    def has_digits(self) -> bool:
        """Whether digits alone are typed."""
        return self.field.kind in DIGIT_KINDS

    def validate(self, text: str, today: date) -> Valid | Invalid:
        """The answer in its stored form, or the reason why it is rejected."""
        return field_validation.validate_answer(self.field, text, today)

    def display_value(self, value: str) -> str | Translations:
        """A choice by its name, a date as `21-11-1990`, an identity number masked up to its last digits."""
        if self.field.kind == "choice":
            return dict(self.field.choices)[value]
        if self.field.kind == "date":
            return f"{date.fromisoformat(value):%d-%m-%Y}"
        return field_validation.display_value(self.field, value, "en")


def build_form_fields(service: Service) -> Sequence[CatalogueFormField]:
    """The questions of a service's form, in order."""
    return [CatalogueFormField(field) for field in service.fields]
