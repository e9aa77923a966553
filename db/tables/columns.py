"""The types of columns, and the metadata of all tables."""

from collections.abc import Mapping
from datetime import UTC, datetime
from string import Formatter
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TextClause,
    TypeDecorator,
    literal_column,
)


class UtcDateTime(TypeDecorator[datetime]):
    """A timezone-aware time, stored and returned in UTC, also on SQLite, which stores no zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy passes it
        """The time in UTC.

        Raises:
            TypeError: the time has no zone.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError("The time has no zone; pass an aware datetime.")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy passes it
        """The time in UTC; SQLite returns it without a zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class _EncryptedFor:
    """What both types of encrypted columns declare: the associated data of a value, by the columns of its row."""

    associated_data: str

    @property
    def context_columns(self) -> tuple[str, ...]:
        """The names of the columns of the row that the associated data contains."""
        return tuple(name for _, name, _, _ in Formatter().parse(self.associated_data) if name)

    def context(self, row: Mapping[str, Any]) -> str:
        """The associated data of the value in this row."""
        return self.associated_data.format_map(row)


class Encrypted(_EncryptedFor, TypeDecorator[bytes]):
    """Bytes that `core.crypto.Cipher` encrypted with `associated_data`, in which `{name}` is that column of the row.

    `server.py keys rotate` encrypts every column of this type again, except a `fixed` one. Services encrypt and decrypt.
    """

    impl = LargeBinary
    cache_ok = True

    def __init__(self, associated_data: str, *, fixed: bool = False) -> None:
        super().__init__()
        self.associated_data = associated_data
        self.fixed = fixed


class EncryptedBase64(_EncryptedFor, TypeDecorator[str]):
    """As `Encrypted`, in Base64, for tables whose rows are written as JSON."""

    impl = Text
    cache_ok = True
    fixed = False

    def __init__(self, associated_data: str) -> None:
        super().__init__()
        self.associated_data = associated_data


class KeyedHash(TypeDecorator[str]):
    """A value of `core.crypto.Cipher.keyed_hash`.

    `without_key` says what no longer works for the rows of a former key once that key is not given any more; empty: nothing.
    """

    impl = String(32)
    cache_ok = True

    def __init__(self, without_key: str = "") -> None:
        super().__init__()
        self.without_key = without_key


class SecretHash(TypeDecorator[str]):
    """A value of `services.citizens.pins.SecretHasher`: of a PIN, or of an answer to a security question."""

    impl = Text
    cache_ok = True


class Digest(TypeDecorator[bytes]):
    """A hash that is made without the gateway's key."""

    impl = LargeBinary
    cache_ok = True


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    }
)

# SQLite generates ids only for a column of the type INTEGER.
Id = BigInteger().with_variant(Integer, "sqlite")
Msisdn = String(16)  # E.164: a plus and at most fifteen digits
Language = String(8)
Code = String(64)  # a code from the catalogue: of a service, an office, a department, a question


def every_row(table: Table) -> ColumnElement[bool]:
    """A condition that every row of a table with a numeric key meets.

    An index with this condition is read by the queries that name it, and by no others: a list of one department never reads
    the index of all departments, in which it would skip the rows of the others.
    """
    return table.c.id > literal_column("0")


def partial_index(where: TextClause | ColumnElement[bool], name: str, *columns: Column[Any]) -> Index:
    """An index over the rows that meet `where`.

    `where` has no bound parameters: with them the planner would not use the index.
    """
    return Index(name, *columns, postgresql_where=where, sqlite_where=where)
