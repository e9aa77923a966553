"""Every message on its way out, what was reported of it, and who wants nothing unasked."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from services.records.tables.columns import Id, Moment, Msisdn, metadata, only_where

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
    only_where(_where, f"ix_messages_{_name}", *(messages.c[_one] for _one in _columns))

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
only_where(UNMATCHED, "ix_delivery_reports_unmatched", delivery_reports.c.heard_at)
only_where(UNMATCHED, "ix_delivery_reports_numbers", delivery_reports.c.number_key)
