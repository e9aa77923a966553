"""What is passed on to departments' own systems, and which of their events were heard."""

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from services.records.tables.applications import applications
from services.records.tables.columns import Code, Id, Moment, metadata, only_where

# An application of a department with a system of its own. *Held* is tried again too, and wants a person besides: the
# connection is set up wrongly. *Refused* wants a person alone.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("application", Id, ForeignKey(applications.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("department", Code, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due_at", Moment, nullable=False),
    Column("worker", Text),
    Column("error", String(64)),
    Column("answer", LargeBinary),  # sealed: what the department said of a refused one
    Column("reference", String(128)),  # the department's own
    Column("look_at", Moment),  # when its status is asked for next; empty where the department tells
    Column("effect", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
)
TO_DELIVER = text("state IN ('queued', 'held')")
UNDELIVERED = text("state IN ('queued', 'held', 'sending')")
DELIVERING = text("state = 'sending'")
PUT_UP = text("state = 'refused'")
LOOKED_AT = text("look_at IS NOT NULL")
only_where(TO_DELIVER, "ix_deliveries_waiting", deliveries.c.department, deliveries.c.due_at, deliveries.c.id)
only_where(UNDELIVERED, "ix_deliveries_open", deliveries.c.department, deliveries.c.created_at)
only_where(DELIVERING, "ix_deliveries_sending", deliveries.c.updated_at)
only_where(PUT_UP, "ix_deliveries_refused", deliveries.c.updated_at)
only_where(LOOKED_AT, "ix_deliveries_look_at", deliveries.c.department, deliveries.c.look_at)

# Which of a department's events were done, by the ids it gave them; a repeated one is done no second time.
department_events = Table(
    "department_events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("department", Code, nullable=False),
    Column("webhook", String(128), nullable=False),
    Column("heard_at", Moment, nullable=False),
    UniqueConstraint("department", "webhook"),
    Index(None, "heard_at"),
)
