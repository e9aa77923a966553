"""The audit log, append-only."""

from sqlalchemy import JSON, Column, Index, String, Table, Text, text

from db.tables.columns import Code, Id, UtcDateTime, metadata, partial_index

# Triggers reject UPDATE and DELETE. People appear as ids alone: of an account, an operator or a key.
audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("actor_kind", String(16), nullable=False),
    Column("actor", Code, nullable=False),
    Column("act", Code, nullable=False),
    Column("subject_kind", String(16), nullable=False),
    Column("subject", Code, nullable=False),
    Column("on_behalf_of", Code),  # the account of the citizen for whom an operator acted
    Column("channel", String(16), nullable=False),
    Column("details", JSON, nullable=False),
    Column("idempotency_key", Text, nullable=False, unique=True),
    Index("ix_audit_subject_kind_subject", "subject_kind", "subject", "id"),
    Index("ix_audit_subject_at", "subject", "at", "id"),
    # each way to filter the log reads one index from its end
    Index("ix_audit_actor_kind", "actor_kind", "at", "id"),
    Index("ix_audit_actor_kind_actor", "actor_kind", "actor", "at", "id"),
    Index("ix_audit_actor_act", "actor_kind", "actor", "act", "at", "id"),
    Index("ix_audit_act", "act", "at", "id"),
    Index("ix_audit_kind_act", "actor_kind", "act", "at", "id"),
)
# What was done with an account. Looks at it are left out: a person whom the helpdesk looked up often has thousands.
ACCOUNT_CHANGE = text("subject_kind = 'account' AND act NOT IN ('account_viewed', 'identity_revealed')")
partial_index(ACCOUNT_CHANGE, "ix_audit_account_changes", audit.c.subject_kind, audit.c.subject, audit.c.id)
