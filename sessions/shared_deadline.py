"""Fast path: one timer for the deadlines of all requests in work.

`asyncio.timeout` creates and cancels a timer for every request, which is 5 % of the time of a USSD request. Here one timer
checks all requests, and only a request that is late costs anything. `tests/unit/sessions/test_shared_deadline.py` compares
the behaviour with that of `asyncio.timeout`.
"""

import asyncio
from time import monotonic
from types import TracebackType
from typing import Any, Final

from core.deadline import current_deadline

CHECKS_PER_DEADLINE: Final = 32  # a task is cancelled at most this part of the deadline before it, and never after it


class SharedDeadline:
    """`with deadline:` raises TimeoutError in time, as `async with asyncio.timeout_at(…):` does.

    The time is over when the answer to the running request is due (`core.deadline`); without a request, `seconds` after
    entering. Use it in the tasks of one event loop, and do not nest it in a task.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._check_interval = seconds / CHECKS_PER_DEADLINE
        self._due: dict[asyncio.Task[Any] | None, float] = {}
        self._timed_out: set[asyncio.Task[Any] | None] = set()
        self._is_timer_running = False

    def __enter__(self) -> None:
        deadline = current_deadline()
        self._due[asyncio.current_task()] = monotonic() + self._seconds if deadline is None else deadline.answer_by
        if not self._is_timer_running:
            self._is_timer_running = True
            self._schedule_check()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        task = asyncio.current_task()
        del self._due[task]
        if self._timed_out and task in self._timed_out:
            self._timed_out.remove(task)
            if task and not task.uncancel() and kind is asyncio.CancelledError:  # nobody else cancelled the task
                raise TimeoutError from error

    def _schedule_check(self) -> None:
        asyncio.get_running_loop().call_later(self._check_interval, self._cancel_overdue)

    def _cancel_overdue(self) -> None:
        """Cancel the tasks that would be late at the next check, and schedule that while any task is inside."""
        until = monotonic() + self._check_interval
        for task, due in self._due.items():
            if due <= until and task and task not in self._timed_out:
                self._timed_out.add(task)
                task.cancel()
        self._is_timer_running = bool(self._due)
        if self._is_timer_running:
            self._schedule_check()
