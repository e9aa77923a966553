"""redis-py's clients, with the commands that requests use sent over the connections of the session store.

So counters and codes have its deadlines, its batches and its pause after a failure: while a server is down or hangs, a command
fails at once. Commands that are not named here go the way of redis-py; no request uses them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

from hiredis import pack_command
from redis.asyncio import Redis, RedisCluster
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import DataError

from sessions.redis_batching import Command
from sessions.store import StoreUnavailableError

COMMANDS_WITH_ONE_KEY: Final = frozenset({"GET", "SET", "DEL", "SCARD"})
SCRIPT_COMMANDS: Final = frozenset({"EVAL", "EVALSHA"})

SendCommand: TypeAlias = Callable[[str | bytes, Command], Awaitable[Any]]
"""Sends one command whose keys are in the slot of the key. It raises StoreUnavailableError, or errors of redis-py."""


class StoreCommands:
    """Sends commands by `send`, where it is set."""

    send: SendCommand | None = None

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """The reply, as redis-py presents it.

        Raises:
            ConnectionError: of redis-py; the server of the key is down.
            DataError: an argument is no string, bytes or number.
        """
        key = _find_key(args)
        if self.send is None or key is None or "target_nodes" in options:
            return await super().execute_command(*args, **options)  # type: ignore[misc] # of redis-py's class
        try:
            pack_command(args)  # in the batch, it would fail the commands of others
            reply = await self.send(key, args)
        except TypeError as error:
            raise DataError("an argument is no string, bytes or number") from error
        except StoreUnavailableError as error:
            raise RedisConnectionError(str(error)) from error
        options.pop("keys", None)  # for a cache of redis-py that is not used
        present = self.response_callbacks.get(args[0])  # type: ignore[attr-defined] # of redis-py's class
        return present(reply, **options) if present else reply


class StoreClient(StoreCommands, Redis):  # type: ignore[misc] # redis-py's own bases disagree
    """A client of one server."""


class StoreClusterClient(StoreCommands, RedisCluster):  # type: ignore[misc] # redis-py's own bases disagree
    """A client of a cluster."""

    async def delete(self, *names: Any) -> int:
        """Delete the keys, each in its slot; the number of those that existed."""
        return sum(await asyncio.gather(*(self.execute_command("DEL", name) for name in names)))


def _find_key(command: tuple[Any, ...]) -> Any:
    """The first key of a command that the session store sends; None for other commands."""
    if command[0] in SCRIPT_COMMANDS and int(command[2]):
        return command[3]
    return command[1] if command[0] in COMMANDS_WITH_ONE_KEY else None
