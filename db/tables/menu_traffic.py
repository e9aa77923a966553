"""How many callers went from one screen of the menus to another. Counts alone: no number, and no session."""

from sqlalchemy import BigInteger, Column, String, Table

from db.tables.columns import Language, UtcDateTime, metadata


def _counted_columns() -> tuple[Column[str], ...]:
    """What is counted apart. `source` comes first, so that the beginnings of all calls of a day stand side by side."""
    return (
        Column("source", String(64), primary_key=True),
        Column("target", String(64), primary_key=True),
        Column("channel", String(16), primary_key=True),
        Column("network", String(16), primary_key=True),
        Column("language", Language, primary_key=True),
    )


# A row counts the moves of a day, or of a month, so that a year is read from twelve months. `source` is empty where a call
# began, `target` where it ended; `!` is a screen that did not take what was typed. `network` is empty where nobody told it.
screen_moves = Table(
    "screen_moves",
    metadata,
    Column("day", String(10), primary_key=True),
    *_counted_columns(),
    Column("times", BigInteger, nullable=False),
    Column("begins_at", UtcDateTime, nullable=False),
    sqlite_with_rowid=False,
)

monthly_screen_moves = Table(
    "monthly_screen_moves",
    metadata,
    Column("month", String(7), primary_key=True),
    *_counted_columns(),
    Column("times", BigInteger, nullable=False),
    Column("begins_at", UtcDateTime, nullable=False),
    sqlite_with_rowid=False,
)
