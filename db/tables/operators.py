"""Operators who act for citizens, their sign-ins, and the consents of citizens."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from db.tables.accounts import accounts
from db.tables.columns import Code, Encrypted, Id, Language, Msisdn, SecretHash, UtcDateTime, metadata, partial_index

# Enrolled by staff. The PIN is generated until the operator chooses one; a limit that is null is the default.
operators = Table(
    "operators",
    metadata,
    Column("id", Id, primary_key=True),
    Column("msisdn", Msisdn, nullable=False, unique=True),
    Column("name", Encrypted("operator:{msisdn}"), nullable=False),
    Column("centre", Code, nullable=False),
    Column("pin_hash", SecretHash, nullable=False),
    Column("pin_chosen", Boolean(create_constraint=False), nullable=False),
    Column("pin_failures", Integer, nullable=False, server_default="0"),
    Column("pin_locked_until", UtcDateTime),
    # See `services.citizens.session_epoch`.
    Column("epoch", Integer, nullable=False, server_default="0"),
    Column("epoch_session", Text),
    Column("epoch_session_from", Integer),
    Column("lockouts", Integer, nullable=False, server_default="0"),
    Column("consents_a_day", Integer),
    Column("applications_a_day", Integer),
    Column("created_at", UtcDateTime, nullable=False),
    Column("suspended_at", UtcDateTime),
)

# The result of each sign-in and each change of the PIN, so that a repeated key press gets the same answer and counts once.
operator_events = Table(
    "operator_events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("operator", Id, ForeignKey(operators.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("tries_left", SmallInteger, nullable=False, server_default="0"),
    Column("locked_until", UtcDateTime),
    Column("epoch", BigInteger),  # that the sign-in holds
    Column("idempotency_key", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False, index=True),
    UniqueConstraint("idempotency_key", "kind"),
)

# Requests for consent, and their results. A consent is valid from `given_at` until `lapses_at` or `ended_at`.
consents = Table(
    "consents",
    metadata,
    Column("id", Id, primary_key=True),
    Column("operator", Id, ForeignKey(operators.c.id), nullable=False),
    Column("msisdn", Msisdn, nullable=False),  # of the citizen
    Column("account", Id, ForeignKey(accounts.c.id, ondelete="SET NULL"), index=True),
    Column(
        "newcomer", Boolean(create_constraint=False), nullable=False
    ),  # the citizen had no account when they consented
    Column("purpose", String(16), nullable=False),
    Column("further_purposes", String(64), nullable=False, server_default=""),  # separated by spaces
    Column(
        "visit", Id
    ),  # the consent that this one adds purposes to; without a foreign key, because retention deletes both
    Column("language", Language, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("outcome", String(16), nullable=False),  # of the request
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("requested_at", UtcDateTime, nullable=False, index=True),
    Column("given_at", UtcDateTime),
    Column("lapses_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("ended_by", String(16)),
    Column("end_idempotency_key", Text),
    Index(None, "msisdn", "requested_at"),
    Index(None, "operator", "requested_at"),
)
OPEN_CONSENT = text("ended_at IS NULL AND given_at IS NOT NULL")
partial_index(OPEN_CONSENT, "ix_consents_open", consents.c.lapses_at)
ADDED_CONSENT = text("visit IS NOT NULL")
partial_index(ADDED_CONSENT, "ix_consents_visit", consents.c.visit)

consent_checks = Table(
    "consent_checks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("consent", Id, ForeignKey(consents.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("outcome", String(16), nullable=False),
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False, index=True),
)
