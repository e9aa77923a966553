"""Drafts: forms that are not submitted yet."""

from sqlalchemy import Column, Date, ForeignKey, Index, Table, Text

from db.tables.accounts import accounts
from db.tables.columns import Code, EncryptedBase64, Id, UtcDateTime, metadata

# One row for each form. Its idempotency key is that of the key press that opened it, and becomes that of the application.
# Each answer replaces the answers; those at the last resumption are stored too, for a path that is replayed.
drafts = Table(
    "drafts",
    metadata,
    Column("idempotency_key", Text, primary_key=True),
    Column("account", Id, ForeignKey(accounts.c.id, ondelete="CASCADE"), nullable=False),
    Column("service", Code, nullable=False),
    Column("begun", Date, nullable=False),
    Column("answers", EncryptedBase64("draft:{idempotency_key}"), nullable=False),
    Column("ends_at", UtcDateTime, nullable=False, index=True),
    Column("resumed_by", Text),  # the idempotency key of the last resumption
    Column("resumed_answers", EncryptedBase64("draft:{idempotency_key}")),  # the answers at that time
    Column("ended_by", Text),  # the idempotency key that submitted or discarded it
    Index(None, "account", "service"),
)
