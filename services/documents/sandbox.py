"""An issuer that issues samples: for any Aadhaar number that can be one, always the same documents, good for nothing.

An Aadhaar number belongs to the MSISDN that proved itself with it first. From then on codes go there and nowhere else,
whoever asks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import Final

from sqlalchemy import select

from services.documents.pdf import sheet
from services.documents.port import Access, Challenge, Citizen, Document, Facts, File, Held, NoSuchDocument, State
from services.given import Clock, utc_now
from services.records.database import Records
from services.records.tables import document_holders

HOLDER: Final = "SAMPLE CITIZEN"
PREFIX: Final = "sample-"
PDF: Final = "application/pdf"


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of document: its name, who issues it, how its number is formed (9 is any digit), how long it is valid."""

    title: str
    issuer: str
    number: str
    years: int = 0


KINDS: Final[Mapping[str, Kind]] = {
    "PANCR": Kind("PAN card", "Income Tax Department", "SAMPL9999E"),
    "DRVLC": Kind("Driving licence", "Ministry of Road Transport", "XX9920999999999", years=20),
    "SPCER": Kind("Class X passing certificate", "CBSE", "SAMPLE/X/999999"),
    "SSCER": Kind("Class X marksheet", "CBSE", "SAMPLE-X-9999999"),
    "HSCER": Kind("Class XII marksheet", "CBSE", "SAMPLE-XII-9999999"),
    "RVCER": Kind("Vehicle registration (RC)", "Ministry of Road Transport", "XX99SA9999", years=15),
    "TWPOL": Kind("Insurance policy, two-wheeler", "Sample Insurance", "SAMPLE/2W/99999999", years=1),
    "LFPOL": Kind("Insurance policy, life", "Sample Insurance", "SAMPLE/LIFE/9999999", years=25),
    "NLPOL": Kind("Insurance policy, non-life", "Sample Insurance", "SAMPLE/GEN/9999999", years=1),
}
"""The documents that the MyGov Helpdesk named. Codes are DigiLocker's where it publishes one (PANCR, DRVLC, SSCER, HSCER,
RVCER), else ours.
"""


class Sandbox:
    """The issuer of samples."""

    def __init__(self, records: Records, *, clock: Clock = utc_now) -> None:
        self._records = records
        self._clock = clock

    async def challenge(self, citizen: Citizen) -> Challenge:
        """A code from us: to whom the number belongs, or to the caller where it is nobody's yet."""
        number = await self._number_of(citizen.holder) or citizen.number
        return Challenge({"holder": citizen.holder, "number": number}, code_to=number)

    async def open(self, state: State, code: str) -> State | None:  # noqa: ARG002 - the code was ours, and checked
        """The number is theirs now, unless somebody else proved it theirs in the meantime."""
        holder, number = state["holder"], state["number"]
        row = {"holder": holder, "number": number, "linked_at": self._clock()}
        async with self._records.transaction() as transaction:
            await transaction.execute(self._records.insert_once(document_holders), row)
        return {"holder": holder} if await self._number_of(holder) == number else None

    async def listed(self, access: Access) -> Sequence[Held]:
        """One of each type."""
        holder = access.granted["holder"]
        return [
            Held(f"{PREFIX}{code}-{_drawn(holder, code)('9' * 8)}", code, kind.title, kind.issuer, (PDF,))
            for code, kind in KINDS.items()
        ]

    async def fetch(self, access: Access, held: Held) -> Document:
        """The sample of this type for this holder."""
        if held not in await self.listed(access):
            raise NoSuchDocument
        return sample(held.kind, access.granted["holder"], self._clock().date())

    async def _number_of(self, holder: str) -> str | None:
        found = await self._records.read(select(document_holders.c.number).where(document_holders.c.holder == holder))
        return found.scalar_one_or_none()


def sample(code: str, holder: str, today: date) -> Document:
    """The sample of a type for the holder with this keyed hash; it was issued within the year before `today`'s."""
    kind, draw = KINDS[code], _drawn(holder, code)
    issued = date(today.year - 1, 1, 1) + timedelta(days=int(draw("999")) % 365)
    valid = date(issued.year + kind.years, issued.month, 28) if kind.years else None
    facts = Facts(draw(kind.number), HOLDER, kind.issuer, issued, valid)
    return Document(code, kind.title, facts, File(PDF, sheet(_lines(kind.title, facts))), sample=True)


def _lines(title: str, facts: Facts) -> Sequence[str]:
    return [
        "SAMPLE - NOT A VALID DOCUMENT",
        "",
        title,
        f"Number: {facts.number}",
        f"Name: {facts.holder}",
        f"Issued by: {facts.issuer}",
        f"Issued: {facts.issued:%d-%m-%Y}",
        *([f"Valid to: {facts.valid:%d-%m-%Y}"] if facts.valid else []),
    ]


def _drawn(holder: str, kind: str) -> Callable[[str], str]:
    """A form with every 9 in it replaced by a digit that follows from holder and type."""
    digits = str(int.from_bytes(sha256(f"{holder} {kind}".encode()).digest()))

    def fill(form: str) -> str:
        left = iter(digits)
        return "".join(next(left) if place == "9" else place for place in form)

    return fill
