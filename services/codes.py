"""One-time codes by SMS: six digits, ten minutes, five checks, five sends an hour, one alive at a time, used once.

A code follows from the effect that caused it and the gateway's key. So when Redis has lost everything and a session is
replayed, the code that is already on the citizen's phone is good again, and no second SMS goes out. While Redis is away
there are no codes: nobody could count them.

Whether a number has an account is not asked here, so that the answer is the same for all.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Final, Literal, NamedTuple, TypeAlias

from services.given import Clock, Say, Scripts, Sealing, utc_now
from services.messages import Message, Messages
from services.pumping import Limits, Pumping

__all__ = ["Checked", "Codes", "Limits", "Said", "Scripts", "Sent"]

DIGITS: Final = 6
LIVES: Final = timedelta(minutes=10)
CHECKS: Final = 5
SENDS: Final = 5
WITHIN: Final = timedelta(hours=1)

Sent: TypeAlias = Literal["sent", "too_many"]
Checked: TypeAlias = Literal["right", "wrong", "gone"]
Refused: TypeAlias = Literal["number", "prefix", "country", "day", "pumping"]

# KEYS: the live code, and the sends of the last hour by effect (score: when, in ms).
# ARGV: now, a window and most of sends, the effect; then, to send: a life in ms, checks, purpose and digest.
# Gives 0 for too many, 1 for a send that was made before, 2 for a new one. One that was made before touches nothing:
# the code it made may be used up, or replaced by a newer one.
ASK: Final = """
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[1] - ARGV[2])
if redis.call('ZSCORE', KEYS[2], ARGV[4]) then return 1 end
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[3]) then return 0 end
"""
MAY_SEND: Final = f"{ASK}return 2"
SEND: Final = f"""{ASK}
redis.call('ZADD', KEYS[2], ARGV[1], ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'purpose', ARGV[7], 'digest', ARGV[8], 'left', ARGV[6], 'sent', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 2
"""
TOO_MANY, AGAIN, NEW = range(3)

# KEYS: the live code and, where the check has an effect, what that check was answered.
# ARGV: purpose, digest, and for how long in ms an answer is remembered.
# Gives a place in CHECKED, and -1 for a check that was heard before, or when the code was sent if this check entered it.
# The fifth wrong check uses the code up, as the right one does.
CHECK: Final = """
local before = KEYS[2] and redis.call('GET', KEYS[2])
if before then return {before + 0, -1} end
local function answered(what, sent)
  if KEYS[2] then redis.call('SET', KEYS[2], what, 'PX', ARGV[3]) end
  return {what, sent}
end
local code = redis.call('HMGET', KEYS[1], 'purpose', 'digest', 'sent')
if code[1] ~= ARGV[1] then return answered(2, 0) end
if code[2] == ARGV[2] then
  redis.call('DEL', KEYS[1])
  return answered(1, tonumber(code[3]) or 0)
end
if redis.call('HINCRBY', KEYS[1], 'left', -1) < 1 then redis.call('DEL', KEYS[1]) end
return answered(0, 0)
"""
CHECKED: Final[tuple[Checked, ...]] = ("wrong", "right", "gone")
HEARD: Final = -1


class Said(NamedTuple):
    """Which text a code goes out in, and what that says besides the code."""

    text: str
    facts: Mapping[str, object]


ALONE: Final = Said("code", {})


class Codes:
    """The codes of every number. In Redis there is no number and no code: names and digests are keyed hashes."""

    def __init__(
        self,
        redis: Scripts,
        messages: Messages,
        seal: Sealing,
        say: Say,
        *,
        limits: Limits | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._redis = redis
        self._messages = messages
        self._seal = seal
        self._say = say
        self._clock = clock
        self._pumping = Pumping(redis, seal, limits or Limits())
        self.alarms = self._pumping.alarms
        self.handled: Counter[str] = Counter()
        """Codes that were sent, and checks by their answer; repeats of either are counted once."""
        self.refused: Counter[str] = Counter()
        """Codes that were not sent, by whose limit was reached."""

    async def send(self, number: str, language: str, purpose: str, effect: str, *, said: Said = ALONE) -> Sent:
        """Send a new code, which replaces one that is still alive, whatever that was for.

        The same effect again sends nothing again, and does not count. Who is told `too_many` is not told of what: of
        this number, its neighbours, its country, or of all in a day.
        """
        code = self._code(number, purpose, effect)
        if refused := await self._refused(number, purpose, code, effect):
            self.refused[refused] += 1
            return "too_many"
        text = self._say(language, said.text, {**said.facts, "code": code})
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
        place, sent = await self._redis.eval(CHECK, len(keys), *keys, purpose, digest, _ms(WITHIN))
        if sent > 0:
            await self._pumping.entered(number, sent)
        answer = CHECKED[int(place)]
        self.handled[answer] += sent != HEARD
        return answer

    async def _refused(self, number: str, purpose: str, code: str, effect: str) -> Refused | None:
        """Why this code is not to be sent; else it is alive, and counted everywhere."""
        now = int(self._clock().timestamp() * 1000)
        limits = (now, _ms(WITHIN), SENDS, self._seal.name("code effect", effect))
        known = await self._redis.eval(MAY_SEND, 2, *self._keys(number), *limits)
        if known != NEW:
            return "number" if known == TOO_MANY else None
        if taken := await self._pumping.take(number, now):
            return taken
        facts = (_ms(LIVES), CHECKS, purpose, self._digest(number, purpose, code))
        made = await self._redis.eval(SEND, 2, *self._keys(number), *limits, *facts)
        if made != NEW:  # somebody else was faster with the same effect, or with the last code of the hour
            await self._pumping.give_back(number, now)
        self.handled["sent"] += made == NEW
        return "number" if made == TOO_MANY else None

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
