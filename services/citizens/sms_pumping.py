"""Protection against SMS pumping: limits on SMS by number, prefix, country and day, and alarms.

In SMS pumping a fraudster makes the gateway send SMS to numbers whose network pays them a share. The numbers share a
prefix, and codes among these SMS are never entered, while real people enter theirs. Sent SMS and entered codes are counted
in slots by the time of sending. The entry rate of a slot is checked once the slot is old enough.

Each kind of SMS has its own counts: codes for verified callers, codes for unverified ones, and everything else that an
unverified caller causes. So forged messages close nothing for verified callers.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

import structlog

from core.crypto import Cipher
from core.phone_numbers import find_country
from core.types import RedisScripting

log = structlog.get_logger()

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
SLOT_COUNT: Final = 12
"""Slots in a window: five minutes each where the window is an hour."""
ENTRY_DELAY: Final = timedelta(minutes=5)
"""The age at which the entry rate of a slot is checked."""
MASKED_DIGITS: Final = 4
"""The last digits of a number, which are not part of its prefix."""
UNKNOWN_COUNTRY: Final = "ZZ"  # the country of a number that belongs to none

AreaKind: TypeAlias = Literal["number", "prefix", "country", "day"]
RejectionReason: TypeAlias = Literal["number", "prefix", "country", "day", "pumping"]
AREA_KINDS: Final = get_args(AreaKind)
REJECTION_REASONS: Final = get_args(RejectionReason)
CountedSms: TypeAlias = Literal["codes", "unverified_codes", "unverified_sms"]
"""The kinds of SMS that are counted, each for itself."""

# KEYS: the counts of one area: `s<slot>` sent, `e<slot>` entered; `full` and `low`: the time in ms until which the
# condition is reported already.
# ARGV: now, slot and window in ms, limit in the window, age in ms at which a slot is checked, minimum of codes for the
# check, minimum entry rate in per cent, and 1 where a low rate blocks the area for a window.
# Returns COUNTED, FULL or BLOCKED (the last two are not counted); then 1 where `low`, and where `full`, is to be reported.
# Slots before the window are deleted, so that a key has at most two counts a slot.
TAKE_LUA: Final = """
local now, slot, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local sent, ripe, entered, told = 0, 0, 0, {low = 0, full = 0}
local kept = redis.call('HGETALL', KEYS[1])
for place = 1, #kept, 2 do
  local what, count = kept[place], tonumber(kept[place + 1])
  local kind, number = string.match(what, '^([se])(%d+)$')
  local over = kind and (number + 1) * slot
  local judged = kind and over <= now - ARGV[5]
  if not kind then told[what] = count
  elseif over <= now - window then redis.call('HDEL', KEYS[1], what)
  elseif kind == 's' then
    sent = sent + count
    ripe = ripe + (judged and count or 0)
  elseif judged then entered = entered + count end
end
local function news(what)
  if told[what] > now then return 0 end
  redis.call('HSET', KEYS[1], what, string.format('%.0f', now + window))
  return 1
end
local low = ripe >= tonumber(ARGV[6]) and entered * 100 < ARGV[7] * ripe
local closed = ARGV[8] == '1' and (low or told.low > now)
local full = sent >= tonumber(ARGV[4])
if not (closed or full) then redis.call('HINCRBY', KEYS[1], 's' .. math.floor(now / slot), 1) end
local answer = {closed and 2 or full and 1 or 0, low and news('low') or 0, full and news('full') or 0}
redis.call('PEXPIRE', KEYS[1], window + slot)
return answer
"""

# KEYS: the counts of one area. ARGV: `s` or `e`, the time of sending, slot in ms, and the number to add.
# The script does not create an expired area: its key would have no TTL.
ADD_LUA: Final = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
return redis.call('HINCRBY', KEYS[1], ARGV[1] .. math.floor(ARGV[2] / ARGV[3]), ARGV[4])
"""
COUNTED, FULL, BLOCKED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class SmsLimits:
    """The limits on one kind of SMS. `country_overrides` are limits an hour of countries that differ from the default.

    From `min_sample` codes an hour on, at least `min_entry_rate` per cent must be entered; 0: the rate is not checked. A
    number has no limit of its own here where `per_number_per_hour` and `per_number_per_day` are None. With
    `alarm_at_limit`, reaching the limit of a prefix, a country or the day is an alarm.
    """

    per_prefix_per_hour: int = 60
    per_country_per_hour: int = 2000
    country_overrides: Mapping[str, int] = field(default_factory=dict)
    per_day: int = 20_000
    min_sample: int = 20
    min_entry_rate: int = 30
    per_number_per_hour: int | None = None
    per_number_per_day: int | None = None
    alarm_at_limit: bool = False

    def cap(self, *, per_prefix_per_hour: int, per_country_per_hour: int, per_day: int) -> "SmsLimits":
        """These limits where none is higher than the given ones, with an alarm where one is reached."""
        return replace(
            self,
            per_prefix_per_hour=min(self.per_prefix_per_hour, per_prefix_per_hour),
            per_country_per_hour=min(self.per_country_per_hour, per_country_per_hour),
            country_overrides={
                country: min(limit, per_country_per_hour) for country, limit in self.country_overrides.items()
            },
            per_day=min(self.per_day, per_day),
            alarm_at_limit=True,
        )


class QuotaArea(NamedTuple):
    """A group of numbers and its limit in a window. `blocks_on_alarm`: a low entry rate blocks the area for a window."""

    kind: AreaKind
    name: str
    window: timedelta
    limit: int
    is_entry_rate_checked: bool = True
    blocks_on_alarm: bool = False

    @property
    def slot_ms(self) -> int:
        """The length of a slot in ms."""
        return _ms(self.window) // SLOT_COUNT

    @property
    def masked_name(self) -> str:
        """The name for logs: a number or prefix with masked last digits, or the code of a country."""
        if self.kind == "number":
            return self.name[:-MASKED_DIGITS] + "x" * MASKED_DIGITS
        return self.name + "x" * MASKED_DIGITS if self.kind == "prefix" else self.name


class SmsPumpingGuard:
    """Counts one kind of SMS in every area. The Redis keys are keyed hashes of the areas, each in its own cluster slot.

    Areas are counted one after the other, and not in one step with the sending. After a crash in between, an area has
    counted an SMS that was not sent: a limit may be reached one SMS early, and is never exceeded.
    """

    def __init__(
        self,
        redis: RedisScripting,
        cipher: Cipher,
        limits: SmsLimits,
        counted_sms: CountedSms = "codes",
        *,
        alarms: Counter[str] | None = None,
    ) -> None:
        """`alarms` is where alarms are counted, by kind of area."""
        self._redis = redis
        self._cipher = cipher
        self._limits = limits
        self._counted_sms = counted_sms
        self.alarms: Counter[str] = Counter() if alarms is None else alarms

    async def take(self, msisdn: str, now: int) -> RejectionReason | None:
        """Count an SMS to `msisdn` at `now`, in ms. Where a limit is reached, return it and count nothing."""
        taken: list[QuotaArea] = []
        # The smallest area first: requests for a blocked prefix do not use up the limit of its country.
        for area in self.list_areas(msisdn):
            result = await self._take(area, now)
            if result != COUNTED:
                await self._subtract(taken, now)
                return "pumping" if result == BLOCKED else area.kind
            taken.append(area)
        return None

    async def release(self, msisdn: str, now: int) -> None:
        """Undo `take` with the same arguments: the SMS was not sent."""
        await self._subtract(self.list_areas(msisdn), now)

    async def record_entry(self, msisdn: str, sent_at: int) -> None:
        """Count a code that was entered; `sent_at` is the time of its sending in ms."""
        for area in self.list_areas(msisdn):
            if area.is_entry_rate_checked:
                await self._add(area, "e", sent_at, 1)

    def list_areas(self, msisdn: str) -> tuple[QuotaArea, ...]:
        """The areas of a number. Only prefixes are blocked by an alarm: otherwise a fraudster could block a country."""
        limits, country = self._limits, find_country(msisdn) or UNKNOWN_COUNTRY
        is_rate_checked = limits.min_entry_rate > 0
        per_country = limits.country_overrides.get(country, limits.per_country_per_hour)
        per_number = ((HOUR, limits.per_number_per_hour), (DAY, limits.per_number_per_day))
        return (
            *(QuotaArea("number", msisdn, window, limit, False) for window, limit in per_number if limit is not None),
            QuotaArea(
                "prefix", msisdn[:-MASKED_DIGITS], HOUR, limits.per_prefix_per_hour, is_rate_checked, is_rate_checked
            ),
            QuotaArea("country", country, HOUR, per_country, is_rate_checked),
            QuotaArea("day", "", DAY, limits.per_day, is_entry_rate_checked=False),
        )

    async def _take(self, area: QuotaArea, now: int) -> int:
        limits = self._limits
        rate_check = (
            _ms(ENTRY_DELAY),
            limits.min_sample,
            limits.min_entry_rate if area.is_entry_rate_checked else 0,
            int(area.blocks_on_alarm),
        )
        quota = (now, area.slot_ms, _ms(area.window), area.limit)
        result, is_low, is_full = await self._redis.eval(TAKE_LUA, 1, self._redis_key(area), *quota, *rate_check)
        if is_low:
            self.alarms[area.kind] += 1
            log.critical(
                "codes_not_entered",
                sms=self._counted_sms,
                area=area.kind,
                to=area.masked_name,
                blocked=area.blocks_on_alarm,
            )
        if is_full:
            self._report_limit(area)
        return int(result)

    def _report_limit(self, area: QuotaArea) -> None:
        """Log once a window that the limit of an area is reached, and count the alarm if it is one."""
        is_alarm = self._limits.alarm_at_limit and area.kind != "number"
        if is_alarm:
            self.alarms[area.kind] += 1
        report = log.critical if is_alarm or area.kind == "day" else log.warning
        hours = area.window // HOUR
        report(
            "sms_limit_reached",
            sms=self._counted_sms,
            area=area.kind,
            to=area.masked_name,
            limit=area.limit,
            hours=hours,
        )

    async def _subtract(self, areas: Iterable[QuotaArea], sent_at: int) -> None:
        for area in areas:
            await self._add(area, "s", sent_at, -1)

    async def _add(self, area: QuotaArea, counter: Literal["s", "e"], sent_at: int, delta: int) -> None:
        await self._redis.eval(ADD_LUA, 1, self._redis_key(area), counter, sent_at, area.slot_ms, delta)

    def _redis_key(self, area: QuotaArea) -> str:
        hours = "" if area.kind != "number" else f" {area.window // HOUR}"
        digest = self._cipher.keyed_hash("codes to", f"{area.kind} {area.name}{hours}")
        return f"ekdial:{self._counted_sms}:{{{digest}}}"


def _ms(period: timedelta) -> int:
    return period // timedelta(milliseconds=1)
