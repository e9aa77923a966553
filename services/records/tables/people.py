"""Who called or wrote, who has an account, and what became of each attempt on one."""

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, SmallInteger, String, Table, Text, UniqueConstraint

from services.records.tables.columns import Code, Id, Language, Moment, Msisdn, metadata

callers = Table(
    "callers",
    metadata,
    Column("number", Msisdn, primary_key=True),
    Column("language", Language, nullable=False),
    Column("session", Text, nullable=False),
    Column("chosen_at", Moment, nullable=False),
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
    Column("closed_at", Moment),  # since when the row is empty: only what was applied for still names it
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
    Column("created_at", Moment, nullable=False, index=True),
    UniqueConstraint("effect", "kind"),
)
