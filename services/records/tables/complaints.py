"""What citizens complain of and what became of it, and what they would have otherwise."""

from sqlalchemy import (
    JSON,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from services.records.tables.applications import applications
from services.records.tables.columns import Code, Id, Language, Moment, Msisdn, metadata, only_where

# An empty department is nobody's: what is complained of belongs to the team that runs the gateway.
complaints = Table(
    "complaints",
    metadata,
    Column("id", Id, primary_key=True),
    Column("complaint_number", String(12), nullable=False, unique=True),
    Column("number", Msisdn, nullable=False, index=True),
    Column("application", Id, ForeignKey(applications.c.id), index=True),
    Column("service", Code, nullable=False, server_default=""),
    Column("department", Code, nullable=False, server_default=""),
    Column("reason", String(16), nullable=False, server_default="other"),
    Column("text", LargeBinary, nullable=False),  # sealed
    Column("status", String(16), nullable=False),  # that of the last event, as are the level and the note
    Column("level", SmallInteger, nullable=False, server_default="0"),
    Column("note", JSON, nullable=False, server_default="{}"),
    Column("promised", Date),  # the day by which its level is to answer
    Column("due_at", Moment),  # when that day is over; empty where nothing is awaited any more
    Column("language", Language, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("effect", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
)
# A department asks what changed, of all or in a status: each question walks one index from where it was left.
Index("ix_complaints_department_changed_at", *(complaints.c[_one] for _one in ("department", "changed_at", "id")))
Index(
    "ix_complaints_department_status_changed_at",
    *(complaints.c[_one] for _one in ("department", "status", "changed_at", "id")),
)
AWAITED = text("due_at IS NOT NULL")
only_where(AWAITED, "ix_complaints_awaited", complaints.c.due_at)

complaint_events = Table(
    "complaint_events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("complaint", Id, ForeignKey(complaints.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("status", String(16), nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("note", JSON, nullable=False),
    Column("actor_kind", String(16), nullable=False),
    Column("digest", LargeBinary, nullable=False),  # of what was asked under this effect, to tell a repeat from a clash
    Column("effect", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
)

# What was put together for a department at the end of a day or a week, so that it is written to once for each.
feedback_digests = Table(
    "feedback_digests",
    metadata,
    Column("id", Id, primary_key=True),
    Column("department", Code, nullable=False),
    Column("period", String(10), nullable=False),  # the day on which it was over
    Column("many", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("department", "period"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", Id, primary_key=True),
    Column("feedback_number", String(12), nullable=False, unique=True),
    Column("number", Msisdn, nullable=False, index=True),
    Column("service", Code, nullable=False, server_default=""),
    Column("department", Code, nullable=False, server_default=""),
    Column("rating", SmallInteger),  # 1 to 5; empty where only words were given
    Column("text", LargeBinary, nullable=False),  # sealed
    Column("digest", Id, ForeignKey(feedback_digests.c.id), index=True),  # the one that passed it on
    Column("language", Language, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("effect", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
)
Index("ix_feedback_department_created_at", *(feedback.c[_one] for _one in ("department", "created_at", "id")))
WAITING = text("digest IS NULL")
only_where(WAITING, "ix_feedback_waiting", feedback.c.department, feedback.c.created_at)
