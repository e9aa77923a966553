"""Runs the migrations, and tells whether any are pending."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from asyncpg import PostgresError
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from core.errors import CommandError
from db.engines import DatabaseUnusableError, create_write_engine, parse_database_url

MIGRATIONS_FOLDER = Path(__file__).parent / "migrations"
# The lock's number is arbitrary, but no other program on the same database may use it: the bytes of "ekdial".
ADVISORY_LOCK = text(f"SELECT pg_advisory_xact_lock({int.from_bytes(b'ekdial')})")


class MigrationsPendingError(CommandError):
    """The tables are older than this program; the message is one line with the command to run."""

    def __init__(self) -> None:
        super().__init__("The database's tables are older than this program; run: python server.py migrate")


async def ensure_migrated(url: str) -> None:
    """SQLite: run pending migrations. PostgreSQL: check that none are pending.

    Raises:
        MigrationsPendingError: migrations of a PostgreSQL database are pending.
        DatabaseUnusableError: the database cannot be reached, or contains something else.
    """
    if parse_database_url(url).get_backend_name() == "sqlite":
        await upgrade(url)
    elif await has_pending_migrations(url):
        raise MigrationsPendingError


class Migration(NamedTuple):
    """A migration: its number, such as `0009`, and what it does."""

    revision: str
    title: str


async def upgrade(url: str, revision: str = "head") -> Sequence[Migration]:
    """Run the pending migrations up to `revision` in one transaction, and return them, oldest first.

    Two processes at the same time take turns.
    """
    async with _engine(url) as engine, engine.begin() as connection:
        return await connection.run_sync(_run_migrations, revision)


async def has_pending_migrations(url: str) -> bool:
    """Whether migrations are pending. Tables that are newer than this program count as up to date."""
    async with _engine(url) as engine, engine.connect() as connection:
        return await connection.run_sync(_is_behind)


@asynccontextmanager
async def _engine(url: str) -> AsyncIterator[AsyncEngine]:
    """A write engine for the block.

    Raises:
        DatabaseUnusableError: any error, as one line for the operator.
    """
    with report_unusable():
        engine = create_write_engine(parse_database_url(url))
        try:
            yield engine
        finally:
            await engine.dispose()


@contextmanager
def report_unusable() -> Iterator[None]:
    """Raise an error of the database in the block as one line for the operator.

    Raises:
        DatabaseUnusableError: an error of the database, or no answer in time.
    """
    try:
        yield
    except (OSError, SQLAlchemyError, PostgresError, TypeError) as error:  # TypeError: an unknown option in the URL
        raise DatabaseUnusableError(
            f"The database cannot be used: {_error_message(error)}; check database.url, and that the server runs"
        ) from None


def _error_message(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    message = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return str(message).split("\n")[0]


def _run_migrations(connection: Connection, revision: str) -> Sequence[Migration]:
    if connection.dialect.name == "postgresql":
        connection.execute(ADVISORY_LOCK)
    before = _count_run(connection)
    if before < len(_known_migrations()):
        config = _alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    return _known_migrations()[before : _count_run(connection)]


def _is_behind(connection: Connection) -> bool:
    return _count_run(connection) < len(_known_migrations())


def _count_run(connection: Connection) -> int:
    """The number of this program's migrations that the database has: all of them if its tables are newer."""
    run = MigrationContext.configure(connection).get_current_revision()
    if run is None:
        return 0
    revisions = [one.revision for one in _known_migrations()]
    return revisions.index(run) + 1 if run in revisions else len(revisions)


@cache
def _known_migrations() -> tuple[Migration, ...]:
    """The migrations of this program, oldest first."""
    scripts = ScriptDirectory.from_config(_alembic_config()).walk_revisions()
    return tuple(Migration(one.revision, one.doc) for one in scripts)[::-1]


def _alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS_FOLDER).replace("%", "%%"))
    return config
