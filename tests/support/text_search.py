"""Find a text, such as a phone number, in any column of any table."""

from typing import Any

from sqlalchemy import Column, String, TypeDecorator, select

from db.database import Database
from db.tables import metadata


async def find_text(database: Database, text: str) -> set[str]:
    """The columns of all tables, as `table.column`, with a row that is this text."""
    found = set()
    for column in _text_columns():
        query = select(column).where(column == text).limit(1)
        if (await database.fetch(query)).first() is not None:
            found.add(f"{column.table.name}.{column.name}")
    return found


def _text_columns() -> list[Column[Any]]:
    return [
        column
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, String) and not isinstance(column.type, TypeDecorator)
    ]
