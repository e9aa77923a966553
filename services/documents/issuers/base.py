"""The interface to an issuer of documents: prove who a citizen is, list the documents, fetch one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from services.documents.models import (
    Document,
    IssuedDocument,
    NewAccountDetails,
)

IssuerState: TypeAlias = Mapping[str, str]
"""Data that the issuer needs back and only the issuer understands; stored encrypted, for a short time."""


class IssuerUnavailableError(Exception):
    """The issuer is down, too slow, or gives an answer that cannot be used; a later call may succeed."""


class NoSuchDocumentError(Exception):
    """The issuer no longer has this document."""


class AccessExpiredError(Exception):
    """The session at the issuer has expired; the citizen must sign in again."""


@dataclass(frozen=True, slots=True)
class Citizen:
    """A citizen who signs in: Aadhaar number, its keyed hash, and the caller's MSISDN.

    With `new_account` they have no account at the issuer and consent to a new one.
    """

    aadhaar: str = field(repr=False)
    holder: str
    msisdn: str = field(repr=False)
    new_account: NewAccountDetails | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """How the citizen proves who they are: with a one-time code that is on its way.

    `code_recipient` is the MSISDN that *we* send a code to, and whose code we check. It is empty if the issuer sends its own
    code to a phone that it knows; then the issuer checks it. A challenge does not say whether an account exists: without
    one, no code is right.
    """

    state: IssuerState = field(repr=False)
    code_recipient: str = field(default="", repr=False)


class IssuerAccess(Protocol):
    """What an issuer granted to a signed-in citizen."""

    @property
    def granted(self) -> IssuerState:
        """The grant, as given or last renewed."""

    async def save_renewed(self, granted: IssuerState) -> None:
        """Store the renewed grant; the one before may no longer be valid."""


class Issuer(Protocol):
    """An issuer of documents. Every call ends within the issuer's deadline, or raises IssuerUnavailableError."""

    async def challenge(self, citizen: Citizen) -> Challenge:
        """Have a code sent, or name its recipient; the answer is the same for numbers with and without an account."""

    async def grant_access(self, state: IssuerState, code: str) -> IssuerState | None:
        """Return the grant for a code that the issuer sent; `code` is empty for a code that we sent and checked.

        None: the code is wrong, or it opens another account than that of the Aadhaar number.
        """

    async def list_documents(self, access: IssuerAccess) -> Sequence[IssuedDocument]:
        """Return the documents of an account. Raises AccessExpiredError."""

    async def fetch_document(self, access: IssuerAccess, document: IssuedDocument) -> Document:
        """Return one document. Raises AccessExpiredError, NoSuchDocumentError."""
