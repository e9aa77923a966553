"""Exports the audit log as lines for a file, a thousand entries at a time. Each line has a digest over all lines before it."""

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import Row, Select, select

from core.foreign_text import escape_formula
from core.pagination import PageRequest, build_page, select_page
from db.database import Database
from db.tables import audit
from services.audit.models import ActorKind

BATCH_SIZE: Final = 1000
COLUMNS: Final = (
    *("id", "at", "actor_kind", "actor", "act", "subject_kind", "subject"),
    *("on_behalf_of", "channel", "details", "idempotency_key"),
)
DIGEST_COLUMN: Final = "digest"

ExportFormat: TypeAlias = Literal["csv", "jsonl"]
EntryValues: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """A filter: entries from `since` on, before `until`, about one subject, of one kind of actor or one of them, of one act.

    An `actor` is one of its kind: the ids of a citizen and of an operator are both numbers.
    """

    since: datetime | None = None
    until: datetime | None = None
    subject: str = ""
    actor_kind: ActorKind | Literal[""] = ""
    actor: str = ""
    act: str = ""


async def read_entries(database: Database, entry_filter: AuditFilter) -> AsyncIterator[EntryValues]:
    """The entries in the order in which they were written, as column name to value, with the running digest."""
    page_request, digest = PageRequest(entry_filter.since, limit=BATCH_SIZE), b""
    while True:
        rows = (
            await database.fetch(
                select_page(apply_filter(_SELECT_ALL, entry_filter), audit.c.at, audit.c.id, page_request)
            )
        ).all()
        page = build_page(rows, "at", page_request, _entry_values)
        for values in page.items:
            digest = sha256(digest + _canonical_json(values).encode()).digest()
            yield {**values, DIGEST_COLUMN: digest.hex()}
        if page.next_position is None:
            return
        page_request = page_request._replace(after=page.next_position)


_SELECT_ALL: Final = select(*(audit.c[name] for name in COLUMNS))


def apply_filter(query: Select[Any], entry_filter: AuditFilter) -> Select[Any]:
    """The query for the entries that the filter finds, but for `since`, with which a page begins."""
    if entry_filter.until is not None:
        query = query.where(audit.c.at < entry_filter.until)
    for name in ("subject", "actor_kind", "actor", "act"):
        if value := getattr(entry_filter, name):
            query = query.where(audit.c[name] == value)
    return query


def _entry_values(row: Row[Any]) -> EntryValues:
    return {**row._asdict(), "at": row.at.isoformat()}


def _canonical_json(values: EntryValues) -> str:
    return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _format_json(values: EntryValues) -> str:
    return json.dumps(values, ensure_ascii=False) + "\n"


def _format_csv(values: EntryValues) -> str:
    details = json.dumps(values["details"], ensure_ascii=False, sort_keys=True)
    return _csv_line({**values, "details": details}.values())


def _csv_line(cells: Any) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([escape_formula(cell) if isinstance(cell, str) else cell for cell in cells])
    return line.getvalue()


def header_lines(export_format: ExportFormat) -> Iterator[str]:
    """The lines before the first entry: the header of a CSV file."""
    if export_format == "csv":
        yield _csv_line((*COLUMNS, DIGEST_COLUMN))


FORMATTERS: Final[Mapping[ExportFormat, Callable[[EntryValues], str]]] = {"csv": _format_csv, "jsonl": _format_json}
"""Formats an entry as one line, by export format."""
