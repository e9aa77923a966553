"""Complaints with their history, feedback, and its digests."""

from sqlalchemy import (
    JSON,
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
    text,
)

from db.tables.applications import applications
from db.tables.columns import (
    Code,
    Digest,
    Encrypted,
    Id,
    Language,
    Msisdn,
    UtcDateTime,
    every_row,
    metadata,
    partial_index,
)

# A complaint without a department belongs to the team that runs the gateway.
complaints = Table(
    "complaints",
    metadata,
    Column("id", Id, primary_key=True),
    Column("complaint_number", String(12), nullable=False, unique=True),
    Column("msisdn", Msisdn, nullable=False),
    Column("application", Id, ForeignKey(applications.c.id), index=True),
    Column("service", Code, nullable=False, server_default=""),
    Column("department", Code, nullable=False, server_default=""),
    Column("reason", String(16), nullable=False, server_default="other"),
    Column("text", Encrypted("complaint:{complaint_number}"), nullable=False),
    Column("status", String(16), nullable=False),  # status, level and note are those of the last event
    Column("level", SmallInteger, nullable=False, server_default="0"),
    Column("note", JSON, nullable=False, server_default="{}"),
    Column("promised", Date),  # the day by which its level must answer
    Column("due_at", UtcDateTime),  # the end of that day; null if no answer is due
    Column("language", Language, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)
Index("ix_complaints_msisdn", complaints.c.msisdn, complaints.c.id)
# A department lists changes, of all or in a status: each query reads one index from its cursor on.
Index("ix_complaints_department_changed_at", *(complaints.c[_one] for _one in ("department", "changed_at", "id")))
Index(
    "ix_complaints_department_status_changed_at",
    *(complaints.c[_one] for _one in ("department", "status", "changed_at", "id")),
)
# Staff list those of all departments: each status reads one index from its newest row back.
ALL_COMPLAINTS = every_row(complaints)
partial_index(
    ALL_COMPLAINTS,
    "ix_complaints_status_changed_at",
    *(complaints.c[_one] for _one in ("status", "changed_at", "id")),
)
ESCALATION_PENDING = text("due_at IS NOT NULL")
partial_index(ESCALATION_PENDING, "ix_complaints_awaited", complaints.c.due_at)

complaint_events = Table(
    "complaint_events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("complaint", Id, ForeignKey(complaints.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("status", String(16), nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("note", JSON, nullable=False),
    Column("actor_kind", String(16), nullable=False),
    Column("digest", Digest, nullable=False),  # of the request with this key: tells a repeat from a conflict
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
)

# The digests of feedback for departments, so that each gets one e-mail for a day or a week.
feedback_digests = Table(
    "feedback_digests",
    metadata,
    Column("id", Id, primary_key=True),
    Column("department", Code, nullable=False),
    Column("period", String(10), nullable=False),  # its last day
    Column("many", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("department", "period"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", Id, primary_key=True),
    Column("feedback_number", String(12), nullable=False, unique=True),
    Column("msisdn", Msisdn, nullable=False, index=True),
    Column("service", Code, nullable=False, server_default=""),
    Column("department", Code, nullable=False, server_default=""),
    Column("rating", SmallInteger),  # 1 to 5; null if the citizen wrote words alone
    Column("text", Encrypted("feedback:{idempotency_key}"), nullable=False),
    Column("digest", Id, ForeignKey(feedback_digests.c.id), index=True),  # the digest that contains it
    Column("language", Language, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
)
Index("ix_feedback_department_created_at", *(feedback.c[_one] for _one in ("department", "created_at", "id")))
ALL_FEEDBACK = every_row(feedback)
partial_index(ALL_FEEDBACK, "ix_feedback_created_at", feedback.c.created_at, feedback.c.id)
NOT_DIGESTED = text("digest IS NULL")
partial_index(NOT_DIGESTED, "ix_feedback_waiting", feedback.c.department, feedback.c.created_at)
