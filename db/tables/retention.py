"""How far the deletion of expired rows has come."""

from sqlalchemy import Column, String, Table, Text

from db.tables.columns import UtcDateTime, metadata

# One row for each retention rule. A process takes a rule until `due_at`, examines rows in the order of their keys, and
# stores the last key that it examined.
retention_walks = Table(
    "retention_walks",
    metadata,
    Column("rule", String(64), primary_key=True),
    Column("place", Text),  # JSON: the last key; null at the beginning of the table
    Column("due_at", UtcDateTime, nullable=False),
    Column(
        "oldest_so_far", UtcDateTime
    ),  # the oldest row of this walk through the table, and of the last complete walk
    Column("oldest_at", UtcDateTime),
)
