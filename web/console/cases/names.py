"""The names of the catalogue in the language of a member of staff."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from core.types import Translations
from services.catalogue.current import CurrentCatalogue
from services.catalogue.models import pick_translation


class Option(NamedTuple):
    """An option of a filter."""

    code: str
    name: str


class _Named(Protocol):
    @property
    def code(self) -> str:
        """The code."""

    @property
    def names(self) -> Translations:
        """The names by language."""


@dataclass(frozen=True, slots=True)
class CatalogueNames:
    """Names by code. What left the catalogue is called by its code."""

    current_catalogue: CurrentCatalogue
    language: str

    def department(self, code: str) -> str:
        """The name of a department."""
        return self._find(self.current_catalogue.catalogue.departments, code)

    def service(self, code: str) -> str:
        """The name of a service."""
        return self._find(self.current_catalogue.catalogue.services, code)

    def office(self, code: str) -> str:
        """The name of an office."""
        return self._find(self.current_catalogue.catalogue.offices, code)

    def centre(self, code: str) -> str:
        """The name of a service centre."""
        return self._find(self.current_catalogue.centres.by_code, code)

    def list_departments(self) -> Sequence[Option]:
        """Every department, by name."""
        return self._list(self.current_catalogue.catalogue.departments.values())

    def list_services(self, department: str) -> Sequence[Option]:
        """The services of a department, by name."""
        services = self.current_catalogue.catalogue.services.values()
        return self._list(one for one in services if one.department == department)

    def list_offices(self, department: str) -> Sequence[Option]:
        """The offices of a department, by name."""
        offices = self.current_catalogue.catalogue.offices.values()
        return self._list(one for one in offices if one.department == department)

    def _find(self, items: Mapping[str, _Named], code: str) -> str:
        item = items.get(code)
        return pick_translation(item.names, self.language) if item else code

    def _list(self, items: Iterable[_Named]) -> Sequence[Option]:
        options = (Option(one.code, pick_translation(one.names, self.language)) for one in items)
        return sorted(options, key=lambda option: option.name)
