"""Who did what to whose record, over which channel: written once, never changed."""

from sqlalchemy import JSON, Column, Index, String, Table, Text

from services.records.tables.columns import Code, Id, Moment, metadata

# A trigger refuses UPDATE and DELETE. Nobody is named by anything but an id: an account's, an operator's, a key's.
audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Moment, nullable=False, index=True),
    Column("actor_kind", String(16), nullable=False),
    Column("actor", Code, nullable=False),
    Column("act", Code, nullable=False),
    Column("subject_kind", String(16), nullable=False),
    Column("subject", Code, nullable=False),
    Column("on_behalf_of", Code),  # the account of the citizen for whom an operator acted
    Column("channel", String(16), nullable=False),
    Column("details", JSON, nullable=False),
    Column("effect", Text, nullable=False, unique=True),
    Index(None, "subject_kind", "subject"),
    Index(None, "actor_kind", "actor"),
)
