"""The documents desk: what is behind a sign-in, and one document at a time as a link and as a text.

A document that was handed over is kept, sealed, for as long as its link works, and not a minute longer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import msgspec
from sqlalchemy import Row, delete, func, select

from services.documents.port import (
    AccessEnded,
    Document,
    Held,
    Issuer,
    NoSuchDocument,
    Unavailable,
)
from services.documents.post import Post, Reader
from services.documents.sign_ins import Opened, SignIns
from services.given import Clock, Sealing, utc_now
from services.records.database import Records
from services.records.tables import document_sign_ins, documents

Looked: TypeAlias = Literal["some", "none", "down", "ended"]
Fetched: TypeAlias = Literal["here", "unknown", "down", "ended", "too_many"]

MOST_LISTED: Final = 60  # as many as numbered options have keys for, and some are left over
MOST_FETCHED: Final = 20  # in one sign-in: each is an SMS


@dataclass(frozen=True, slots=True)
class Look:
    """What there is, in the order in which it is numbered from now on."""

    outcome: Looked
    held: Sequence[Held] = ()


@dataclass(frozen=True, slots=True)
class Handed:
    """What became of asking for one document."""

    outcome: Fetched
    document: Document | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A document as its link shows it, in the language of whom it was sent to."""

    document: Document
    language: str


class Desk:
    """Hands documents over."""

    def __init__(
        self,
        records: Records,
        issuer: Issuer,
        sign_ins: SignIns,
        post: Post,
        seal: Sealing,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._records = records
        self._issuer = issuer
        self._sign_ins = sign_ins
        self._post = post
        self._seal = seal
        self._clock = clock

    async def look(self, sign_in: int) -> Look:
        """The documents of a sign-in; numbered once, so that a number means the same document whenever it is heard."""
        opened = await self._sign_ins.opened(sign_in)
        if opened is None:
            return Look("ended")
        try:
            held = await self._listed(sign_in, opened)
        except Unavailable:
            return Look("down")
        except AccessEnded:
            return Look("ended")
        return Look("some", held) if held else Look("none")

    async def hand_over(self, sign_in: int, place: int, reader: Reader, effect: str) -> Handed:
        """The document at this place of the list (from 1): kept, its link and what it says sent by SMS; once an effect."""
        reference = self._seal.name("document", effect)
        document = await self._kept(reference)
        if document is None:
            handed = await self._fetched(sign_in, place)
            if handed.document is None:
                return handed
            await self._keep(reference, sign_in, handed.document, reader)
            document = handed.document
        await self._post.send(reference, document, reader, effect)
        return Handed("here", document)

    async def shown(self, reference: str) -> Shown | None:
        """What the link to `reference` shows; None once it has ended."""
        row = await self._row(reference)
        return Shown(self._unsealed(row), row.language) if row else None

    async def sweep(self) -> None:
        """Forget documents whose links have ended."""
        async with self._records.transaction() as transaction:
            await transaction.execute(delete(documents).where(documents.c.ends_at <= self._clock()))

    async def _listed(self, sign_in: int, opened: Opened) -> Sequence[Held]:
        found = await self._records.read(select(document_sign_ins.c.listed).where(document_sign_ins.c.id == sign_in))
        sealed = found.scalar_one()
        if sealed is not None:
            return msgspec.json.decode(self._seal.open(sealed, _list_of(sign_in)), type=list[Held])
        held = (await self._issuer.listed(opened))[:MOST_LISTED]
        listed = self._seal.close(msgspec.json.encode(held), _list_of(sign_in))
        await self._sign_ins.note(sign_in, listed=listed)
        return held

    async def _fetched(self, sign_in: int, place: int) -> Handed:
        opened = await self._sign_ins.opened(sign_in)
        if opened is None:
            return Handed("ended")
        if await self._handed_over(sign_in) >= MOST_FETCHED:
            return Handed("too_many")
        try:
            held = await self._listed(sign_in, opened)
            return Handed("here", await self._issuer.fetch(opened, held[place - 1]))
        except NoSuchDocument:
            return Handed("unknown")
        except AccessEnded:
            return Handed("ended")
        except Unavailable:
            return Handed("down")

    async def _handed_over(self, sign_in: int) -> int:
        counted = select(func.count()).select_from(documents).where(documents.c.sign_in == sign_in)
        return int((await self._records.read(counted)).scalar_one())

    async def _keep(self, reference: str, sign_in: int, document: Document, reader: Reader) -> None:
        now = self._clock()
        row = {
            "reference": reference,
            "sign_in": sign_in,
            "content": self._seal.close(msgspec.json.encode(document), _content_of(reference)),
            "language": reader.language,
            "created_at": now,
            "ends_at": now + self._post.terms.lives,
        }
        async with self._records.transaction() as transaction:
            await transaction.execute(self._records.insert_once(documents), row)

    async def _kept(self, reference: str) -> Document | None:
        row = await self._row(reference)
        return self._unsealed(row) if row else None

    async def _row(self, reference: str) -> Row[Any] | None:
        kept = select(documents).where(documents.c.reference == reference, documents.c.ends_at > self._clock())
        return (await self._records.read(kept)).one_or_none()

    def _unsealed(self, row: Row[Any]) -> Document:
        return msgspec.json.decode(self._seal.open(row.content, _content_of(row.reference)), type=Document)


def _list_of(sign_in: int) -> str:
    return f"document list:{sign_in}"


def _content_of(reference: str) -> str:
    return f"document:{reference}"
