"""Links in messages."""

from sqlalchemy import Column, Integer, String, Table

from db.tables.columns import Encrypted, KeyedHash, UtcDateTime, metadata

# A link is found by the keyed hash of its token. The token itself is not stored.
links = Table(
    "links",
    metadata,
    Column("digest", KeyedHash("links that were sent before no longer open"), primary_key=True),
    Column("purpose", String(16), nullable=False),
    Column("subject", Encrypted("link:{digest}"), nullable=False),
    Column("uses_left", Integer, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
)
