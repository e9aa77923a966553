"""Who may have a connection for a transaction: callers before others, and others never more than their share.

A person who is on the line waits a few seconds; an SMS, a webhook or a worker can wait longer. So a storm of these leaves
connections for callers. The queue of callers is short: whoever would wait too long is refused before any work is done.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Final

from core.deadline import Deadline, OverloadedError

MAX_WAITING_CALLERS: Final = 100
"""Callers that wait for a connection. At 10 ms for a transaction on a single connection the last one waits a second."""
CALLERS_IN_A_ROW: Final = 4
"""Callers that get a connection while others wait, before one of the others does: background work is slow, never stopped."""
MAX_WAIT: Final = 5.0
"""Seconds for which a connection is waited for, at most; half of what a provider waits for."""


class ConnectionSlots:
    """`size` connections: callers use any of them, everybody else at most half."""

    def __init__(
        self, size: int, *, max_waiting_callers: int = MAX_WAITING_CALLERS, max_wait: float = MAX_WAIT
    ) -> None:
        self._free = size
        self._free_for_others = max(1, size // 2)
        self._max_waiting_callers = max_waiting_callers
        self._max_wait = max_wait
        self._callers: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()
        self._callers_in_a_row = 0

    @property
    def waiting_callers(self) -> int:
        """The number of callers that wait."""
        return len(self._callers)

    @property
    def waiting_others(self) -> int:
        """The number of others that wait."""
        return len(self._others)

    @asynccontextmanager
    async def hold(self, deadline: Deadline | None) -> AsyncIterator[None]:
        """Hold a slot for the block.

        Raises:
            OverloadedError: too many callers wait, or no slot became free in time.
        """
        is_caller = deadline is not None and deadline.is_caller
        await self._acquire(deadline, is_caller=is_caller)
        try:
            yield
        finally:
            self._release(is_caller=is_caller)

    async def _acquire(self, deadline: Deadline | None, *, is_caller: bool) -> None:
        queue = self._callers if is_caller else self._others
        if not queue and self._may_take(is_caller=is_caller):
            self._take(is_caller=is_caller)
            return
        if is_caller and len(queue) >= self._max_waiting_callers:
            raise OverloadedError("too many callers wait for a connection to the database")
        wait = self._max_wait if deadline is None else min(self._max_wait, deadline.begin_by - monotonic())
        slot: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(slot)
        try:
            async with asyncio.timeout(wait):
                await slot
        except BaseException as error:
            if slot.done() and not slot.cancelled():  # given in the moment in which this task was cancelled
                self._release(is_caller=is_caller)
            elif slot in queue:
                queue.remove(slot)
            if isinstance(error, TimeoutError):
                raise OverloadedError("no connection to the database became free in time") from None
            raise

    def _may_take(self, *, is_caller: bool) -> bool:
        return self._free > 0 and (is_caller or self._free_for_others > 0)

    def _take(self, *, is_caller: bool) -> None:
        self._free -= 1
        if not is_caller:
            self._free_for_others -= 1

    def _release(self, *, is_caller: bool) -> None:
        self._free += 1
        if not is_caller:
            self._free_for_others += 1
        self._grant()

    def _grant(self) -> None:
        """Give free slots to those who wait."""
        while self._free:
            others_may = bool(self._others) and self._free_for_others > 0
            is_caller = bool(self._callers) and not (others_may and self._callers_in_a_row >= CALLERS_IN_A_ROW)
            if not is_caller and not others_may:
                return
            self._callers_in_a_row = self._callers_in_a_row + 1 if is_caller else 0
            queue = self._callers if is_caller else self._others
            slot = queue.popleft()
            if not slot.done():  # not cancelled a moment ago
                self._take(is_caller=is_caller)
                slot.set_result(None)
