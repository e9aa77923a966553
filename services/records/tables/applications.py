"""What was applied for, what became of it, and the keys of the departments that say so."""

from sqlalchemy import JSON, BigInteger, Column, Date, ForeignKey, Index, LargeBinary, String, Table, Text

from services.records.tables.columns import Code, Id, Language, Moment, Msisdn, metadata
from services.records.tables.people import accounts

applications = Table(
    "applications",
    metadata,
    Column("id", Id, primary_key=True),
    Column("tracking_number", String(12), nullable=False, unique=True),
    Column("account", Id, ForeignKey(accounts.c.id), nullable=False),
    Column("number", Msisdn, nullable=False),
    Column("service", Code, nullable=False),
    Column("office", Code, nullable=False),
    Column("department", Code, nullable=False),
    Column("form", LargeBinary, nullable=False),  # sealed
    Column("fee_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("promised", Date),
    Column("language", Language, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("status", String(16), nullable=False),  # that of the last event, as is the note
    Column("note", JSON, nullable=False),
    Column("effect", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Index(None, "account", "id"),
)

application_events = Table(
    "application_events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("application", Id, ForeignKey(applications.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("status", String(16), nullable=False),
    Column("note", JSON, nullable=False),
    Column("digest", LargeBinary, nullable=False),  # of what was asked under this effect, to tell a repeat from a clash
    Column("effect", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(8), primary_key=True),
    Column("department", Code, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("revoked_at", Moment),
)
