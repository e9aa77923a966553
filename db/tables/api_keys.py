"""The API keys of departments and networks."""

from sqlalchemy import Column, Date, Index, String, Table

from db.tables.columns import Code, Digest, UtcDateTime, metadata

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(8), primary_key=True),
    Column("kind", String(16), nullable=False, server_default="department"),
    Column("department", Code, nullable=False),  # or the network, of a key of that kind
    Column("digest", Digest, nullable=False),
    Column("label", String(64), nullable=False, server_default=""),
    Column("created_at", UtcDateTime, nullable=False),
    Column("used_on", Date),  # the day of the last use
    Column("last_day", Date),  # the last valid day; null: valid until it is revoked
    Column("revoked_at", UtcDateTime),
    Index("ix_api_keys_kind_department", "kind", "department", "created_at", "id"),
)
