"""Inbound SMS, missed calls, and webhooks that could not be parsed."""

from sqlalchemy import Boolean, Column, Index, Integer, SmallInteger, String, Table, Text, text

from db.tables.columns import Encrypted, Id, KeyedHash, Msisdn, UtcDateTime, metadata, partial_index

# Inbound SMS by the provider's id. `new` waits for a worker, which claims it until `claimed_until`.
inbound_sms = Table(
    "inbound_sms",
    metadata,
    Column("id", Id, primary_key=True),
    Column("provider_id", Text, nullable=False, unique=True),
    Column("msisdn", Msisdn, nullable=False),
    Column("sent_to", String(16), nullable=False),
    Column("text", Encrypted("sms in:{provider_id}")),  # null after the answer if it is or may be a secret
    Column("digest", KeyedHash(), nullable=False),  # of MSISDN and text: recognises a repeated text
    Column("link_id", Text),
    Column("network", String(16)),
    Column("state", String(8), nullable=False),
    Column("handled_as", String(16)),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    Column("claimed_until", UtcDateTime),
    Column("sent_at", UtcDateTime),  # according to the provider
    Column("received_at", UtcDateTime, nullable=False),
    Column("done_at", UtcDateTime),
    Index(None, "msisdn", "id"),
)
UNPROCESSED = text("state = 'new'")
partial_index(UNPROCESSED, "ix_inbound_sms_new", inbound_sms.c.msisdn, inbound_sms.c.id)
Index("ix_inbound_sms_done_at", inbound_sms.c.done_at)

# The last answer to the missed calls of a caller, and the number of answers.
missed_calls = Table(
    "missed_calls",
    metadata,
    Column("msisdn", Msisdn, primary_key=True),
    Column("action", String(16), primary_key=True),
    Column("answer_count", Integer, nullable=False),
    Column("answered", Boolean(create_constraint=False), nullable=False),
    Column("begun_at", UtcDateTime, nullable=False),
)

# The newest webhooks that could not be parsed, encrypted, for a person to examine.
unparsed_webhooks = Table(
    "unparsed_webhooks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("route", String(64), nullable=False),
    Column("reason", String(160), nullable=False),
    Column("body", Encrypted("unread callback"), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
)

# Parts of long inbound SMS, each stored before it is acknowledged. `group_key` joins the parts of one; `done_at` is when
# they were passed on as one SMS, and then `content` is removed. What stays recognises a part that comes again.
inbound_parts = Table(
    "inbound_parts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("group_key", KeyedHash(), nullable=False),
    Column("number", SmallInteger, nullable=False),
    Column("total", SmallInteger, nullable=False),
    Column("digest", KeyedHash(), nullable=False),
    Column("content", Encrypted("sms part:{group_key}")),
    Column("received_at", UtcDateTime, nullable=False),
    Column("done_at", UtcDateTime),
    Index(None, "group_key", "id"),
)
UNASSEMBLED = text("done_at IS NULL")
partial_index(UNASSEMBLED, "ix_inbound_parts_open", inbound_parts.c.received_at)
