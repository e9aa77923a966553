"""The catalogue in force: put in place whole, once it was proved, and asked for anew at each call.

Who keeps a catalogue, or a service of it, beyond one call would go on with what an editor has changed meanwhile.
"""

from dataclasses import dataclass, field
from typing import Self

from services.catalogue.model import Catalogue
from services.catalogue.nearby import Centres
from services.catalogue.search import Search
from services.catalogue.watching import Seen


@dataclass(frozen=True, slots=True)
class Edition:
    """A catalogue with everything that is worked out from it once, so that nothing of one is used with another.

    `centres` are where people are helped with it; `files` is how those looked that all of it was read from.
    """

    catalogue: Catalogue
    search: Search
    centres: Centres = field(default_factory=Centres)
    files: Seen = frozenset()

    @classmethod
    def of(cls, catalogue: Catalogue, centres: Centres | None = None, files: Seen = frozenset()) -> Self:
        """The edition of a catalogue; it takes a while where that is large."""
        search = Search((it.code, it.names) for it in catalogue.in_order)
        return cls(catalogue, search, centres or Centres(), files)


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

    @property
    def search(self) -> Search:
        """Finds services of that catalogue by name."""
        return self._edition.search

    def put(self, edition: Edition) -> None:
        """From now on this one is in force."""
        self._edition = edition
