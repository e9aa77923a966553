"""The migrations create exactly the tables that the program uses, on both databases."""

import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from db.database import Database
from db.engines import DatabaseUnusableError, create_write_engine, parse_database_url
from db.migrate import MigrationsPendingError, ensure_migrated, has_pending_migrations, upgrade
from db.tables import metadata


@pytest.fixture
def database_url(empty_database_url):
    """Migration tests start with an empty database."""
    return empty_database_url


async def fetch(url, question):
    engine = create_write_engine(parse_database_url(url))
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(question)
    finally:
        await engine.dispose()


def differences(connection: Connection):
    return compare_metadata(MigrationContext.configure(connection), metadata)


async def test_an_empty_database_is_behind_and_a_migrated_one_is_not(database_url):
    assert await has_pending_migrations(database_url)
    await upgrade(database_url)
    assert not await has_pending_migrations(database_url)


async def test_the_migrations_and_the_tables_agree(database_url):
    await upgrade(database_url)
    assert await fetch(database_url, differences) == []


async def test_a_column_too_few_would_be_noticed(database_url):
    await upgrade(database_url)
    await fetch(database_url, lambda connection: connection.execute(text("ALTER TABLE messages DROP COLUMN cost")))
    assert [difference[0] for difference in await fetch(database_url, differences)] == ["add_column"]


async def test_constraints_carry_the_names_that_a_later_migration_will_call_them_by(database_url):
    await upgrade(database_url)
    names = await fetch(database_url, lambda connection: inspect(connection).get_unique_constraints("account_events"))
    assert [name["name"] for name in names] == ["uq_account_events_idempotency_key_kind"]


async def test_migrating_again_and_by_two_at_once_changes_nothing(database_url):
    await asyncio.gather(upgrade(database_url), upgrade(database_url))
    await upgrade(database_url)
    assert await fetch(database_url, differences) == []


async def test_tables_newer_than_the_program_are_not_behind_and_are_left_alone(database_url):
    await upgrade(database_url)
    await fetch(
        database_url, lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9'"))
    )
    assert not await has_pending_migrations(database_url)
    await upgrade(database_url)


async def test_a_migration_that_fails_leaves_nothing_behind(database_url):
    await fetch(database_url, lambda connection: connection.execute(text("CREATE TABLE messages (id INTEGER)")))
    with pytest.raises(Exception, match=r"messages already exists|DuplicateTable"):
        await upgrade(database_url)
    assert await fetch(database_url, lambda connection: inspect(connection).get_table_names()) == ["messages"]


async def test_an_embedded_database_migrates_itself_and_a_server_refuses_old_tables(database_url):
    if database_url.startswith("sqlite"):
        await ensure_migrated(database_url)
        assert not await has_pending_migrations(database_url)
        return
    with pytest.raises(MigrationsPendingError, match=r"run: python server\.py migrate"):
        await ensure_migrated(database_url)
    await upgrade(database_url)
    await ensure_migrated(database_url)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("mysql://host/db", "starts with mysql"),
        ("postgresql://host/db", "starts with postgresql"),
        ("sqlite+aiosqlite://", "names no file"),
        ("sqlite+aiosqlite:///:memory:", "names no file"),
        ("ekdial.db", "not a database URL"),
    ],
)
def test_an_address_that_cannot_hold_records_is_refused_in_one_line(url, why):
    with pytest.raises(DatabaseUnusableError, match=why) as refused:
        Database(url)
    assert "\n" not in str(refused.value)
