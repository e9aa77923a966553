"""Trips to a Redis, each within a deadline: over one connection held open, or through the client of a cluster."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Final

import structlog
from hiredis import pack_command
from redis.asyncio import RedisCluster
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import NoScriptError, RedisClusterException, RedisError

from sessions.store import StoreDown
from sessions.wants import Command, in_full

log = structlog.get_logger()

REST: Final = 0.5  # seconds in which a server that failed is not asked again, so that hops do not all wait for it
AT_ONCE: Final = 64  # commands out to a cluster; each has a connection, of which redis-py allows 100 to a node
DOWN: Final = (RedisError, RedisClusterException, OSError)  # a deadline that passed is an OSError too


class Line:
    """One connection of redis-py's (its TLS, authentication and parser), held open, for one trip at a time."""

    def __init__(self, connection: AbstractConnection, deadline: float) -> None:
        connection.socket_timeout = None  # a trip has its deadline as a whole; redis-py would time each reply
        self._connection = connection
        self._deadline = deadline
        self._rests_until = 0.0
        self._down = False

    async def trip(self, commands: Sequence[Command]) -> list[Any]:
        """The reply to each command. StoreDown if that fails in any way, and for REST seconds after that at once."""
        clock = asyncio.get_running_loop().time
        if clock() < self._rests_until:
            raise StoreDown("the session store failed a moment ago and is not asked again yet")
        try:
            async with asyncio.timeout(self._deadline):
                await self._connect()
                replies = await self._replies(commands)
        except DOWN as error:
            self._rests_until = clock() + REST
            await self.hang_up()
            self._notice(down=True, reason=_reason(error))
            raise StoreDown(f"the session store failed: {_reason(error)}") from error
        self._notice(down=False)
        return replies

    async def hang_up(self) -> None:
        """Close the connection; the next trip opens it again."""
        await self._connection.disconnect(nowait=True)

    async def _connect(self) -> None:
        if self._connection.is_connected and await self._connection.can_read():
            await self.hang_up()  # nothing was asked, so all there can be to read is that the server has hung up
        if not self._connection.is_connected:
            await self._connection.connect()  # type: ignore[no-untyped-call]

    async def _replies(self, commands: Sequence[Command]) -> list[Any]:
        replies = await self._exchange(commands)
        unknown = [place for place, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if unknown:
            again = await self._exchange(in_full(commands[place]) for place in unknown)
            for place, reply in zip(unknown, again, strict=True):
                replies[place] = reply
        return replies

    async def _exchange(self, commands: Iterable[Command]) -> list[Any]:
        packed: list[bytes] = [pack_command(command) for command in commands]  # type: ignore[arg-type] # any length
        await self._connection.send_packed_command(packed, check_health=False)
        return [await self._reply() for _ in packed]

    async def _reply(self) -> Any:
        try:
            return await self._connection.read_response()
        except NoScriptError as unknown:
            return unknown

    def _notice(self, *, down: bool, **why: str) -> None:
        if down != self._down:
            self._down = down
            log.warning("session store down" if down else "session store answers again", **why)


class Clustered:
    """The same through redis-py's cluster client, which knows where each key lives: command by command."""

    def __init__(self, client: RedisCluster, deadline: float) -> None:
        self._client = client
        self._deadline = deadline
        self._places = asyncio.Semaphore(AT_ONCE)

    async def trip(self, commands: Sequence[Command]) -> list[Any]:
        """The reply to each command; StoreDown if that fails in any way."""
        try:
            async with asyncio.timeout(self._deadline):
                return [await self._reply(command) for command in commands]
        except DOWN as error:
            raise StoreDown(f"the session store failed: {_reason(error)}") from error

    async def _reply(self, command: Command) -> Any:
        async with self._places:
            try:
                return await self._client.execute_command(*command)
            except NoScriptError:
                return await self._client.execute_command(*in_full(command))


def _reason(error: BaseException) -> str:
    return str(error) or "no answer in time"
