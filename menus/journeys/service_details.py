"""The details of a service before applying: fee, time, office and documents, or what to do where the channel has no form."""

from typing import Literal

from menus.journeys.services import JourneyServices
from menus.model import Choice, Journey, Option, Outcome, Step, StepContext
from services.catalogue.models import Service


def build_service_details_journey(services: JourneyServices) -> Journey:
    """The screen of a service, with its form if the channel offers it."""

    async def show_service(context: StepContext) -> Outcome[Literal["here", "free", "elsewhere"]]:
        service = services.catalogue.get_service(context.facts["service"])
        facts = service_facts(service)
        if not service.has_form_on(context.channel):
            return Outcome("elsewhere", facts)
        return Outcome("here" if facts["fee"] else "free", facts)

    async def list_documents(context: StepContext) -> Outcome[Literal["some", "none"]]:
        return Outcome("some" if services.catalogue.get_service(context.facts["service"]).documents else "none")

    async def send(context: StepContext) -> Outcome[Literal["sent"]]:
        service = services.catalogue.get_service(context.facts["service"])
        await services.info_messages.send_service(
            context.citizen, service, context.citizen_language, context.idempotency_key
        )
        return Outcome("sent")

    apply, by_sms = Option("apply", goto="start_form"), Option("by_sms", goto="send_service", hidden_on="sms")
    options = (apply, Option("documents", goto="list_documents"), by_sms)
    return (
        Step("look_at", show_service, {"here": "service", "free": "service_free", "elsewhere": "service_elsewhere"}),
        Choice("service", options, key_fact="fee"),
        Choice("service_free", options, key_fact="days"),
        Step("list_documents", list_documents, {"some": "documents", "none": "no_documents"}),
        Choice("documents", (apply, by_sms)),
        Choice("no_documents", (apply,)),
        Step("send_service", send, {"sent": "service_sent"}, once=True, subject=("service",)),
        Choice("service_sent", (Option("again", goto="sectors"),)),
        Choice("no_longer", (Option("sectors", goto="sectors"), Option("help", goto="get_help"))),
        *_elsewhere_screens(services, by_sms),
    )


def _elsewhere_screens(services: JourneyServices, by_sms: Option) -> Journey:
    """The screens of a service that the channel does not offer: information and other ways, none of which leads to the form."""

    async def list_papers(context: StepContext) -> Outcome[Literal["some", "none"]]:
        return Outcome("some" if services.catalogue.get_service(context.facts["service"]).documents else "none")

    centre = Option("centre", goto="nearest_centre")
    instead = (Option("app", goto="get_app"), Option("help", goto="get_help"), centre)
    return (
        Choice("service_elsewhere", (*instead, Option("about", goto="service_about"))),
        Choice("service_about", (by_sms, Option("documents", goto="list_papers_elsewhere")), key_fact="fee"),
        Step("list_papers_elsewhere", list_papers, {"some": "papers_elsewhere", "none": "no_papers_elsewhere"}),
        Choice("papers_elsewhere", (by_sms, centre)),
        Choice("no_papers_elsewhere", (centre,)),
    )


def service_facts(service: Service) -> dict[str, object]:
    """The facts of a service for its screens."""
    fee = [service.fee_minor, service.currency] if service.fee_minor else None
    free = None if service.fee_minor else "yes"
    return {"fee": fee, "free": free, "days": service.days, "office": service.office}
