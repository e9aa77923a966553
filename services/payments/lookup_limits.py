"""Limits on bills that are looked up: a bill shows the amount, and part of a name, to whoever types a consumer number.

Lookups of unverified callers are counted apart: forged SMS use up nobody else's.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal, TypeAlias

import structlog

from core.rate_limit import SubjectLimiter, SubjectQuota, WindowCounter
from core.verified_caller import is_caller_verified

HOUR: Final = timedelta(hours=1)

LookupLimit: TypeAlias = Literal["caller", "consumer", "biller"]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LookupQuotas:
    """The most lookups in an hour: by one caller, of one consumer number, and of one biller by all callers."""

    per_caller: int = 10
    per_consumer: int = 10
    per_biller: int = 5000


class LookupLimits:
    """Counts lookups over all processes; reaching the limit of a biller is an alarm."""

    def __init__(
        self, counter: WindowCounter, keyed_hash: Callable[[str, str], str], quotas: LookupQuotas | None = None
    ) -> None:
        """`keyed_hash` is `core.crypto.Cipher.keyed_hash`."""
        quotas = quotas or LookupQuotas()

        def build(scope: str, limit: int, *, alarms: bool = False) -> SubjectLimiter:
            return SubjectLimiter(counter, keyed_hash, SubjectQuota(scope, limit, HOUR), alarms=alarms)

        self._by_caller = build("bills looked up by", quotas.per_caller)
        self._by_consumer = build("bills of consumer", quotas.per_consumer)
        self._by_biller = build("bills of biller", quotas.per_biller, alarms=True)
        self.rejections: Counter[str] = Counter()
        """The number of lookups that were rejected, by the limit reached."""

    async def find_rejection(self, caller: str, biller: str, consumer: str, *, own: bool) -> LookupLimit | None:
        """Count a lookup; the limit that it exceeds, or None.

        `own`: the caller has paid a bill of this consumer number, which others cannot close for them.
        """
        kind = "verified" if is_caller_verified() else "unverified"
        reason: LookupLimit | None = None
        if not await self._by_caller.try_consume(f"{kind} {caller}"):
            reason = "caller"
        elif not own and not await self._by_consumer.try_consume(f"{kind} {biller} {consumer}"):
            reason = "consumer"
        elif not await self._by_biller.try_consume(f"{kind} {biller}"):
            reason = "biller"
        if reason:
            self.rejections[reason] += 1
            log.warning("bill_lookup_rejected", limit=reason, biller=biller)
        return reason
