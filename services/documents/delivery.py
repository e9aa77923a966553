"""Sends a document by SMS: a link to it, and its facts as text for a phone that opens no links."""

from dataclasses import dataclass
from datetime import timedelta

from core.types import TextRenderer
from services.documents.models import Document, Recipient, document_facts
from services.messaging.links import Links
from services.messaging.messages import Messages
from services.messaging.models import Message


@dataclass(frozen=True, slots=True)
class LinkTerms:
    """The terms of a link: its lifetime and the number of its uses."""

    ttl: timedelta = timedelta(hours=24)
    max_uses: int = 5


class DocumentDelivery:
    """Sends documents; the same idempotency key sends nothing again."""

    def __init__(self, links: Links, messages: Messages, render_text: TextRenderer, terms: LinkTerms) -> None:
        self.terms = terms
        self._links = links
        self._messages = messages
        self._render_text = render_text

    async def send(self, reference: str, document: Document, recipient: Recipient, idempotency_key: str) -> None:
        """Send the link to `reference` and the facts of the document in one SMS."""
        terms, key = self.terms, f"{idempotency_key}/document"
        token = await self._links.create("document", reference, terms.ttl, terms.max_uses, key)
        hours = terms.ttl // timedelta(hours=1)
        facts = {**document_facts(document), "link": self._links.url(token), "hours": hours, "uses": terms.max_uses}
        await self._messages.send(
            Message(recipient.msisdn, self._render_text(recipient.language, "document", facts), "document", key)
        )
