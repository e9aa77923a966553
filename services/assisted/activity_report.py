"""Activity report: counts of what each operator does, for their supervisors, with values far above the others flagged.

It names operators by id, and no citizens.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from statistics import median
from typing import Any, Final

from sqlalchemy import Select, case, func, select

from db.database import Database
from db.tables import audit, consent_checks, consents, operators
from services.assisted.visit_summary import APPLIED_ACT
from services.payments.cash import CASH_ACT

COUNTERS: Final = ("asked", "given", "refused", "wrong", "applications", "cash", "citizens", "nights")
OUTLIER_FACTOR: Final = 3
"""A count is unusual above the median plus this number of median absolute deviations."""
MIN_DEVIATION: Final = 1
"""The least deviation: where all operators have nearly the same count, one more is not unusual."""
NIGHT_HOURS: Final = (22, 6)
"""The first and the last hour of the night."""


@dataclass(frozen=True, slots=True)
class OperatorReport:
    """The counts of one operator by COUNTERS, the names of unusual counts, and whether a daily limit was reached."""

    operator: int
    centre: str
    is_suspended: bool
    counts: Mapping[str, int]
    limit_reached: bool
    unusual: frozenset[str] = frozenset()


class OperatorActivity:
    """Counts the activity of all operators; `zone` is the time zone of the night hours."""

    def __init__(self, database: Database, zone: tzinfo) -> None:
        self._database = database
        self._zone = zone

    async def reports_since(self, start: datetime) -> tuple[OperatorReport, ...]:
        """The report of every operator since `start`, those with the most unusual counts first."""
        consent_rows = {row.operator: row for row in await self._database.fetch(_consent_counts_query(start))}
        wrong_codes = await self._fetch_pairs(_wrong_codes_query(start))
        applications = await self._count_acts(APPLIED_ACT, start)
        cash = await self._count_acts(CASH_ACT, start)
        nights = await self._count_nights(start)
        rows = await self._database.fetch(select(operators.c.id, operators.c.centre, operators.c.suspended_at))
        reports = [
            OperatorReport(
                row.id,
                row.centre,
                row.suspended_at is not None,
                {
                    **_counts_from_row(consent_rows.get(row.id)),
                    "wrong": wrong_codes.get(row.id, 0),
                    "applications": applications.get(row.id, 0),
                    "cash": cash.get(row.id, 0),
                    "nights": nights[row.id],
                },
                bool(consent_rows[row.id].limited) if row.id in consent_rows else False,
            )
            for row in rows
        ]
        return tuple(sorted(flag_unusual(reports), key=lambda it: (-len(it.unusual) - it.limit_reached, it.operator)))

    async def _count_acts(self, act: str, start: datetime) -> dict[int, int]:
        """How often each operator did this act since `start`."""
        return {int(actor): count for actor, count in (await self._fetch_pairs(_acts_query(act, start))).items()}

    async def _fetch_pairs(self, query: Select[Any]) -> dict[Any, int]:
        rows: Sequence[Any] = (await self._database.fetch(query)).all()
        return {key: count for key, count in rows}  # noqa: C416 - to mypy rows are not pairs

    async def _count_nights(self, moment: datetime) -> Counter[int]:
        query = select(consents.c.operator, consents.c.given_at).where(consents.c.given_at >= moment)
        rows = await self._database.fetch(query)
        return Counter(row.operator for row in rows if self._is_night(row.given_at))

    def _is_night(self, moment: datetime) -> bool:
        start, end = NIGHT_HOURS
        hour = moment.astimezone(self._zone).hour
        return hour >= start or hour < end


def flag_unusual(reports: Sequence[OperatorReport]) -> list[OperatorReport]:
    """The reports with the counts flagged that are far above those of the other active operators."""
    active = [report for report in reports if report.counts["asked"]]
    limits = {name: _upper_limit(report.counts[name] for report in active) for name in COUNTERS}
    return [
        replace(report, unusual=frozenset(name for name in COUNTERS if report.counts[name] > limits[name]))
        for report in reports
    ]


def _upper_limit(counts: Iterable[int]) -> float:
    """The largest count that is not unusual."""
    known = list(counts)
    if not known:
        return 0
    middle = median(known)
    return middle + OUTLIER_FACTOR * max(median(abs(count - middle) for count in known), MIN_DEVIATION)


def _counts_from_row(row: Any) -> dict[str, int]:
    if row is None:
        return dict.fromkeys(COUNTERS, 0)
    return {"asked": row.asked, "given": row.given, "refused": row.asked - row.given, "citizens": row.citizens}


def _consent_counts_query(moment: datetime) -> Select[Any]:
    sent, spent = consents.c.outcome == "sent", consents.c.outcome == "spent"
    is_limited = case((spent, 1), (consents.c.ended_by == "limit", 1), else_=0)
    return (
        select(
            consents.c.operator,
            func.sum(case((sent, 1), else_=0)).label("asked"),
            func.count(consents.c.given_at).label("given"),
            func.count(consents.c.msisdn.distinct()).label("citizens"),
            func.sum(is_limited).label("limited"),
        )
        .where(consents.c.requested_at >= moment)
        .group_by(consents.c.operator)
    )


def _wrong_codes_query(moment: datetime) -> Select[Any]:
    wrong = select(consents.c.operator, func.count()).select_from(consent_checks.join(consents))
    recent = wrong.where(consent_checks.c.outcome == "wrong", consent_checks.c.created_at >= moment)
    return recent.group_by(consents.c.operator)


def _acts_query(act: str, moment: datetime) -> Select[Any]:
    by_operator = (audit.c.actor_kind == "operator", audit.c.act == act, audit.c.at >= moment)
    return select(audit.c.actor, func.count()).where(*by_operator).group_by(audit.c.actor)
