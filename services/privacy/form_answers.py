"""The answers of a form as their owner may read them."""

from collections.abc import Mapping, Sequence

from core.types import Translations
from services.catalogue.current import CurrentCatalogue
from services.catalogue.field_validation import mask_identity_number
from services.catalogue.form_fields import CatalogueFormField
from services.catalogue.models import Field


class FormAnswers:
    """Formats stored answers with the fields of the current catalogue."""

    def __init__(self, current_catalogue: CurrentCatalogue) -> None:
        self._current_catalogue = current_catalogue

    def format(
        self, service: str, form: Mapping[str, str], *, masked: bool = True
    ) -> Sequence[tuple[Translations, str | Translations]]:
        """Each field's short name with its answer: the question where it has none, the code where it left the catalogue.

        `masked`: identity numbers show their last digits only.
        """
        known = self._current_catalogue.catalogue.services.get(service)
        fields = {field.name: field for field in known.fields} if known else {}
        return [_format_answer(fields.get(name), name, value, masked=masked) for name, value in form.items()]


def _format_answer(
    field: Field | None, name: str, value: str, *, masked: bool
) -> tuple[Translations, str | Translations]:
    """The name of a field and its answer. Digits of an unknown field are masked: they may be an identity number."""
    if field is None:
        return {"en": name}, mask_identity_number(value) if masked and any(map(str.isdigit, value)) else value
    is_whole = field.kind == "identity" and not masked
    if is_whole or (field.kind == "choice" and value not in dict(field.choices)):
        return field.names or field.labels, value
    return field.names or field.labels, CatalogueFormField(field).display_value(value)
