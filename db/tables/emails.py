"""The e-mail address of an account, and the requests about it."""

from sqlalchemy import Column, ForeignKey, Index, String, Table, Text, UniqueConstraint

from db.tables.accounts import accounts
from db.tables.columns import Encrypted, Id, KeyedHash, Language, UtcDateTime, metadata

# The e-mail address of an account. Until it is verified, it receives nothing but the verification link.
emails = Table(
    "emails",
    metadata,
    Column("account", Id, ForeignKey(accounts.c.id, ondelete="CASCADE"), primary_key=True),
    Column("address", Encrypted("email:{account}"), nullable=False),
    Column("digest", KeyedHash(), nullable=False, index=True),  # of the address
    Column("language", Language, nullable=False),
    Column("given_at", UtcDateTime, nullable=False),
    Column("verified_at", UtcDateTime),
)

# The requests about an address with their results, so that each is processed once, and links can be limited.
email_events = Table(
    "email_events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account", Id, ForeignKey(accounts.c.id, ondelete="CASCADE"), nullable=False),
    Column("digest", KeyedHash(), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("idempotency_key", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("idempotency_key", "kind"),
    Index(None, "account", "created_at"),
    Index(None, "digest", "created_at"),
)
