"""How many codes go to one prefix, to one country, and in all; and whether anybody enters them.

SMS pumping is codes asked for at numbers whose network pays the asker a share. Its numbers lie side by side, and its
codes are never entered: real people enter theirs. So what is sent and what is entered is counted by the time at which
it was sent, in slots, and a slot is judged once it is old enough for its codes to have been entered.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Literal, NamedTuple, TypeAlias

import phonenumbers
import structlog

from services.given import Scripts, Sealing

log = structlog.get_logger()

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
SLOTS: Final = 12  # in a window: what was counted leaves it in steps, of five minutes where it is an hour
RIPE: Final = timedelta(minutes=5)  # by then, whoever wants to enter a code has entered it
TAIL: Final = 4  # last digits, in which the numbers of one prefix differ
NOWHERE: Final = "ZZ"  # the country of what belongs to none, as phonenumbers calls it

Kind: TypeAlias = Literal["prefix", "country", "day"]
Refused: TypeAlias = Literal["prefix", "country", "day", "pumping"]

# KEYS: what is counted of one area: `s<slot>` sent, `e<slot>` entered; `full` and `low`: until when, in ms, it was told.
# ARGV: now, a slot and the window in ms, most in the window, the age in ms at which a slot is judged, from how many
# codes on, how many per cent of them must be entered, and whether the area is closed for a window when fewer are.
# Gives: 0 counted, 1 full or 2 closed and not counted; then whether `low` and `full` are news in this window.
# What lies before the window is dropped, so that a key holds two numbers a slot at most.
TAKE: Final = """
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

# KEYS: what is counted of one area. ARGV: `s` or `e`, when the code was sent, a slot in ms, and what to add.
# An area that is gone from Redis stays gone: nothing is counted there that would never be dropped.
ADD: Final = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
return redis.call('HINCRBY', KEYS[1], ARGV[1] .. math.floor(ARGV[2] / ARGV[3]), ARGV[4])
"""
COUNTED, FULL, CLOSED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Limits:
    """Most codes in an hour to one prefix and to one country (`countries`: where it differs), and in a day in all.

    From `watched` codes an hour on, `entered` per cent of them must be entered, or somebody is paid for them.
    """

    prefix: int = 60
    country: int = 2000
    countries: Mapping[str, int] = field(default_factory=dict)
    daily: int = 20_000
    watched: int = 20
    entered: int = 30


class Area(NamedTuple):
    """A part of all numbers, how many codes it may get in a window, and what it means that few of them are entered."""

    kind: Kind
    name: str
    window: timedelta
    most: int
    judged: bool = True
    closes: bool = False

    @property
    def slot(self) -> int:
        """How long a slot of its window is, in ms."""
        return _ms(self.window) // SLOTS

    @property
    def shown(self) -> str:
        """What a log may call it: a prefix with the digits it lacks masked, a country's letters."""
        return self.name + "x" * TAIL if self.kind == "prefix" else self.name


class Pumping:
    """What is counted of every area. In Redis, areas are keyed hashes; each is a key, and so a slot, of its own.

    They are asked one after the other, and not in one step with the code: a process that dies in between has counted a
    code that was not sent, so that for a window there is one too few. There is never one too many.
    """

    def __init__(self, redis: Scripts, seal: Sealing, limits: Limits) -> None:
        self._redis = redis
        self._seal = seal
        self._limits = limits
        self.alarms: Counter[str] = Counter()
        """How often an area was found whose codes nobody enters."""

    async def take(self, number: str, now: int) -> Refused | None:
        """Count a code to be sent to `number` at `now`, in ms; or why there is none, and then nothing is counted."""
        taken: list[Area] = []
        for area in self._areas(number):  # the narrowest first: what a closed prefix is asked for touches no country
            answer = await self._take(area, now)
            if answer != COUNTED:
                await self._subtract(taken, now)
                return "pumping" if answer == CLOSED else area.kind
            taken.append(area)
        return None

    async def give_back(self, number: str, now: int) -> None:
        """Count no more what `take` counted with the same two: it was not sent after all."""
        await self._subtract(self._areas(number), now)

    async def entered(self, number: str, sent: int) -> None:
        """Count a code that was entered by when it was sent, in ms."""
        for area in self._areas(number):
            if area.judged:
                await self._add(area, "e", sent, 1)

    def _areas(self, number: str) -> tuple[Area, ...]:
        """Only a prefix is closed when nobody enters its codes: a country would be, at anyone's pleasure."""
        limits, country = self._limits, _country(number)
        return (
            Area("prefix", number[:-TAIL], HOUR, limits.prefix, closes=True),
            Area("country", country, HOUR, limits.countries.get(country, limits.country)),
            Area("day", "", DAY, limits.daily, judged=False),
        )

    async def _take(self, area: Area, now: int) -> int:
        limits = self._limits
        judged = (_ms(RIPE), limits.watched, limits.entered if area.judged else 0, int(area.closes))
        counted = (now, area.slot, _ms(area.window), area.most)
        answer, low, full = await self._redis.eval(TAKE, 1, self._key(area), *counted, *judged)
        if low:
            self.alarms[area.kind] += 1
            log.critical("codes are sent and not entered", area=area.kind, to=area.shown, closed=area.closes)
        if full:
            said = log.critical if area.kind == "day" else log.warning
            said("no more codes are sent", area=area.kind, to=area.shown, most=area.most, hours=area.window // HOUR)
        return int(answer)

    async def _subtract(self, areas: Iterable[Area], sent: int) -> None:
        for area in areas:
            await self._add(area, "s", sent, -1)

    async def _add(self, area: Area, what: Literal["s", "e"], sent: int, many: int) -> None:
        await self._redis.eval(ADD, 1, self._key(area), what, sent, area.slot, many)

    def _key(self, area: Area) -> str:
        return f"ekdial:codes:{{{self._seal.name('codes to', f'{area.kind} {area.name}')}}}"


def _country(number: str) -> str:
    """Its two letters, where the number can be told to belong to one."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or NOWHERE
    except phonenumbers.NumberParseException:
        return NOWHERE


def _ms(period: timedelta) -> int:
    return period // timedelta(milliseconds=1)
