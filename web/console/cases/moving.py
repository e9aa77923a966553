"""The form that moves a case: what was typed, what is wrong with it, and the SMS that it will send."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import ceil
from typing import Final

from core.currencies import CURRENCIES
from core.types import Translations
from services.cases.models import NOTE_REASONS, StatusPreview, StatusRejected
from services.cases.notes import NoteError, parse_note
from web.console.requests import ConsoleRequest
from web.console.words import CONSOLE_LANGUAGES

NOTE_FIELD: Final = "note_"


@dataclass(frozen=True, slots=True)
class SmsMeter:
    """Measures SMS. `measure` gives the text as it is sent, and its segments; a price of 0 is unknown."""

    measure: Callable[[str], tuple[str, int]]
    price: Decimal
    currency: str

    def find_cost(self, segments: int) -> tuple[int, str] | None:
        """What this number of segments costs, rounded up, in hundredths of the currency; None where no price is known."""
        if not self.price:
            return None
        return ceil(self.price * segments * 10 ** CURRENCIES[self.currency].decimals), self.currency


@dataclass(frozen=True, slots=True)
class SentSms:
    """An SMS as its recipient gets it."""

    recipient: str
    text: str
    segments: int
    cost: tuple[int, str] | None


@dataclass(frozen=True, slots=True)
class MoveForm:
    """What was typed into the form. `notes` are by language; `problems` are whole sentences, by field."""

    status: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)

    @property
    def note(self) -> Translations:
        """The note for the citizen, by language."""
        parsed = {language: text.strip() for language, text in self.notes.items()}
        return {language: text for language, text in parsed.items() if text}


def read_form(request: ConsoleRequest) -> MoveForm:
    """The form as it was sent. A browser sends a line break as two characters."""
    fields = request.fields
    notes = {one: fields.get(NOTE_FIELD + one, "").replace("\r\n", "\n") for one in CONSOLE_LANGUAGES}
    problems = {NOTE_FIELD + one: text for one in CONSOLE_LANGUAGES if (text := _find_problem(request, notes[one]))}
    return MoveForm(fields.get("status", ""), notes, fields.get("reason", ""), problems)


def explain_rejection(request: ConsoleRequest, rejected: StatusRejected) -> Mapping[str, str]:
    """Why the case does not move, by the field that can change it."""
    name = NOTE_FIELD + CONSOLE_LANGUAGES[0] if rejected.reason in NOTE_REASONS else "status"
    return {name: request.translate(f"cases.rejected.{rejected.reason}")}


def measure_notices(preview: StatusPreview, meter: SmsMeter) -> Sequence[SentSms]:
    """The SMS of a preview with their segments and costs."""
    sms = []
    for notice in preview.notices:
        text, segments = meter.measure(notice.text)
        sms.append(SentSms(notice.recipient, text, segments, meter.find_cost(segments)))
    return sms


def _find_problem(request: ConsoleRequest, text: str) -> str:
    if not text.strip():
        return ""
    try:
        parse_note(text)
    except NoteError as error:
        return request.translate(f"cases.note_problem.{error.problem}")
    return ""
