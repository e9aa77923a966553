"""Databases whose tables are made already, for to migrate one takes a second: a file is copied, a PostgreSQL is emptied."""

import asyncio
import atexit
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from services.records.migrate import upgrade
from tests.servers import PostgresServer, administer, new_database

# A table of few rows costs a look: to truncate all of them would take half a second. One that was large is, or what was
# in it would still weigh on the plans that are made for it.
EMPTY = """
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


def sqlite_file(copy: Path) -> str:
    """The URL of a SQLite file at `copy`, made there unless there is one."""
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_file(), copy)
    return f"sqlite+aiosqlite:///{copy}"


@contextmanager
def postgres_database(server: PostgresServer) -> Iterator[str]:
    """The URL of a database with its tables, for one test after the other: `empty` it in between."""
    with new_database(server) as url:
        _migrate(url)
        yield url


def empty(url: str) -> None:
    """Take every row out of a PostgreSQL, the audit's too, and have its ids begin anew."""
    administer(url, EMPTY)


@cache
def _file() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="ekdial-migrated-"))
    atexit.register(shutil.rmtree, folder)
    file = folder / "ekdial.db"
    _migrate(f"sqlite+aiosqlite:///{file}")
    return file


def _migrate(url: str) -> None:
    """In a thread of its own, for whoever asks may be within a loop that runs."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(lambda: asyncio.run(upgrade(url))).result()
