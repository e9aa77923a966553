"""Engines for SQLite and PostgreSQL, with a timeout on every wait.

SQLite has one writer at a time. The writers of a process queue for one connection, in order, so that `database is locked`
never occurs within a process. A writer of another process, such as a command beside the server, is waited for.
"""

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.util import await_only

from core.errors import CommandError
from db.error_scrubbing import scrub_errors

URL_EXAMPLES = "sqlite+aiosqlite:///var/ekdial.db or postgresql+asyncpg://user@host/name"
BUSY_TIMEOUT = 5  # seconds that SQLite waits for the writer of another process
PRIMARY_CODE_MASK = 0xFF  # masks SQLite's primary error code out of an extended one
BUSY_RETRY_INTERVAL = 0.01  # seconds between two attempts where SQLite ignores the busy timeout
# Seconds for one statement, and for a free connection: half of the provider's timeout for a USSD request.
STATEMENT_TIMEOUT = 5
CONNECT_TIMEOUT = 3  # seconds to connect to the server
IDLE_BEFORE_PING = 1.0  # seconds of idle time after which a connection is pinged before use
CONNECTION_PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT * 1000}",
    "PRAGMA foreign_keys = ON",
    "PRAGMA synchronous = NORMAL",
)
WRITER_PRAGMAS = (*CONNECTION_PRAGMAS, "PRAGMA journal_mode = WAL")
READER_PRAGMAS = (*CONNECTION_PRAGMAS, "PRAGMA query_only = ON")

_POSTGRESQL_TIMEOUTS: Mapping[str, float] = {"timeout": CONNECT_TIMEOUT, "command_timeout": STATEMENT_TIMEOUT}

Engines: TypeAlias = tuple[AsyncEngine, AsyncEngine]
"""The engine that writes, in transactions, and the engine that reads, one statement at a time."""


class DatabaseUnusableError(CommandError):
    """The database cannot be used; the message is one line with the problem and the fix."""


def parse_database_url(url: str) -> URL:
    """The parts of `url`.

    Raises:
        DatabaseUnusableError: it names neither a PostgreSQL database nor a SQLite file.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # ValueError: the port is not a number
        raise DatabaseUnusableError(f"database.url is not a database URL; write {URL_EXAMPLES}") from None
    if parsed.drivername not in {"sqlite+aiosqlite", "postgresql+asyncpg"}:
        raise DatabaseUnusableError(f"database.url starts with {parsed.drivername}; write {URL_EXAMPLES}")
    if parsed.get_backend_name() == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise DatabaseUnusableError(
            f"database.url names no file, but the data must outlive the program; write {URL_EXAMPLES}"
        )
    return parsed


def create_engines(url: URL, pool_size: int) -> Engines:
    """The write engine and the read engine for `url`; the read engine has at most `pool_size` connections."""
    return _ENGINE_FACTORIES[url.get_backend_name()](url, pool_size)


def create_lookup_engine(url: URL) -> AsyncEngine:
    """An engine for lookups that each keep one connection: these are beside the pool, or the pool would be used up."""
    if url.get_backend_name() == "sqlite":
        return _create_sqlite_engine(url, READER_PRAGMAS, pool_size=1, skip_autocommit_rollback=True)
    engine = _create_engine(url, poolclass=NullPool, connect_args=_POSTGRESQL_TIMEOUTS)
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def create_write_engine(url: URL) -> AsyncEngine:
    """An engine with one connection and no statement timeout, for migrations."""
    if url.get_backend_name() == "sqlite":
        return _create_sqlite_write_engine(url)
    return _create_engine(url, pool_size=1, connect_args={"timeout": CONNECT_TIMEOUT})


def _create_sqlite_engines(url: URL, pool_size: int) -> Engines:
    reading = _create_sqlite_engine(url, READER_PRAGMAS, pool_size=pool_size, skip_autocommit_rollback=True)
    return _create_sqlite_write_engine(url), reading


def _create_sqlite_write_engine(url: URL) -> AsyncEngine:
    _create_private_file(Path(str(url.database)))
    engine = _create_sqlite_engine(url, WRITER_PRAGMAS, pool_size=1)
    event.listen(engine.sync_engine, "begin", _begin_immediate)
    return engine


class _Connection(sqlite3.Connection):
    """A connection that is closed completely, whatever its task was doing when it was cancelled."""

    def close(self) -> None:
        """Roll back, then close. An unfinished SELECT keeps a closed connection alive in SQLite, and with it its locks."""
        with suppress(sqlite3.Error):  # it is closed already
            self.rollback()
        super().close()

    def __del__(self) -> None:
        # A task that is cancelled while the thread of aiosqlite opens the file leaves a connection without an owner.
        self.close()


def _create_sqlite_engine(url: URL, pragmas: tuple[str, ...], **options: Any) -> AsyncEngine:
    # Without an isolation level the driver begins no transaction itself; `_begin_immediate` does.
    connect_args = {"isolation_level": None, "factory": _Connection}
    engine = _create_engine(url, connect_args=connect_args, **options)

    def set_up(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            _execute_with_retry(cursor, pragma)
        cursor.close()

    event.listen(engine.sync_engine, "connect", set_up)
    return engine


def _execute_with_retry(cursor: Any, pragma: str) -> None:
    """Execute a pragma, and retry while the file is busy: SQLite ignores the busy timeout when WAL mode is switched on.

    Raises:
        sqlite3.OperationalError: the file is still busy after BUSY_TIMEOUT, or another error occurred.
    """
    for left in reversed(range(int(BUSY_TIMEOUT / BUSY_RETRY_INTERVAL))):
        try:
            cursor.execute(pragma)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & PRIMARY_CODE_MASK != sqlite3.SQLITE_BUSY or not left:
                raise
            await_only(asyncio.sleep(BUSY_RETRY_INTERVAL))
        else:
            return


def _begin_immediate(connection: Connection) -> None:
    """Take the write lock now: a transaction that takes it after its first read can fail midway."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _create_private_file(file: Path) -> None:
    """Create a new file readable by its owner alone; SQLite gives the files beside it the same mode."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600, exist_ok=True)


def _create_postgresql_engines(url: URL, pool_size: int) -> Engines:
    engine = _create_engine(url, pool_size=pool_size, connect_args=_POSTGRESQL_TIMEOUTS)
    event.listen(engine.sync_engine, "checkin", _record_checkin_time)
    event.listen(engine.sync_engine, "checkout", _ping_if_idle)
    return engine, engine.execution_options(isolation_level="AUTOCOMMIT")


def _record_checkin_time(_: object, record: Any) -> None:
    record.info["used"] = time.monotonic()


def _ping_if_idle(connection: Any, record: Any, _: object) -> None:
    """Ping a connection that was idle: its server may have restarted. A busy one is not pinged, which saves a round trip.

    Raises:
        DisconnectionError: it does not answer; SQLAlchemy opens another connection.
    """
    if time.monotonic() - record.info.get("used", 0.0) < IDLE_BEFORE_PING:
        return
    try:
        connection.ping()
    except Exception as error:
        raise DisconnectionError from error


def _create_engine(url: URL, **options: Any) -> AsyncEngine:
    if options.get("poolclass") is not NullPool:
        options |= {"max_overflow": 0, "pool_timeout": STATEMENT_TIMEOUT}
    engine = create_async_engine(url, hide_parameters=True, json_serializer=_dump_json, **options)
    scrub_errors(engine.sync_engine)
    return engine


def _dump_json(value: Any) -> str:
    """JSON with every script readable, for people who look at the table."""
    return json.dumps(value, ensure_ascii=False)


_ENGINE_FACTORIES: Mapping[str, Callable[[URL, int], Engines]] = {
    "sqlite": _create_sqlite_engines,
    "postgresql": _create_postgresql_engines,
}
