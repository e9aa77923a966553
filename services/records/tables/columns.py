"""What columns are made of: moments that know their zone, keys, numbers, codes; and the one metadata of all tables."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    MetaData,
    String,
    TextClause,
    TypeDecorator,
)


class Moment(TypeDecorator[datetime]):
    """A point in time: aware going in, aware and in UTC coming out, on a database that knows zones and on one that does not."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy gives it
        """UTC for the database; TypeError for a time that does not say in which zone it is."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError("A moment is recorded with its time zone; this one has none.")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy gives it
        """UTC from the database; SQLite gives it back without saying so."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    }
)

# SQLite counts up by itself only in a column that is exactly INTEGER.
Id = BigInteger().with_variant(Integer, "sqlite")
Msisdn = String(16)  # E.164: a plus and at most fifteen digits
Language = String(8)
Code = String(64)  # of a service, an office, a department, a question: short names out of the catalogue


def only_where(where: TextClause, name: str, *columns: Column[Any]) -> Index:
    """An index over those rows for which `where` holds.

    It is written out and has no parameters, or the planners do not see that the index will do.
    """
    return Index(name, *columns, postgresql_where=where, sqlite_where=where)
