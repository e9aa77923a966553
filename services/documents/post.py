"""Sends a document to whom it is for: a link to it, and for a phone that opens no links what it says."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, Protocol

from services.documents.port import NAMED, Document
from services.given import Say
from services.messages import Message, Messages


class Links(Protocol):
    """The links that are sent by SMS."""

    async def make(self, purpose: Literal["document"], subject: str, lives: timedelta, uses: int, effect: str) -> str:
        """The token of a link to `subject`; the same effect gets the same one."""

    def address(self, token: str) -> str:
        """The whole of it."""


@dataclass(frozen=True, slots=True)
class Terms:
    """For how long a link works, and how often."""

    lives: timedelta = timedelta(hours=24)
    uses: int = 5


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a document is for: the MSISDN that its link is sent to, and their language."""

    number: str = field(repr=False)
    language: str


class Post:
    """Sends them, each once an effect."""

    def __init__(self, links: Links, messages: Messages, say: Say, terms: Terms) -> None:
        self.terms = terms
        self._links = links
        self._messages = messages
        self._say = say

    async def send(self, reference: str, document: Document, reader: Reader, effect: str) -> None:
        """The link to `reference` and the text of the document, in one SMS."""
        terms, once = self.terms, f"{effect}/document"
        token = await self._links.make("document", reference, terms.lives, terms.uses, once)
        hours = terms.lives // timedelta(hours=1)
        facts = {**told(document), "link": self._links.address(token), "hours": hours, "uses": terms.uses}
        await self._messages.send(
            Message(reader.number, self._say(reader.language, "document", facts), "document", once)
        )


def own_name(kind: str, title: str) -> str:
    """What a document is called where its type has no name of ours."""
    return "" if kind in NAMED else title


def told(document: Document) -> dict[str, object]:
    """What a document says, as the facts that texts name."""
    facts = document.facts
    return {
        "document_kind": document.kind,
        "document_title": own_name(document.kind, document.title),
        "document_number": facts.number,
        "document_holder": facts.holder,
        "document_issuer": facts.issuer,
        "document_issued": facts.issued.isoformat() if facts.issued else None,
        "document_valid": facts.valid.isoformat() if facts.valid else None,
        "sample": "yes" if document.sample else None,
    }
