"""The catalogue in use: its services, sectors, departments and billers, to read; and what a check of the files says."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from aiohttp import web

from core.types import Translations
from services.catalogue.current import CurrentCatalogue
from services.catalogue.models import CHANNELS, Catalogue, Service, pick_translation
from web.console.requests import ConsolePage, ConsoleRequest, ConsoleRoute

PATH: Final = "/console/catalogue"
SERVICES_PATH: Final = f"{PATH}/services"
CHECK_PATH: Final = f"{PATH}/check"
MAX_LISTED: Final = 50
"""Services on a page; of more, the filter has to find fewer."""
FILTERS: Final = ("text", "sector", "department", "channel")
MAX_TEXT: Final = 60


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check of the files says: whether a gateway would start with them, and its lines."""

    is_valid: bool
    lines: Sequence[str]


RunCheck = Callable[[], Awaitable[CheckReport]]
"""Checks the files as they are now; raises TimeoutError where that takes too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CataloguePage:
    """Shows the catalogue that this process uses. An edit shows here as soon as it is taken up."""

    current_catalogue: CurrentCatalogue
    run_check: RunCheck

    def build_page(self) -> ConsolePage:
        """The page with its routes."""
        routes = (
            ConsoleRoute("GET", PATH, self.show, "catalogue.view"),
            ConsoleRoute("GET", SERVICES_PATH, self.list_services, "catalogue.view"),
            ConsoleRoute("GET", f"{SERVICES_PATH}/{{code:[a-z0-9_]+}}", self.show_service, "catalogue.view"),
            ConsoleRoute("POST", CHECK_PATH, self.check, "catalogue.view"),
        )
        return ConsolePage("catalogue", PATH, "catalogue.view", routes)

    async def show(self, request: ConsoleRequest) -> web.StreamResponse:
        """Sectors, departments and billers, with their numbers of services."""
        catalogue = self.current_catalogue.catalogue
        return request.render(
            "catalogue/catalogue.html",
            catalogue=catalogue,
            by_sector=Counter(service.sector for service in catalogue.services.values()),
            by_department=Counter(service.department for service in catalogue.services.values()),
            on_channel={channel: len(catalogue.services_on(channel)) for channel in CHANNELS},
            name=_namer(request),
        )

    async def list_services(self, request: ConsoleRequest) -> web.StreamResponse:
        """The services that the filter in the address finds, in the order of the menus."""
        catalogue = self.current_catalogue.catalogue
        values = {name: request.query.get(name, "").strip()[:MAX_TEXT] for name in FILTERS}
        found = tuple(islice(_find_services(catalogue, values), MAX_LISTED + 1))
        return request.render(
            "catalogue/services.html",
            services=found[:MAX_LISTED],
            is_cut=len(found) > MAX_LISTED,
            values=values,
            catalogue=catalogue,
            channels=CHANNELS,
            name=_namer(request),
        )

    async def show_service(self, request: ConsoleRequest) -> web.StreamResponse:
        """One service, with its form.

        Raises:
            HTTPNotFound: the catalogue has no such service.
        """
        catalogue = self.current_catalogue.catalogue
        service = catalogue.services.get(request.path_value("code"))
        if service is None:
            raise web.HTTPNotFound
        return request.render(
            "catalogue/service.html", service=service, catalogue=catalogue, channels=CHANNELS, name=_namer(request)
        )

    async def check(self, request: ConsoleRequest) -> web.StreamResponse:
        """What a check of the files says now. It changes nothing; it is posted because it takes seconds."""
        try:
            report = await self.run_check()
        except TimeoutError:
            report = None
        return request.render("catalogue/check.html", report=report)


def _namer(request: ConsoleRequest) -> Callable[[Translations], str]:
    def name(texts: Translations) -> str:
        return pick_translation(texts, request.member.language)

    return name


def _find_services(catalogue: Catalogue, values: Mapping[str, str]) -> Iterator[Service]:
    text = values["text"].casefold()
    for service in catalogue.ordered_services:
        if values["sector"] not in {"", service.sector} or values["department"] not in {"", service.department}:
            continue
        if values["channel"] and values["channel"] not in service.channels:
            continue
        if not text or _has_text(service, text):
            yield service


def _has_text(service: Service, text: str) -> bool:
    """Whether the keypad number is the text, or the code or a name in any language has it."""
    names = (service.code, *service.names.values())
    return text == str(service.number) or any(text in name.casefold() for name in names)
