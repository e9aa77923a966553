"""Numbers that were taken from their former holder, and the notices of operators that asked for it."""

from sqlalchemy import Column, Date, ForeignKey, String, Table, Text

from db.tables.accounts import accounts
from db.tables.columns import Id, KeyedHash, UtcDateTime, metadata

# A keyed hash of the number finds the account that had it, for its holder who comes with a new number.
number_releases = Table(
    "number_releases",
    metadata,
    Column("id", Id, primary_key=True),
    Column(
        "number_hash",
        KeyedHash("released accounts are no longer found by their former number"),
        nullable=False,
        index=True,
    ),  # empty if nothing was known of the number
    Column("account", Id, ForeignKey(accounts.c.id, ondelete="SET NULL"), index=True),  # null if it had none
    Column("source", String(16), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("taken_on", Date),  # the day on which the network took the number away, if it told
    Column("digest", KeyedHash(), nullable=False),  # a keyed hash of the request: tells a repeat from a conflict
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
)
