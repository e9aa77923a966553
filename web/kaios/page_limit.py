"""The size limit of a page in the browser: it scrolls, so the limit is for the reader and not for the screen."""

from dataclasses import dataclass
from typing import Final

MAX_LINES: Final = 16
"""Lines of a page, its options included: about two screens of 240 by 320 pixels."""


@dataclass(frozen=True, slots=True)
class PageLimit:
    """At most `characters` characters in MAX_LINES lines; a browser shows every script."""

    characters: int = 600
    unicode: bool = True

    def fits(self, text: str) -> bool:
        """Whether `text` is a page."""
        return len(text) <= self.characters and text.count("\n") < MAX_LINES
