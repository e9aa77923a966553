"""The interface to a department: submit an application, fetch its status, check that the department answers."""

from datetime import timedelta
from typing import Protocol

from services.departments.models import Accepted, ApplicationStatus, OutgoingAnswer, OutgoingApplication, Rejected


class TemporaryError(Exception):
    """A call failed; a later one may succeed. `reason` is one or two words, `retry_after` the wait it asked for."""

    def __init__(self, reason: str, retry_after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class BusyError(TemporaryError):
    """The department answers and asks for fewer requests."""


class UnavailableError(TemporaryError):
    """The department's system is down, too slow, or gives an answer that cannot be used."""


class AccessDeniedError(UnavailableError):
    """The department's system denies access, or has another address: a person has to fix the connection."""


class Department(Protocol):
    """A department that works on applications. Every call ends within a deadline, or raises TemporaryError."""

    async def submit(self, application: OutgoingApplication) -> Accepted | Rejected:
        """Submit an application. The same tracking number again is the same application, with the same answer."""

    async def send_answer(self, answer: OutgoingAnswer) -> Accepted | Rejected:
        """Send an answer of an applicant. The same id again is the same answer."""

    async def fetch_status(self, tracking_number: str) -> ApplicationStatus | None:
        """Return the status of an application; None where the department does not know the number."""

    async def check_health(self) -> None:
        """Return where the department answers and accepts our credentials."""
