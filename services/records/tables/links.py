"""The links that were sent."""

from sqlalchemy import Column, Integer, LargeBinary, String, Table

from services.records.tables.columns import Moment, metadata

# A link is found by the keyed hash of its token; the token itself is on the phone it was sent to and nowhere else.
links = Table(
    "links",
    metadata,
    Column("digest", String(32), primary_key=True),
    Column("purpose", String(16), nullable=False),
    Column("subject", LargeBinary, nullable=False),  # sealed
    Column("uses_left", Integer, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
    Column("created_at", Moment, nullable=False),
)
