"""Sends information on request as one SMS: what a service requires, and where a centre is."""

from core.types import TextRenderer
from services.catalogue.centres_model import Centre
from services.catalogue.models import Service
from services.messaging.messages import Messages
from services.messaging.models import Message


class InfoMessages:
    """Sends information by SMS; the same idempotency key sends nothing again."""

    def __init__(self, messages: Messages, render_text: TextRenderer) -> None:
        self._messages = messages
        self._render_text = render_text

    async def send_service(self, msisdn: str, service: Service, language: str, idempotency_key: str) -> None:
        """Send a service's fee, duration, required documents, office, and how to apply for it."""
        await self._send(
            msisdn, self._render_text(language, "service", service_facts(service)), f"{idempotency_key}/service"
        )

    async def send_centre(self, msisdn: str, centre: Centre, language: str, idempotency_key: str) -> None:
        """Send a centre's address and opening hours."""
        await self._send(msisdn, self._render_text(language, "centre", centre.facts()), f"{idempotency_key}/centre")

    async def _send(self, msisdn: str, text: str, idempotency_key: str) -> None:
        await self._messages.send(Message(msisdn, text, "info", idempotency_key))


def service_facts(service: Service) -> dict[str, object]:
    """Return the facts of a service that its SMS has."""
    return {
        "service": service.code,
        "fee": [service.fee_minor, service.currency] if service.fee_minor else None,
        "free": None if service.fee_minor else "yes",
        "days": service.days,
        "office": service.office,
        "keypad": str(service.number),
    }
