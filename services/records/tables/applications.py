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
    Column("beneficiary", Msisdn),  # for whom it is, where that is another person
    Column("service", Code, nullable=False),
    Column("office", Code, nullable=False),
    Column("department", Code, nullable=False),
    Column("form", LargeBinary, nullable=False),  # sealed
    Column("on_file", JSON, nullable=False, server_default="[]"),  # codes of the papers that need not be brought
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
    Index(None, "created_at", "service"),  # what is used most is counted without reading the rows
)
# A department asks what changed, of a service or a status or both: each question walks one index from where it was left.
for _what in ((), ("service",), ("status",), ("service", "status")):
    _columns = ("department", *_what, "changed_at", "id")
    Index("_".join(("ix_applications_department", *_what, "changed_at")), *(applications.c[_one] for _one in _columns))

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
    Column("label", String(64), nullable=False, server_default=""),
    Column("created_at", Moment, nullable=False),
    Column("used_on", Date),  # the last day on which it was used
    Column("last_day", Date),  # on which it is good; empty: until it is revoked
    Column("revoked_at", Moment),
)
