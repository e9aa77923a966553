"""Limits on consents in a day: by one operator, and to one citizen."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import Row, Select, func, select

from core.types import UtcClock
from db.database import Database
from db.tables import ADDED_CONSENT, audit, consent_checks, consents
from services.assisted.models import list_purposes
from services.assisted.visit_summary import APPLIED_ACT

DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DailyLimits:
    """The limits in a day; an operator may have limits of their own on consents and applications."""

    consents_per_operator: int = 40
    applications_per_operator: int = 30
    wrong_codes_per_operator: int = 10
    requests_per_citizen: int = 6


class ConsentLimits:
    """Compares the last day with the limits. A consent is a row with the columns of its operator."""

    def __init__(self, database: Database, limits: DailyLimits, clock: UtcClock) -> None:
        self._database = database
        self._limits = limits
        self._clock = clock

    async def find_reached_limit(self, consent: Row[Any]) -> Literal["too_many", "spent"] | None:
        """`spent` where a limit of the operator is reached, `too_many` where the citizen's is; this consent is counted."""
        limit = consent.consents_a_day or self._limits.consents_per_operator
        requests = await self._fetch_count(_requests_by_operator(consent.operator, self._window_start()))
        if requests > limit or await self._has_reached_any(consent):
            return "spent"
        requests = await self._fetch_count(_requests_to_citizen(consent.msisdn, self._window_start()))
        return "too_many" if requests > self._limits.requests_per_citizen else None

    async def has_reached_wrong_codes(self, consent: Row[Any]) -> bool:
        """Whether the operator has reached the limit of wrong codes."""
        wrong_codes = await self._fetch_count(_wrong_codes_by_operator(consent.operator, self._window_start()))
        return wrong_codes >= self._limits.wrong_codes_per_operator

    async def has_reached_applications(self, consent: Row[Any]) -> bool:
        """Whether the consent, or one that adds to it, is for an application, and the operator has reached their limit."""
        if "apply" not in list_purposes(consent) and not await self._fetch_count(_additions_to_apply(consent.id)):
            return False
        limit = consent.applications_a_day or self._limits.applications_per_operator
        return await self._fetch_count(_applications_by_operator(consent.operator, self._window_start())) >= limit

    async def _has_reached_any(self, consent: Row[Any]) -> bool:
        return await self.has_reached_wrong_codes(consent) or await self.has_reached_applications(consent)

    async def _fetch_count(self, query: Select[int]) -> int:
        return int((await self._database.fetch(query)).scalar_one())

    def _window_start(self) -> datetime:
        return self._clock() - DAY


def _requests_by_operator(operator: int, since: datetime) -> Select[int]:
    requests = select(func.count()).where(consents.c.operator == operator, consents.c.requested_at > since)
    return requests.where(consents.c.outcome.in_(("asking", "sent")))


def _requests_to_citizen(msisdn: str, since: datetime) -> Select[int]:
    requests = select(func.count()).where(consents.c.msisdn == msisdn, consents.c.requested_at > since)
    return requests.where(consents.c.outcome.in_(("asking", "sent")))


def _wrong_codes_by_operator(operator: int, since: datetime) -> Select[int]:
    wrong = select(func.count()).select_from(consent_checks.join(consents)).where(consents.c.operator == operator)
    return wrong.where(consent_checks.c.outcome == "wrong", consent_checks.c.created_at > since)


def _additions_to_apply(consent: int) -> Select[int]:
    """Applying is the first purpose, and so is never a further one."""
    given = (ADDED_CONSENT, consents.c.visit == consent, consents.c.given_at.is_not(None))
    return select(func.count()).select_from(consents).where(*given, consents.c.purpose == "apply")


def _applications_by_operator(operator: int, since: datetime) -> Select[int]:
    by_operator = (audit.c.actor_kind == "operator", audit.c.actor == str(operator))
    return select(func.count()).where(*by_operator, audit.c.act == APPLIED_ACT, audit.c.at > since)
