"""Limits on applications for other people: each names a number, whose owner gets SMS that they did not ask for.

An account names few numbers a day, a number is named seldom, and whoever refused an application of an account is not named
by that account again for a while.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import ColumnElement, Select, select

from core.types import UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import accounts, applications, audit
from services.applications.models import BeneficiaryLimitError, BeneficiaryRejection

DAY: Final = timedelta(days=1)
REFUSAL_PERIOD: Final = timedelta(days=30)  # after it, the same account may name the number once more


@dataclass(frozen=True, slots=True)
class BeneficiaryLimits:
    """The most applications for others in 24 hours: by one account, and for one number by all accounts."""

    per_account_per_day: int = 5
    per_beneficiary_per_day: int = 3


class BeneficiaryGuard:
    """Decides whether an account may apply for the owner of a number."""

    def __init__(
        self, database: Database, limits: BeneficiaryLimits | None = None, *, clock: UtcClock = utc_now
    ) -> None:
        self._database = database
        self._limits = limits or BeneficiaryLimits()
        self._clock = clock

    async def find_rejection(
        self, account: int, msisdn: str, is_counted: Callable[[str], bool]
    ) -> BeneficiaryRejection | None:
        """Why the account may not make one more application for this number now; None where it may.

        `is_counted` tells by its idempotency key whether an application counts.
        """
        async with self._database.transaction() as transaction:
            return await self._find_rejection(transaction, account, msisdn, is_counted, new=1)

    async def ensure_allowed(self, transaction: Transaction, account: int, msisdn: str) -> None:
        """Check an application that is recorded in this transaction already. Concurrent ones of an account wait here.

        Raises:
            BeneficiaryLimitError: a limit is exceeded, or the owner of the number refused an application.
        """
        # Not FOR UPDATE: the new row's foreign key holds the account of every concurrent transaction already.
        await transaction.execute(select(accounts.c.id).where(accounts.c.id == account).with_for_update(key_share=True))
        if rejection := await self._find_rejection(transaction, account, msisdn, lambda _: True, new=0):
            raise BeneficiaryLimitError(rejection)

    async def _find_rejection(
        self, transaction: Transaction, account: int, msisdn: str, is_counted: Callable[[str], bool], *, new: int
    ) -> BeneficiaryRejection | None:
        """`new` is the number of applications to be counted that are not recorded yet."""
        now, limits = self._clock(), self._limits
        for condition, limit in (
            (applications.c.account == account, limits.per_account_per_day),
            (applications.c.beneficiary == msisdn, limits.per_beneficiary_per_day),
        ):
            keys = await transaction.execute(_select_for_others(condition, applications.c.created_at > now - DAY))
            if sum(map(is_counted, keys.scalars())) + new > limit:
                return "too_many"
        refused = await transaction.execute(_select_refusals(account, msisdn).where(audit.c.at > now - REFUSAL_PERIOD))
        return "refused" if any(map(is_counted, refused.scalars())) else None


def _select_for_others(*conditions: ColumnElement[bool]) -> Select[tuple[str]]:
    """The keys of applications for others."""
    return select(applications.c.idempotency_key).where(applications.c.beneficiary.is_not(None), *conditions)


def _select_refusals(account: int, msisdn: str) -> Select[tuple[str]]:
    """The keys of applications of the account that the owner of the number refused."""
    refusal = (audit.c.subject_kind == "application") & (audit.c.subject == applications.c.tracking_number)
    refused = select(applications.c.idempotency_key).join(audit, refusal).where(audit.c.act == "refused")
    return refused.where(applications.c.account == account, applications.c.beneficiary == msisdn)
