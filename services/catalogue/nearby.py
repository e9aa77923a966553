"""The places where people are helped with what their phone cannot do, and which of them are near a postcode or district."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from services.catalogue.model import Texts
from services.catalogue.search import Search
from services.catalogue.sounds import words_of

MOST: Final = 5  # that are said of one place


@dataclass(frozen=True, slots=True, kw_only=True)
class Centre:
    """One of them; `days` are the first and the last of the week on which it is open, the hours as 09:00."""

    code: str
    names: Texts
    address: Texts
    district: str
    postcode: str
    country: str
    days: tuple[str, str]
    opens: str
    closes: str
    phone: str


@dataclass(frozen=True, slots=True)
class District:
    """Where centres are; `country` is ISO 3166, such as BD."""

    code: str
    names: Texts
    country: str


class Centres:
    """All of them, by code, in the order of their files."""

    def __init__(self, districts: Iterable[District] = (), centres: Iterable[Centre] = ()) -> None:
        self.districts: Mapping[str, District] = {district.code: district for district in districts}
        self.by_code: Mapping[str, Centre] = {centre.code: centre for centre in centres}
        self._named = Search((code, district.names) for code, district in self.districts.items())

    def near(self, place: str, country: str = "") -> Sequence[Centre]:
        """Those nearest to a postcode, or of a district by its name, at most MOST; `country` is tried first.

        Nearest to a postcode are those that share most of its digits from the first on, within one country.
        """
        digits = "".join(words_of(place))
        if digits.isascii() and digits.isdigit():
            return self._by_postcode(digits, country)
        found = self._named(place).codes
        return [centre for code in found for centre in self.by_code.values() if centre.district == code][:MOST]

    def _by_postcode(self, digits: str, country: str) -> Sequence[Centre]:
        """A country is known by how many digits its postcodes have; the caller's own tells between two of the same."""
        fitting = [centre for centre in self.by_code.values() if len(centre.postcode) == len(digits)]
        at_home = [centre for centre in fitting if centre.country == country] or fitting
        shared = {centre.code: _shared(centre.postcode, digits) for centre in at_home}
        most = max(shared.values(), default=0)
        return [centre for centre in at_home if most and shared[centre.code] == most][:MOST]


def _shared(one: str, other: str) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=True)))
