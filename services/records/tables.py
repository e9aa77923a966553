"""The tables: who called, who has an account, what they applied for, every SMS to send, and departments' keys."""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)


class Moment(TypeDecorator[datetime]):
    """A point in time: aware going in, aware and in UTC coming out, on a database that knows zones and on one that does not."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy gives it
        """UTC for the database; TypeError for a time that does not say in which zone it is."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError("A moment is recorded with its time zone; this one has none.")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy gives it
        """UTC from the database; SQLite gives it back without saying so."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    }
)

# SQLite counts up by itself only in a column that is exactly INTEGER.
Id = BigInteger().with_variant(Integer, "sqlite")
Msisdn = String(16)  # E.164: a plus and at most fifteen digits
Language = String(8)
Code = String(64)  # of a service, an office, a department, a question: short names out of the catalogue

callers = Table(
    "callers",
    metadata,
    Column("number", Msisdn, primary_key=True),
    Column("language", Language, nullable=False),
    Column("session", Text, nullable=False),
    Column("chosen_at", Moment, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("number", Msisdn, nullable=False, unique=True),
    Column("name", LargeBinary, nullable=False),  # sealed
    Column("language", Language, nullable=False),
    Column("pin_hash", Text, nullable=False),
    Column("pin_failures", Integer, nullable=False, server_default="0"),
    Column("pin_locked_until", Moment),
    Column("answer_failures", Integer, nullable=False, server_default="0"),
    Column("answers_locked_until", Moment),
    Column("created_at", Moment, nullable=False),
)

security_answers = Table(
    "security_answers",
    metadata,
    Column("account", Id, ForeignKey(accounts.c.id, ondelete="CASCADE"), primary_key=True),
    Column("place", SmallInteger, primary_key=True, autoincrement=False),
    Column("question", Code, nullable=False),
    Column("answer_hash", Text, nullable=False),
)

# What became of each attempt on an account, so that the same attempt heard twice is answered alike and counted once.
# The account is empty where the number that was tried has none.
account_events = Table(
    "account_events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account", Id, ForeignKey(accounts.c.id, ondelete="CASCADE"), index=True),
    Column("kind", String(16), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("tries_left", SmallInteger, nullable=False, server_default="0"),
    Column("locked_until", Moment),
    Column("effect", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("effect", "kind"),
)

applications = Table(
    "applications",
    metadata,
    Column("id", Id, primary_key=True),
    Column("tracking_number", String(12), nullable=False, unique=True),
    Column("account", Id, ForeignKey(accounts.c.id), nullable=False),
    Column("number", Msisdn, nullable=False),
    Column("service", Code, nullable=False),
    Column("office", Code, nullable=False),
    Column("department", Code, nullable=False),
    Column("form", LargeBinary, nullable=False),  # sealed
    Column("fee_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("promised", Date),
    Column("language", Language, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("status", String(16), nullable=False),  # that of the last event, as is the note
    Column("note", JSON, nullable=False),
    Column("effect", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Index(None, "account", "id"),
)

application_events = Table(
    "application_events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("application", Id, ForeignKey(applications.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("status", String(16), nullable=False),
    Column("note", JSON, nullable=False),
    Column("digest", LargeBinary, nullable=False),  # of what was asked under this effect, to tell a repeat from a clash
    Column("effect", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
)

messages = Table(
    "messages",
    metadata,
    Column("id", Id, primary_key=True),
    Column("to_number", Msisdn, nullable=False),
    Column("text", LargeBinary),  # sealed; emptied once a secret text has left, or never will
    Column("kind", String(16), nullable=False),
    Column("secret", Boolean(create_constraint=False), nullable=False),
    Column("status", String(16), nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("not_after", Moment, nullable=False),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    Column("worker", Text),
    Column("provider_id", Text),
    Column("cost", Text),
    Column("error", Text),
    Column("effect", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
)
# The two questions workers ask all day, over the few rows that are still on their way.
# Written out and not as parameters, or the planners do not see that these indexes will do.
QUEUED, SENDING = text("status = 'queued'"), text("status = 'sending'")
Index("ix_messages_queued", messages.c.due_at, messages.c.id, postgresql_where=QUEUED, sqlite_where=QUEUED)
Index("ix_messages_sending", messages.c.updated_at, postgresql_where=SENDING, sqlite_where=SENDING)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(8), primary_key=True),
    Column("department", Code, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("revoked_at", Moment),
)
