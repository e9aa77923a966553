"""Lock-out: how many failed attempts an account bears, and how long it is locked afterwards.

Attempts are counted for each class of channel. Where nobody vouches for the caller's number, anyone can make attempts in
anyone's name: they lock that class alone, and the account's owner goes on by phone call. A lock-out of the vouched class,
where the attempts came from the phone itself, locks both: whoever holds a stolen phone gets no further attempts by SMS.
Whoever begins by SMS has both in turn: at most twice MAX_ATTEMPTS in a period. Success in one class forgives nothing in the
other; a new PIN forgives both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

MAX_ATTEMPTS: Final = 5
LOCKOUT_PERIODS: Final = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=24))
"""After the first MAX_ATTEMPTS failures in a row, after the next, and after every further MAX_ATTEMPTS."""
UNVOUCHED_LOCKOUT_PERIODS: Final = (*LOCKOUT_PERIODS, timedelta(days=7))
"""On a channel that does not vouch for the number: 260 attempts a year, where a PIN has 10,000 values or more."""


@dataclass(frozen=True, slots=True)
class FailedAttempts:
    """The failed attempts since the last successful one, and the end of the lock-out."""

    failures: int = 0
    locked_until: datetime | None = None

    @property
    def attempts_left(self) -> int:
        """The number of attempts before the next lock-out."""
        return MAX_ATTEMPTS - self.failures % MAX_ATTEMPTS

    def is_locked(self, now: datetime) -> bool:
        """Whether no attempt is accepted at this time."""
        return self.locked_until is not None and now < self.locked_until

    def add_failure(self, now: datetime, periods: Sequence[timedelta] = LOCKOUT_PERIODS) -> "FailedAttempts":
        """The attempts with one more failure; every MAX_ATTEMPTS-th locks."""
        failures = self.failures + 1
        lockouts, remainder = divmod(failures, MAX_ATTEMPTS)
        if remainder:
            return FailedAttempts(failures, self.locked_until)
        return FailedAttempts(failures, now + periods[min(lockouts, len(periods)) - 1])


class Judgement(NamedTuple):
    """The outcome of an attempt, and the failed attempts after it."""

    outcome: Literal["right", "wrong", "locked"]
    attempts: FailedAttempts

    @property
    def tries_left(self) -> int:
        """The attempts left after a wrong one; otherwise 0."""
        return self.attempts.attempts_left if self.outcome == "wrong" else 0

    @property
    def locked_until(self) -> datetime | None:
        """The end of the lock-out, where the outcome is `locked`."""
        return self.attempts.locked_until if self.outcome == "locked" else None


def judge_attempt(
    attempts: FailedAttempts, *, is_right: bool, now: datetime, periods: Sequence[timedelta] = LOCKOUT_PERIODS
) -> Judgement:
    """Judge an attempt: during a lock-out even the right secret is refused and nothing is counted."""
    if attempts.is_locked(now):
        return Judgement("locked", attempts)
    if is_right:
        return Judgement("right", FailedAttempts())
    after = attempts.add_failure(now, periods)
    return Judgement("locked" if after.is_locked(now) else "wrong", after)
