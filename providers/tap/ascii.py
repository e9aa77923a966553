"""hSenid TAP: screens hold ASCII only (encoding 440), so everything else is spelled in it before it is measured or sent."""

import re
from functools import lru_cache
from typing import Final

from anyascii import anyascii

from menus.rendering.paging import ScreenBudget

_not_plain: Final = re.compile(r"[^\n -~]")


def fold_to_ascii(text: str) -> str:
    """The text in printable ASCII and line ends. A character that has no spelling in it is left out."""
    return text if text.isascii() and text.isprintable() else _not_plain.sub(lambda found: _spell(found[0]), text)


@lru_cache(maxsize=4096)
def _spell(character: str) -> str:
    return _not_plain.sub("", " " if character == "\t" else anyascii(character))


class AsciiBudget(ScreenBudget):
    """A screen of `septets` characters as they are sent: no prefix precedes them, and a folded one may be longer."""

    __slots__ = ()

    def fits(self, text: str) -> bool:
        """Whether the text fits on one screen."""
        return len(fold_to_ascii(text)) <= self.septets
