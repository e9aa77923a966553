"""The database: transactions, concurrent reads, and errors without data."""

import asyncio
import stat
import traceback
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import StatementError

from db.circuit_breaker import DatabaseUnavailableError
from db.database import Database
from db.engines import create_write_engine, parse_database_url
from db.fast_lookup import ReadError
from db.tables import accounts, api_keys, callers

RAHIMA = "+8801711000001"
NOON = datetime(2026, 11, 21, 12, tzinfo=timezone(timedelta(hours=6)))


def caller_row(number=RAHIMA, **other):
    return {"msisdn": number, "language": "bn", "session": "s1", "chosen_at": NOON, **other}


async def caller_numbers(database):
    return (await database.fetch(select(callers.c.msisdn).order_by(callers.c.msisdn))).scalars().all()


async def test_what_a_transaction_wrote_is_read_after_it(database):
    async with database.transaction() as transaction:
        await transaction.execute(insert(callers).values(caller_row()))
        assert await caller_numbers(database) == []
    assert await caller_numbers(database) == [RAHIMA]


async def test_a_transaction_that_fails_midway_wrote_nothing(database):
    async def fails():
        async with database.transaction() as transaction:
            await transaction.execute(insert(callers).values(caller_row()))
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await fails()
    assert await caller_numbers(database) == []


async def test_what_was_left_to_do_is_done_once_when_the_transaction_is_over_and_written(database):
    seen = []

    def note():
        seen.append("over")

    async with database.transaction() as transaction:
        transaction.after_transaction(note)
        transaction.after_transaction(note)
        assert seen == []
    assert seen == ["over"]


async def test_a_transaction_cut_off_while_it_waits_leaves_the_database_usable(database):
    begun = asyncio.Event()

    async def hangs():
        async with database.transaction() as transaction:
            await transaction.execute(insert(callers).values(caller_row()))
            begun.set()
            await asyncio.Event().wait()

    hanging = asyncio.create_task(hangs())
    await begun.wait()
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging
    async with database.transaction() as transaction:
        await transaction.execute(insert(callers).values(caller_row()))
    assert await caller_numbers(database) == [RAHIMA]


async def test_a_statement_cut_off_in_the_database_leaves_it_usable(database):
    async def one(number):
        async with database.transaction() as transaction:
            await transaction.execute(insert(callers).values(caller_row(number)))

    for turns in range(12):
        writing = asyncio.create_task(one(f"+88017{turns:08}"))
        for _ in range(turns):
            await asyncio.sleep(0)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
    await one(RAHIMA)
    assert RAHIMA in await caller_numbers(database)


async def test_a_read_cut_off_within_a_transaction_leaves_no_lock(database):
    async def one():
        async with database.transaction() as transaction:
            await transaction.execute(select(callers))

    for turns in range(60):
        reading = asyncio.create_task(one())
        await asyncio.sleep(turns % 20 / 5000)
        reading.cancel()
        cut_off = await asyncio.gather(reading, return_exceptions=True)  # its traceback holds the cursor
        async with database.transaction() as transaction:
            await transaction.execute(insert(callers).values(caller_row(f"+88017{turns:08}")))
        del cut_off


async def test_many_writers_at_once_all_get_their_turn(database):
    async def adds_one():
        async with database.transaction() as transaction:
            seen = await transaction.execute(select(callers.c.session).with_for_update())
            counted = update(callers).values(session=str(int(seen.scalar_one()) + 1))
            await transaction.execute(counted)

    async with database.transaction() as transaction:
        await transaction.execute(insert(callers).values(caller_row(session="0")))
    await asyncio.gather(*(adds_one() for _ in range(100)))
    assert (await database.fetch(select(callers.c.session))).scalar_one() == "100"


async def test_a_writer_in_another_process_is_waited_for(database, database_url):
    async with Database(database_url) as other:

        async def writes(where, number):
            async with where.transaction() as transaction:
                await transaction.execute(insert(callers).values(caller_row(number)))

        both = (writes((database, other)[turn % 2], f"+88017{turn:08}") for turn in range(50))
        await asyncio.gather(*both)
    assert len(await caller_numbers(database)) == 50


async def test_a_moment_comes_back_in_utc_whatever_zone_it_went_in_with(database):
    async with database.transaction() as transaction:
        await transaction.execute(insert(callers).values(caller_row()))
    moment = (await database.fetch(select(callers.c.chosen_at))).scalar_one()
    assert moment == NOON
    assert moment.tzinfo is UTC


async def test_a_moment_without_a_zone_is_refused(database):
    with pytest.raises(StatementError, match="The time has no zone"):
        async with database.transaction() as transaction:
            await transaction.execute(insert(callers).values(caller_row(chosen_at=NOON.replace(tzinfo=None))))


async def test_reading_cannot_write_on_sqlite(tmp_path):
    async with Database(f"sqlite+aiosqlite:///{tmp_path}/new/ekdial.db") as database:
        with pytest.raises(DatabaseUnavailableError):
            await database.fetch(text("CREATE TABLE callers (number TEXT)"))


async def test_a_new_sqlite_file_is_for_its_owner_alone_and_keeps_a_write_ahead_log(tmp_path):
    file = tmp_path / "var" / "ekdial.db"
    async with Database(f"sqlite+aiosqlite:///{file}") as database, database.transaction() as transaction:
        modes = [await transaction.execute(text(f"PRAGMA {name}")) for name in ("journal_mode", "foreign_keys")]
        assert [mode.scalar_one() for mode in modes] == ["wal", 1]
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


ANONYMOUS_ERRORS = {"msisdn": RAHIMA, "name": None, "language": "bn", "pin_hash": "$argon2id$", "created_at": NOON}
REJECTED_STATEMENTS = [
    (accounts, ANONYMOUS_ERRORS),
    (callers, caller_row(number=f"{RAHIMA}000000000")),
    (callers, caller_row(language=8801711000001)),
    (api_keys, {"id": RAHIMA, "department": "land", "digest": "no octets", "created_at": NOON}),
]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("table", "row"), REJECTED_STATEMENTS)
async def test_an_error_of_postgresql_never_quotes_a_row(database, table, row):
    with pytest.raises(StatementError) as refused:
        async with database.transaction() as transaction:
            await transaction.execute(insert(table).values(row))
    told = "".join(traceback.format_exception(refused.value)) + repr(refused.value)
    assert "1711000001" not in told
    assert "no octets" not in told


async def test_an_error_names_what_was_refused_and_where(database):
    with pytest.raises(StatementError, match=r"(?i)not.?null.*accounts\.name"):
        async with database.transaction() as transaction:
            await transaction.execute(insert(accounts).values(ANONYMOUS_ERRORS))


async def test_a_repeated_number_is_refused_without_telling_it(database):
    with pytest.raises(StatementError) as refused:
        async with database.transaction() as transaction:
            await transaction.execute(insert(callers), [caller_row(), caller_row()])
    assert "1711000001" not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_connections_that_died_while_nobody_used_them_are_replaced_unseen(database, database_url, monkeypatch):
    monkeypatch.setattr("db.engines.IDLE_BEFORE_PING", 0.0)
    await database.ping()
    await end_all_sessions(database_url)
    await database.ping()


async def end_all_sessions(url):
    """End every connection, as a restart of the server does."""
    engine = create_write_engine(parse_database_url(url).set(database="template1"))
    sessions = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
    async with engine.connect() as connection:
        await connection.execute(sessions, {"name": parse_database_url(url).database})
    await engine.dispose()


@pytest.fixture
async def app_session(database):
    async with database.transaction() as transaction:
        await transaction.execute(insert(callers).values(caller_row()))
    return database.fast_lookup(callers.c.msisdn, (callers.c.session,), lambda row: row.session)


async def test_what_is_looked_up_at_once_is_found_each_by_its_key(app_session):
    found = await asyncio.gather(app_session(RAHIMA), app_session("+8801700000000"), app_session(RAHIMA))
    assert found == ["s1", None, "s1"]


async def test_a_moment_looked_up_is_in_utc(database, app_session):
    moment = await database.fast_lookup(callers.c.msisdn, (callers.c.chosen_at,), lambda columns: columns[0])(RAHIMA)
    assert (moment, moment.tzinfo) == (NOON, UTC)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_lookup_whose_connection_broke_asks_again_on_another(app_session, database_url):
    assert await app_session(RAHIMA) == "s1"
    await end_all_sessions(database_url)
    assert await asyncio.gather(app_session(RAHIMA), app_session(RAHIMA)) == ["s1", "s1"]


async def test_a_lookup_that_finds_no_table_says_so_without_the_key_and_works_again_when_there_is_one(
    database, app_session
):
    await rename_caller(database, "callers", "gone")
    with pytest.raises(ReadError, match=r"^(UndefinedTableError|OperationalError)$") as unreadable:
        await app_session(RAHIMA)
    assert RAHIMA not in "".join(traceback.format_exception(unreadable.value))
    await rename_caller(database, "gone", "callers")
    assert await app_session(RAHIMA) == "s1"


async def rename_caller(database, old, new):
    async with database.transaction() as transaction:
        await transaction.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))
