"""Help centres, which do what a simple phone cannot, and the search for those near a postcode or in a district."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from core.types import Translations
from services.catalogue.phonetics import split_words
from services.catalogue.search import NameSearch

MAX_CENTRES: Final = 5  # results of one search


@dataclass(frozen=True, slots=True, kw_only=True)
class Centre:
    """A help centre. `days` are the first and the last weekday on which it is open; times are written as 09:00."""

    code: str
    names: Translations
    address: Translations
    district: str
    postcode: str
    country: str
    days: tuple[str, str]
    opens_at: str
    closes_at: str
    phone: str

    def facts(self) -> dict[str, object]:
        """The facts that the centre's screen and SMS state."""
        first, last = self.days
        return {
            "centre": self.code,
            "first": first,
            "last": last,
            "opens": self.opens_at,
            "closes": self.closes_at,
            "postcode": self.postcode,
            "phone": self.phone,
        }


@dataclass(frozen=True, slots=True)
class District:
    """A district with centres; `country` is ISO 3166, such as BD."""

    code: str
    names: Translations
    country: str


class CentreDirectory:
    """All centres by code, in the order of their files."""

    def __init__(self, districts: Iterable[District] = (), centres: Iterable[Centre] = ()) -> None:
        self.districts: Mapping[str, District] = {district.code: district for district in districts}
        self.by_code: Mapping[str, Centre] = {centre.code: centre for centre in centres}
        self._district_search = NameSearch((code, district.names) for code, district in self.districts.items())

    def find_near(self, query: str, country: str = "") -> Sequence[Centre]:
        """The centres nearest to a postcode, or in a district by its name; at most MAX_CENTRES. `country` is preferred.

        The nearest to a postcode are those that share most of its leading digits, within one country.
        """
        digits = "".join(split_words(query))
        if digits.isascii() and digits.isdigit():
            return self._nearest_by_postcode(digits, country)
        codes = self._district_search(query).codes
        return [centre for code in codes for centre in self.by_code.values() if centre.district == code][:MAX_CENTRES]

    def _nearest_by_postcode(self, digits: str, country: str) -> Sequence[Centre]:
        """The length of a postcode identifies its country; `country` decides between two with the same length."""
        fitting = [centre for centre in self.by_code.values() if len(centre.postcode) == len(digits)]
        at_home = [centre for centre in fitting if centre.country == country] or fitting
        shared = {centre.code: _common_prefix_length(centre.postcode, digits) for centre in at_home}
        most = max(shared.values(), default=0)
        return [centre for centre in at_home if most and shared[centre.code] == most][:MAX_CENTRES]


def _common_prefix_length(one: str, other: str) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=True)))
