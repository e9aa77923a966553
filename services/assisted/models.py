"""Values of assisted mode: operators and the consents under which they act."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple, TypeAlias, get_args

Purpose: TypeAlias = Literal["apply", "follow", "pay", "complain", "profile"]
PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)
RequestOutcome: TypeAlias = Literal["sent", "too_many", "spent"]


class ConsentingCitizen(NamedTuple):
    """The citizen of a consent, and the operator as an SMS to the citizen names them: the facts `who` and `operator`."""

    msisdn: str
    language: str
    operator_facts: Mapping[str, object]


CheckOutcome: TypeAlias = Literal["right", "wrong", "gone", "spent"]
EndReason: TypeAlias = Literal["operator", "citizen", "lapsed", "suspended", "limit", "another"]


@dataclass(frozen=True, slots=True)
class ConsentRequest:
    """A request of an operator for a citizen's consent to some purposes; with `visit`, the consent that they add to."""

    operator: int
    msisdn: str = field(repr=False)
    purposes: frozenset[Purpose]
    channel: str
    visit: int = 0


@dataclass(frozen=True, slots=True)
class RequestResult:
    """The outcome of a request. `too_many`: the citizen's limit is reached; `spent`: the operator's limit is reached."""

    outcome: RequestOutcome
    consent: int


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The outcome of a code. Where it is `right`: the citizen's account, 0 without one, and their language."""

    outcome: CheckOutcome
    account: int = 0
    language: str = ""


EnrolmentStatus: TypeAlias = Literal["known", "suspended", "unknown"]
OperatorSignInOutcome: TypeAlias = Literal["in", "first", "wrong", "locked", "unknown", "unvouched"]
OperatorSessionEnd: TypeAlias = Literal["", "suspended", "changed", "locked", "closed"]
"""Why an operator's sign-in is over; empty while it is valid. `closed`: there is no such operator."""


@dataclass(frozen=True, slots=True)
class NewOperator:
    """An operator to enrol. A limit of None is the limit of the settings."""

    msisdn: str = field(repr=False)
    name: str = field(repr=False)
    centre: str
    language: str
    consents_a_day: int | None = None
    applications_a_day: int | None = None


@dataclass(frozen=True, slots=True)
class Operator:
    """An enrolled operator."""

    id: int
    msisdn: str = field(repr=False)
    name: str = field(repr=False)
    centre: str
    pin_chosen: bool
    created_at: datetime
    suspended_at: datetime | None
    consents_a_day: int | None = None
    applications_a_day: int | None = None


@dataclass(frozen=True, slots=True)
class OperatorPage:
    """A page of operators, newest first; `before` is the id after which the next page begins, or None at the end."""

    operators: Sequence[Operator]
    before: int | None


@dataclass(frozen=True, slots=True)
class OperatorSignInResult:
    """The result of a sign-in. `first`: the PIN is right, and the operator has to choose their own now.

    `unvouched`: the channel does not vouch for the number, and operators act over channels that do. `epoch` is what the session
    holds and passes to `find_session_end`.
    """

    outcome: OperatorSignInOutcome
    operator: int = 0
    tries_left: int = 0
    locked_until: datetime | None = None
    epoch: int = 0


def join_purposes(purposes: Collection[str]) -> str:
    """The purposes as one text, in the order of PURPOSES and separated by spaces: as a session has them."""
    return " ".join(purpose for purpose in PURPOSES if purpose in purposes)


def list_purposes(consent: Any) -> Sequence[str]:
    """The purposes of a consent, in the order of PURPOSES; `consent` is a row of the table."""
    return [consent.purpose, *consent.further_purposes.split()]
