"""Leases: what only one process may hold at a time, such as a bind of SMPP."""

from sqlalchemy import BigInteger, Column, String, Table

from db.tables.columns import UtcDateTime, metadata

# `fence` counts the holders, `renewals` their signs of life. `holder` is empty once the lease is given back.
# `renewed_at` is of the database's clock, for people to read: nothing compares it. See db/leases.py.
leases = Table(
    "leases",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("holder", String(128), nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("renewals", BigInteger, nullable=False),
    Column("renewed_at", UtcDateTime, nullable=False),
)
