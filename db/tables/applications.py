"""Applications and their history."""

from sqlalchemy import JSON, BigInteger, Column, Date, ForeignKey, Index, String, Table, Text, text

from db.tables.accounts import accounts
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

applications = Table(
    "applications",
    metadata,
    Column("id", Id, primary_key=True),
    Column("tracking_number", String(12), nullable=False, unique=True),
    Column("account", Id, ForeignKey(accounts.c.id), nullable=False),
    Column("msisdn", Msisdn, nullable=False, index=True),  # `#` and the account, once the number is released
    Column("beneficiary", Msisdn),  # the person that it is for, if that is not the applicant
    Column("applied_for", Code, nullable=False, server_default="self"),  # or another, dependent
    Column("service", Code, nullable=False),
    Column("office", Code, nullable=False),
    Column("department", Code, nullable=False),
    Column("form", Encrypted("application:{tracking_number}"), nullable=False),
    Column(
        "on_file", JSON, nullable=False, server_default="[]"
    ),  # codes of the documents on file, which the citizen need not bring
    Column("fee_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("promised", Date),
    Column("language", Language, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("operator", Id),  # who applied for the citizen; retention may have removed that row of `operators`
    Column("status", String(16), nullable=False),  # the status and the note are those of the last event
    Column("note", JSON, nullable=False),
    Column("answered_at", UtcDateTime),  # the last answer to this status; null after a change of the status
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Index(None, "account", "id"),
    Index(None, "created_at", "service"),  # counts the most used services from the index alone
)
partial_index(
    text("beneficiary IS NOT NULL"), "ix_applications_beneficiary", applications.c.beneficiary, applications.c.id
)
# A department lists changes, filtered by service or status or both: each query reads one index from its cursor on.
for _what in ((), ("service",), ("status",), ("service", "status")):
    _columns = ("department", *_what, "changed_at", "id")
    Index("_".join(("ix_applications_department", *_what, "changed_at")), *(applications.c[_one] for _one in _columns))
# Staff list those of an office, and those of all departments: each status reads one index from its newest row back.
ALL_APPLICATIONS = every_row(applications)
partial_index(
    ALL_APPLICATIONS,
    "ix_applications_status_changed_at",
    *(applications.c[_one] for _one in ("status", "changed_at", "id")),
)
for _what in (("office",), ("office", "service")):
    _columns = ("department", *_what, "status", "changed_at", "id")
    Index("_".join(("ix_applications", *_what, "status_changed_at")), *(applications.c[_one] for _one in _columns))

application_events = Table(
    "application_events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("application", Id, ForeignKey(applications.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("status", String(16), nullable=False),
    Column("note", JSON, nullable=False),
    Column("digest", Digest, nullable=False),  # of the request with this key: tells a repeat from a conflict
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
)

# What a citizen answers while the department asks for more information.
application_answers = Table(
    "application_answers",
    metadata,
    Column("id", Id, primary_key=True),
    Column("application", Id, ForeignKey(applications.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("text", Encrypted("application_answer:{idempotency_key}"), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("operator", Id),  # who answered for the citizen
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
)
