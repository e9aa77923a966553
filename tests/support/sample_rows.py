"""Insert rows that no service made: every column that needs a value gets one of its type, and rows that it names exist."""

from itertools import count

from sqlalchemy import JSON, Boolean, Date, Integer, LargeBinary, String, TypeDecorator, insert

from db.tables.columns import Digest, UtcDateTime

_NUMBERS = count(1)


async def insert_row(database, table, now, **values):
    """Insert a row with these values, and made-up ones in the other columns that need one; return its primary key."""
    async with database.transaction() as transaction:
        return await _insert(transaction, table, now, values)


async def _insert(transaction, table, now, values):
    row = dict(values)
    for column in table.columns:
        is_made = column.nullable or column.server_default is not None or (column.primary_key and _is_generated(column))
        if column.name in row or is_made:
            continue
        parents = [key.column for key in column.foreign_keys]
        row[column.name] = (
            (await _insert(transaction, parents[0].table, now, {}))[0] if parents else _make_value(column, now)
        )
    result = await transaction.execute(insert(table).values(row))
    return tuple(result.inserted_primary_key)


def _is_generated(column):
    return isinstance(column.type, Integer) and not column.foreign_keys and column.autoincrement is not False


def _make_value(column, now):
    number = next(_NUMBERS)
    makers = {
        Digest: f"{number:x}".encode,
        UtcDateTime: lambda: now,
        Boolean: lambda: False,
        Date: now.date,
        Integer: lambda: number % 1000,
        JSON: dict,
        LargeBinary: lambda: b"sealed",
        String: lambda: f"{number:x}"[: column.type.length or 64],
    }
    stored = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
    types = (column.type, stored)
    return next(make for kind, make in makers.items() if any(isinstance(one, kind) for one in types))()
