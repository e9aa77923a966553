"""How much may be asked and done in a day under consents: by one operator, and of one citizen."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import Row, Select, func, select

from services.given import Clock
from services.records.database import Records
from services.records.tables import audit, consent_checks, consents
from services.visits import APPLIED

DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Limits:
    """Most in a day: consents an operator asks for, applications they hand in, wrong codes they type; asked of one citizen."""

    consents: int = 40
    applications: int = 30
    wrong_codes: int = 10
    of_citizen: int = 6


class Counting:
    """What was asked and done in the last day, beside the limits. A consent is a row with its operator's columns."""

    def __init__(self, records: Records, limits: Limits, clock: Clock) -> None:
        self._records = records
        self._limits = limits
        self._clock = clock

    async def refused(self, consent: Row[Any]) -> Literal["too_many", "spent"] | None:
        """Whose limit is reached, the citizen's or the operator's, if any is; this one is counted."""
        most = consent.consents_a_day or self._limits.consents
        if await self._count(_asked_by(consent.operator, self._since())) > most or await self._spent(consent):
            return "spent"
        asked = await self._count(_asked_of(consent.number, self._since()))
        return "too_many" if asked > self._limits.of_citizen else None

    async def guessed_enough(self, consent: Row[Any]) -> bool:
        """Whether its operator has typed as many wrong codes as they may."""
        return await self._count(_wrong_by(consent.operator, self._since())) >= self._limits.wrong_codes

    async def applied_enough(self, consent: Row[Any]) -> bool:
        """Whether it is for an application, and its operator has handed in as many as they may."""
        if consent.purpose != "apply":
            return False
        most = consent.applications_a_day or self._limits.applications
        return await self._count(_applied_by(consent.operator, self._since())) >= most

    async def _spent(self, consent: Row[Any]) -> bool:
        return await self.guessed_enough(consent) or await self.applied_enough(consent)

    async def _count(self, counted: Select[int]) -> int:
        return int((await self._records.read(counted)).scalar_one())

    def _since(self) -> datetime:
        return self._clock() - DAY


def _asked_by(operator: int, since: datetime) -> Select[int]:
    asked = select(func.count()).where(consents.c.operator == operator, consents.c.asked_at > since)
    return asked.where(consents.c.outcome.in_(("asking", "sent")))


def _asked_of(number: str, since: datetime) -> Select[int]:
    asked = select(func.count()).where(consents.c.number == number, consents.c.asked_at > since)
    return asked.where(consents.c.outcome.in_(("asking", "sent")))


def _wrong_by(operator: int, since: datetime) -> Select[int]:
    wrong = select(func.count()).select_from(consent_checks.join(consents)).where(consents.c.operator == operator)
    return wrong.where(consent_checks.c.outcome == "wrong", consent_checks.c.created_at > since)


def _applied_by(operator: int, since: datetime) -> Select[int]:
    by = (audit.c.actor_kind == "operator", audit.c.actor == str(operator))
    return select(func.count()).where(*by, audit.c.act == APPLIED, audit.c.at > since)
