"""What a session store can want of Redis, and the few commands that fetch it for everybody at once. Redis 6.2 will do."""

import hashlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from typing import Any, Final, NamedTuple, TypeAlias

STAMP: Final = 4  # octets of version that a value starts with, in the open so that a script can compare them

Command: TypeAlias = tuple[str | bytes | int, ...]
Trip: TypeAlias = Callable[[Sequence[Command]], Awaitable[list[Any]]]
"""Takes commands to the server and brings the reply to each."""


class Read(NamedTuple):
    """The value of a key, or None."""

    key: str


class Claim(NamedTuple):
    """0 if the key is now the owner's for `ttl` seconds, 1 if it still is, 2 if it is another's."""

    key: str
    owner: str
    ttl: int


class Write(NamedTuple):
    """1 if the value started with the stamp `read` (empty: there was none) and is now `new`, else 0."""

    key: str
    read: bytes
    new: bytes
    ttl: int


class Drop(NamedTuple):
    """Nothing worth knowing; the key is gone."""

    key: str


Want: TypeAlias = Read | Claim | Write | Drop
Ask: TypeAlias = tuple[Want, ...]

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


def _scripted(sha: str, wants: Sequence[Claim | Write]) -> Command:
    """The keys, and then for each key the rest of what is wanted."""
    rest: Iterator[Any] = chain.from_iterable(want[1:] for want in wants)
    return ("EVALSHA", sha, len(wants), *(want.key for want in wants), *rest)


COMMANDS: Final[Mapping[type[Want], Callable[[Sequence[Any]], Command]]] = {
    Read: lambda reads: ("MGET", *(read.key for read in reads)),
    Claim: lambda claims: _scripted(CLAIM_SHA, claims),
    Write: lambda writes: _scripted(WRITE_SHA, writes),
    Drop: lambda drops: ("UNLINK", *(drop.key for drop in drops)),
}
"""One command for all wants of a kind; it replies with a list, one for each, or with one reply for them all."""


async def in_one_trip(asks: Sequence[Ask], trip: Trip) -> list[list[Any]]:
    """The replies to the wants of each ask."""
    wanted: dict[type[Want], list[Want]] = {kind: [] for kind in COMMANDS}
    for want in chain.from_iterable(asks):
        wanted[type(want)].append(want)
    kinds = [kind for kind, wants in wanted.items() if wants]
    replies = await trip([COMMANDS[kind](wanted[kind]) for kind in kinds])
    dealt = dict(zip(kinds, map(_each, replies), strict=True))
    return [[next(dealt[type(want)]) for want in ask] for ask in asks]


def in_full(command: Command) -> Command:
    """A script's command with the script itself, for a server that does not know it yet; from then on it does."""
    return ("EVAL", SCRIPTS[str(command[1])], *command[2:])


def _each(reply: Any) -> Iterator[Any]:
    return iter(reply) if isinstance(reply, list) else repeat(reply)
