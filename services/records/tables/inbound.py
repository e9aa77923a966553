"""What came in: every SMS, the missed calls of each caller, and what nobody could read."""

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, SmallInteger, String, Table, Text, text

from services.records.tables.columns import Id, Moment, Msisdn, metadata, only_where

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
only_where(NEW, "ix_inbound_sms_new", inbound_sms.c.number, inbound_sms.c.id)
Index("ix_inbound_sms_done_at", inbound_sms.c.done_at)

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
