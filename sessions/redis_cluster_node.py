"""Fast path: the commands for one node of a Redis Cluster, sent as one batch for each event-loop iteration.

Commands of several keys cannot be merged as for a single server: a cluster takes no command whose keys lie in several slots.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context
from functools import lru_cache
from itertools import count
from typing import Any, Final, TypeAlias

from redis.crc import key_slot
from redis.exceptions import ResponseError

from sessions.redis_batching import Command, mark_exception_retrieved
from sessions.redis_connection import RedisConnection
from sessions.store import StoreUnavailableError

ASKING: Final[Command] = ("ASKING",)
MAX_ATTEMPTS: Final = 16  # of one command, by redirections and while its slot moves: 0.8 s of the pauses after TRYAGAIN

Address: TypeAlias = tuple[str, int]
"""Host and port of a node."""


class ClusterRequest:
    """One command and the future of its reply. `is_single` takes the one reply out of that to a command for many keys."""

    __slots__ = ("asks", "attempts_left", "command", "future", "is_single", "slot")

    def __init__(self, slot: int, command: Command, *, is_single: bool = False) -> None:
        self.slot = slot
        self.command = command
        self.is_single = is_single
        self.asks = False  # send ASKING first: the node is about to get the slot
        self.attempts_left = MAX_ATTEMPTS
        self.future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def resolve(self, reply: Any) -> None:
        """Give the waiter the reply, unless it was cancelled."""
        if not self.future.done():
            self.future.set_result(reply[0] if self.is_single and isinstance(reply, list) else reply)

    def reject(self, error: Exception) -> None:
        """Raise the error in the waiter."""
        if not self.future.done():
            self.future.set_exception(error)
            mark_exception_retrieved(self.future)


RefusalHandler: TypeAlias = Callable[[ClusterRequest, ResponseError, Address], None]
"""Called with a command that the node at this address refuses, and why."""


class ClusterNode:
    """Sends the requests for one node. While the node is down they fail at once; other nodes are not concerned.

    `on_failure` is called when the node fails, and not again while it is down. `connect` opens nothing yet; it gets a function that builds the command which shows that the node works again.
    """

    def __init__(
        self,
        address: Address,
        connect: Callable[[Callable[[], Command]], RedisConnection],
        *,
        on_refusal: RefusalHandler,
        on_failure: Callable[[], None],
    ) -> None:
        self.address = address
        self.first_slot: int | None = None  # that the node is known to serve
        self._connection = connect(self._build_probe)
        self._on_refusal = on_refusal
        self._on_failure = on_failure
        self._waiting: list[ClusterRequest] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def is_down(self) -> bool:
        """Whether the node failed, and no attempt to reach it has succeeded since."""
        return self._connection.is_down

    def send(self, request: ClusterRequest) -> None:
        """Send the request with the next batch."""
        self._waiting.append(request)
        if self._task is None:  # its first step runs after all requests of this event-loop iteration
            self._task = asyncio.get_running_loop().create_task(self._run_until_empty(), context=Context())

    async def close(self) -> None:
        """Close the connection. Requests that are out fail."""
        await self._connection.close()

    async def close_when_idle(self) -> None:
        """Close the connection after the requests that are out and that wait."""
        if self._task is not None:
            await asyncio.wait([self._task])
        await self.close()

    async def _run_until_empty(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                await self._run_batch(batch)
        finally:
            self._task = None

    async def _run_batch(self, batch: list[ClusterRequest]) -> None:
        commands: list[Command] = []
        for request in batch:
            if request.asks:
                commands.append(ASKING)
            commands.append(request.command)
        was_down = self._connection.is_down
        try:
            replies = iter(await self._connection.execute_each(commands))
        except StoreUnavailableError as error:
            for request in batch:
                request.reject(error)
            if not was_down:
                self._on_failure()
            return
        for request in batch:
            if request.asks:
                next(replies)
            reply = next(replies)
            if isinstance(reply, ResponseError):
                self._on_refusal(request, reply, self.address)
            else:
                request.resolve(reply)

    def _build_probe(self) -> Command:
        """A write to a slot of the node, which fails also where it is full; a node that has lost it redirects."""
        return (
            ("PING",)
            if self.first_slot is None
            else ("SET", name_key_in_slot("ek:probe", self.first_slot), b"1", "EX", 1)
        )


def name_key_in_slot(name: str, slot: int) -> str:
    """A key that begins with `name`, always the same for the slot."""
    return f"{name}:{{{_find_tag(slot)}}}"


@lru_cache(maxsize=1024)
def _find_tag(slot: int) -> int:
    return next(tag for tag in count() if key_slot(b"%d" % tag) == slot)
