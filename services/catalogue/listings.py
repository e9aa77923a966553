"""The lists of services, sectors and offices that the menus show, most used services first."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from services.catalogue.current import CatalogueSnapshot, CurrentCatalogue
from services.catalogue.models import RECIPIENTS, Service
from services.catalogue.search import SearchResult
from services.catalogue.usage import ServiceUsage

MAX_ROWS: Final = 50  # rows of a list; a caller finds the rest by typing a name


class CatalogueListings:
    """Lists of codes, computed once per catalogue snapshot and usage ranking.

    Services and offices are sorted by use, sectors keep the order of the catalogue, which callers learn by heart.
    """

    def __init__(self, current_catalogue: CurrentCatalogue, usage: ServiceUsage) -> None:
        self._current_catalogue = current_catalogue
        self._usage = usage
        self._cache_version: tuple[CatalogueSnapshot, Sequence[str]] = (current_catalogue.snapshot, ())
        self._cache: dict[tuple[str, ...], Sequence[str]] = {}

    def sectors(self, recipient: str = "") -> Sequence[str]:
        """The sectors that have services, or services for a recipient."""
        return self._cached(("sectors", recipient), lambda: self._compute_sectors(recipient))

    def services(self, sector: str, recipient: str = "") -> Sequence[str]:
        """The services of a sector, or those of them that are for a recipient."""
        return self._cached(("services", sector, recipient), lambda: self._compute_services(sector, recipient))

    def offices(self) -> Sequence[str]:
        """The offices that have services."""
        return self._cached(
            ("offices",),
            lambda: list(dict.fromkeys(it.office for it in self._sort_by_usage(self._all_services())))[:MAX_ROWS],
        )

    def office_services(self, office: str) -> Sequence[str]:
        """The services of an office."""
        return self._cached(
            ("office", office), lambda: self._codes_by_usage(it for it in self._all_services() if it.office == office)
        )

    def recipients(self) -> Sequence[str]:
        """The kinds of recipients that have services."""
        return self._cached(("recipients",), lambda: [one for one in RECIPIENTS if self.sectors(one)])

    def service_by_number(self, number: int) -> str | None:
        """The service with this keypad number."""
        service = self._current_catalogue.catalogue.service_by_number(number)
        return service.code if service else None

    def search(self, text: str) -> SearchResult:
        """The services whose names, or the keypad digits of whose names, match the text."""
        return self._current_catalogue.find_services(text, self._usage.ranking())

    def _compute_sectors(self, recipient: str) -> Sequence[str]:
        codes = (sector.code for sector in self._current_catalogue.catalogue.sectors_on())
        return [code for code in codes if not recipient or self.services(code, recipient)][:MAX_ROWS]

    def _compute_services(self, sector: str, recipient: str) -> Sequence[str]:
        services = self._current_catalogue.catalogue.services_in_sector(sector)
        return self._codes_by_usage(it for it in services if not recipient or recipient in it.recipients)

    def _all_services(self) -> Sequence[Service]:
        return self._current_catalogue.catalogue.ordered_services

    def _codes_by_usage(self, services: Iterable[Service]) -> Sequence[str]:
        return [service.code for service in self._sort_by_usage(services)][:MAX_ROWS]

    def _sort_by_usage(self, services: Iterable[Service]) -> Sequence[Service]:
        rank = {code: position for position, code in enumerate(self._usage.ranking())}
        return sorted(services, key=lambda service: rank.get(service.code, len(rank)))

    def _cached(self, key: tuple[str, ...], compute: Callable[[], Sequence[str]]) -> Sequence[str]:
        snapshot, ranking = self._current_catalogue.snapshot, self._usage.ranking()
        if self._cache_version[0] is not snapshot or self._cache_version[1] is not ranking:
            self._cache_version, self._cache = (snapshot, ranking), {}
        if key not in self._cache:
            self._cache[key] = compute()
        return self._cache[key]
