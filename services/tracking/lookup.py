"""Lookup of a twelve-digit number: an application, a complaint or a feedback. Callers who guess numbers have to wait.

The number of one's own case, asked for from one's own phone or signed in, is always answered: it costs one database query
and no access to Redis. Every other number costs a look at the misses, which all processes share. Misses of unverified
callers are counted apart, so that forged SMS make nobody wait who calls.
"""

from asyncio import gather
from collections import Counter
from typing import Final, NamedTuple

from core.rate_limit import MissLimiter
from core.verified_caller import is_caller_verified
from services.applications.models import ASKING_STATUS
from services.complaints.status import ComplaintStatusReader
from services.tracking.models import LookupResult
from services.tracking.summary import TrackingSummaries

PREFIX_DIGITS: Final = 5
"""The first digits of a number, by which misses of all callers are counted: a sweep goes through few prefixes."""


class TrackingLookup:
    """Finds the case of a number."""

    def __init__(
        self,
        summaries: TrackingSummaries,
        complaint_reader: ComplaintStatusReader,
        caller_limiter: MissLimiter,
        prefix_limiter: MissLimiter,
    ) -> None:
        """`caller_limiter` counts the misses of each caller, `prefix_limiter` those of all callers by prefix."""
        self._summaries = summaries
        self._complaint_reader = complaint_reader
        self._caller_limiter = caller_limiter
        self._prefix_limiter = prefix_limiter
        self.lookups: Counter[str] = Counter()
        """The number of lookups by the kind of the result."""

    async def find(self, number: str, caller: str, *, account: int = 0, own: bool = False) -> LookupResult:
        """The case with this number, for a caller who is signed in to `account`; 0: not signed in.

        `own`: the caller picked it from the list of their own cases; it is not a guess.
        """
        result, is_own = await self._find(number, caller, account)
        subjects = _Subjects.of(caller, number)
        if result.kind == "unknown":
            result = await self._record_miss(number, subjects)
        elif not (own or is_own) and await self._is_held(subjects):
            result = LookupResult("held")
        self.lookups[result.kind] += 1
        return result

    async def _find(self, number: str, caller: str, account: int) -> tuple[LookupResult, bool]:
        """The case, and whether it is the caller's own."""
        if summary := await self._summaries.find(number):
            asks_caller = summary.status.status == ASKING_STATUS and summary.holders.is_applicant(caller, account)
            result = LookupResult(
                "application", summary.status, summary.fee, summary.is_waiting, may_answer=asks_caller
            )
            return result, summary.holders.include(caller, account)
        if complaint := await self._complaint_reader.find_complaint(number):
            return LookupResult("complaint", complaint=complaint), complaint.belongs_to(caller)
        if feedback := await self._complaint_reader.find_feedback(number):
            return LookupResult("feedback", feedback=feedback), feedback.belongs_to(caller)
        return LookupResult("unknown"), False

    async def _is_held(self, subjects: "_Subjects") -> bool:
        if self._is_known_to_be_held(subjects):
            return True
        checks = (
            self._caller_limiter.is_over_limit(subjects.caller),
            self._prefix_limiter.is_over_limit(subjects.prefix),
        )
        return any(await gather(*checks))

    async def _record_miss(self, number: str, subjects: "_Subjects") -> LookupResult:
        if self._is_known_to_be_held(subjects):
            return LookupResult("held")
        misses = (
            self._caller_limiter.record_miss(subjects.caller, number),
            self._prefix_limiter.record_miss(subjects.prefix, number),
        )
        return LookupResult("held" if any(await gather(*misses)) else "unknown")

    def _is_known_to_be_held(self, subjects: "_Subjects") -> bool:
        return self._caller_limiter.is_blocked(subjects.caller) or self._prefix_limiter.is_blocked(subjects.prefix)


class _Subjects(NamedTuple):
    """The subjects for which misses are counted: those of verified callers and of others are different ones."""

    caller: str
    prefix: str

    @classmethod
    def of(cls, caller: str, number: str) -> "_Subjects":
        kind = "" if is_caller_verified() else "unverified "
        return cls(f"{kind}{caller}", f"{kind}{number[:PREFIX_DIGITS]}")
