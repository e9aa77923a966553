"""One deadline for everything of a kind that is under way, kept by one timer for all of it."""

import asyncio
from types import TracebackType
from typing import Any


class Deadline:
    """`with deadline:` raises TimeoutError for what takes longer, as `async with asyncio.timeout(seconds):` would.

    That one sets a timer and takes it back each time, which is a twentieth of a hop; here only who is late costs
    anything. For tasks of one event loop, each in it once at a time.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until: dict[asyncio.Task[Any] | None, float] = {}
        self._late: set[asyncio.Task[Any] | None] = set()
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        self._until[asyncio.current_task(loop)] = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._look, loop)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        task = asyncio.current_task()
        del self._until[task]
        if task in self._late:
            self._late.remove(task)
            if task and not task.uncancel() and kind is asyncio.CancelledError:  # by nobody but us
                raise TimeoutError from error

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Cancel who is late; look again when the next one will be."""
        self._timer = None
        for task, until in self._until.items():  # in the order in which they began, and so will be late
            if until > loop.time():
                self._timer = loop.call_at(until, self._look, loop)
                return
            if task and task not in self._late:
                self._late.add(task)
                task.cancel()
