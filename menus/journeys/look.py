"""Knowing what a service asks before applying: fee, promised time, office, papers; and what to do where the phone cannot."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, NamedTuple, Protocol

from menus.model import Choice, Journey, Option, Outcome, Step, Texts, Visit


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


Offered = Callable[[str, str], bool]
"""Whether the service with this code can be done on this channel."""
SendService = Callable[[str, str, str, str], Awaitable[None]]
"""Sends what a service asks by SMS: to whom, the service's code, language, effect."""


class Looking(NamedTuple):
    """The calls that this journey makes."""

    service: Callable[[str], Service]
    offered: Offered
    send: SendService


def look(calls: Looking) -> Journey:
    """A service's screen, with its form where the channel can do it, else with what to do instead."""

    async def look_at(visit: Visit) -> Outcome[Literal["here", "free", "elsewhere"]]:
        code = visit.facts["service"]
        facts = told(calls.service(code))
        if not calls.offered(code, visit.channel):
            return Outcome("elsewhere", facts)
        return Outcome("here" if facts["fee"] else "free", facts)

    async def list_documents(visit: Visit) -> Outcome[Literal["some", "none"]]:
        return Outcome("some" if calls.service(visit.facts["service"]).documents else "none")

    async def send(visit: Visit) -> Outcome[Literal["sent"]]:
        await calls.send(visit.citizen, visit.facts["service"], visit.told_in, visit.effect)
        return Outcome("sent")

    apply, by_sms = Option("apply", goto="start_form"), Option("by_sms", goto="send_service", not_on="sms")
    options = (apply, Option("documents", goto="list_documents"), by_sms)
    return (
        Step("look_at", look_at, {"here": "service", "free": "service_free", "elsewhere": "service_elsewhere"}),
        Choice("service", options),
        Choice("service_free", options),
        Step("list_documents", list_documents, {"some": "documents", "none": "no_documents"}),
        Choice("documents", (apply, by_sms)),
        Choice("no_documents", (apply,)),
        Step("send_service", send, {"sent": "service_sent"}),
        Choice("service_sent", (Option("again", goto="sectors"),)),
        Choice("no_longer", (Option("sectors", goto="sectors"), Option("help", goto="get_help"))),
        *_elsewhere(calls, by_sms),
    )


def _elsewhere(calls: Looking, by_sms: Option) -> Journey:
    """What this phone cannot do is told all the same, and what to do next; nothing here leads to its form."""

    async def list_papers(visit: Visit) -> Outcome[Literal["some", "none"]]:
        return Outcome("some" if calls.service(visit.facts["service"]).documents else "none")

    centre = Option("centre", goto="nearest_centre")
    instead = (Option("app", goto="get_app"), Option("help", goto="get_help"), centre)
    return (
        Choice("service_elsewhere", (*instead, Option("about", goto="service_about"))),
        Choice("service_about", (by_sms, Option("documents", goto="list_papers_elsewhere"))),
        Step("list_papers_elsewhere", list_papers, {"some": "papers_elsewhere", "none": "no_papers_elsewhere"}),
        Choice("papers_elsewhere", (by_sms, centre)),
        Choice("no_papers_elsewhere", (centre,)),
    )


def told(service: Service) -> dict[str, object]:
    """The facts of a service that its screens say."""
    fee = [service.fee_minor, service.currency] if service.fee_minor else None
    free = None if service.fee_minor else "yes"
    return {"fee": fee, "free": free, "days": service.days, "office": service.office}
