"""A timeout that holds even where an awaited library loses a cancellation.

`asyncio.timeout` cancels its task once. On Python 3.11, `asyncio.wait_for` loses that cancellation when its result arrives in
the same moment, and SQLAlchemy's pool and redis-py wait that way: the task would go on without any limit.
"""

import asyncio
from types import TracebackType
from typing import Final, Self

CANCEL_INTERVAL: Final = 0.25  # seconds until a task that goes on is cancelled again


class Timeout:
    """`async with Timeout(seconds):` raises TimeoutError where the block takes longer, as `asyncio.timeout` does."""

    __slots__ = ("_cancellations", "_earlier_cancellations", "_seconds", "_task", "_timer")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._cancellations = 0

    async def __aenter__(self) -> Self:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("A timeout is used inside a task.")
        self._task = task
        self._earlier_cancellations = task.cancelling()
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._cancel)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._timer.cancel()
        for _again in range(self._cancellations):
            self._task.uncancel()
        is_ours = self._cancellations and self._task.cancelling() <= self._earlier_cancellations
        if is_ours and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def _cancel(self) -> None:
        self._cancellations += 1
        self._task.cancel()
        self._timer = asyncio.get_running_loop().call_later(CANCEL_INTERVAL, self._cancel)
