"""What somebody wants to have in writing, as one SMS: what a service asks, and where a centre is."""

from services.catalogue.model import Service
from services.catalogue.nearby import Centre
from services.given import Say
from services.messages import Message, Messages


class Leaflets:
    """Sends them; the same effect again sends nothing again."""

    def __init__(self, messages: Messages, say: Say) -> None:
        self._messages = messages
        self._say = say

    async def service(self, number: str, service: Service, language: str, effect: str) -> None:
        """Send what a service costs, how long it takes, what to bring and where, and how it is applied for."""
        await self._send(number, self._say(language, "service", about_service(service)), f"{effect}/service")

    async def centre(self, number: str, centre: Centre, language: str, effect: str) -> None:
        """Send where a centre is, and when it is open."""
        await self._send(number, self._say(language, "centre", about_centre(centre)), f"{effect}/centre")

    async def _send(self, number: str, text: str, effect: str) -> None:
        await self._messages.send(Message(number, text, "info", effect))


def about_service(service: Service) -> dict[str, object]:
    """The facts of a service that its SMS says."""
    return {
        "service": service.code,
        "fee": [service.fee_minor, service.currency] if service.fee_minor else None,
        "free": None if service.fee_minor else "yes",
        "days": service.days,
        "office": service.office,
        "keypad": str(service.number),
    }


def about_centre(centre: Centre) -> dict[str, object]:
    """The facts of a centre that its screen and its SMS say."""
    first, last = centre.days
    return {
        "centre": centre.code,
        "first": first,
        "last": last,
        "opens": centre.opens,
        "closes": centre.closes,
        "postcode": centre.postcode,
        "phone": centre.phone,
    }
