"""Say a code in words, where there are words for it."""

from collections.abc import Collection
from dataclasses import dataclass

from web.console.words import Translate


@dataclass(frozen=True, slots=True)
class WordLookup:
    """Finds the words for codes; `keys` are those of all texts."""

    translate: Translate
    keys: Collection[str]

    def find(self, table: str, code: str) -> str:
        """The text with the key `table.code`; the code itself where there is none: some codes are those of others."""
        key = f"{table}.{code}"
        return self.translate(key) if key in self.keys else code
