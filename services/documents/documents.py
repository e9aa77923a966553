"""Lists the documents of a signed-in citizen, and hands over one at a time as a link and as text.

A document that was handed over is stored, encrypted, as long as its link works.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import Row, func, select

from core.crypto import Cipher
from core.types import UtcClock, utc_now
from db.database import Database
from db.tables import document_sign_ins, documents
from services.documents.delivery import DocumentDelivery
from services.documents.issuers.base import AccessExpiredError, Issuer, IssuerUnavailableError, NoSuchDocumentError
from services.documents.models import (
    Document,
    DocumentList,
    HandoverResult,
    IssuedDocument,
    Recipient,
)
from services.documents.sign_ins import DocumentSignIns, SignInSession

MAX_LISTED: Final = 60  # numbered options have keys for more
MAX_HANDOVERS: Final = 20  # in one sign-in, because each is an SMS


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document as its link shows it, in the recipient's language."""

    document: Document
    language: str


class DocumentService:
    """Lists and hands over documents."""

    def __init__(
        self,
        database: Database,
        issuer: Issuer,
        sign_ins: DocumentSignIns,
        delivery: DocumentDelivery,
        cipher: Cipher,
        *,
        clock: UtcClock = utc_now,
    ) -> None:
        self._database = database
        self._issuer = issuer
        self._sign_ins = sign_ins
        self._delivery = delivery
        self._cipher = cipher
        self._clock = clock

    async def list_documents(self, sign_in: int) -> DocumentList:
        """Return the documents of a sign-in. They are numbered once, so that a number always means the same document."""
        session = await self._sign_ins.find_session(sign_in)
        if session is None:
            return DocumentList("ended")
        try:
            documents = await self._load_list(sign_in, session)
        except IssuerUnavailableError:
            return DocumentList("down")
        except AccessExpiredError:
            return DocumentList("ended")
        return DocumentList("some", documents) if documents else DocumentList("none")

    async def hand_over(
        self, sign_in: int, position: int, recipient: Recipient, idempotency_key: str
    ) -> HandoverResult:
        """Store the document at this position (from 1) and send its link and facts by SMS, once for each idempotency key."""
        references = self._cipher.keyed_hashes("document", idempotency_key)
        row = await self._find_row(references)
        reference, document = (row.reference, self._decrypt(row)) if row else (references[0], None)
        if document is None:
            handed = await self._fetch(sign_in, position)
            if handed.document is None:
                return handed
            await self._store(reference, sign_in, handed.document, recipient)
            document = handed.document
        await self._delivery.send(reference, document, recipient, idempotency_key)
        return HandoverResult("here", document)

    async def view(self, reference: str) -> DocumentView | None:
        """Return the document that a link shows; None once the link has expired."""
        row = await self._find_row([reference])
        return DocumentView(self._decrypt(row), row.language) if row else None

    async def _load_list(self, sign_in: int, session: SignInSession) -> Sequence[IssuedDocument]:
        found = await self._database.fetch(select(document_sign_ins.c.listed).where(document_sign_ins.c.id == sign_in))
        encrypted = found.scalar_one()
        if encrypted is not None:
            return msgspec.json.decode(
                self._cipher.decrypt(encrypted, _list_associated_data(sign_in)), type=list[IssuedDocument]
            )
        documents = (await self._issuer.list_documents(session))[:MAX_LISTED]
        listed = self._cipher.encrypt(msgspec.json.encode(documents), _list_associated_data(sign_in))
        await self._sign_ins.update(sign_in, listed=listed)
        return documents

    async def _fetch(self, sign_in: int, position: int) -> HandoverResult:
        session = await self._sign_ins.find_session(sign_in)
        if session is None:
            return HandoverResult("ended")
        if await self._count_handovers(sign_in) >= MAX_HANDOVERS:
            return HandoverResult("too_many")
        try:
            documents = await self._load_list(sign_in, session)
            return HandoverResult("here", await self._issuer.fetch_document(session, documents[position - 1]))
        except NoSuchDocumentError:
            return HandoverResult("unknown")
        except AccessExpiredError:
            return HandoverResult("ended")
        except IssuerUnavailableError:
            return HandoverResult("down")

    async def _count_handovers(self, sign_in: int) -> int:
        counted = select(func.count()).select_from(documents).where(documents.c.sign_in == sign_in)
        return int((await self._database.fetch(counted)).scalar_one())

    async def _store(self, reference: str, sign_in: int, document: Document, recipient: Recipient) -> None:
        now = self._clock()
        row = {
            "reference": reference,
            "sign_in": sign_in,
            "content": self._cipher.encrypt(msgspec.json.encode(document), _content_associated_data(reference)),
            "language": recipient.language,
            "created_at": now,
            "ends_at": now + self._delivery.terms.ttl,
        }
        async with self._database.transaction() as transaction:
            await transaction.execute(self._database.insert_or_ignore(documents), row)

    async def _find_row(self, references: Sequence[str]) -> Row[Any] | None:
        statement = select(documents).where(documents.c.reference.in_(references), documents.c.ends_at > self._clock())
        return (await self._database.fetch(statement)).one_or_none()

    def _decrypt(self, row: Row[Any]) -> Document:
        return msgspec.json.decode(
            self._cipher.decrypt(row.content, _content_associated_data(row.reference)), type=Document
        )


def _list_associated_data(sign_in: int) -> str:
    return f"document list:{sign_in}"


def _content_associated_data(reference: str) -> str:
    return f"document:{reference}"
