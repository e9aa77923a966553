"""The order of statuses: a case goes forward as its department says, and backwards with a word why."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.types import Translations
from services.cases.models import StatusChanged, StatusRejected


@dataclass(frozen=True, slots=True)
class StatusOrder:
    """The statuses of one type of case by rank, and those that say nothing without a note."""

    ranks: Mapping[str, int]
    needs_note: frozenset[str] = frozenset()

    def result_without_change(
        self, number: str, row: Any, status: str, note: Translations
    ) -> StatusChanged | StatusRejected | None:
        """The answer to a request without effect on the case of this row; None where the status is to be changed.

        A note is always something to tell. Without one, the status that the case has is nothing new, an answer is none, and a
        step backwards lacks its reason.
        """
        if note:
            return None
        if status in self.needs_note:
            return StatusRejected("note_missing")
        if status == row.status:
            return StatusChanged(number, row.status, row.note, row.changed_at, is_repeat=True)
        return StatusRejected("backwards") if self.ranks[status] < self.ranks[row.status] else None
