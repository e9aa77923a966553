"""One deadline for everything of a kind that is under way, kept by one timer for all of it."""

import asyncio
from types import TracebackType
from typing import Any, Final

LOOKS: Final = 8  # in the time that there is: who is late is found out by an eighth of it later


class Deadline:
    """`with deadline:` raises TimeoutError for what takes longer, as `async with asyncio.timeout(seconds):` would.

    That one sets a timer and takes it back each time, which is a twentieth of a hop; here only who is late costs
    anything: who enters gets the number of the next look, and is late when LOOKS more have been taken. For tasks of
    one event loop, each in it once at a time.
    """

    def __init__(self, seconds: float) -> None:
        self._between = seconds / LOOKS
        self._look = 0
        self._entered: dict[asyncio.Task[Any] | None, int] = {}
        self._late: set[asyncio.Task[Any] | None] = set()
        self._looking = False

    def __enter__(self) -> None:
        self._entered[asyncio.current_task()] = self._look
        if not self._looking:
            self._looking = True
            self._look_later()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        task = asyncio.current_task()
        del self._entered[task]
        if self._late and task in self._late:
            self._late.remove(task)
            if task and not task.uncancel() and kind is asyncio.CancelledError:  # by nobody but us
                raise TimeoutError from error

    def _look_later(self) -> None:
        asyncio.get_running_loop().call_later(self._between, self._take_a_look)

    def _take_a_look(self) -> None:
        """Cancel who is late; look again while anybody is under way."""
        self._look += 1
        for task, entered in self._entered.items():  # in the order in which they began, and so will be late
            if self._look - entered <= LOOKS:
                break
            if task and task not in self._late:
                self._late.add(task)
                task.cancel()
        self._looking = bool(self._entered)
        if self._looking:
            self._look_later()
