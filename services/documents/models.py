"""The values of documents and sign-ins, without any I/O."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal, TypeAlias

Gender: TypeAlias = Literal["F", "M", "T"]


NAMED_KINDS: Final = frozenset({"PANCR", "DRVLC", "SPCER", "SSCER", "HSCER", "RVCER", "TWPOL", "LFPOL", "NLPOL"})
"""The kinds of document that our texts have a name for; other documents have the issuer's title."""


@dataclass(frozen=True, slots=True)
class NewAccountDetails:
    """The details of a new account, as on the Aadhaar card."""

    name: str = field(repr=False)
    birth_date: date = field(repr=False)
    gender: Gender = field(repr=False)


@dataclass(frozen=True, slots=True)
class IssuedDocument:
    """A document in a citizen's account: its URI and its kind (five letters, such as `PANCR`).

    Title, issuer and media types are empty where the issuer did not say.
    """

    uri: str = field(repr=False)
    kind: str
    title: str = ""
    issuer: str = ""
    media_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """The facts of a document that fit into a text; each is empty where the document does not have it."""

    number: str = field(default="", repr=False)
    holder: str = field(default="", repr=False)
    issuer: str = field(default="", repr=False)
    issued_on: date | None = field(default=None, repr=False)
    valid_until: date | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class DocumentFile:
    """The file of a document: its media type, such as `application/pdf`, and its bytes."""

    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Document:
    """One document. A sample is made up and proves nothing."""

    kind: str
    title: str
    facts: DocumentFacts
    file: DocumentFile | None = None
    sample: bool = False


ChallengeOutcome: TypeAlias = Literal["sent", "too_many", "down"]
CheckOutcome: TypeAlias = Literal["right", "wrong", "gone", "too_many", "down"]


@dataclass(frozen=True, slots=True)
class SignInRequest:
    """A request to sign in: Aadhaar number, caller's MSISDN and language."""

    msisdn: str = field(repr=False)
    aadhaar: str = field(repr=False)
    language: str
    new_account: NewAccountDetails | None = None


@dataclass(frozen=True, slots=True)
class SignInChallenge:
    """The outcome of a request, and the sign-in that a code is checked for next."""

    outcome: ChallengeOutcome
    sign_in: int = 0
    last_four: str = ""


ListOutcome: TypeAlias = Literal["some", "none", "down", "ended"]
HandoverOutcome: TypeAlias = Literal["here", "unknown", "down", "ended", "too_many"]


@dataclass(frozen=True, slots=True)
class DocumentList:
    """The documents of a sign-in, in the order of their numbers."""

    outcome: ListOutcome
    documents: Sequence[IssuedDocument] = ()


@dataclass(frozen=True, slots=True)
class HandoverResult:
    """The outcome of asking for one document."""

    outcome: HandoverOutcome
    document: Document | None = None


@dataclass(frozen=True, slots=True)
class Recipient:
    """The recipient of a document: the MSISDN that gets the link, and its language."""

    msisdn: str = field(repr=False)
    language: str


def fallback_title(kind: str, title: str) -> str:
    """Return the issuer's title of a document whose kind has no name of ours; empty otherwise."""
    return "" if kind in NAMED_KINDS else title


def document_facts(document: Document) -> dict[str, object]:
    """Return the facts of a document under the names that texts use."""
    facts = document.facts
    return {
        "document_kind": document.kind,
        "document_title": fallback_title(document.kind, document.title),
        "document_number": facts.number,
        "document_holder": facts.holder,
        "document_issuer": facts.issuer,
        "document_issued": facts.issued_on.isoformat() if facts.issued_on else None,
        "document_valid": facts.valid_until.isoformat() if facts.valid_until else None,
        "sample": "yes" if document.sample else None,
    }
