"""Outgoing messages, delivery reports, and opt-outs."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from db.tables.columns import Encrypted, Id, KeyedHash, Language, Msisdn, UtcDateTime, metadata, partial_index

# Opt-outs from unsolicited messages, and opt-ins after them.
opt_outs = Table(
    "opt_outs",
    metadata,
    Column("msisdn", Msisdn, primary_key=True),
    Column("source", String(16), nullable=False),
    Column("opted_out_at", UtcDateTime, nullable=False),
    Column("opted_in_at", UtcDateTime),
)

messages = Table(
    "messages",
    metadata,
    Column("id", Id, primary_key=True),
    Column("medium", String(8), nullable=False, server_default="sms"),
    Column(
        "provider", String(40), nullable=False, server_default=""
    ),  # that sends it; empty: the default one, or e-mail
    Column("used_code", String(32), nullable=False, server_default=""),  # that the recipient dialled or wrote to
    Column("moved_from", String(40)),  # the provider that was suspended
    Column("recipient", String(254), nullable=False),  # an MSISDN or an e-mail address
    Column("text", Encrypted("message:{idempotency_key}")),  # null after a secret text is sent, or has failed
    Column("template", Text),  # the text of the locales that it was rendered from, and what of it is omitted
    Column("form", Language),
    Column("variables", Encrypted("message-variables:{idempotency_key}")),  # null whenever the text is
    Column("kind", String(16), nullable=False),
    Column("secret", Boolean(create_constraint=False), nullable=False),
    Column("priority", SmallInteger, nullable=False, server_default="2"),
    Column("segments", SmallInteger, nullable=False, server_default="1"),
    Column("status", String(16), nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("not_after", UtcDateTime, nullable=False),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    Column(
        "suspensions", SmallInteger, nullable=False, server_default="0"
    ),  # attempts while the provider account was suspended, which do not count
    Column("repeats", SmallInteger, nullable=False, server_default="0"),  # sends after one with an unknown result
    Column("worker", Text),
    Column("provider_id", Text),
    Column("cost", Text),
    Column("error", Text),
    Column("delivery", String(16)),  # status, reason and time of the report that counts
    Column("delivery_reason", String(40)),
    Column("reported_at", UtcDateTime),
    Column("network", String(16)),  # the recipient's network, from a report
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)
# The queries of the workers, over the few rows that are not sent yet.
QUEUED, SENDING, UNKNOWN, SENT, FAILED = (
    text(f"status = '{status}'") for status in ("queued", "sending", "unknown", "sent", "failed")
)
REPORTED_NETWORK, HAS_PROVIDER_ID = text("network IS NOT NULL"), text("provider_id IS NOT NULL")
for _name, _columns, _where in (
    ("queued", ("medium", "provider", "priority", "due_at", "id"), QUEUED),
    ("late", ("not_after",), QUEUED),
    ("sending", ("updated_at",), SENDING),
    ("unknown", ("recipient",), UNKNOWN),
    ("provider_id", ("provider_id",), HAS_PROVIDER_ID),
    ("network", ("recipient", "id"), REPORTED_NETWORK),
    # The lists of the console, newest first. Those that are being sent are few.
    ("queued_id", ("id",), QUEUED),
    ("unknown_id", ("id",), UNKNOWN),
    ("sent_id", ("id",), SENT),
    ("failed_id", ("id",), FAILED),
):
    partial_index(_where, f"ix_messages_{_name}", *(messages.c[_one] for _one in _columns))
Index("ix_messages_recipient", messages.c.recipient, messages.c.id)  # the helpdesk lists them, newest first

# Texts that an operator refuses, by the name in [dlt.templates]: their messages wait. `template_id` is the refused one.
refused_templates = Table(
    "refused_templates",
    metadata,
    Column("name", String(160), primary_key=True),
    Column("template_id", String(40), nullable=False),
    Column("reason", Text, nullable=False),
    Column("refused_at", UtcDateTime, nullable=False),
)

# Delivery reports, one for each provider status of a message. A report without a message is stored for a while, with a
# keyed hash of its MSISDN, which is deleted when it is matched.
delivery_reports = Table(
    "delivery_reports",
    metadata,
    Column("id", Id, primary_key=True),
    Column("provider_id", Text, nullable=False),
    Column("provider_status", String(40), nullable=False),
    Column("delivery", String(16), nullable=False),
    Column("reason", String(40)),
    Column("network", String(16)),
    Column("msisdn_hash", KeyedHash()),
    Column("message", Id, ForeignKey(messages.c.id, ondelete="CASCADE"), index=True),
    Column("received_at", UtcDateTime, nullable=False),
    UniqueConstraint("provider_id", "provider_status"),
)
UNMATCHED = text("message IS NULL")
partial_index(UNMATCHED, "ix_delivery_reports_unmatched", delivery_reports.c.received_at)
partial_index(UNMATCHED, "ix_delivery_reports_msisdn_hash", delivery_reports.c.msisdn_hash)
