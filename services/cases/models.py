"""Values of a case, and of the changes of its status."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

from core.types import Translations

ZoneLookup: TypeAlias = Callable[[str], ZoneInfo]
"""From a department's code to its time zone."""

DepartmentScope: TypeAlias = str | None
"""The department whose cases somebody may see; None: the cases of every department."""

RejectionReason: TypeAlias = Literal[
    "unknown", "no_such_status", "note_missing", "backwards", "final", "closed", "conflict", "changed"
]
NOTE_REASONS: Final = frozenset({"note_missing", "backwards"})
"""The reasons that a note takes away."""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A change of the status as citizens see it. `day` is in the department's time zone."""

    id: int
    status: str
    day: date
    note: Translations


@dataclass(frozen=True, slots=True)
class Notice:
    """An SMS that a change sends. `recipient` is whose it is: the applicant, the beneficiary, the complainant."""

    recipient: Literal["applicant", "beneficiary", "complainant"]
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class StatusPreview:
    """What a change would do: its SMS. Nobody gets one where the status changes nothing."""

    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """The status of a case was changed. `is_repeat`: by an earlier request, and not again now.

    That request had the same key, or it set the same status and this one has no note to add.
    """

    number: str
    status: str
    note: Translations
    at: datetime
    is_repeat: bool = False


@dataclass(frozen=True, slots=True)
class StatusRejected:
    """The status of a case was not changed.

    `unknown`: the department has no such case; `no_such_status`: departments cannot set this status;
    `note_missing`: an answer needs a note; `backwards`: the case was further, and no note says why; `final`: the
    application is delivered or withdrawn; `closed`: the complaint is closed; `conflict`: the key was used for another
    change; `changed`: the case has changed since it was seen.
    """

    reason: RejectionReason


def change_digest(number: str, status: str, note: Translations) -> bytes:
    """A digest of a change. The order of the languages in the note does not matter."""
    return sha256(json.dumps([number, status, dict(note)], sort_keys=True).encode()).digest()


def days_overdue(promised: date | None, today: date) -> int:
    """The days since the promised day; 0 where nothing is promised or the day is not over."""
    return max(0, (today - promised).days) if promised else 0


def repeat_of_change(event: Any, number: str, digest: bytes) -> StatusChanged | StatusRejected:
    """The answer to a repeated key: `event` is the row that is recorded under it, `digest` that of the new request."""
    if event.digest != digest:
        return StatusRejected("conflict")
    return StatusChanged(number, event.status, event.note, event.created_at, is_repeat=True)
