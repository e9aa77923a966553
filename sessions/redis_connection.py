"""Fast path: a Redis connection that stays open and sends a batch of commands in one write.

redis-py's client takes a connection from its pool, and times and parses each command by itself: 136 µs of CPU for a load and
a save. This connection, with `redis_batching`, takes 7 µs (`python -m bench.store`: 64 callers, Python 3.11). It uses
redis-py's connection class, so TLS, authentication and the parser are those of the library.
`tests/unit/sessions/test_session_store.py` runs the same tests against this connection and those to a cluster.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from contextvars import Context
from typing import Any, Final, TypeAlias

import structlog
from hiredis import pack_command
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import NoScriptError, OutOfMemoryError, ReadOnlyError, ResponseError

from core.timeouts import Timeout
from sessions.redis_batching import Command, with_script_body
from sessions.store import StoreUnavailableError

log = structlog.get_logger()

RETRY_PAUSES: Final = (0.1, 0.2, 0.5)
"""Seconds before each new attempt to reach a server that failed; the last one repeats. A server that only restarted, or
closed the connection, is back after the first."""
RECONNECT_DEADLINES: Final = 3
"""Deadlines in which a server that failed may be connected, where nobody waits: a slow one needs some for the handshake."""
WRITE_PROBE: Final[Command] = ("SET", "ek:probe", b"1", "EX", 1)  # fails also where the server is full or read-only
SERVER_FAULTS: Final = (OutOfMemoryError, ReadOnlyError)
SERVER_FAULT_CODES: Final = ("MISCONF", "NOREPLICAS")  # of replies for which redis-py has no class

Fetch: TypeAlias = Callable[[Sequence[Command]], Awaitable[list[Any]]]


class RedisConnection:
    """Sends batches of commands over one open connection of redis-py, one batch at a time.

    After a failure every batch fails at once, until a task of this object has reached the server and written to it: no
    request waits for that. A batch that fails is not sent again, because its commands may have run.

    `deadline` is the time for a batch, in seconds. `server` names the server in the log, where there are several.
    """

    def __init__(
        self,
        connection: AbstractConnection,
        deadline: float,
        *,
        build_probe: Callable[[], Command] = lambda: WRITE_PROBE,
        server: Mapping[str, str] | None = None,
    ) -> None:
        connection.socket_timeout = None  # the deadline covers the batch; redis-py would set one for each reply
        self._connection = connection
        self._deadline = deadline
        self._build_probe = build_probe
        self._server = server or {}
        self._recovery: asyncio.Task[None] | None = None
        self._attempts = 0  # to reach the server since the last batch that succeeded
        self._is_logged_down = False
        self._is_closed = False

    @property
    def is_down(self) -> bool:
        """Whether the server failed, and no attempt to reach it has succeeded since."""
        return self._recovery is not None

    async def execute(self, commands: Sequence[Command]) -> list[Any]:
        """The reply to each command.

        Raises:
            StoreUnavailableError: Redis failed, refused a command, did not reply in time, or is down.
        """
        return await self._execute(self._fetch_replies, commands)

    async def execute_each(self, commands: Sequence[Command]) -> list[Any]:
        """The reply to each command, or the ResponseError that refuses this command alone.

        Raises:
            StoreUnavailableError: Redis failed, did not reply in time, or is down.
        """
        return await self._execute(self._send_and_receive, commands)

    async def close(self) -> None:
        """Close the connection for good. A batch that is out fails."""
        self._is_closed = True
        if self._recovery is not None:
            self._recovery.cancel()
            await asyncio.wait([self._recovery])
        await self._connection.disconnect(nowait=True)

    async def _execute(self, fetch: Fetch, commands: Sequence[Command]) -> list[Any]:
        if self._recovery is not None:
            raise StoreUnavailableError("the session store failed a moment ago and is not asked again yet")
        if self._is_closed:
            raise StoreUnavailableError("the session store is closed")
        try:
            replies = await self._execute_before_deadline(fetch, commands)
        except Exception as error:
            if not self._is_closed:
                self._recovery = asyncio.get_running_loop().create_task(self._recover(), context=Context())
                self._log_state_change(down=True, reason=_error_reason(error))
            raise StoreUnavailableError(f"the session store failed: {_error_reason(error)}") from error
        self._attempts = 0
        if self._is_logged_down:
            self._log_state_change(down=False)
        return replies

    async def _execute_before_deadline(
        self, fetch: Fetch, commands: Sequence[Command], connect_deadline: float = 0.0
    ) -> list[Any]:
        try:
            if connect_deadline:
                async with Timeout(connect_deadline):
                    await self._ensure_connected()
            async with Timeout(self._deadline):
                await self._ensure_connected()
                return await fetch(commands)
        except BaseException:  # any error, because replies may be on the way that the next batch must not read
            await self._connection.disconnect(nowait=True)
            raise

    async def _recover(self) -> None:
        """Return once the server takes a write, or the connection is closed for good."""
        patience = self._deadline * RECONNECT_DEADLINES
        while not self._is_closed:
            await asyncio.sleep(RETRY_PAUSES[min(self._attempts, len(RETRY_PAUSES) - 1)])
            self._attempts += 1
            with suppress(Exception):
                await self._execute_before_deadline(self._send_and_receive, [self._build_probe()], patience)
                break
        self._recovery = None

    async def _ensure_connected(self) -> None:
        if self._connection.is_connected and await self._connection.can_read():
            await self._connection.disconnect(nowait=True)  # no command is out: readable means closed by the server
        if not self._connection.is_connected:
            await self._connection.connect()  # type: ignore[no-untyped-call]

    async def _fetch_replies(self, commands: Sequence[Command]) -> list[Any]:
        replies = await self._send_and_receive(commands)
        without_script = [index for index, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if without_script:
            retried = await self._send_and_receive(with_script_body(commands[index]) for index in without_script)
            for index, reply in zip(without_script, retried, strict=True):
                replies[index] = reply
        for reply in replies:
            if isinstance(reply, ResponseError):
                raise reply
        return replies

    async def _send_and_receive(self, commands: Iterable[Command]) -> list[Any]:
        packed: list[bytes] = [pack_command(command) for command in commands]  # type: ignore[arg-type] # any length
        await self._connection.send_packed_command(packed, check_health=False)
        return [await self._read_reply() for _ in packed]

    async def _read_reply(self) -> Any:
        try:
            return await self._connection.read_response()
        except ResponseError as error:
            if isinstance(error, SERVER_FAULTS) or str(error).startswith(SERVER_FAULT_CODES):
                raise
            return error

    def _log_state_change(self, *, down: bool, **facts: str) -> None:
        if down != self._is_logged_down:
            self._is_logged_down = down
            log.warning("session_store_down" if down else "session_store_up", **self._server, **facts)


def _error_reason(error: BaseException) -> str:
    return str(error) or "no answer in time"
