"""Tell rows of a list apart that would read alike, such as two applications for the same service with the same status."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

TAIL_LENGTHS: Final = (4, 8, 12)
"""Characters at the end of a number that may tell it from another, the fewest first."""


def mark_twins(rows: Sequence[Mapping[str, Any]], ids: Sequence[str]) -> list[Mapping[str, Any]]:
    """The rows with the fact `twin`: ` (1234)`, the end of the row's id, where another row has the same facts; else empty.

    `rows` have the facts that the row's text shows; `ids` has a text for each row, and none of them twice.
    """
    texts = [repr(sorted(row.items())) for row in rows]
    alike = Counter(texts)
    marks = _find_marks(texts, ids)
    return [
        {**row, "twin": mark if alike[text] > 1 else ""} for row, text, mark in zip(rows, texts, marks, strict=True)
    ]


def _find_marks(texts: Sequence[str], ids: Sequence[str]) -> list[str]:
    """The mark of each row, by the shortest end of the ids with which no two rows read alike."""
    for length in TAIL_LENGTHS:
        marks = [f" ({one[-length:]})" for one in ids]
        if len(set(zip(texts, marks, strict=True))) == len(ids):
            return marks
    return [f" ({place})" for place in range(1, len(ids) + 1)]
