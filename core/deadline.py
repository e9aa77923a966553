"""The deadline of what runs for somebody who waits: a caller, or a provider whose webhook is not acknowledged yet.

A deadline counts from the arrival of the request, so the time in queues is part of it. Every wait on behalf of the request
looks here. Work that nobody waits for, such as a background worker, has no deadline.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from time import monotonic
from typing import Final

BEGIN_SHARE: Final = 0.8
"""Share of the time in which a transaction may begin. Of 8 s, 0.6 s are left for its statements, which take milliseconds."""
COMMIT_SHARE: Final = 0.875
"""Share of the time in which a commit may begin. Of 8 s, one is left for its answer, for the session store and the reply."""
ANSWER_SHARE: Final = 0.95
"""Share of the time after which nothing is waited for any more: the rest is for the reply and a late event loop."""


class NotRecordedError(Exception):
    """What was asked for is certainly not recorded."""


class OverloadedError(NotRecordedError, TimeoutError):
    """Too many wait for the same thing, or too little time is left. A later attempt may succeed."""


class OutcomeUnknownError(Exception):
    """A commit began, and its answer did not come in time: the effect may be recorded or not."""


class Deadline:
    """A deadline, and whether something may be recorded that the caller has not been told of.

    `started` is the arrival in seconds of `time.monotonic`; `seconds` are those in which an answer is expected.
    `is_caller` tells a person on the line from a webhook that its provider repeats.
    """

    __slots__ = ("commits", "is_caller", "seconds", "started")

    commits: int
    """Commits that have begun, without those that certainly failed."""

    def __init__(self, started: float, seconds: float, *, is_caller: bool = True) -> None:
        self.started = started
        self.seconds = seconds
        self.is_caller = is_caller
        self.commits = 0

    @property
    def answer_by(self) -> float:
        """The moment after which nothing is waited for."""
        return self.started + self.seconds * ANSWER_SHARE

    @property
    def begin_by(self) -> float:
        """The moment after which no transaction begins."""
        return self.started + self.seconds * BEGIN_SHARE

    @property
    def commit_by(self) -> float:
        """The moment after which no commit begins."""
        return self.started + self.seconds * COMMIT_SHARE

    @property
    def may_have_recorded(self) -> bool:
        """True from the beginning of a commit on, unless the database said that it failed."""
        return self.commits > 0

    def check_begin(self) -> None:
        """Return while a transaction may begin.

        Raises:
            OverloadedError: too little time is left.
        """
        if monotonic() > self.begin_by:
            raise OverloadedError("too little time is left to begin a transaction")

    def check_commit(self) -> None:
        """Return while a commit may begin.

        Raises:
            OverloadedError: too little time is left.
        """
        if monotonic() > self.commit_by:
            raise OverloadedError("too little time is left to commit")


CURRENT_DEADLINE: Final[ContextVar[Deadline | None]] = ContextVar("deadline", default=None)
"""The deadline of the running request; the fast path of USSD sets and resets it directly."""

current_deadline: Final[Callable[[], Deadline | None]] = CURRENT_DEADLINE.get
"""The deadline of the running request; None for background work."""


@contextmanager
def running_until(deadline: Deadline | None) -> Iterator[None]:
    """Give the block, and the tasks that it starts, this deadline."""
    token = CURRENT_DEADLINE.set(deadline)
    try:
        yield
    finally:
        CURRENT_DEADLINE.reset(token)


def check_time_left() -> None:
    """Return while the running request may commit; raise OverloadedError afterwards."""
    deadline = CURRENT_DEADLINE.get()
    if deadline is not None:
        deadline.check_commit()


def limit_wait(seconds: float) -> float:
    """`seconds`, or what is left until the answer is due; 0 where it is due already."""
    deadline = CURRENT_DEADLINE.get()
    if deadline is None:
        return seconds
    return max(0.0, min(seconds, deadline.answer_by - monotonic()))


def context_without_deadline() -> Context:
    """A copy of the current context for a task that goes on after the request has been answered."""
    context = copy_context()
    context.run(CURRENT_DEADLINE.set, None)
    return context
