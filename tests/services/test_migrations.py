"""The migrations make exactly the tables that the program uses, on both databases."""

import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from stdnum import damm

from services.records.database import Records
from services.records.engines import DatabaseRefused, address, writing_engine
from services.records.migrate import TablesBehind, behind, ready, upgrade
from services.records.tables import metadata

TWO_OF_BEFORE = """
INSERT INTO feedback (number, text, language, channel, effect, created_at)
VALUES ('+8801700000001', '', 'bn', 'sms', 'a', '2026-11-21'), ('+8801700000001', '', 'bn', 'sms', 'b', '2026-11-21')
"""


AN_APPLICATION_OF_BEFORE = """
INSERT INTO applications (id, tracking_number, account, number, service, office, department, form, fee_minor, currency,
  language, channel, status, note, effect, created_at, changed_at)
VALUES (7, '123456789015', 1, '+8801700000001', 'trade_licence', 'mirpur', 'dncc', '', 0, 'BDT', 'bn', 'ussd', 'received',
  '{}', 'a', '2026-11-21', '2026-11-21')
"""
AN_ACCOUNT_OF_BEFORE = """
INSERT INTO accounts (id, number, name, language, pin_hash, created_at)
VALUES (1, '+8801700000001', '', 'bn', '', '2026-11-21')
"""
COMPLAINTS_OF_BEFORE = """
INSERT INTO complaints (complaint_number, number, application, text, status, language, channel, effect, created_at, changed_at)
VALUES ('123456789015', '+8801700000001', 7, '', 'received', 'bn', 'sms', 'a', '2026-11-21', '2026-11-21'),
  ('123456789023', '+8801700000001', NULL, '', 'received', 'bn', 'sms', 'b', '2026-11-21', '2026-11-21')
"""


@pytest.fixture
def database_url(empty_database_url):
    """What is migrated here begins with nothing."""
    return empty_database_url


async def ask(url, question):
    engine = writing_engine(address(url))
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(question)
    finally:
        await engine.dispose()


def differences(connection: Connection):
    return compare_metadata(MigrationContext.configure(connection), metadata)


async def test_an_empty_database_is_behind_and_a_migrated_one_is_not(database_url):
    assert await behind(database_url)
    await upgrade(database_url)
    assert not await behind(database_url)


async def test_the_migrations_and_the_tables_agree(database_url):
    await upgrade(database_url)
    assert await ask(database_url, differences) == []


async def test_a_column_too_few_would_be_noticed(database_url):
    await upgrade(database_url)
    await ask(database_url, lambda connection: connection.execute(text("ALTER TABLE messages DROP COLUMN cost")))
    assert [difference[0] for difference in await ask(database_url, differences)] == ["add_column"]


async def test_constraints_carry_the_names_that_a_later_migration_will_call_them_by(database_url):
    await upgrade(database_url)
    names = await ask(database_url, lambda connection: inspect(connection).get_unique_constraints("account_events"))
    assert [name["name"] for name in names] == ["uq_account_events_effect_kind"]


async def test_migrating_again_and_by_two_at_once_changes_nothing(database_url):
    await asyncio.gather(upgrade(database_url), upgrade(database_url))
    await upgrade(database_url)
    assert await ask(database_url, differences) == []


async def test_tables_newer_than_the_program_are_not_behind_and_are_left_alone(database_url):
    await upgrade(database_url)
    await ask(database_url, lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9'")))
    assert not await behind(database_url)
    await upgrade(database_url)


async def test_a_migration_that_fails_leaves_nothing_behind(database_url):
    await ask(database_url, lambda connection: connection.execute(text("CREATE TABLE messages (id INTEGER)")))
    with pytest.raises(Exception, match=r"messages already exists|DuplicateTable"):
        await upgrade(database_url)
    assert await ask(database_url, lambda connection: inspect(connection).get_table_names()) == ["messages"]


async def test_feedback_of_before_gets_numbers_that_have_a_check_digit(database_url):
    await upgrade(database_url, "0006")
    await ask(database_url, lambda connection: connection.execute(text(TWO_OF_BEFORE)))
    await upgrade(database_url)
    numbered = text("SELECT feedback_number FROM feedback")
    numbers = await ask(database_url, lambda connection: connection.execute(numbered).scalars().all())
    assert len(set(numbers)) == 2
    assert all(map(damm.is_valid, numbers))
    assert await ask(database_url, differences) == []


async def test_complaints_of_before_go_to_the_department_of_their_application_and_are_never_late(database_url):
    await upgrade(database_url, "0011")

    def write(connection: Connection) -> None:
        for rows in (AN_ACCOUNT_OF_BEFORE, AN_APPLICATION_OF_BEFORE, COMPLAINTS_OF_BEFORE):
            connection.execute(text(rows))

    await ask(database_url, write)
    await upgrade(database_url)
    asked = text("SELECT department, service, reason, level, due_at FROM complaints ORDER BY id")
    rows = await ask(database_url, lambda connection: connection.execute(asked).all())
    assert [tuple(row) for row in rows] == [("dncc", "trade_licence", "other", 0, None), ("", "", "other", 0, None)]


async def test_an_embedded_database_migrates_itself_and_a_server_refuses_old_tables(database_url):
    if database_url.startswith("sqlite"):
        await ready(database_url)
        assert not await behind(database_url)
        return
    with pytest.raises(TablesBehind, match=r"run: python server\.py migrate"):
        await ready(database_url)
    await upgrade(database_url)
    await ready(database_url)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("mysql://host/db", "starts with mysql"),
        ("postgresql://host/db", "starts with postgresql"),
        ("sqlite+aiosqlite://", "names no file"),
        ("sqlite+aiosqlite:///:memory:", "names no file"),
        ("ekdial.db", "not a database's address"),
    ],
)
def test_an_address_that_cannot_hold_records_is_refused_in_one_line(url, why):
    with pytest.raises(DatabaseRefused, match=why) as refused:
        Records(url)
    assert "\n" not in str(refused.value)
