"""Read the audit log: pages of entries, newest first, and the export of what a filter finds."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, get_args

from sqlalchemy import Row, Select, literal, select, tuple_

from core.pagination import PagePosition
from db.database import Database
from db.tables import audit
from services.audit.audit import AuditLog, build_staff_entry
from services.audit.export import AuditFilter, EntryValues, apply_filter, read_entries
from services.audit.models import ActorKind
from services.audit.staff_acts import StaffAct

PAGE_SIZE: Final = 50
ACTOR_KINDS: Final[tuple[ActorKind, ...]] = get_args(ActorKind)


@dataclass(frozen=True, slots=True)
class ListedEntry:
    """An entry of the log, with its id."""

    id: int
    at: datetime
    actor_kind: str
    actor: str
    act: str
    subject_kind: str
    subject: str
    on_behalf_of: str
    channel: str
    details: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class EntryPage:
    """A page of entries, newest first; `older` is None where no older ones follow."""

    entries: tuple[ListedEntry, ...]
    older: PagePosition | None


class AuditReader:
    """Reads the log for people. Every page reads one index from where the page before ended."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._audit = AuditLog(database)

    async def find_page(self, entry_filter: AuditFilter, before: PagePosition | None = None) -> EntryPage:
        """The newest entries that the filter finds, from `before` on."""
        rows = (await self._database.fetch(select_entries(entry_filter, before))).all()
        entries = tuple(map(_build_entry, rows[:PAGE_SIZE]))
        last = PagePosition(entries[-1].at, entries[-1].id) if len(rows) > PAGE_SIZE else None
        return EntryPage(entries, last)

    async def record_export(self, entry_filter: AuditFilter, export_format: str, act: StaffAct) -> None:
        """Record that somebody takes a copy of what the filter finds."""
        details = {"format": export_format, **_describe(entry_filter)}
        entry = build_staff_entry(act, "audit_exported", "audit", "log", **details)
        async with self._database.transaction() as transaction:
            await self._audit.record(transaction, entry)

    def export(self, entry_filter: AuditFilter) -> AsyncIterator[EntryValues]:
        """Every entry that the filter finds, in the order of recording, with the running digest."""
        return read_entries(self._database, entry_filter)


def select_entries(entry_filter: AuditFilter, before: PagePosition | None) -> Select[Any]:
    """The query for a page, and one row more that shows whether another page follows."""
    query = apply_filter(select(audit), entry_filter)
    if entry_filter.since is not None:
        query = query.where(audit.c.at >= entry_filter.since)
    if before is not None:
        position = tuple_(literal(before.at, audit.c.at.type), literal(before.id, audit.c.id.type))
        query = query.where(tuple_(audit.c.at, audit.c.id) < position)
    return query.order_by(audit.c.at.desc(), audit.c.id.desc()).limit(PAGE_SIZE + 1)


def _build_entry(row: Row[Any]) -> ListedEntry:
    return ListedEntry(
        id=row.id,
        at=row.at,
        actor_kind=row.actor_kind,
        actor=row.actor,
        act=row.act,
        subject_kind=row.subject_kind,
        subject=row.subject,
        on_behalf_of=row.on_behalf_of or "",
        channel=row.channel,
        details=row.details,
    )


def _describe(entry_filter: AuditFilter) -> Mapping[str, str]:
    """The filter as details of an entry."""
    texts = {
        "actor_kind": entry_filter.actor_kind,
        "actor": entry_filter.actor,
        "act": entry_filter.act,
        "subject": entry_filter.subject,
        "since": entry_filter.since.isoformat() if entry_filter.since else "",
        "until": entry_filter.until.isoformat() if entry_filter.until else "",
    }
    return {f"filter_{name}": text for name, text in texts.items() if text}
