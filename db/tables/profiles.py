"""Profile answers, which fill in later forms."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, String, Table, Text, UniqueConstraint, text

from db.tables.accounts import accounts
from db.tables.columns import Code, Encrypted, Id, KeyedHash, UtcDateTime, metadata, partial_index

# One row for each change of an answer; a superseded one is blank. An identity number is stored as a keyed hash and its
# last four digits, every other answer encrypted.
profile_facts = Table(
    "profile_facts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account", Id, ForeignKey(accounts.c.id, ondelete="CASCADE"), nullable=False),
    Column("key", Code, nullable=False),
    Column("value", Encrypted("profile:{account}:{key}")),
    Column("digest", KeyedHash("a stored identity number is not recognised")),
    Column("last_four", String(4)),
    Column("idempotency_key", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("idempotency_key", "key"),
    Index(None, "account", "key"),
)
SUPERSEDED = text("value IS NULL AND digest IS NULL")
partial_index(SUPERSEDED, "ix_profile_facts_overtaken", profile_facts.c.created_at)

# Whether a citizen has a document of the catalogue at hand, one row for each statement; the last one counts.
profile_papers = Table(
    "profile_papers",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account", Id, ForeignKey(accounts.c.id, ondelete="CASCADE"), nullable=False),
    Column("paper", Code, nullable=False),
    Column("at_hand", Boolean(create_constraint=False), nullable=False),
    Column("idempotency_key", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("idempotency_key", "paper"),
    Index(None, "account", "paper"),
)
