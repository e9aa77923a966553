"""Who acts for citizens at a village centre, what became of each sign-in, and to what a citizen consented."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from services.records.tables.columns import Code, Id, Language, Moment, Msisdn, metadata, only_where
from services.records.tables.people import accounts

# Enrolled by staff. The PIN is ours until they have chosen their own; a limit that is empty is everybody's.
operators = Table(
    "operators",
    metadata,
    Column("id", Id, primary_key=True),
    Column("number", Msisdn, nullable=False, unique=True),
    Column("name", LargeBinary, nullable=False),  # sealed
    Column("centre", Code, nullable=False),
    Column("pin_hash", Text, nullable=False),
    Column("pin_chosen", Boolean(create_constraint=False), nullable=False),
    Column("pin_failures", Integer, nullable=False, server_default="0"),
    Column("pin_locked_until", Moment),
    Column("consents_a_day", Integer),
    Column("applications_a_day", Integer),
    Column("created_at", Moment, nullable=False),
    Column("suspended_at", Moment),
)

# What became of each sign-in and each PIN, so that the same key press heard twice is answered alike and counted once.
operator_events = Table(
    "operator_events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("operator", Id, ForeignKey(operators.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("tries_left", SmallInteger, nullable=False, server_default="0"),
    Column("locked_until", Moment),
    Column("effect", Text, nullable=False),
    Column("created_at", Moment, nullable=False, index=True),
    UniqueConstraint("effect", "kind"),
)

# What an operator asked a citizen for, and what became of it. It is alive from `given_at` until `lapses_at` or `ended_at`.
consents = Table(
    "consents",
    metadata,
    Column("id", Id, primary_key=True),
    Column("operator", Id, ForeignKey(operators.c.id), nullable=False),
    Column("number", Msisdn, nullable=False),  # the citizen's
    Column("account", Id, ForeignKey(accounts.c.id, ondelete="SET NULL"), index=True),
    Column("newcomer", Boolean(create_constraint=False), nullable=False),  # who had no account when it was given
    Column("purpose", String(16), nullable=False),
    Column("language", Language, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("outcome", String(16), nullable=False),  # of asking
    Column("effect", Text, nullable=False, unique=True),
    Column("asked_at", Moment, nullable=False, index=True),
    Column("given_at", Moment),
    Column("lapses_at", Moment),
    Column("ended_at", Moment),
    Column("ended_by", String(16)),
    Column("ended_effect", Text),
    Index(None, "number", "asked_at"),
    Index(None, "operator", "asked_at"),
)
OPEN_CONSENT = text("ended_at IS NULL AND given_at IS NOT NULL")
only_where(OPEN_CONSENT, "ix_consents_open", consents.c.lapses_at)

consent_checks = Table(
    "consent_checks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("consent", Id, ForeignKey(consents.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("outcome", String(16), nullable=False),
    Column("effect", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False, index=True),
)
