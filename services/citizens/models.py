"""Values of citizens' accounts, profiles, e-mail addresses and one-time codes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, NamedTuple, TypeAlias

SignInOutcome: TypeAlias = Literal["in", "wrong", "locked", "unknown", "frozen"]
SessionEnd: TypeAlias = Literal["", "closed", "frozen", "changed", "locked"]
"""Why a sign-in is over; empty while it is valid."""


class NumberTakenError(Exception):
    """The MSISDN has an account already."""

    def __init__(self) -> None:
        super().__init__("This number has an account already; sign in to it, or recover its PIN.")


@dataclass(frozen=True, slots=True)
class LanguageChoice:
    """The language that a caller chose, the session of the choice, and a day of the last month in which they called.

    `resumed_in` is the last session that began with an offer to resume.
    """

    language: str
    session_id: str
    seen_on: date | None = None
    resumed_in: str = ""


@dataclass(frozen=True, slots=True)
class AccountHolder:
    """The holder of an account."""

    account: int
    msisdn: str = field(repr=False)
    name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to register. The hashes come from `Accounts.hash_secret`.

    With an empty `pin_hash` the gateway generates the PIN and sends it by SMS. `questions` are pairs of a security
    question's code and the hash of its answer. `registered_by` has the facts `who` and `operator` of an operator who
    registers a citizen; the SMS with the PIN says them.
    """

    msisdn: str = field(repr=False)
    name: str = field(repr=False)
    language: str
    pin_hash: str = field(repr=False)
    questions: tuple[tuple[str, str], ...] = field(repr=False)
    registered_by: Mapping[str, object] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class SignInResult:
    """The result of a sign-in: the account, or the tries left after a wrong secret, or the end of the lock-out.

    `epoch` is what the session holds and passes to `find_session_end`. `frozen`: staff froze the account, and no secret opens it.
    """

    outcome: SignInOutcome
    account: int = 0
    tries_left: int = 0
    locked_until: datetime | None = None
    epoch: int = 0


class AccountClosedError(LookupError):
    """Another session closed the account during this one."""


class ProfileChange(NamedTuple):
    """The account, channel and idempotency key of a change."""

    account: int
    channel: str
    idempotency_key: str


class ProfileEntry(NamedTuple):
    """An answer of a profile, with an identity number masked, and the time since which it is known."""

    key: str
    value: str
    known_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class DocumentOnFile:
    """A document on file: the citizen marked it (`told`), or the department of an application has seen it."""

    code: str
    since: datetime
    source: Literal["told", "application"]
    application: str = ""


LinkOutcome: TypeAlias = Literal["sent", "too_many", "verified"]


@dataclass(frozen=True, slots=True)
class Email:
    """The e-mail address of an account, and the language of messages to it. `verified`: its link was opened."""

    address: str = field(repr=False)
    language: str
    verified: bool


SendOutcome: TypeAlias = Literal["sent", "too_many"]
CheckOutcome: TypeAlias = Literal["right", "wrong", "gone"]


RecoveryOutcome: TypeAlias = Literal["changed", "pending", "frozen"]


class RecoveryResult(NamedTuple):
    """`changed`: the PIN works, and the session holds `epoch`. `pending`: it works after `hours`. `frozen`: never."""

    outcome: RecoveryOutcome
    epoch: int = 0
    hours: int = 0
