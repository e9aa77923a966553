"""Bringing a database's tables up to what this program expects, and telling when they are not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from asyncpg import PostgresError
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from faults import CannotRun
from services.records.engines import DatabaseRefused, address, writing_engine

MIGRATIONS = Path(__file__).parent / "migrations"
# Any number will do that no other program on the same database uses: these are the bytes of "ekdial".
ONE_AT_A_TIME = text(f"SELECT pg_advisory_xact_lock({int.from_bytes(b'ekdial')})")


class TablesBehind(CannotRun):
    """The tables are older than this program; the message is one line that says what to run."""

    def __init__(self) -> None:
        super().__init__("The database's tables are older than this program; run: python server.py migrate")


async def ready(url: str) -> None:
    """Have the tables ready for a server: an embedded database is brought up to date, another one must be already.

    Raises:
        TablesBehind: it is not.
        DatabaseRefused: it cannot be reached, or holds something else.
    """
    if address(url).get_backend_name() == "sqlite":
        await upgrade(url)
    elif await behind(url):
        raise TablesBehind


async def upgrade(url: str, to: str = "head") -> None:
    """Run every migration up to `to` that has not been run; two at once take turns, and one that fails leaves nothing behind."""
    async with _engine(url) as engine, engine.begin() as connection:
        await connection.run_sync(_upgrade, to)


async def behind(url: str) -> bool:
    """Whether a migration waits to be run. Tables that are newer than this program are not behind."""
    async with _engine(url) as engine, engine.connect() as connection:
        return await connection.run_sync(_behind)


@asynccontextmanager
async def _engine(url: str) -> AsyncIterator[AsyncEngine]:
    """An engine for a moment; what goes wrong with it is said in one line, for whoever starts the program."""
    try:
        engine = writing_engine(address(url))
        try:
            yield engine
        finally:
            await engine.dispose()
    except (OSError, SQLAlchemyError, PostgresError, TypeError) as error:  # the last for an option that is none
        raise DatabaseRefused(
            f"The database cannot be used: {_why(error)}; see database.url, and that it runs"
        ) from None


def _why(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    said = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return str(said).split("\n")[0]


def _upgrade(connection: Connection, to: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(ONE_AT_A_TIME)
    if _behind(connection):
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def _behind(connection: Connection) -> bool:
    known = [revision.revision for revision in ScriptDirectory.from_config(_config()).walk_revisions()]
    run = MigrationContext.configure(connection).get_current_heads()
    return not run or any(one in known[1:] for one in run)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
