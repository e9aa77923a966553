"""Deliveries of applications to the systems of departments, and the webhooks that these sent."""

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from db.tables.applications import applications
from db.tables.columns import Code, Digest, Encrypted, Id, UtcDateTime, metadata, partial_index

# The delivery of an application, or of a citizen's answer, to the system of the department. `held` is retried, but needs a person: the connection
# is misconfigured. `refused` needs a person and is not retried.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("application", Id, ForeignKey(applications.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("citizen_answer", Id),  # of `application_answers`; null where the application itself is delivered
    Column("department", Code, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due_at", UtcDateTime, nullable=False),
    Column("worker", Text),
    Column("error", String(64)),
    Column("answer", Encrypted("delivery:{idempotency_key}")),  # the department's response to a rejected one
    Column("reference", String(128)),  # the reference of the department
    Column("poll_at", UtcDateTime),  # the next status poll; null if the department sends webhooks
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)
DELIVERABLE = text("state IN ('queued', 'held')")
UNDELIVERED = text("state IN ('queued', 'held', 'sending')")
DELIVERING = text("state = 'sending'")
REJECTED = text("state = 'refused'")
STATUS_POLLED = text("poll_at IS NOT NULL")
partial_index(DELIVERABLE, "ix_deliveries_waiting", deliveries.c.department, deliveries.c.due_at, deliveries.c.id)
partial_index(UNDELIVERED, "ix_deliveries_open", deliveries.c.department, deliveries.c.created_at)
partial_index(DELIVERING, "ix_deliveries_sending", deliveries.c.updated_at)
partial_index(REJECTED, "ix_deliveries_rejected", deliveries.c.updated_at)
partial_index(REJECTED, "ix_deliveries_rejected_department", deliveries.c.department, deliveries.c.updated_at)
partial_index(STATUS_POLLED, "ix_deliveries_poll_at", deliveries.c.department, deliveries.c.poll_at)

# The webhooks that were processed, by the department's id for them, so that a repeated one is not processed again.
department_events = Table(
    "department_events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("department", Code, nullable=False),
    Column("webhook_id", String(128), nullable=False),
    Column("digest", Digest),  # of the event; null in rows from before this column
    Column("received_at", UtcDateTime, nullable=False),
    UniqueConstraint("department", "webhook_id"),
    Index(None, "received_at"),
)
