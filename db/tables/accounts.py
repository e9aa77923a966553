"""Callers, contacts, accounts, and the attempts to sign in."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from db.tables.columns import Code, Encrypted, Id, Language, Msisdn, SecretHash, UtcDateTime, metadata, partial_index

callers = Table(
    "callers",
    metadata,
    Column("msisdn", Msisdn, primary_key=True),
    Column("language", Language, nullable=False),
    Column("session", Text, nullable=False),
    Column("chosen_at", UtcDateTime, nullable=False),
    Column("seen_on", Date),  # the day of a call, to the month
    Column("network", String(16)),  # the code of the network of the last call that told it
    Column("resumed_in", Text),  # the session that began with an offer to resume
)

# People who made a missed call or sent an SMS before they chose a language, with the assumed language.
contacts = Table(
    "contacts",
    metadata,
    Column("msisdn", Msisdn, primary_key=True),
    Column("language", Language, nullable=False),
    Column("came_by", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("latin_letters", Boolean, nullable=False, server_default=false()),  # SMS in Latin letters, as asked for
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("msisdn", Msisdn, nullable=False, unique=True),
    Column("name", Encrypted("account:{msisdn}"), nullable=False),
    Column("language", Language, nullable=False),
    Column("pin_hash", SecretHash, nullable=False),
    Column("pin_failures", Integer, nullable=False, server_default="0"),
    Column("pin_locked_until", UtcDateTime),
    Column("answer_failures", Integer, nullable=False, server_default="0"),
    Column("answers_locked_until", UtcDateTime),
    # The same for channels that do not vouch for the caller's number.
    Column("unvouched_pin_failures", Integer, nullable=False, server_default="0"),
    Column("unvouched_pin_locked_until", UtcDateTime),
    Column("unvouched_answer_failures", Integer, nullable=False, server_default="0"),
    Column("unvouched_answers_locked_until", UtcDateTime),
    # See `services.citizens.session_epoch`.
    Column("epoch", Integer, nullable=False, server_default="0"),
    Column("epoch_session", Text),
    Column("epoch_session_from", Integer),
    Column("lockouts", Integer, nullable=False, server_default="0"),
    Column("unvouched_lockouts", Integer, nullable=False, server_default="0"),
    Column("frozen_at", UtcDateTime),
    # A recovered PIN that waits for its notice to end; it replaces the other one at this time.
    Column("pending_pin_hash", SecretHash),
    Column("pending_pin_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),  # of the last right sign-in, to the day
    Column("created_at", UtcDateTime, nullable=False),
    Column("released_at", UtcDateTime),  # when the number was taken away; it is `#` and the id from then on
    Column("closed_at", UtcDateTime),  # the row is empty from then on; applications still refer to it
)

ATTACHED = text("closed_at IS NULL AND released_at IS NULL")
partial_index(ATTACHED, "ix_accounts_attached", accounts.c.last_used_at)

# Registrations by SMS: an account is created once somebody types the PIN that was sent to the number.
pending_registrations = Table(
    "pending_registrations",
    metadata,
    Column("msisdn", Msisdn, primary_key=True),
    Column("name", Encrypted("account:{msisdn}"), nullable=False),
    Column("language", Language, nullable=False),
    Column("pin_hash", SecretHash, nullable=False),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("idempotency_key", Text, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)

security_answers = Table(
    "security_answers",
    metadata,
    Column("account", Id, ForeignKey(accounts.c.id, ondelete="CASCADE"), primary_key=True),
    Column("place", SmallInteger, primary_key=True, autoincrement=False),
    Column("question", Code, nullable=False),
    Column("answer_hash", SecretHash, nullable=False),
)

# The result of each attempt, so that a repeated attempt gets the same answer and counts once. `account` is null if the
# MSISDN has no account.
account_events = Table(
    "account_events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account", Id, ForeignKey(accounts.c.id, ondelete="CASCADE")),
    Column("kind", String(16), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("tries_left", SmallInteger, nullable=False, server_default="0"),
    Column("locked_until", UtcDateTime),
    Column("epoch", BigInteger),  # that the sign-in holds
    Column("idempotency_key", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False, index=True),
    UniqueConstraint("idempotency_key", "kind"),
    Index("ix_account_events_account", "account", "id"),
)
