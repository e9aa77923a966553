"""What of the catalogue the journeys are given: always that of the edition in force, never one that was kept."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import phonenumbers

from assembly.now_and_then import Chore, now_and_then
from menus.journeys.centres import Centres
from menus.journeys.find import Finding
from menus.journeys.look import Looking
from menus.model import Facts, Gone
from services.catalogue.model import RECIPIENTS, Service
from services.catalogue.search import Found
from services.catalogue.shelf import Edition, Shelf
from services.leaflets import Leaflets, about_centre
from services.usage import Usage

MOST_ROWS: Final = 50  # of a list; whoever wants another types its name
EVERY: Final = 3600.0  # seconds between two looks at what is used most; it changes at midnight
IN_TIME: Final = 60.0  # seconds that one may take


def service_of(shelf: Shelf, code: str) -> Service:
    """The service with this code.

    Raises:
        Gone: the catalogue has it no more.
    """
    try:
        return shelf.now.services[code]
    except KeyError:
        raise Gone(code) from None


class Lists:
    """The lists of the menus, each worked out once an edition and a day: what is used most, then in catalogue order."""

    def __init__(self, shelf: Shelf, usage: Usage) -> None:
        self._shelf = shelf
        self._usage = usage
        self._made_of: tuple[Edition, Sequence[str]] = (shelf.edition, ())
        self._lists: dict[tuple[str, ...], Sequence[str]] = {}

    def sectors(self, recipient: str) -> Sequence[str]:
        """Those that have services, or have some for a recipient; in the order of the catalogue, which is learnt by heart."""
        return self._once(("sectors", recipient), lambda: self._sectors(recipient))

    def services(self, sector: str, recipient: str) -> Sequence[str]:
        """Those of a sector, or what of them is for a recipient."""
        return self._once(("services", sector, recipient), lambda: self._services(sector, recipient))

    def offices(self) -> Sequence[str]:
        """Those that have services, the busiest first."""
        return self._once(
            ("offices",), lambda: list(dict.fromkeys(it.office for it in self._by_use(self._all())))[:MOST_ROWS]
        )

    def at_office(self, office: str) -> Sequence[str]:
        """The services of an office."""
        return self._once(("office", office), lambda: self._rows(it for it in self._all() if it.office == office))

    def recipients(self) -> Sequence[str]:
        """Those for whom there are services."""
        return self._once(("recipients",), lambda: [one for one in RECIPIENTS if self.sectors(one)])

    def _sectors(self, recipient: str) -> Sequence[str]:
        every = (sector.code for sector in self._shelf.now.sectors_offered())
        return [code for code in every if not recipient or self.services(code, recipient)][:MOST_ROWS]

    def _services(self, sector: str, recipient: str) -> Sequence[str]:
        every = self._shelf.now.in_sector(sector)
        return self._rows(it for it in every if not recipient or recipient in it.recipients)

    def _all(self) -> Sequence[Service]:
        return self._shelf.now.in_order

    def _rows(self, services: Iterable[Service]) -> Sequence[str]:
        return [service.code for service in self._by_use(services)][:MOST_ROWS]

    def _by_use(self, services: Iterable[Service]) -> Sequence[Service]:
        place = {code: place for place, code in enumerate(self._usage.order())}
        return sorted(services, key=lambda service: place.get(service.code, len(place)))

    def _once(self, which: tuple[str, ...], make: Callable[[], Sequence[str]]) -> Sequence[str]:
        edition, order = self._shelf.edition, self._usage.order()
        if self._made_of[0] is not edition or self._made_of[1] is not order:
            self._made_of, self._lists = (edition, order), {}
        if which not in self._lists:
            self._lists[which] = make()
        return self._lists[which]


def finding_of(shelf: Shelf, usage: Usage) -> Finding:
    """What finding a service may ask."""
    lists = Lists(shelf, usage)

    def numbered(number: int) -> str | None:
        service = shelf.now.numbered(number)
        return service.code if service else None

    def search(typed: str) -> Found:
        return shelf.find(typed, usage.order())

    return Finding(lists.sectors, lists.services, lists.offices, lists.at_office, lists.recipients, numbered, search)


def looking_of(shelf: Shelf, leaflets: Leaflets) -> Looking:
    """What knowing before applying may ask."""

    async def send(number: str, code: str, language: str, effect: str) -> None:
        await leaflets.service(number, service_of(shelf, code), language, effect)

    return Looking(
        lambda code: service_of(shelf, code),
        lambda code, channel: channel in service_of(shelf, code).channels,
        send,
    )


def centres_of(shelf: Shelf, leaflets: Leaflets) -> Centres:
    """What the way to a centre may ask."""

    def near(place: str, number: str) -> Sequence[str]:
        return [centre.code for centre in shelf.centres.near(place, _country(number))]

    def about(code: str) -> Facts:
        if code not in shelf.centres.by_code:
            raise Gone(code)
        return about_centre(shelf.centres.by_code[code])

    async def send(number: str, code: str, language: str, effect: str) -> None:
        if code not in shelf.centres.by_code:
            raise Gone(code)
        await leaflets.centre(number, shelf.centres.by_code[code], language, effect)

    return Centres(near, about, send)


def _country(number: str) -> str:
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""
    except phonenumbers.NumberParseException:
        return ""


@asynccontextmanager
async def following_use(usage: Usage) -> AsyncIterator[None]:
    """What is used most, counted before the block begins and now and then while it lasts."""
    counting = Chore(usage.count, "what is used most could not be counted", IN_TIME)
    await counting.tried()  # where it fails, lists keep the catalogue's order until the next one goes better
    async with now_and_then(EVERY, counting, first=EVERY):
        yield
