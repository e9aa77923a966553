"""The e-mail address of an account, and what was asked for it."""

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, String, Table, Text, UniqueConstraint

from services.records.tables.columns import Id, Language, Moment, metadata
from services.records.tables.people import accounts

# The one e-mail address of an account; it gets nothing but the link that verifies it until that was followed.
emails = Table(
    "emails",
    metadata,
    Column("account", Id, ForeignKey(accounts.c.id, ondelete="CASCADE"), primary_key=True),
    Column("address", LargeBinary, nullable=False),  # sealed
    Column("digest", String(32), nullable=False, index=True),  # a keyed hash of the address
    Column("language", Language, nullable=False),
    Column("given_at", Moment, nullable=False),
    Column("verified_at", Moment),
)

# What was asked for an address and what came of it, so that it is done once, and links to it are counted.
email_events = Table(
    "email_events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account", Id, ForeignKey(accounts.c.id, ondelete="CASCADE"), nullable=False),
    Column("digest", String(32), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("effect", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("effect", "kind"),
    Index(None, "account", "created_at"),
    Index(None, "digest", "created_at"),
)
