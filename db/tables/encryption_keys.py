"""The keys that encrypted what the database contains."""

from sqlalchemy import Column, String, Table

from db.tables.columns import Encrypted, UtcDateTime, metadata

# One row for each key that may be needed to read the database, with a known value that the key encrypted: a start without
# one of these keys is refused.
encryption_keys = Table(
    "encryption_keys",
    metadata,
    Column("key_id", String(10), primary_key=True),
    Column("canary", Encrypted("key:{key_id}", fixed=True), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
