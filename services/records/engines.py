"""Connections to the two databases, set up so that nothing waits for ever and nothing is seen half done.

SQLite has one writer at a time. Here its writers queue for one connection, in order, so that `database is locked` is
never seen from within a process; for a writer in another process (a command beside the server) they wait.
"""

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import await_only

from faults import CannotRun
from services.records.discreet import discreet

FORMS = "sqlite+aiosqlite:///var/ekdial.db or postgresql+asyncpg://user@host/name"
BUSY = 5  # seconds that SQLite waits for another process's writer
PRIMARY = 0xFF  # of SQLite's error codes; the rest tells kinds of one error apart
TURN = 0.01  # seconds between two tries where it does not wait of itself
PATIENCE = 5  # seconds for one statement, and for a free connection: half of what the provider gives a hop
REACHED = 3  # seconds to reach the server
QUIET = 1.0  # seconds of idleness after which a connection is asked whether it still lives before it is used
ON_CONNECT = (f"PRAGMA busy_timeout = {BUSY * 1000}", "PRAGMA foreign_keys = ON", "PRAGMA synchronous = NORMAL")
WRITER = (*ON_CONNECT, "PRAGMA journal_mode = WAL")
READER = (*ON_CONNECT, "PRAGMA query_only = ON")

Engines: TypeAlias = tuple[AsyncEngine, AsyncEngine]
"""The one that writes, in transactions, and the one that reads, each statement by itself."""


class DatabaseRefused(CannotRun):
    """The records cannot be held there; the message is one line that says why and what would be right."""


def address(url: str) -> URL:
    """`url` taken apart; DatabaseRefused where it names neither a PostgreSQL nor a file."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # the latter for a port that is no number
        raise DatabaseRefused(f"database.url is not a database's address; write {FORMS}") from None
    if parsed.drivername not in {"sqlite+aiosqlite", "postgresql+asyncpg"}:
        raise DatabaseRefused(f"database.url starts with {parsed.drivername}; write {FORMS}")
    if parsed.get_backend_name() == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise DatabaseRefused(f"database.url names no file, and records outlive the program; write {FORMS}")
    return parsed


def engines(url: URL, connections: int) -> Engines:
    """Both engines for `url`, with so many connections at most for those who read."""
    return _ENGINES[url.get_backend_name()](url, connections)


def writing_engine(url: URL) -> AsyncEngine:
    """An engine with one connection that writes for as long as it takes: what a migration wants."""
    if url.get_backend_name() == "sqlite":
        return _sqlite_writer(url)
    return _created(url, pool_size=1, connect_args={"timeout": REACHED})


def _sqlite_engines(url: URL, connections: int) -> Engines:
    reading = _sqlite(url, READER, pool_size=connections, skip_autocommit_rollback=True)
    return _sqlite_writer(url), reading


def _sqlite_writer(url: URL) -> AsyncEngine:
    _make_private(Path(str(url.database)))
    engine = _sqlite(url, WRITER, pool_size=1)
    event.listen(engine.sync_engine, "begin", _begin_immediate)
    return engine


def _sqlite(url: URL, pragmas: tuple[str, ...], **options: Any) -> AsyncEngine:
    # Without an isolation level the driver begins nothing by itself; transactions begin where `_begin_immediate` says.
    engine = _created(url, connect_args={"isolation_level": None}, **options)

    def set_up(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            _execute_in_turn(cursor, pragma)
        cursor.close()

    event.listen(engine.sync_engine, "connect", set_up)
    return engine


def _execute_in_turn(cursor: Any, pragma: str) -> None:
    """Two who turn a new file to WAL at once are refused, not made to wait, whatever the busy timeout; here they wait."""
    for left in reversed(range(int(BUSY / TURN))):
        try:
            cursor.execute(pragma)
        except sqlite3.OperationalError as refused:
            if refused.sqlite_errorcode & PRIMARY != sqlite3.SQLITE_BUSY or not left:
                raise
            await_only(asyncio.sleep(TURN))
        else:
            return


def _begin_immediate(connection: Connection) -> None:
    """Take the write lock now: a transaction that reads first and takes it later can be refused midway."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _make_private(file: Path) -> None:
    """The file, if it is new, for its owner alone; what SQLite puts beside it takes over its mode."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600, exist_ok=True)


def _postgresql_engines(url: URL, connections: int) -> Engines:
    timeouts = {"timeout": REACHED, "command_timeout": PATIENCE}
    engine = _created(url, pool_size=connections, connect_args=timeouts)
    event.listen(engine.sync_engine, "checkin", _note_time)
    event.listen(engine.sync_engine, "checkout", _ask_if_quiet)
    return engine, engine.execution_options(isolation_level="AUTOCOMMIT")


def _note_time(_: object, record: Any) -> None:
    record.info["used"] = time.monotonic()


def _ask_if_quiet(connection: Any, record: Any, _: object) -> None:
    """A busy connection is known to live; a quiet one may have died with its server, and asking costs a trip."""
    if time.monotonic() - record.info.get("used", 0.0) < QUIET:
        return
    try:
        connection.ping()
    except Exception as dead:
        raise DisconnectionError from dead


def _created(url: URL, **options: Any) -> AsyncEngine:
    engine = create_async_engine(
        url, max_overflow=0, pool_timeout=PATIENCE, hide_parameters=True, json_serializer=_json, **options
    )
    discreet(engine.sync_engine)
    return engine


def _json(value: Any) -> str:
    """Notes as people wrote them: Bengali stays Bengali, for whoever looks at the table."""
    return json.dumps(value, ensure_ascii=False)


_ENGINES: Mapping[str, Callable[[URL, int], Engines]] = {"sqlite": _sqlite_engines, "postgresql": _postgresql_engines}
