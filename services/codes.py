"""One-time codes by SMS: six digits, ten minutes, five checks, five sends an hour, one alive at a time, used once.

A code follows from the effect that caused it and the gateway's key. So when Redis has lost everything and a session is
replayed, the code that is already on the citizen's phone is good again, and no second SMS goes out.
"""

from collections.abc import Awaitable
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final, Literal, Protocol, TypeAlias

from services.given import Clock, Say, Sealing, utc_now
from services.messages import Message, Messages

DIGITS: Final = 6
LIVES: Final = timedelta(minutes=10)
CHECKS: Final = 5
SENDS: Final = 5
WITHIN: Final = timedelta(hours=1)

Sent: TypeAlias = Literal["sent", "too_many"]
Checked: TypeAlias = Literal["right", "wrong", "gone"]

# KEYS: the live code, and the sends of the last hour by effect (score: when, in ms).
# ARGV: now, a window and most of sends, a life in ms, checks; then effect, purpose and digest.
# A send that was made before touches nothing: the code it made may be used up, or replaced by a newer one.
SEND: Final = """
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[1] - ARGV[2])
if redis.call('ZSCORE', KEYS[2], ARGV[6]) then return 1 end
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[3]) then return 0 end
redis.call('ZADD', KEYS[2], ARGV[1], ARGV[6])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'purpose', ARGV[7], 'digest', ARGV[8], 'left', ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
"""

# KEYS: the live code and, where the check has an effect, what that check was answered.
# ARGV: purpose, digest, and for how long in ms an answer is remembered.
# The fifth wrong check uses the code up, as the right one does.
CHECK: Final = """
local before = KEYS[2] and redis.call('GET', KEYS[2])
if before then return before + 0 end
local function answered(what)
  if KEYS[2] then redis.call('SET', KEYS[2], what, 'PX', ARGV[3]) end
  return what
end
local code = redis.call('HMGET', KEYS[1], 'purpose', 'digest')
if code[1] ~= ARGV[1] then return answered(2) end
if code[2] == ARGV[2] then
  redis.call('DEL', KEYS[1])
  return answered(1)
end
if redis.call('HINCRBY', KEYS[1], 'left', -1) < 1 then redis.call('DEL', KEYS[1]) end
return answered(0)
"""
CHECKED: Final[tuple[Checked, ...]] = ("wrong", "right", "gone")


class Scripts(Protocol):
    """The one thing that is asked of a Redis client (`redis.asyncio`): to run a script."""

    def eval(self, script: str, numkeys: int, /, *keys_and_args: Any) -> Awaitable[Any]:
        """What the script returns."""


class Codes:
    """The codes of every number. In Redis there is no number and no code: names and digests are keyed hashes."""

    def __init__(self, redis: Scripts, messages: Messages, seal: Sealing, say: Say, *, clock: Clock = utc_now) -> None:
        self._redis = redis
        self._messages = messages
        self._seal = seal
        self._say = say
        self._clock = clock

    async def send(self, number: str, language: str, purpose: str, effect: str) -> Sent:
        """Send a new code, which replaces one that is still alive, whatever that was for.

        The same effect again sends nothing again, and does not count.
        """
        code = self._code(number, purpose, effect)
        now = int(self._clock().timestamp() * 1000)
        limits = (now, _ms(WITHIN), SENDS, _ms(LIVES), CHECKS)
        facts = (self._seal.name("code effect", effect), purpose, self._digest(number, purpose, code))
        if not await self._redis.eval(SEND, 2, *self._keys(number), *limits, *facts):
            return "too_many"
        text = self._say(language, "code", {"code": code})
        await self._messages.send(Message(number, text, "code", f"{effect}/code"))
        return "sent"

    async def check(self, number: str, purpose: str, code: str, effect: str = "") -> Checked:
        """Whether this is the code that was sent last, for this purpose; `gone`: used, too old, or never sent.

        Of two checks at once with the right code one is right. The same check under the same effect again gets the
        same answer, so that a key press heard twice does not find its code gone.
        """
        digest = self._digest(number, purpose, code)
        live, _ = self._keys(number)
        heard = [f"{live}:{self._seal.name('code check', f'{effect} {digest}')}"] if effect else []
        keys = [live, *heard]
        answer: int = await self._redis.eval(CHECK, len(keys), *keys, purpose, digest, _ms(WITHIN))
        return CHECKED[answer]

    def _keys(self, number: str) -> tuple[str, str]:
        """The live code and the sends, in one slot of a cluster."""
        live = f"ekdial:code:{{{self._seal.name('code', number)}}}"
        return live, f"{live}:sends"

    def _code(self, number: str, purpose: str, effect: str) -> str:
        drawn = sha256(self._seal.name("code digits", f"{number} {purpose} {effect}").encode()).digest()
        return f"{int.from_bytes(drawn) % 10**DIGITS:0{DIGITS}}"

    def _digest(self, number: str, purpose: str, code: str) -> str:
        return self._seal.name("code digest", f"{number} {purpose} {code}")


def _ms(period: timedelta) -> int:
    return period // timedelta(milliseconds=1)
