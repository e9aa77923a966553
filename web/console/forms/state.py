"""What a form of a page shows after it was sent and could not be used: what was typed, and the problem beside its field."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from web.console.requests import FormError


@dataclass(frozen=True, slots=True)
class FormState:
    """One form of a page, by its name. The other forms of the page are as if nothing had been typed."""

    name: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    error: FormError | None = None

    def is_open(self, form: str) -> bool:
        """Whether this form was sent and is shown again."""
        return form == self.name

    def value(self, form: str, field_name: str, default: str = "") -> str:
        """What was typed in a field of a form; `default` where the form was not sent."""
        return self.values.get(field_name, "") if self.is_open(form) else default

    def problem(self, form: str, field_name: str) -> str:
        """What is wrong with a field of a form; empty where nothing is. A problem of no field is that of `reason`'s form."""
        if self.error is None or not self.is_open(form):
            return ""
        return self.error.text if self.error.name == field_name else ""


NO_FORM: Final = FormState()
"""No form was sent: the page as it is opened."""
