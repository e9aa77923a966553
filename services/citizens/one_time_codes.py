"""One-time codes by SMS. A number has one live code at a time, for one purpose, and it is used once.

Codes that unverified callers request are kept and counted apart from those of verified callers: forged SMS neither replace
the code of the person whose number they name, nor use up that person's sends and checks. So are codes that somebody else
requests for a number: an operator, or whoever types an identity number of its owner.

A code is derived from its idempotency key and the gateway's key. After Redis lost its data, a replayed session makes the
code on the citizen's phone valid again, and sends no second SMS. Without Redis no codes are sent, since none are counted.

The module does not look for an account, so that the answer is the same for every number.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Final, Literal, NamedTuple, TypeAlias

import structlog

from core.crypto import Cipher
from core.rate_limit import RedisWindowCounter
from core.types import RedisScripting, TextRenderer, UtcClock, utc_now
from core.verified_caller import is_caller_verified
from services.citizens.models import CheckOutcome, SendOutcome
from services.citizens.sms_pumping import SmsLimits, SmsPumpingGuard
from services.messaging.messages import Messages
from services.messaging.models import Message

__all__ = ["CheckOutcome", "CodeText", "OneTimeCodes", "RedisScripting", "SendOutcome", "SmsLimits"]

log = structlog.get_logger()

CODE_DIGITS: Final = 6
CODE_TTL: Final = timedelta(minutes=10)
MAX_CHECKS: Final = 5
MAX_SENDS: Final = 5
SEND_WINDOW: Final = timedelta(hours=1)
MAX_SENDS_FOR_OTHERS: Final = 10
"""Codes to one number in SEND_WINDOW that other people request."""

RejectionReason: TypeAlias = Literal["number", "others", "prefix", "country", "day", "pumping"]

# KEYS: the live code, and the sends within the window by key (score: the time in ms).
# ARGV: now, window in ms, maximum of sends, the key; to send also: TTL in ms, number of checks, purpose and digest.
# Returns TOO_MANY, ALREADY_SENT or NEW_SEND. A repeated send changes nothing: its code may be used, or replaced.
CHECK_SENDS_LUA: Final = """
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[1] - ARGV[2])
if redis.call('ZSCORE', KEYS[2], ARGV[4]) then return 1 end
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[3]) then return 0 end
"""
MAY_SEND_LUA: Final = f"{CHECK_SENDS_LUA}return 2"
SEND_LUA: Final = f"""{CHECK_SENDS_LUA}
redis.call('ZADD', KEYS[2], ARGV[1], ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'purpose', ARGV[7], 'digest', ARGV[8], 'left', ARGV[6], 'sent', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 2
"""
TOO_MANY, ALREADY_SENT, NEW_SEND = range(3)

# KEYS: the live code and, where the check has a key, the outcome stored for that key.
# ARGV: purpose, digest, and the TTL of a stored outcome in ms.
# Returns an index of CHECK_OUTCOMES, and REPEATED for a repeated check, or the time at which a code was sent that this
# check entered. The right check and the last wrong one delete the code.
CHECK_LUA: Final = """
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
DELETE_LUA: Final = "return redis.call('DEL', KEYS[1])"
CHECK_OUTCOMES: Final[tuple[CheckOutcome, ...]] = ("wrong", "right", "gone")
REPEATED: Final = -1


class CodeText(NamedTuple):
    """The key of the text of the SMS, and its values beside the code."""

    text: str
    values: Mapping[str, object]


DEFAULT_TEXT: Final = CodeText("code", {})


class OneTimeCodes:
    """Sends and checks codes. Redis has no number and no code, only keyed hashes of them."""

    def __init__(
        self,
        redis: RedisScripting,
        messages: Messages,
        cipher: Cipher,
        render_text: TextRenderer,
        *,
        limits: SmsLimits | None = None,
        unverified_limits: SmsLimits | None = None,
        clock: UtcClock = utc_now,
    ) -> None:
        self._redis = redis
        self._messages = messages
        self._cipher = cipher
        self._render_text = render_text
        self._clock = clock
        self._counter = RedisWindowCounter(redis)
        self.alarms: Counter[str] = Counter()
        """The number of alarms by kind of area."""
        limits = limits or SmsLimits()
        self._verified_guard = SmsPumpingGuard(redis, cipher, limits, "codes", alarms=self.alarms)
        self._unverified_guard = SmsPumpingGuard(
            redis, cipher, unverified_limits or limits, "unverified_codes", alarms=self.alarms
        )
        self.counts: Counter[str] = Counter()
        """The number of codes sent and of checks by outcome; a repeat is not counted."""
        self.rejections: Counter[str] = Counter()
        """The number of codes not sent, by the limit reached."""

    async def send(
        self,
        msisdn: str,
        language: str,
        purpose: str,
        idempotency_key: str,
        *,
        code_text: CodeText = DEFAULT_TEXT,
        requester: str = "",
    ) -> SendOutcome:
        """Send a new code, which replaces a live one of any purpose. A repeated key sends nothing and is not counted.

        `requester` is the MSISDN of who asks for the code, where that may be another one; `check` takes it too. `too_many`: a limit of the number, its prefix, its country or the day is reached. The caller does not learn which.
        """
        code = self._derive_code(msisdn, purpose, idempotency_key)
        if reason := await self._reserve(msisdn, requester, purpose, code, idempotency_key):
            self.rejections[reason] += 1
            return "too_many"
        text = self._render_text(language, code_text.text, {**code_text.values, "code": code})
        await self._messages.send(Message(msisdn, text, "code", f"{idempotency_key}/code"))
        return "sent"

    async def check(
        self, msisdn: str, purpose: str, code: str, idempotency_key: str = "", *, requester: str = ""
    ) -> CheckOutcome:
        """Check a code against the live one; `gone`: it is used, expired, replaced, or was never sent.

        Of two concurrent checks with the right code one is right. A repeated key gets the first outcome, so that a
        replayed input does not find its code used.
        """
        owner = _build_owner(msisdn, requester)
        index, sent_at = await self._check(self._cipher, owner, purpose, code, idempotency_key)
        for former in self._cipher.former:
            if CHECK_OUTCOMES[int(index)] == "gone":  # sent before the key was changed, perhaps
                index, sent_at = await self._check(former, owner, purpose, code, idempotency_key)
        if sent_at > 0:
            await self._pumping_guard().record_entry(msisdn, sent_at)
        outcome = CHECK_OUTCOMES[int(index)]
        self.counts[outcome] += sent_at != REPEATED
        return outcome

    async def _check(
        self, cipher: Cipher, owner: str, purpose: str, code: str, idempotency_key: str
    ) -> tuple[int, int]:
        """The index of the outcome under the names that the cipher gives, and the time of the sending in ms."""
        digest = _digest(cipher, owner, purpose, code)
        live_key, _ = _redis_keys(cipher, owner)
        keys = [live_key]
        if idempotency_key:
            keys.append(f"{live_key}:{cipher.keyed_hash('code check', f'{idempotency_key} {digest}')}")
        index, sent_at = await self._redis.eval(CHECK_LUA, len(keys), *keys, purpose, digest, _ms(SEND_WINDOW))
        return int(index), int(sent_at)

    async def _reserve(
        self, msisdn: str, requester: str, purpose: str, code: str, idempotency_key: str
    ) -> RejectionReason | None:
        """Make the code the live one and count it against every limit, or return the limit that is reached."""
        owner = _build_owner(msisdn, requester)
        now = int(self._clock().timestamp() * 1000)
        for cipher in (self._cipher, *self._cipher.former):
            limits = _send_limits(cipher, now, idempotency_key)
            state = await self._redis.eval(MAY_SEND_LUA, 2, *_redis_keys(cipher, owner), *limits)
            if state != NEW_SEND:
                return "number" if state == TOO_MANY else None
        if owner != msisdn and not await self._may_send_for_another(msisdn):
            return "others"
        if reason := await self._pumping_guard().take(msisdn, now):
            return reason
        code_values = (_ms(CODE_TTL), MAX_CHECKS, purpose, _digest(self._cipher, owner, purpose, code))
        limits = _send_limits(self._cipher, now, idempotency_key)
        state = await self._redis.eval(SEND_LUA, 2, *_redis_keys(self._cipher, owner), *limits, *code_values)
        for former in self._cipher.former:  # one code is alive at a time
            await self._redis.eval(DELETE_LUA, 1, _redis_keys(former, owner)[0])
        if state != NEW_SEND:  # a concurrent send has the same key, or took the last send of the window
            await self._pumping_guard().release(msisdn, now)
        self.counts["sent"] += state == NEW_SEND
        return "number" if state == TOO_MANY else None

    async def _may_send_for_another(self, msisdn: str) -> bool:
        """Count a code that somebody else requests for this number; reaching the limit is an alarm."""
        kind = "" if is_caller_verified() else ":unverified"
        key = f"ekdial:codes_for_others:{{{self._cipher.keyed_hash('code', msisdn)}}}{kind}"
        used, _ = await self._counter.increment(key, SEND_WINDOW)
        if used == MAX_SENDS_FOR_OTHERS + 1:
            self.alarms["number"] += 1
            log.critical("codes_for_others_limit_reached", limit=MAX_SENDS_FOR_OTHERS)
        return used <= MAX_SENDS_FOR_OTHERS

    def _pumping_guard(self) -> SmsPumpingGuard:
        return self._verified_guard if is_caller_verified() else self._unverified_guard

    def _derive_code(self, msisdn: str, purpose: str, idempotency_key: str) -> str:
        seed = self._cipher.keyed_hash("code digits", f"{msisdn} {purpose} {idempotency_key}")
        digest = sha256(seed.encode()).digest()
        return f"{int.from_bytes(digest) % 10**CODE_DIGITS:0{CODE_DIGITS}}"


def _build_owner(msisdn: str, requester: str) -> str:
    """The owner of a code: the number that it goes to, and who requested it where that is somebody else."""
    return f"{msisdn} for {requester}" if requester and requester != msisdn else msisdn


def _redis_keys(cipher: Cipher, owner: str) -> tuple[str, str]:
    """The keys of the live code and of the sends of callers like this one; both hash to one cluster slot."""
    kind = "" if is_caller_verified() else ":unverified"
    live_key = f"ekdial:code:{{{cipher.keyed_hash('code', owner)}}}{kind}"
    return live_key, f"{live_key}:sends"


def _send_limits(cipher: Cipher, now: int, idempotency_key: str) -> tuple[int, int, int, str]:
    return now, _ms(SEND_WINDOW), MAX_SENDS, cipher.keyed_hash("code effect", idempotency_key)


def _digest(cipher: Cipher, owner: str, purpose: str, code: str) -> str:
    return cipher.keyed_hash("code digest", f"{owner} {purpose} {code}")


def _ms(period: timedelta) -> int:
    return period // timedelta(milliseconds=1)
