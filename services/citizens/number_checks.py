"""SIM swap: whether the SIM of a number was changed lately. Somebody who takes over a number gets its codes and calls.

A provider may answer at once, or report later to a webhook, which can arrive in another process. So the result is stored in
Redis, by the keyed hash of the number, and the check waits for it. Redis has no number.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Literal, Protocol, TypeAlias, cast, get_args

import structlog

from core.logging import error_facts
from core.phone_numbers import is_e164
from core.rate_limit import REDIS_ERRORS
from core.timeouts import Timeout
from core.types import RedisScripting, UtcClock, utc_now

SimState: TypeAlias = Literal["unchanged", "swapped", "unknown"]

RESULT_TTL: Final = timedelta(minutes=10)
UNKNOWN_TTL: Final = timedelta(minutes=1)
"""For a failed check, and for a report that is awaited: until then the provider is not asked again about this number."""
REPORT_TTL: Final = timedelta(minutes=10)
POLL_INTERVAL: Final = 0.1  # seconds

ASKED: Final = "asked"
EARLY: Final = "="  # before a state that was reported before the request had its answer

# KEYS: the number. ARGV: ASKED and its TTL in ms. Returns what is stored; an empty text: this caller has to ask.
CLAIM_LUA: Final = """
local stored = redis.call('GET', KEYS[1])
if stored then return stored end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ''
"""
READ_LUA: Final = "return redis.call('GET', KEYS[1]) or ''"
STORE_LUA: Final = "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])"
# KEYS: the request. ARGV: its number's hash, TTL in ms. Returns the early report, or an empty text.
AWAIT_REPORT_LUA: Final = """
local early = redis.call('GET', KEYS[1])
if early then return early end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ''
"""
# KEYS: the request. ARGV: the report, marked as early; TTL in ms. Returns the number's hash; empty where it is not known yet.
REPORT_LUA: Final = """
local number = redis.call('GET', KEYS[1])
if number and string.sub(number, 1, 1) ~= '=' then return number end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ''
"""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SimSwapResult:
    """The answer of a provider about one number. `swapped_on`: the day of the latest change, where the provider tells it."""

    state: SimState
    swapped_on: date | None = None
    reason: str = ""
    """For the log, why the state is unknown: one word."""


@dataclass(frozen=True, slots=True)
class SimSwapPending:
    """The provider will report to its webhook, under this id."""

    request_id: str


@dataclass(frozen=True, slots=True)
class SimSwapReport:
    """The result that a provider reports for an earlier request."""

    request_id: str
    result: SimSwapResult


class SimSwapProvider(Protocol):
    """Asks a network, through a provider, when the SIM of a number was changed."""

    @property
    def name(self) -> str:
        """The name in the addresses of its webhooks."""

    @property
    def recent_days(self) -> int:
        """The days for which a change counts."""

    @property
    def deadline(self) -> float:
        """Seconds that a check may take, with the wait for a report."""

    async def request_check(self, msisdn: str) -> SimSwapResult | SimSwapPending:
        """The result, or the id of the request that is reported later. Failures are results too; nothing is raised."""

    def parse_report(self, body: bytes) -> SimSwapReport | None:
        """The report in the body of a webhook; None where it is none."""


class NumberChecks:
    """Checks numbers before an act that would profit a thief of the number."""

    def __init__(
        self,
        redis: RedisScripting,
        keyed_hash: Callable[[str, str], str],
        provider: SimSwapProvider | None,
        *,
        clock: UtcClock = utc_now,
    ) -> None:
        """`keyed_hash` is `core.crypto.Cipher.keyed_hash`. With no `provider` there is nothing to ask."""
        self._redis = redis
        self._keyed_hash = keyed_hash
        self._provider = provider
        self._clock = clock
        self.counts: Counter[str] = Counter()
        """The number of checks by state; with no provider none are counted."""

    async def check(self, msisdn: str) -> SimState:
        """Whether the SIM of this number was changed lately; without a provider it is `unchanged`.

        `unknown`: the provider fails, does not know the network, or does not answer within its deadline. A result is kept
        for RESULT_TTL, so that the steps of one session cost one request.
        """
        if self._provider is None:
            return "unchanged"
        state = await self._check_within_deadline(self._provider, msisdn)
        self.counts[state] += 1
        return state

    async def record_report(self, report: SimSwapReport) -> None:
        """Store a result that a provider reports; a check may be waiting for it. A repeat changes nothing."""
        state = self._state_of(report.result)
        key = self._request_key(report.request_id)
        number = await self._eval(REPORT_LUA, key, EARLY + state, REPORT_TTL)
        if number:
            await self._store(number, state)

    async def _check_within_deadline(self, provider: SimSwapProvider, msisdn: str) -> SimState:
        if not is_e164(msisdn):
            return "unknown"
        try:
            async with Timeout(provider.deadline):
                return await self._check(provider, msisdn)
        except TimeoutError:
            log.warning("sim_swap_check_late", provider=provider.name)
        except REDIS_ERRORS as error:
            log.warning("sim_swap_check_failed", provider=provider.name, **error_facts(error))
        return "unknown"

    async def _check(self, provider: SimSwapProvider, msisdn: str) -> SimState:
        number = self._number_key(msisdn)
        stored = await self._eval(CLAIM_LUA, number, ASKED, UNKNOWN_TTL)
        if stored:
            return await self._wait_for_result(number, stored)
        answer = await provider.request_check(msisdn)
        if isinstance(answer, SimSwapPending):
            early = await self._eval(AWAIT_REPORT_LUA, self._request_key(answer.request_id), number, REPORT_TTL)
            if not early:
                return await self._wait_for_result(number, ASKED)
            state = cast("SimState", early.removeprefix(EARLY))
        else:
            if answer.reason:
                log.warning("sim_swap_check_failed", provider=provider.name, reason=answer.reason)
            state = self._state_of(answer)
        await self._store(number, state)
        return state

    async def _wait_for_result(self, number: str, stored: str) -> SimState:
        """The result, once it is stored; the caller has a deadline. A request that expired without a report is unknown."""
        while stored == ASKED:
            await asyncio.sleep(POLL_INTERVAL)
            stored = await self._eval(READ_LUA, number)
        return cast("SimState", stored) if stored in get_args(SimState) else "unknown"

    def _state_of(self, result: SimSwapResult) -> SimState:
        """The state, with a change that is longer ago than `recent_days` as none."""
        if result.state != "swapped" or result.swapped_on is None or self._provider is None:
            return result.state
        age = self._clock().date() - result.swapped_on
        return "swapped" if age.days <= self._provider.recent_days else "unchanged"

    async def _store(self, number: str, state: SimState) -> None:
        await self._eval(STORE_LUA, number, state, UNKNOWN_TTL if state == "unknown" else RESULT_TTL)

    async def _eval(self, script: str, key: str, *arguments: Any) -> str:
        plain = [one // timedelta(milliseconds=1) if isinstance(one, timedelta) else one for one in arguments]
        answer = await self._redis.eval(script, 1, key, *plain)
        return answer.decode() if isinstance(answer, bytes) else str(answer or "")

    def _number_key(self, msisdn: str) -> str:
        return f"ekdial:sim:{self._keyed_hash('sim swap', msisdn)}"

    def _request_key(self, request_id: str) -> str:
        return f"ekdial:sim-request:{self._keyed_hash('sim swap request', request_id)}"
