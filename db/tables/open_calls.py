"""Calls under way of providers that send the newest input only."""

from sqlalchemy import Column, Table

from db.tables.columns import EncryptedBase64, KeyedHash, UtcDateTime, metadata

# The session of a caller as Redis has it, for a Redis that lost it. One row a caller; it ends with the call.
open_calls = Table(
    "open_calls",
    metadata,
    Column("caller", KeyedHash(), primary_key=True),
    Column("session", EncryptedBase64("open call:{caller}"), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)
