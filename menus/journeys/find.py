"""Finding a service and knowing what it asks before applying: by sector, then by name."""

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from menus.model import Choice, Facts, Journey, Listing, Option, Outcome, Step, Texts, Visit


class Service(Protocol):
    """What a citizen is told of a service before they apply."""

    @property
    def office(self) -> str:
        """The office's code in the catalogue."""

    @property
    def fee_minor(self) -> int:
        """The fee in hundredths of the currency; 0 is free."""

    @property
    def currency(self) -> str:
        """ISO 4217."""

    @property
    def days(self) -> int:
        """In how many days it is promised."""

    @property
    def documents(self) -> Sequence[Texts]:
        """The papers to bring; empty where there are none."""


Sectors = Callable[[], Sequence[str]]
"""Codes of the sectors that have services, in their order."""
Services = Callable[[str], Sequence[str]]
"""Codes of the services of a sector, in their order."""
Offered = Callable[[str, str], bool]
"""Whether the service with this code can be done on this channel."""


def find(sectors: Sectors, services: Services, service: Callable[[str], Service], offered: Offered) -> Journey:
    """The lists, and a service's screen: with its form where the channel can do it, else with what to do instead."""

    def sector_rows(_: Facts) -> Sequence[Facts]:
        return [{"sector": code} for code in sectors()]

    def service_rows(facts: Facts) -> Sequence[Facts]:
        return [{"service": code} for code in services(facts["sector"])]

    async def list_documents(visit: Visit) -> Outcome[Literal["some", "none"]]:
        return Outcome("some" if service(visit.facts["service"]).documents else "none")

    async def look_at(visit: Visit) -> Outcome[Literal["here", "free", "elsewhere"]]:
        code = visit.facts["service"]
        facts = told(service(code))
        if not offered(code, visit.channel):
            return Outcome("elsewhere", facts)
        return Outcome("here" if facts["fee"] else "free", facts)

    apply = Option("apply", goto="start_form")
    options = (apply, Option("documents", goto="list_documents"))
    return (
        Listing("sectors", sector_rows, saves="sector", goto="services", empty="nothing_here"),
        Listing("services", service_rows, saves="service", goto="look_at", empty="nothing_here"),
        Step("look_at", look_at, {"here": "service", "free": "service_free", "elsewhere": "service_elsewhere"}),
        Choice("service", options),
        Choice("service_free", options),
        Choice("service_elsewhere", (Option("app", goto="get_app"), Option("help", goto="get_help"))),
        Step("list_documents", list_documents, {"some": "documents", "none": "no_documents"}),
        Choice("documents", (apply,)),
        Choice("no_documents", (apply,)),
        Choice("nothing_here", (Option("help", goto="get_help"),)),
    )


def told(service: Service) -> dict[str, object]:
    """The facts of a service that its screens say."""
    fee = [service.fee_minor, service.currency] if service.fee_minor else None
    return {"fee": fee, "days": service.days, "office": service.office}
