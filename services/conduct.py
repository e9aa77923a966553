"""How operators use what they may do, counted for whoever looks after them, and what is far from what others do.

It names operators by their id and no citizen at all.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from statistics import median
from typing import Any, Final

from sqlalchemy import Select, case, func, select

from services.records.database import Records
from services.records.tables import audit, consent_checks, consents, operators
from services.visits import APPLIED

COUNTED: Final = ("asked", "given", "refused", "wrong", "applications", "citizens", "nights")
FAR: Final = 3  # times the median of how far all are from the median
NEAR: Final = 1  # that median where all do nearly the same, so that one more is not far
NIGHT: Final = (22, 6)  # hours, on the clock where the gateway stands


@dataclass(frozen=True, slots=True)
class Line:
    """What one operator did: `counts` by COUNTED, which of them are `unusual`, and whether a limit was reached."""

    operator: int
    centre: str
    suspended: bool
    counts: Mapping[str, int]
    limited: bool
    unusual: frozenset[str] = frozenset()


class Conduct:
    """What all operators did. `zone` is where it is night."""

    def __init__(self, records: Records, zone: tzinfo) -> None:
        self._records = records
        self._zone = zone

    async def since(self, moment: datetime) -> tuple[Line, ...]:
        """Every operator from then on, those with the most that is unusual first."""
        consented = {row.operator: row for row in await self._records.read(_consented(moment))}
        wrong = await self._pairs(_wrong(moment))
        applied = {int(actor): count for actor, count in (await self._pairs(_applied(moment))).items()}
        nights = await self._nights(moment)
        everybody = await self._records.read(select(operators.c.id, operators.c.centre, operators.c.suspended_at))
        lines = [
            Line(
                row.id,
                row.centre,
                row.suspended_at is not None,
                {
                    **_counts(consented.get(row.id)),
                    "wrong": wrong.get(row.id, 0),
                    "applications": applied.get(row.id, 0),
                    "nights": nights[row.id],
                },
                bool(consented[row.id].limited) if row.id in consented else False,
            )
            for row in everybody
        ]
        return tuple(sorted(judged(lines), key=lambda line: (-len(line.unusual) - line.limited, line.operator)))

    async def _pairs(self, counted: Select[Any]) -> dict[Any, int]:
        rows: Sequence[Any] = (await self._records.read(counted)).all()
        return {whose: count for whose, count in rows}  # noqa: C416 - rows are no pairs to mypy

    async def _nights(self, moment: datetime) -> Counter[int]:
        given = select(consents.c.operator, consents.c.given_at).where(consents.c.given_at >= moment)
        rows = await self._records.read(given)
        return Counter(row.operator for row in rows if self._at_night(row.given_at))

    def _at_night(self, moment: datetime) -> bool:
        begins, ends = NIGHT
        hour = moment.astimezone(self._zone).hour
        return hour >= begins or hour < ends


def judged(lines: Sequence[Line]) -> list[Line]:
    """The same lines with what is far above the others; who did nothing is not one of the others."""
    at_work = [line for line in lines if line.counts["asked"]]
    most = {what: _most(line.counts[what] for line in at_work) for what in COUNTED}
    return [
        Line(
            line.operator,
            line.centre,
            line.suspended,
            line.counts,
            line.limited,
            frozenset(what for what in COUNTED if line.counts[what] > most[what]),
        )
        for line in lines
    ]


def _most(counts: Iterable[int]) -> float:
    """The most that is not far: the median and three times the median distance from it."""
    known = list(counts)
    if not known:
        return 0
    middle = median(known)
    return middle + FAR * max(median(abs(count - middle) for count in known), NEAR)


def _counts(row: Any) -> dict[str, int]:
    if row is None:
        return dict.fromkeys(COUNTED, 0)
    return {"asked": row.asked, "given": row.given, "refused": row.asked - row.given, "citizens": row.citizens}


def _consented(moment: datetime) -> Select[Any]:
    sent, spent = consents.c.outcome == "sent", consents.c.outcome == "spent"
    limit = case((spent, 1), (consents.c.ended_by == "limit", 1), else_=0)
    return (
        select(
            consents.c.operator,
            func.sum(case((sent, 1), else_=0)).label("asked"),
            func.count(consents.c.given_at).label("given"),
            func.count(consents.c.number.distinct()).label("citizens"),
            func.sum(limit).label("limited"),
        )
        .where(consents.c.asked_at >= moment)
        .group_by(consents.c.operator)
    )


def _wrong(moment: datetime) -> Select[Any]:
    wrong = select(consents.c.operator, func.count()).select_from(consent_checks.join(consents))
    told = wrong.where(consent_checks.c.outcome == "wrong", consent_checks.c.created_at >= moment)
    return told.group_by(consents.c.operator)


def _applied(moment: datetime) -> Select[Any]:
    by = (audit.c.actor_kind == "operator", audit.c.act == APPLIED, audit.c.at >= moment)
    return select(audit.c.actor, func.count()).where(*by).group_by(audit.c.actor)
