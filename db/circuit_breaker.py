"""Fail at once while the database is known to be down, so that callers do not wait for it one after the other.

A call that the database does not answer opens the circuit. Then calls fail at once, and every RETRY_PAUSE seconds one call
tries: its success closes the circuit. A call that fails while another succeeds says nothing about the database.
"""

import asyncio
import sqlite3
from collections.abc import Iterator
from time import monotonic
from types import TracebackType
from typing import Final, Self

import sqlalchemy.exc
import structlog

from core.deadline import NotRecordedError, OutcomeUnknownError

log = structlog.get_logger()

RETRY_PAUSE: Final = 0.5
"""Seconds after a failure in which nothing is asked."""
SLOW: Final = 2.0
"""Seconds without an answer after which a call that its caller gave up counts as a failure."""
UNREACHABLE_STATES: Final = ("57P03", "53300")
"""The SQLSTATE of a server that takes no connection: it starts or stops, or has no connection left."""
BROKEN_STATES: Final = ("08", "57P")
"""Beginnings of the SQLSTATE of a connection that broke. Another connection may work."""
REFUSED_STATES: Final = ("25006", "53", "58")
"""Beginnings of the SQLSTATE of a server that takes no writes: it is read-only, or its disk is full."""
REFUSED_SQLITE_CODES: Final = frozenset(
    {
        *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY),
        *(sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN),
    }
)
PRIMARY_CODE_MASK: Final = 0xFF
"""Masks SQLite's primary error code out of an extended one."""


class DatabaseUnavailableError(NotRecordedError):
    """The database did not answer, or takes no writes. Nothing was written. The message is the type of the error."""


class CircuitBreaker:
    """What this process knows of the database. Every call runs in `with breaker.attempt():`."""

    def __init__(self) -> None:
        self._is_open = False
        self._is_probing = False
        self._retry_at = 0.0
        self._answered_at = 0.0

    def attempt(self) -> "Attempt":
        """A block in which the database is called.

        Raises:
            DatabaseUnavailableError: the database is known to be down, or did not do what the block asked of it.
        """
        return Attempt(self)

    def start(self) -> bool:
        """Begin a call; return whether it is the one that tries while the circuit is open.

        Raises:
            DatabaseUnavailableError: the database is known to be down.
        """
        if not self._is_open:
            return False
        if self._is_probing or monotonic() < self._retry_at:
            raise DatabaseUnavailableError("the database failed a moment ago and is not asked again yet")
        self._is_probing = True
        return True

    def finish(self, *, is_probe: bool) -> None:
        """End a call; the next one may try."""
        if is_probe:
            self._is_probing = False

    def record_answer(self) -> None:
        """The database answered: close the circuit."""
        self._answered_at = monotonic()
        if self._is_open:
            self._is_open = False
            log.warning("database_up")

    def record_failure(self, started: float, reason: str) -> None:
        """The database did not answer a call of this start: open the circuit, unless it has answered another since."""
        if self._answered_at > started:
            return
        self._retry_at = monotonic() + RETRY_PAUSE
        if not self._is_open:
            self._is_open = True
            log.warning("database_down", reason=reason)


class Attempt:
    """One call.

    `is_in_doubt`: the database may do what it was asked even if no answer comes, and errors stay as they are.
    `is_error_of_work`: the error that is raised is not one of the database.
    """

    __slots__ = ("_breaker", "_is_probe", "_started", "is_error_of_work", "is_in_doubt")

    def __init__(self, breaker: CircuitBreaker) -> None:
        self._breaker = breaker
        self._is_probe = False
        self._started = 0.0
        self.is_in_doubt = False
        self.is_error_of_work = False

    def __enter__(self) -> Self:
        self._is_probe = self._breaker.start()
        self._started = monotonic()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._breaker.finish(is_probe=self._is_probe)
        if error is None:
            self._breaker.record_answer()
        elif isinstance(error, asyncio.CancelledError | OutcomeUnknownError):
            if monotonic() - self._started > SLOW:
                self._breaker.record_failure(self._started, "no answer in time")
        elif isinstance(error, Exception) and not (self.is_error_of_work or isinstance(error, NotRecordedError)):
            self._record_error(error)

    def _record_error(self, error: Exception) -> None:
        is_unreachable = _is_unreachable(error)
        if is_unreachable:
            self._breaker.record_failure(self._started, type(error).__name__)
        has_no_answer = is_unreachable or _is_connection_broken(error)
        if (has_no_answer and not self.is_in_doubt) or _is_refused(error):
            raise DatabaseUnavailableError(type(error).__name__) from error


def _is_unreachable(error: Exception) -> bool:
    """Whether the server, and not the statement, is what failed."""
    return isinstance(error, OSError | sqlalchemy.exc.TimeoutError) or _has_state(error, UNREACHABLE_STATES)


def _is_connection_broken(error: Exception) -> bool:
    is_invalid = isinstance(error, sqlalchemy.exc.DBAPIError) and error.connection_invalidated
    return is_invalid or _has_state(error, BROKEN_STATES)


def _is_refused(error: Exception) -> bool:
    """Whether the server answers and writes nothing."""
    codes = {(getattr(one, "sqlite_errorcode", None) or 0) & PRIMARY_CODE_MASK for one in _chain(error)}
    return bool(codes & REFUSED_SQLITE_CODES) or _has_state(error, REFUSED_STATES)


def _has_state(error: BaseException, beginnings: tuple[str, ...]) -> bool:
    return any(str(getattr(one, "sqlstate", None) or "").startswith(beginnings) for one in _chain(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or getattr(error, "orig", None)
