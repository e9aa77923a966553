"""What a department is asked, whoever it is: to take an application, to say how one stands, to say that it is there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple, Protocol, TypeAlias

from services.given import Texts

FeeState: TypeAlias = Literal["none", "due", "pending", "paid"]


class NotNow(Exception):
    """Nothing came of it; asking again later may help. `reason` is one word or two, `wait` how long it asked to wait."""

    def __init__(self, reason: str, wait: timedelta | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait = wait


class Busy(NotNow):
    """It is there and wants to be asked less often."""


class Unavailable(NotNow):
    """It is down, too slow, or answers what cannot be used."""


class Barred(Unavailable):
    """It does not let us in, or is not where we ask: a person has to mend how it is connected."""


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who applied: the MSISDN that is told of the progress, the language it is told in, where it was applied from."""

    number: str = field(repr=False)
    language: str
    channel: str


@dataclass(frozen=True, slots=True)
class Fee:
    """What is charged, in minor units of a currency, and whether it was paid through us."""

    minor: int
    currency: str
    state: FeeState


class Paper(NamedTuple):
    """A paper that the service takes, by its code, and whether the citizen told that it is on file already."""

    code: str
    on_file: bool


@dataclass(frozen=True, slots=True)
class Application:
    """An application as a department with its own system gets it.

    `beneficiary` is the number of the other person whom it is for, empty where it is for the applicant.
    """

    tracking_number: str
    service: str
    office: str
    form: Mapping[str, str] = field(repr=False)
    applicant: Applicant
    beneficiary: str = field(repr=False)
    documents: tuple[Paper, ...]
    fee: Fee
    promised: date | None
    submitted: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """The department has it, under a reference of its own."""

    reference: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It will never take this one as it is. `said` is what it told of that, which may quote the application."""

    reason: str
    said: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Standing:
    """How an application stands there, and what the citizen is told with it."""

    status: str
    note: Texts


class Department(Protocol):
    """Where applications are worked on. Every call ends within a deadline, or raises NotNow."""

    async def submit(self, application: Application) -> Taken | Refused:
        """Hand it in; the same tracking number again is the same application, answered as before."""

    async def status(self, tracking_number: str) -> Standing | None:
        """How it stands; None where there is no such application."""

    async def health(self) -> None:
        """Return when it is there and lets us in."""
