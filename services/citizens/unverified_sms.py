"""One limit in front of every SMS that an unverified caller causes: replies, PINs, receipts, notices to other numbers.

A PIN is counted with the one-time codes that unverified callers request, which `one_time_codes.py` counts. While Redis is
down, each process counts for itself.
"""

from collections import Counter
from typing import Final

import structlog

from core.crypto import Cipher
from core.logging import error_facts
from core.rate_limit import REDIS_ERRORS, LocalWindowCounter
from core.types import RedisScripting, UtcClock, utc_now
from services.citizens.sms_pumping import RejectionReason, SmsLimits, SmsPumpingGuard
from services.messaging.kinds import MessageKind

DEFAULT_LIMITS: Final = SmsLimits(
    per_number_per_hour=60,
    per_number_per_day=200,
    per_prefix_per_hour=300,
    per_country_per_hour=20_000,
    per_day=200_000,
    min_entry_rate=0,  # nobody enters a reply
    alarm_at_limit=True,
)

log = structlog.get_logger()


class UnverifiedSmsLimiter:
    """Counts the SMS that unverified callers cause, by number, prefix, country and day."""

    def __init__(
        self,
        redis: RedisScripting,
        cipher: Cipher,
        limits: SmsLimits = DEFAULT_LIMITS,
        *,
        code_limits: SmsLimits | None = None,
        clock: UtcClock = utc_now,
        local_counter: LocalWindowCounter | None = None,
    ) -> None:
        """`code_limits` are those of the codes that unverified callers request."""
        self.alarms: Counter[str] = Counter()
        """The number of alarms by kind of area."""
        self._guard = SmsPumpingGuard(redis, cipher, limits, "unverified_sms", alarms=self.alarms)
        self._code_guard = SmsPumpingGuard(
            redis, cipher, code_limits or SmsLimits(), "unverified_codes", alarms=self.alarms
        )
        self._clock = clock
        self._local_counter = local_counter or LocalWindowCounter()
        self.rejections: Counter[str] = Counter()
        """The number of SMS not sent, by the limit reached."""

    async def try_take(self, msisdn: str, kind: MessageKind = "reply") -> bool:
        """Count an SMS to this number; False where a limit is reached."""
        guards = (self._guard, self._code_guard) if kind == "pin" else (self._guard,)
        for guard in guards:
            if reason := await self._take(guard, msisdn):
                self.rejections[reason] += 1
                return False
        return True

    async def release(self, msisdn: str) -> None:
        """Undo `try_take` of a reply: no SMS is sent after all."""
        try:
            await self._guard.release(msisdn, self._now())
        except REDIS_ERRORS as error:
            log.warning("unverified_sms_not_released", **error_facts(error))

    async def _take(self, guard: SmsPumpingGuard, msisdn: str) -> RejectionReason | None:
        try:
            return await guard.take(msisdn, self._now())
        except REDIS_ERRORS as error:
            log.warning("unverified_sms_counted_in_this_process_only", **error_facts(error))
        for area in guard.list_areas(msisdn):
            count = await self._local_counter.increment(
                f"{id(guard)} {area.kind} {area.name} {area.window}", area.window
            )
            if count.value > area.limit:
                return area.kind
        return None

    def _now(self) -> int:
        return int(self._clock().timestamp() * 1000)
