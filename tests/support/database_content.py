"""The content of a whole database, without what differs between two equal effects, and rows that are made older."""

import json
import re
from collections import Counter
from datetime import timedelta
from typing import Any

from sqlalchemy import Column, Interval, LargeBinary, literal, select, update

from db.database import Database
from db.tables import api_keys, audit, metadata, monthly_screen_moves, retention_walks, screen_moves
from db.tables.columns import UtcDateTime

# Names, ids, numbers and hashes; words of one script such as `answered` stay.
_VARIABLE = re.compile(r"[\w+=-]*\d[\w+=-]*")
# Tables that tell of requests and of the deletion of rows, and not of effects.
_TOLD_OF_REQUESTS = (retention_walks, api_keys, screen_moves, monthly_screen_moves)
_TABLES = tuple(table for table in metadata.sorted_tables if table not in _TOLD_OF_REQUESTS)


async def read_content(database: Database) -> Counter[str]:
    """Count equal rows. Ids, times, numbers and encrypted values are reduced to whether they are there."""
    content: Counter[str] = Counter()
    for table in _TABLES:
        rows = (await database.fetch(select(table))).all()
        content.update(_describe(table.name, dict(zip(table.c, row, strict=True))) for row in rows)
    return content


def content_difference(before: Counter[str], after: Counter[str]) -> tuple[Counter[str], Counter[str]]:
    """The rows that were added, and those that went away."""
    return after - before, before - after


async def make_older(database: Database, by: timedelta) -> None:
    """Move every time in the database back, but for the audit log, which nobody may change (PostgreSQL)."""
    async with database.transaction() as transaction:
        for table in _TABLES:
            times = [column for column in table.c if isinstance(column.type, UtcDateTime)]
            if times and table is not audit:
                await transaction.execute(
                    update(table).values({column: column - literal(by, Interval) for column in times})
                )


def _describe(table: str, row: dict[Column[Any], Any]) -> str:
    return f"{table} " + " ".join(f"{column.name}={_reduce(column, value)}" for column, value in row.items())


def _reduce(column: Column[Any], value: Any) -> str:
    if value is None:
        return "-"
    is_reference = column.primary_key or column.foreign_keys or isinstance(value, bytes)
    if is_reference or isinstance(column.type, UtcDateTime | LargeBinary):
        return "*"
    if isinstance(value, bool | int):
        return str(value)
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return _VARIABLE.sub("*", text)
