"""Compares a statement file with our books. Nothing is written but who compared which file, in the audit log."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

from core.types import UtcClock, utc_now
from db.database import Database
from services.audit.audit import AuditLog, build_audit_entry
from services.audit.models import Actor
from services.payments.statement_books import StatementBooks
from services.payments.statement_comparison import ComparedPeriod, Comparison, StatementComparison
from services.payments.statement_file import MPESA_ZONE, StatementFormat, StatementSummary, read_lines, read_summary


@dataclass(frozen=True, slots=True)
class StatementFile:
    """A statement: its file and format, the wallet whose account it is of, and the period; None: the days of its lines."""

    file: Path
    format: StatementFormat
    wallet: str
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The result of comparing a statement, and the file that it is of."""

    summary: StatementSummary
    comparison: Comparison


class StatementReconciler:
    """Compares statements with our books. `zone` is that of days, and of times without an offset, but for M-Pesa's."""

    def __init__(self, database: Database, zone: tzinfo, *, clock: UtcClock = utc_now) -> None:
        self._database = database
        self._zone = zone
        self._clock = clock
        self._audit = AuditLog(database, clock=clock)

    async def reconcile(
        self, statement: StatementFile, actor: Actor, idempotency_key: str, *, reason: str = ""
    ) -> Reconciliation:
        """Compare a statement with the books of its period; `reason`, where there is one, goes into the audit log.

        Raises:
            StatementError: the file cannot be read; nothing was compared and nothing is recorded.
        """
        zone = self.find_zone(statement.format)
        summary = await asyncio.to_thread(read_summary, statement.file, statement.format, zone)
        period = self._find_period(statement, summary, zone)
        comparison = await StatementComparison(StatementBooks(self._database, [statement.wallet]), period).compare(
            read_lines(statement.file, statement.format, zone)
        )
        details = {"reason": reason} if reason else {}
        await self._record(statement, Reconciliation(summary, comparison), actor, idempotency_key, details)
        return Reconciliation(summary, comparison)

    def find_zone(self, statement_format: StatementFormat) -> tzinfo:
        """Return the time zone of the days of a statement."""
        return MPESA_ZONE if statement_format == "mpesa" else self._zone

    def _find_period(self, statement: StatementFile, summary: StatementSummary, zone: tzinfo) -> ComparedPeriod:
        first, last = summary.first or self._clock(), summary.last or self._clock()
        since = statement.since or _start_of_day(first, zone)
        return ComparedPeriod(since, statement.until or _start_of_day(last, zone) + timedelta(days=1))

    async def _record(
        self,
        statement: StatementFile,
        result: Reconciliation,
        actor: Actor,
        idempotency_key: str,
        details: Mapping[str, str],
    ) -> None:
        facts = {
            **details,
            "digest": result.summary.digest,
            "format": statement.format,
            "wallet": statement.wallet,
            "lines": str(result.summary.lines),
            "matched": str(result.comparison.matched),
            "differences": str(len(result.comparison.differences)),
        }
        subject = result.summary.digest[:32]
        entry = build_audit_entry(actor, "reconciled", "statement", subject, idempotency_key, **facts)
        async with self._database.transaction() as transaction:
            await self._audit.record(transaction, entry)


def _start_of_day(moment: datetime, zone: tzinfo) -> datetime:
    return moment.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
