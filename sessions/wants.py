"""What a session store can want of Redis, and the few commands that fetch it for everybody at once. Redis 6.2 will do.

Whatever is wanted in one turn of the event loop is one command of each kind, and all of them one trip. One trip is out
at a time: what is wanted meanwhile goes with the next one, so that trips carry more as the load grows.
"""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import Context
from typing import Any, Final, Protocol, TypeAlias

STAMP: Final = 4  # octets of version that a value starts with, in the open so that a script can compare them

Command: TypeAlias = tuple[str | bytes | int, ...]
Trip: TypeAlias = Callable[[Sequence[Command]], Awaitable[list[Any]]]
"""Takes commands to the server and brings the reply to each, or raises for all of them."""
Kind: TypeAlias = Callable[[Sequence[str], Sequence[Any]], Command]
"""One command for everything of a kind, out of the keys and what else there is to say of each."""


class Want(Protocol):
    """Asks for something about one key. The awaited reply is its own; what the trip for it raised is raised."""

    def __call__(self, kind: Kind, key: str, *rest: Any) -> Awaitable[Any]:
        """`rest` as the kind has it."""


CLAIM: Final = """
local claims = {}
for i, key in ipairs(KEYS) do
  local owner, caller, ttl = redis.call('GET', key), ARGV[2 * i - 1], ARGV[2 * i]
  if owner and owner ~= caller then
    claims[i] = 2
  else
    redis.call('SET', key, caller, 'EX', ttl)
    claims[i] = owner and 1 or 0
  end
end
return claims
"""

WRITE: Final = f"""
local written = {{}}
for i, key in ipairs(KEYS) do
  local read, new, ttl = ARGV[3 * i - 2], ARGV[3 * i - 1], ARGV[3 * i]
  written[i] = 0
  if redis.call('GETRANGE', key, 0, {STAMP - 1}) == read then
    redis.call('SET', key, new, 'EX', ttl)
    written[i] = 1
  end
end
return written
"""

SCRIPTS: Final = {hashlib.sha1(script.encode()).hexdigest(): script for script in (CLAIM, WRITE)}  # noqa: S324 - Redis' own name for a script
CLAIM_SHA, WRITE_SHA = SCRIPTS


def reads(keys: Sequence[str], _: Sequence[Any]) -> Command:
    """The value of each key, or None."""
    return ("MGET", *keys)


def drops(keys: Sequence[str], _: Sequence[Any]) -> Command:
    """Nothing worth knowing; the keys are gone."""
    return ("UNLINK", *keys)


def claims(keys: Sequence[str], rest: Sequence[Any]) -> Command:
    """With an owner and a ttl in seconds for each key: 0 if it is now the owner's, 1 if it still is, 2 if another's."""
    return ("EVALSHA", CLAIM_SHA, len(keys), *keys, *rest)


def writes(keys: Sequence[str], rest: Sequence[Any]) -> Command:
    """With a stamp (empty: there is no value), a new value and a ttl: 1 if the stamp was right and it is written."""
    return ("EVALSHA", WRITE_SHA, len(keys), *keys, *rest)


def in_full(command: Command) -> Command:
    """A script's command with the script itself, for a server that does not know it yet; from then on it does."""
    return ("EVAL", SCRIPTS[str(command[1])], *command[2:])


class _Wanted:
    """What of one kind goes with the next trip: keys, what else the command takes for each, and who waits."""

    __slots__ = ("askers", "keys", "rest")

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.rest: list[Any] = []
        self.askers: list[asyncio.Future[Any]] = []

    def settle(self, reply: Any) -> None:
        """Give everybody theirs; who was cancelled meanwhile harms nobody."""
        replies = reply if isinstance(reply, list) else [reply] * len(self.askers)
        for asker, one in zip(self.askers, replies, strict=True):
            if not asker.done():
                asker.set_result(one)

    def fail(self, error: Exception) -> None:
        """Raise to everybody."""
        for asker in self.askers:
            if not asker.done():
                asker.set_exception(error)
                heard_of(asker)


class Trips:
    """What everybody wants, fetched together. A trip belongs to none of the askers, nor do its log lines."""

    def __init__(self, trip: Trip) -> None:
        self._trip = trip
        self._wanted: dict[Kind, _Wanted] = defaultdict(_Wanted)
        self._runs: asyncio.Task[None] | None = None

    def __call__(self, kind: Kind, key: str, *rest: Any) -> Awaitable[Any]:
        """As `Want` has it."""
        loop = asyncio.get_running_loop()
        wanted, asker = self._wanted[kind], loop.create_future()
        wanted.keys.append(key)
        wanted.rest += rest
        wanted.askers.append(asker)
        if self._runs is None:  # its first step comes when everybody in this turn has asked
            self._runs = loop.create_task(self._run_until_nobody_waits(), context=Context())
        return asker

    async def _run_until_nobody_waits(self) -> None:
        try:
            while self._wanted:
                wanted, self._wanted = self._wanted, defaultdict(_Wanted)
                await self._run(wanted)
        finally:
            self._runs = None

    async def _run(self, wanted: Mapping[Kind, _Wanted]) -> None:
        try:
            replies = await self._trip([kind(one.keys, one.rest) for kind, one in wanted.items()])
        except Exception as error:  # noqa: BLE001 - it is the askers', not ours
            for one in wanted.values():
                one.fail(error)
        else:
            for one, reply in zip(wanted.values(), replies, strict=True):
                one.settle(reply)


class Apart:
    """Each want a command of its own, for a server that is many: right, but not quick."""

    def __init__(self, trip: Trip) -> None:
        self._trip = trip

    def __call__(self, kind: Kind, key: str, *rest: Any) -> Awaitable[Any]:
        """As `Want` has it."""
        asker = asyncio.ensure_future(self._alone(kind, key, rest))
        asker.add_done_callback(heard_of)
        return asker

    async def _alone(self, kind: Kind, key: str, rest: Sequence[Any]) -> Any:
        (reply,) = await self._trip([kind([key], rest)])
        return reply[0] if isinstance(reply, list) else reply


def heard_of(asker: asyncio.Future[Any]) -> None:
    """Keep a failure out of the log: who wanted two things has heard of the first, and left."""
    if not asker.cancelled():
        asker.exception()
