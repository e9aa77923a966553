"""Forms that were begun and not handed in."""

from sqlalchemy import Column, Date, ForeignKey, Index, Table, Text

from services.records.tables.columns import Code, Id, Moment, metadata
from services.records.tables.people import accounts

# One row a form, by the effect under which it was opened and its application is recorded. Answers are written over with
# each that is given; those it had when somebody last went on with it stay beside them, for a path that is heard again.
drafts = Table(
    "drafts",
    metadata,
    Column("effect", Text, primary_key=True),
    Column("account", Id, ForeignKey(accounts.c.id, ondelete="CASCADE"), nullable=False),
    Column("service", Code, nullable=False),
    Column("begun", Date, nullable=False),
    Column("answers", Text, nullable=False),  # sealed, in base64: rows are written as JSON
    Column("ends_at", Moment, nullable=False, index=True),
    Column("taken_up_by", Text),  # the effect of the key press that went on with it last
    Column("taken_up", Text),  # the answers it had then
    Column("ended_by", Text),  # the effect that handed it in or set it aside
    Index(None, "account", "service"),
)
