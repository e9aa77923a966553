"""Databases with tables, without a migration for each test: a SQLite file is copied, a PostgreSQL is emptied."""

import asyncio
import atexit
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

from db.migrate import upgrade
from tests.support.servers import PostgresServer, new_database, run_admin_statements

# Small tables are emptied with DELETE: truncating all of them would take half a second. Large ones are truncated, so that
# dead rows do not affect query plans.
DELETE_ALL_ROWS = """
DO $$ DECLARE one record; BEGIN
  SET LOCAL session_replication_role = replica;
  FOR one IN SELECT relname, CASE WHEN relation_size > 65536 THEN 'TRUNCATE public.%I CASCADE' ELSE 'DELETE FROM public.%I' END AS how
    FROM (SELECT *, pg_relation_size(oid) AS relation_size FROM pg_class) AS sized
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
  LOOP EXECUTE format(one.how, one.relname); END LOOP;
  FOR one IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL
  LOOP EXECUTE format('ALTER SEQUENCE public.%I RESTART', one.sequencename); END LOOP;
END $$
"""


def migrated_sqlite_url(path: Path) -> str:
    """The URL of a SQLite file at `path`, created with its tables if it does not exist."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_migrated_template(), path)
    return f"sqlite+aiosqlite:///{path}"


@contextmanager
def migrated_postgres_url(server: PostgresServer) -> Iterator[str]:
    """The URL of a PostgreSQL database with tables. Call `delete_all_rows` after each test."""
    with new_database(server) as url:
        _migrate(url)
        yield url


def delete_all_rows(url: str) -> None:
    """Delete every row, also of the audit log, and restart the ids."""
    run_admin_statements(url, DELETE_ALL_ROWS)


async def write_beside_gateway(folder: Path, statement: str, *values: object) -> None:
    """Execute a statement on the SQLite file of a gateway that runs in this event loop.

    In a thread: the gateway may have a write transaction open that needs the event loop to end.
    """

    def write() -> None:
        with closing(sqlite3.connect(folder / "ekdial.db")) as database, database:
            database.execute(statement, values)

    await asyncio.to_thread(write)


@cache
def _migrated_template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="ekdial-migrated-"))
    atexit.register(shutil.rmtree, folder)
    file = folder / "ekdial.db"
    _migrate(f"sqlite+aiosqlite:///{file}")
    return file


def _migrate(url: str) -> None:
    """Migrate in a thread, because the caller may be inside a running event loop."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(lambda: asyncio.run(upgrade(url))).result()
