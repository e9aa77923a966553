"""Screens of any text on any size of display: every page fits, nothing is lost, and the pages end."""

from typing import Any

import regex
from hypothesis import strategies as st

from core.gsm7 import to_basic_alphabet
from menus.rendering.paging import ScreenBudget, ScreenView, iter_pages
from sms.conversation_size import SegmentLimit

LABELS = (("Back", "More"), ("ফিরুন", "আরও"), ("वापस", "और"), ("", "More"))
PIECES = (
    *(
        "Birth certificate",
        "জন্ম নিবন্ধন",
        "जन्म प्रमाण पत्र",
        "ক্ষ্ম",
        "स्त्री",
        "৳ 1,200",
        "€",
        "[x]",
        "\\",
        "👨\u200d👩\u200d👧",
        "é",
        "ß",
    ),
    *(
        "e\u0301",
        "a" + "\u0301" * 60,
        "ক" + "\u09cd" * 50,
        "x" * 90,
        "\u200b",
        "\ufffd",
        "1",
        "98 More",
        "0 Back",
        "\n",
        " ",
    ),
)
MAX_PAGES = 2000


def screens() -> st.SearchStrategy[Any]:
    """A screen as JSON."""
    text = st.lists(st.sampled_from(PIECES) | st.text(max_size=12), max_size=5).map(" ".join)
    return st.fixed_dictionaries(
        {
            "text": text,
            "options": st.lists(text, max_size=8),
            "note": st.just("") | text,
            "labels": st.sampled_from(range(len(LABELS))),
            "septets": st.sampled_from((40, 60, 100, 120, 160, 182)) | st.integers(40, 182),
            "units": st.sampled_from((40, 45, 66, 70, 80)) | st.integers(40, 80),
            "unicode": st.booleans(),
            "segments": st.sampled_from((0, 0, 0, 1, 2)),
        }
    )


def check_screen(screen: Any) -> object:
    """Every page fits, only the last leads no further, and together they say everything."""
    back, more = LABELS[screen["labels"]]
    options = [(str(key), label) for key, label in enumerate(screen["options"], 1)]
    view = ScreenView(screen["text"], options, back_label=back, more_label=more, note=screen["note"])
    budget = ScreenBudget(screen["septets"], screen["units"], screen["unicode"])
    limit = SegmentLimit(screen["segments"]) if screen["segments"] else budget
    shown, number = "", 0
    for page in iter_pages(view, limit):
        assert limit.fits(page.text), f"page {number} does not fit: {page.text!r}"
        shown, number = shown + page.text, number + 1
        assert number < MAX_PAGES, "the pages do not end"
    said = screen["text"] + "".join(f"{key}{label}" for key, label in options)
    _check_said(said if limit.unicode else to_basic_alphabet(said), shown)
    return number, limit.unicode


def _check_said(said: str, shown: str) -> None:
    """Every character of what is to be said is shown, in its order."""
    remaining = iter(regex.sub(r"\s", "", shown))
    missing = next((one for one in regex.sub(r"\s", "", said) if one not in remaining), None)
    assert missing is None, f"{missing!r} is lost"
