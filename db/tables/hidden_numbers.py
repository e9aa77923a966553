"""The numbers of callers whose network hides them."""

from sqlalchemy import Column, Table

from db.tables.columns import KeyedHash, Msisdn, UtcDateTime, metadata

# What the network calls the caller instead, as a keyed hash, and the number that the caller verified by a code.
hidden_numbers = Table(
    "hidden_numbers",
    metadata,
    Column(
        "identity",
        KeyedHash("callers whose network hides their number verify it again"),
        primary_key=True,
    ),
    Column("msisdn", Msisdn, nullable=False, index=True),
    Column("linked_at", UtcDateTime, nullable=False),
)
