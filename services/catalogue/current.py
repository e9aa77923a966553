"""The catalogue in use. A reload replaces it as a whole, so it must be read again for each call.

Code that keeps a catalogue or a service longer than one call would use data that an editor has changed meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from core.languages import language_of_locale
from core.types import SmsText
from services.catalogue.centres_model import Centre, CentreDirectory
from services.catalogue.models import Biller, Catalogue, NoLongerOfferedError, Service, pick_translation
from services.catalogue.search import MAX_RESULTS, NameSearch, SearchResult
from services.catalogue.watcher import FileFingerprints


@dataclass(frozen=True, slots=True)
class CatalogueSnapshot:
    """A catalogue with everything that is computed from it once, so that parts of two catalogues never mix.

    `centres` are its help centres; `fingerprints` identify the files that it was read from.
    """

    catalogue: Catalogue
    service_search: NameSearch
    office_search: NameSearch
    centres: CentreDirectory = field(default_factory=CentreDirectory)
    fingerprints: FileFingerprints = frozenset()

    @classmethod
    def build(
        cls, catalogue: Catalogue, centres: CentreDirectory | None = None, fingerprints: FileFingerprints = frozenset()
    ) -> Self:
        """Build the snapshot of a catalogue, with its search indexes; this takes a while for a large one."""
        search = NameSearch((item.code, item.names) for item in catalogue.ordered_services)
        offices = NameSearch((item.code, item.names) for item in catalogue.offices.values())
        return cls(catalogue, search, offices, centres or CentreDirectory(), fingerprints)


class CurrentCatalogue:
    """Holds the snapshot that the whole process uses."""

    def __init__(self, snapshot: CatalogueSnapshot) -> None:
        self._snapshot = snapshot

    @property
    def snapshot(self) -> CatalogueSnapshot:
        """The snapshot in use."""
        return self._snapshot

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue in use."""
        return self._snapshot.catalogue

    @property
    def centres(self) -> CentreDirectory:
        """The help centres in use."""
        return self._snapshot.centres

    def get_service(self, code: str) -> Service:
        """The service with this code.

        Raises:
            NoLongerOfferedError: the catalogue has no such service any more.
        """
        try:
            return self.catalogue.services[code]
        except KeyError:
            raise NoLongerOfferedError(code) from None

    def get_centre(self, code: str) -> Centre:
        """The centre with this code.

        Raises:
            NoLongerOfferedError: the catalogue has no such centre any more.
        """
        try:
            return self.centres.by_code[code]
        except KeyError:
            raise NoLongerOfferedError(code) from None

    def get_biller(self, code: str) -> Biller:
        """The biller with this code.

        Raises:
            NoLongerOfferedError: the catalogue has no such biller any more.
        """
        try:
            return self.catalogue.billers[code]
        except KeyError:
            raise NoLongerOfferedError(code) from None

    def document_codes(self, service: str) -> tuple[str, ...]:
        """The codes of the documents that a service needs; none for a service that left the catalogue."""
        known = self.catalogue.services.get(service)
        return tuple(known.document_codes) if known else ()

    def centre_name(self, code: str, language: str) -> str:
        """The name of a centre for an SMS; its code if it left the catalogue."""
        centre = self.centres.by_code.get(code)
        if centre is None:
            return code
        own, latin = (
            pick_translation(centre.names, one) for one in (language, language_of_locale(language).latin_locale)
        )
        return SmsText(own, latin)

    def find_services(self, query: str, preferred: Sequence[str] = ()) -> SearchResult:
        """Services by name; if none matches, the services of the offices that match."""
        result = self._snapshot.service_search(query, preferred)
        return result if result.codes else self._services_of_offices(self._snapshot.office_search(query).codes)

    def is_service_name(self, text: str, *, by_sound: bool = True) -> bool:
        """Whether a text without a keyword is the name of a service, or words of it, or with `by_sound` alike in sound."""
        return self._snapshot.service_search.is_name(text, by_sound=by_sound)

    def _services_of_offices(self, offices: Sequence[str]) -> SearchResult:
        codes = [item.code for item in self.catalogue.ordered_services if item.office in offices] if offices else []
        return SearchResult(codes[:MAX_RESULTS], len(codes) > MAX_RESULTS)

    def replace(self, snapshot: CatalogueSnapshot) -> None:
        """Use this snapshot from now on."""
        self._snapshot = snapshot
