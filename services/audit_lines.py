"""The audit as lines for a file: however long it is, read a thousand acts at a time, each line bound to those before it."""

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import Row, Select, select

from services.pages import Span, page, part
from services.records.database import Records
from services.records.tables import audit

MANY: Final = 1000
COLUMNS: Final = (
    *("id", "at", "actor_kind", "actor", "act", "subject_kind", "subject"),
    *("on_behalf_of", "channel", "details", "effect"),
)
DIGEST: Final = "digest"

Format: TypeAlias = Literal["csv", "jsonl"]
Values: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which acts: from a moment on, before a moment, about one subject."""

    since: datetime | None = None
    until: datetime | None = None
    subject: str = ""


async def acts(records: Records, wanted: Wanted) -> AsyncIterator[Values]:
    """Those acts in the order in which they were written, by name of column, with the running digest."""
    span, digest = Span(wanted.since, most=MANY), b""
    while True:
        rows = (await records.read(part(_asked(wanted), audit.c.at, audit.c.id, span))).all()
        some = page(rows, "at", span, _values)
        for values in some.items:
            digest = sha256(digest + _line(values).encode()).digest()
            yield {**values, DIGEST: digest.hex()}
        if some.last is None:
            return
        span = span._replace(after=some.last)


def _asked(wanted: Wanted) -> Select[Any]:
    asked = select(*(audit.c[name] for name in COLUMNS))
    if wanted.until is not None:
        asked = asked.where(audit.c.at < wanted.until)
    if wanted.subject:
        asked = asked.where(audit.c.subject == wanted.subject)
    return asked


def _values(row: Row[Any]) -> Values:
    return {**row._asdict(), "at": row.at.isoformat()}


def _line(values: Values) -> str:
    return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _as_json(values: Values) -> str:
    return json.dumps(values, ensure_ascii=False) + "\n"


def _as_csv(values: Values) -> str:
    details = json.dumps(values["details"], ensure_ascii=False, sort_keys=True)
    return _cells({**values, "details": details}.values())


def _cells(cells: Any) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def heading(form: Format) -> Iterator[str]:
    """What stands above the lines."""
    if form == "csv":
        yield _cells((*COLUMNS, DIGEST))


WRITTEN: Final[Mapping[Format, Callable[[Values], str]]] = {"csv": _as_csv, "jsonl": _as_json}
"""An act as one line, by format."""
