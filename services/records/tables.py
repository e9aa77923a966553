"""The tables: who called, who has an account, what they applied for, every message to send, and departments' keys."""

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

# Who wants nothing unasked, since when, and since when again.
optouts = Table(
    "optouts",
    metadata,
    Column("number", Msisdn, primary_key=True),
    Column("how", String(16), nullable=False),
    Column("out_at", Moment, nullable=False),
    Column("back_at", Moment),
)

messages = Table(
    "messages",
    metadata,
    Column("id", Id, primary_key=True),
    Column("medium", String(8), nullable=False, server_default="sms"),
    Column("recipient", String(254), nullable=False),  # an E.164 number, or an e-mail address
    Column("text", LargeBinary),  # sealed; emptied once a secret text has left, or never will
    Column("kind", String(16), nullable=False),
    Column("secret", Boolean(create_constraint=False), nullable=False),
    Column("priority", SmallInteger, nullable=False, server_default="2"),
    Column("segments", SmallInteger, nullable=False, server_default="1"),
    Column("status", String(16), nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("not_after", Moment, nullable=False),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    Column("holds", SmallInteger, nullable=False, server_default="0"),  # tries that ended held, and count as none
    Column("repeats", SmallInteger, nullable=False, server_default="0"),  # sends after one of which nobody knows
    Column("worker", Text),
    Column("provider_id", Text),
    Column("cost", Text),
    Column("error", Text),
    Column("delivery", String(16)),  # of the report that counts, as are the reason and the moment
    Column("delivery_reason", String(40)),
    Column("reported_at", Moment),
    Column("network", String(16)),  # the recipient's, as a report named it
    Column("effect", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
)
# The questions workers ask all day, over the few rows that are still on their way.
# Written out and not as parameters, or the planners do not see that these indexes will do.
QUEUED, SENDING, UNKNOWN = (text(f"status = '{status}'") for status in ("queued", "sending", "unknown"))
REPORTED_NETWORK, WITH_ID = text("network IS NOT NULL"), text("provider_id IS NOT NULL")
for _name, _columns, _where in (
    ("queued", ("medium", "priority", "due_at", "id"), QUEUED),
    ("late", ("not_after",), QUEUED),
    ("sending", ("updated_at",), SENDING),
    ("unknown", ("recipient",), UNKNOWN),
    ("provider_id", ("provider_id",), WITH_ID),
    ("network", ("recipient", "id"), REPORTED_NETWORK),
):
    Index(
        f"ix_messages_{_name}", *(messages.c[_one] for _one in _columns), postgresql_where=_where, sqlite_where=_where
    )

# Every delivery report, once for each word of one message. What cannot be matched yet is kept for a while, with a keyed
# hash of its number; of a matched one the number is forgotten.
delivery_reports = Table(
    "delivery_reports",
    metadata,
    Column("id", Id, primary_key=True),
    Column("provider_id", Text, nullable=False),
    Column("word", String(40), nullable=False),
    Column("delivery", String(16), nullable=False),
    Column("reason", String(40)),
    Column("network", String(16)),
    Column("number_key", String(32)),
    Column("message", Id, ForeignKey(messages.c.id, ondelete="CASCADE"), index=True),
    Column("heard_at", Moment, nullable=False),
    UniqueConstraint("provider_id", "word"),
)
UNMATCHED = text("message IS NULL")
for _name, _column in (("unmatched", "heard_at"), ("numbers", "number_key")):
    _of = delivery_reports.c[_column]
    Index(f"ix_delivery_reports_{_name}", _of, postgresql_where=UNMATCHED, sqlite_where=UNMATCHED)

# What a provider posted and nobody could read, sealed, for a person to look at; the newest few.
unread_callbacks = Table(
    "unread_callbacks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("route", String(64), nullable=False),
    Column("why", String(160), nullable=False),
    Column("body", LargeBinary, nullable=False),  # sealed
    Column("heard_at", Moment, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(8), primary_key=True),
    Column("department", Code, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("revoked_at", Moment),
)

# A link is found by the keyed hash of its token; the token itself is on the phone it was sent to and nowhere else.
links = Table(
    "links",
    metadata,
    Column("digest", String(32), primary_key=True),
    Column("purpose", String(16), nullable=False),
    Column("subject", LargeBinary, nullable=False),  # sealed
    Column("uses_left", Integer, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
    Column("created_at", Moment, nullable=False),
)

# Who was heard of by a missed call or an SMS before choosing a language, and the language that was assumed.
registrants = Table(
    "registrants",
    metadata,
    Column("number", Msisdn, primary_key=True),
    Column("language", Language, nullable=False),
    Column("came_by", String(16), nullable=False),
    Column("created_at", Moment, nullable=False),
)

# When a caller's missed calls were last answered, with what, and for the how many-th time.
missed_calls = Table(
    "missed_calls",
    metadata,
    Column("number", Msisdn, primary_key=True),
    Column("action", String(16), primary_key=True),
    Column("times", Integer, nullable=False),
    Column("answered", Boolean(create_constraint=False), nullable=False),
    Column("begun_at", Moment, nullable=False),
)

# Whose an Aadhaar number is in the sandbox: the keyed hash of the number, and the MSISDN that proved itself with it first.
document_holders = Table(
    "document_holders",
    metadata,
    Column("holder", String(32), primary_key=True),
    Column("number", Msisdn, nullable=False),
    Column("linked_at", Moment, nullable=False),
)

# Who asked for an Aadhaar number's documents: of the number a keyed hash and four digits, of what was granted for it as
# much as opens them for a quarter of an hour, sealed.
document_sign_ins = Table(
    "document_sign_ins",
    metadata,
    Column("id", Id, primary_key=True),
    Column("number", Msisdn, nullable=False),
    Column("holder", String(32), nullable=False),
    Column("last_four", String(4), nullable=False),
    Column("status", String(16), nullable=False),
    Column("code_to", Msisdn),  # empty where the issuer sends its codes itself
    Column("state", LargeBinary),  # sealed, as are the next two; each is emptied once it is of no use any more
    Column("granted", LargeBinary),
    Column("listed", LargeBinary),
    Column("effect", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Index(None, "number", "created_at"),
    Index(None, "holder", "created_at"),
    Index(None, "ends_at"),
)

document_checks = Table(
    "document_checks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("sign_in", Id, ForeignKey(document_sign_ins.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("outcome", String(16), nullable=False),
    Column("effect", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
)

# What was handed over, for as long as the link to it works.
documents = Table(
    "documents",
    metadata,
    Column("id", Id, primary_key=True),
    Column("reference", String(32), nullable=False, unique=True),  # a keyed hash of the effect
    Column("sign_in", Id, ForeignKey(document_sign_ins.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("content", LargeBinary, nullable=False),  # sealed
    Column("language", Language, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False, index=True),
)

# Every SMS that came in, by the provider's id for it. `new` waits to be answered; whoever answers it holds it until then.
inbound_sms = Table(
    "inbound_sms",
    metadata,
    Column("id", Id, primary_key=True),
    Column("provider_id", Text, nullable=False, unique=True),
    Column("number", Msisdn, nullable=False),
    Column("sent_to", String(16), nullable=False),
    Column("text", LargeBinary),  # sealed; emptied once it is answered, where it was or may have been a secret
    Column("digest", String(32), nullable=False),  # a keyed hash of number and text, to know the same text again
    Column("link_id", Text),
    Column("network", String(16)),
    Column("state", String(8), nullable=False),
    Column("taken_for", String(16)),
    Column("tries", SmallInteger, nullable=False, server_default="0"),
    Column("held_until", Moment),
    Column("sent_at", Moment),  # as the provider says
    Column("received_at", Moment, nullable=False),
    Column("done_at", Moment),
    Index(None, "number", "id"),
)
NEW = text("state = 'new'")
Index("ix_inbound_sms_new", inbound_sms.c.number, inbound_sms.c.id, postgresql_where=NEW, sqlite_where=NEW)

complaints = Table(
    "complaints",
    metadata,
    Column("id", Id, primary_key=True),
    Column("complaint_number", String(12), nullable=False, unique=True),
    Column("number", Msisdn, nullable=False),
    Column("application", Id, ForeignKey(applications.c.id), index=True),
    Column("text", LargeBinary, nullable=False),  # sealed
    Column("status", String(16), nullable=False),
    Column("language", Language, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("effect", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", Id, primary_key=True),
    Column("number", Msisdn, nullable=False),
    Column("text", LargeBinary, nullable=False),  # sealed
    Column("language", Language, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("effect", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
)

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
