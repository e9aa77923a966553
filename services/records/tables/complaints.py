"""What citizens complain of, and what they would have otherwise."""

from sqlalchemy import Column, ForeignKey, LargeBinary, String, Table, Text

from services.records.tables.applications import applications
from services.records.tables.columns import Id, Language, Moment, Msisdn, metadata

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
    Column("feedback_number", String(12), nullable=False, unique=True),
    Column("number", Msisdn, nullable=False),
    Column("text", LargeBinary, nullable=False),  # sealed
    Column("language", Language, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("effect", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
)
