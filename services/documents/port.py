"""What an issuer of documents is asked, whoever it is: to prove a citizen, to say what they have, to hand one over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal, Protocol, TypeAlias

Gender: TypeAlias = Literal["F", "M", "T"]
State: TypeAlias = Mapping[str, str]
"""What an issuer has to be told again; only it knows what it means. It is kept sealed, and not for long."""


NAMED: Final = frozenset({"PANCR", "DRVLC", "SPCER", "SSCER", "HSCER", "RVCER", "TWPOL", "LFPOL", "NLPOL"})
"""The types that our texts have a name for; a document of any other is called what its issuer calls it."""


class Unavailable(Exception):
    """The issuer is down, too slow, or answers what cannot be used: asking again later may help."""


class NoSuchDocument(Exception):
    """The issuer does not know this document any more."""


class AccessEnded(Exception):
    """What the citizen proved does not count any longer; they must prove themselves anew."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What an account is made from, as it stands on the Aadhaar card."""

    name: str = field(repr=False)
    born: date = field(repr=False)
    gender: Gender = field(repr=False)


@dataclass(frozen=True, slots=True)
class Citizen:
    """Who asks: the Aadhaar number, the keyed hash that it is known here by, and the MSISDN it is asked from.

    With `newcomer` they have no account at the issuer and agree to one being made.
    """

    aadhaar: str = field(repr=False)
    holder: str
    number: str = field(repr=False)
    newcomer: Newcomer | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """How they are to prove it: with the one-time code that is on its way.

    `code_to` is the MSISDN that *we* are to send one to, and check it. It is empty where the issuer sends its own, to
    a phone that it knows and does not tell; then the issuer is asked whether the code is right. A challenge says
    nothing of whether there is such an account: where there is none, no code will be right.
    """

    state: State = field(repr=False)
    code_to: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Held:
    """A document in a citizen's account: where it is, and its type (five letters, such as `PANCR`).

    Its name, who issued it, and the media types that it comes in are empty where that was not told.
    """

    uri: str = field(repr=False)
    kind: str
    title: str = ""
    issuer: str = ""
    media: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What a document says that fits into a text; empty where it does not say so."""

    number: str = field(default="", repr=False)
    holder: str = field(default="", repr=False)
    issuer: str = field(default="", repr=False)
    issued: date | None = field(default=None, repr=False)
    valid: date | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class File:
    """The document as the issuer hands it out: its media type, such as `application/pdf`, and its octets."""

    media: str
    octets: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Document:
    """One document. A sample is made up and proves nothing."""

    kind: str
    title: str
    facts: Facts
    file: File | None = None
    sample: bool = False


class Access(Protocol):
    """What an issuer granted to somebody who proved themselves."""

    @property
    def granted(self) -> State:
        """As it was granted or last renewed."""

    async def renewed(self, granted: State) -> None:
        """Keep this in its place: the one before may not be good any more."""


class Issuer(Protocol):
    """Where documents come from. Every call ends within the issuer's own deadline, or raises Unavailable."""

    async def challenge(self, citizen: Citizen) -> Challenge:
        """Have a code sent, or say whom to send one; the same answer for numbers with and without an account."""

    async def open(self, state: State, code: str) -> State | None:
        """What is granted for the code that the issuer sent; for one that we sent and found right, `code` is empty.

        None: that was not the code, or not the account of this Aadhaar number.
        """

    async def listed(self, access: Access) -> Sequence[Held]:
        """What there is. Raises AccessEnded."""

    async def fetch(self, access: Access, held: Held) -> Document:
        """One of them. Raises AccessEnded, NoSuchDocument."""
