"""The sandbox issuer: sample documents for any valid Aadhaar number, always the same, worth nothing.

An Aadhaar number belongs to the MSISDN that signs in with it first. From then on codes go only there, for any caller.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import Final

from sqlalchemy import select

from core.types import UtcClock, utc_now
from db.database import Database
from db.tables import document_holders
from services.documents.issuers.base import Challenge, Citizen, IssuerAccess, IssuerState, NoSuchDocumentError
from services.documents.models import Document, DocumentFacts, DocumentFile, IssuedDocument
from services.documents.pdf import render_sheet

SAMPLE_HOLDER: Final = "SAMPLE CITIZEN"
PREFIX: Final = "sample-"
PDF: Final = "application/pdf"


@dataclass(frozen=True, slots=True)
class SampleKind:
    """A kind of sample: its title, issuer, number pattern (9 is any digit) and validity."""

    title: str
    issuer: str
    number_pattern: str
    valid_years: int = 0


SAMPLE_KINDS: Final[Mapping[str, SampleKind]] = {
    "PANCR": SampleKind("PAN card", "Income Tax Department", "SAMPL9999E"),
    "DRVLC": SampleKind("Driving licence", "Ministry of Road Transport", "XX9920999999999", valid_years=20),
    "SPCER": SampleKind("Class X passing certificate", "CBSE", "SAMPLE/X/999999"),
    "SSCER": SampleKind("Class X marksheet", "CBSE", "SAMPLE-X-9999999"),
    "HSCER": SampleKind("Class XII marksheet", "CBSE", "SAMPLE-XII-9999999"),
    "RVCER": SampleKind("Vehicle registration (RC)", "Ministry of Road Transport", "XX99SA9999", valid_years=15),
    "TWPOL": SampleKind("Insurance policy, two-wheeler", "Sample Insurance", "SAMPLE/2W/99999999", valid_years=1),
    "LFPOL": SampleKind("Insurance policy, life", "Sample Insurance", "SAMPLE/LIFE/9999999", valid_years=25),
    "NLPOL": SampleKind("Insurance policy, non-life", "Sample Insurance", "SAMPLE/GEN/9999999", valid_years=1),
}
"""The documents that the MyGov Helpdesk names. Codes are DigiLocker's where it publishes one (PANCR, DRVLC, SSCER, HSCER,
RVCER), else ours."""


class SandboxIssuer:
    """The issuer of samples."""

    def __init__(self, database: Database, *, clock: UtcClock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def challenge(self, citizen: Citizen) -> Challenge:
        """Return a challenge with a code of ours: to the owner of the number, or to the caller where it has none yet."""
        number = await self._find_msisdn(citizen.holder) or citizen.msisdn
        return Challenge({"holder": citizen.holder, "number": number}, code_recipient=number)

    async def grant_access(self, state: IssuerState, code: str) -> IssuerState | None:  # noqa: ARG002 - the code was ours, and checked
        """Make the caller the owner of the number, unless somebody else became its owner meanwhile."""
        holder, number = state["holder"], state["number"]
        row = {"holder": holder, "msisdn": number, "linked_at": self._clock()}
        async with self._database.transaction() as transaction:
            await transaction.execute(self._database.insert_or_ignore(document_holders), row)
        return {"holder": holder} if await self._find_msisdn(holder) == number else None

    async def list_documents(self, access: IssuerAccess) -> Sequence[IssuedDocument]:
        """Return one sample of each kind."""
        holder = access.granted["holder"]
        return [
            IssuedDocument(
                f"{PREFIX}{code}-{_build_digit_filler(holder, code)('9' * 8)}", code, kind.title, kind.issuer, (PDF,)
            )
            for code, kind in SAMPLE_KINDS.items()
        ]

    async def fetch_document(self, access: IssuerAccess, document: IssuedDocument) -> Document:
        """Return the sample of this kind for this holder.

        Raises:
            NoSuchDocumentError: it is not one of the holder's samples.
        """
        if document not in await self.list_documents(access):
            raise NoSuchDocumentError
        return build_sample(document.kind, access.granted["holder"], self._clock().date())

    async def _find_msisdn(self, holder: str) -> str | None:
        found = await self._database.fetch(select(document_holders.c.msisdn).where(document_holders.c.holder == holder))
        return found.scalar_one_or_none()


def build_sample(code: str, holder: str, today: date) -> Document:
    """Return the sample of a kind for the holder with this keyed hash, issued in the year before that of `today`."""
    kind, draw = SAMPLE_KINDS[code], _build_digit_filler(holder, code)
    issued = date(today.year - 1, 1, 1) + timedelta(days=int(draw("999")) % 365)
    valid = date(issued.year + kind.valid_years, issued.month, 28) if kind.valid_years else None
    facts = DocumentFacts(draw(kind.number_pattern), SAMPLE_HOLDER, kind.issuer, issued, valid)
    return Document(code, kind.title, facts, DocumentFile(PDF, render_sheet(_lines(kind.title, facts))), sample=True)


def _lines(title: str, facts: DocumentFacts) -> Sequence[str]:
    return [
        "SAMPLE - NOT A VALID DOCUMENT",
        "",
        title,
        f"Number: {facts.number}",
        f"Name: {facts.holder}",
        f"Issued by: {facts.issuer}",
        f"Issued: {facts.issued_on:%d-%m-%Y}",
        *([f"Valid to: {facts.valid_until:%d-%m-%Y}"] if facts.valid_until else []),
    ]


def _build_digit_filler(holder: str, kind: str) -> Callable[[str], str]:
    """Return a function that replaces every 9 in a pattern by a digit that follows from holder and kind."""
    digits = str(int.from_bytes(sha256(f"{holder} {kind}".encode()).digest()))

    def fill(pattern: str) -> str:
        remaining = iter(digits)
        return "".join(next(remaining) if character == "9" else character for character in pattern)

    return fill
