"""Mask names: enough stays to tell two people apart, and not enough to find one."""

from unicodedata import category


def mask_name(name: str) -> str:
    """The first letter of each word, with its marks: `R… B…`."""
    return " ".join(f"{_first_letter(word)}…" for word in name.split())


def _first_letter(word: str) -> str:
    end = 1
    while end < len(word) and category(word[end]).startswith("M"):
        end += 1
    return word[:end]
