"""What a citizen told of themselves once, so that the next form need not ask."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, LargeBinary, String, Table, Text, UniqueConstraint, text

from services.records.tables.columns import Code, Id, Moment, metadata, only_where
from services.records.tables.people import accounts

# One row for each time that something was given or taken back; what was overtaken holds nothing any more. Of an identity
# number there is a keyed hash and its last four digits, of everything else the sealed answer.
profile_facts = Table(
    "profile_facts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account", Id, ForeignKey(accounts.c.id, ondelete="CASCADE"), nullable=False),
    Column("key", Code, nullable=False),
    Column("value", LargeBinary),  # sealed
    Column("digest", String(32)),
    Column("last_four", String(4)),
    Column("effect", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("effect", "key"),
    Index(None, "account", "key"),
)
OVERTAKEN = text("value IS NULL AND digest IS NULL")
only_where(OVERTAKEN, "ix_profile_facts_overtaken", profile_facts.c.created_at)

# Each time that a citizen said of one of the catalogue's papers whether it is at hand; the last word counts.
profile_papers = Table(
    "profile_papers",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account", Id, ForeignKey(accounts.c.id, ondelete="CASCADE"), nullable=False),
    Column("paper", Code, nullable=False),
    Column("at_hand", Boolean(create_constraint=False), nullable=False),
    Column("effect", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("effect", "paper"),
    Index(None, "account", "paper"),
)
