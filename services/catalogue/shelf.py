"""The catalogue in force: put in place whole, once it was proved, and asked for anew at each call.

Who keeps a catalogue, or a service of it, beyond one call would go on with what an editor has changed meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from services.catalogue.model import Catalogue
from services.catalogue.nearby import Centres
from services.catalogue.search import MOST, Found, Search
from services.catalogue.watching import Seen


@dataclass(frozen=True, slots=True)
class Edition:
    """A catalogue with everything that is worked out from it once, so that nothing of one is used with another.

    `centres` are where people are helped with it; `files` is how those looked that all of it was read from.
    """

    catalogue: Catalogue
    search: Search
    offices: Search
    centres: Centres = field(default_factory=Centres)
    files: Seen = frozenset()

    @classmethod
    def of(cls, catalogue: Catalogue, centres: Centres | None = None, files: Seen = frozenset()) -> Self:
        """The edition of a catalogue; it takes a while where that is large."""
        search = Search((it.code, it.names) for it in catalogue.in_order)
        offices = Search((it.code, it.names) for it in catalogue.offices.values())
        return cls(catalogue, search, offices, centres or Centres(), files)


class Shelf:
    """Holds the edition that everybody uses."""

    def __init__(self, edition: Edition) -> None:
        self._edition = edition

    @property
    def edition(self) -> Edition:
        """All of it that is in force."""
        return self._edition

    @property
    def now(self) -> Catalogue:
        """The catalogue in force at this moment."""
        return self._edition.catalogue

    @property
    def centres(self) -> Centres:
        """Where people are helped at this moment."""
        return self._edition.centres

    def find(self, typed: str, first: Sequence[str] = ()) -> Found:
        """Services of that catalogue by their name; where none is called so, those of an office that is."""
        found = self._edition.search(typed, first)
        return found if found.codes else self._at(self._edition.offices(typed).codes)

    def _at(self, offices: Sequence[str]) -> Found:
        codes = [it.code for it in self.now.in_order if it.office in offices] if offices else []
        return Found(codes[:MOST], len(codes) > MOST)

    def put(self, edition: Edition) -> None:
        """From now on this one is in force."""
        self._edition = edition
