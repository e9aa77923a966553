"""The database under the records: transactions, reading beside them, and what its errors do not tell."""

import asyncio
import stat
import traceback
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import DBAPIError, StatementError

from services.records.database import Records
from services.records.engines import address, writing_engine
from services.records.lookup import RecordsUnreadable
from services.records.tables import accounts, api_keys, callers

RAHIMA = "+8801711000001"
NOON = datetime(2026, 11, 21, 12, tzinfo=timezone(timedelta(hours=6)))


def caller(number=RAHIMA, **other):
    return {"number": number, "language": "bn", "session": "s1", "chosen_at": NOON, **other}


async def numbers(records):
    return (await records.read(select(callers.c.number).order_by(callers.c.number))).scalars().all()


async def test_what_a_transaction_wrote_is_read_after_it(records):
    async with records.transaction() as transaction:
        await transaction.execute(insert(callers).values(caller()))
        assert await numbers(records) == []
    assert await numbers(records) == [RAHIMA]


async def test_a_transaction_that_fails_midway_wrote_nothing(records):
    async def fails():
        async with records.transaction() as transaction:
            await transaction.execute(insert(callers).values(caller()))
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await fails()
    assert await numbers(records) == []


async def test_what_was_left_to_do_is_done_once_when_the_transaction_is_over_and_written(records):
    seen = []

    def note():
        seen.append("over")

    async with records.transaction() as transaction:
        transaction.afterwards(note)
        transaction.afterwards(note)
        assert seen == []
    assert seen == ["over"]


async def test_a_transaction_cut_off_while_it_waits_leaves_the_database_usable(records):
    begun = asyncio.Event()

    async def hangs():
        async with records.transaction() as transaction:
            await transaction.execute(insert(callers).values(caller()))
            begun.set()
            await asyncio.Event().wait()

    hanging = asyncio.create_task(hangs())
    await begun.wait()
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging
    async with records.transaction() as transaction:
        await transaction.execute(insert(callers).values(caller()))
    assert await numbers(records) == [RAHIMA]


async def test_a_statement_cut_off_in_the_database_leaves_it_usable(records):
    async def one(number):
        async with records.transaction() as transaction:
            await transaction.execute(insert(callers).values(caller(number)))

    for turns in range(12):
        writing = asyncio.create_task(one(f"+88017{turns:08}"))
        for _ in range(turns):
            await asyncio.sleep(0)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
    await one(RAHIMA)
    assert RAHIMA in await numbers(records)


async def test_many_writers_at_once_all_get_their_turn(records):
    async def adds_one():
        async with records.transaction() as transaction:
            seen = await transaction.execute(select(callers.c.session).with_for_update())
            counted = update(callers).values(session=str(int(seen.scalar_one()) + 1))
            await transaction.execute(counted)

    async with records.transaction() as transaction:
        await transaction.execute(insert(callers).values(caller(session="0")))
    await asyncio.gather(*(adds_one() for _ in range(100)))
    assert (await records.read(select(callers.c.session))).scalar_one() == "100"


async def test_a_writer_in_another_process_is_waited_for(records, database_url):
    async with Records(database_url) as other:

        async def writes(where, number):
            async with where.transaction() as transaction:
                await transaction.execute(insert(callers).values(caller(number)))

        both = (writes((records, other)[turn % 2], f"+88017{turn:08}") for turn in range(50))
        await asyncio.gather(*both)
    assert len(await numbers(records)) == 50


async def test_a_moment_comes_back_in_utc_whatever_zone_it_went_in_with(records):
    async with records.transaction() as transaction:
        await transaction.execute(insert(callers).values(caller()))
    moment = (await records.read(select(callers.c.chosen_at))).scalar_one()
    assert moment == NOON
    assert moment.tzinfo is UTC


async def test_a_moment_without_a_zone_is_refused(records):
    with pytest.raises(StatementError, match="recorded with its time zone"):
        async with records.transaction() as transaction:
            await transaction.execute(insert(callers).values(caller(chosen_at=NOON.replace(tzinfo=None))))


async def test_reading_cannot_write_on_sqlite(tmp_path):
    async with Records(f"sqlite+aiosqlite:///{tmp_path}/new/ekdial.db") as records:
        with pytest.raises(DBAPIError, match="readonly"):
            await records.read(text("CREATE TABLE callers (number TEXT)"))


async def test_a_new_sqlite_file_is_for_its_owner_alone_and_keeps_a_write_ahead_log(tmp_path):
    file = tmp_path / "var" / "ekdial.db"
    async with Records(f"sqlite+aiosqlite:///{file}") as records, records.transaction() as transaction:
        modes = [await transaction.execute(text(f"PRAGMA {name}")) for name in ("journal_mode", "foreign_keys")]
        assert [mode.scalar_one() for mode in modes] == ["wal", 1]
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


NAMELESS = {"number": RAHIMA, "name": None, "language": "bn", "pin_hash": "$argon2id$", "created_at": NOON}
REFUSED = [
    (accounts, NAMELESS),
    (callers, caller(number=f"{RAHIMA}000000000")),
    (callers, caller(language=8801711000001)),
    (api_keys, {"id": RAHIMA, "department": "land", "digest": "no octets", "created_at": NOON}),
]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("table", "row"), REFUSED)
async def test_an_error_of_postgresql_never_quotes_a_row(records, table, row):
    with pytest.raises(StatementError) as refused:
        async with records.transaction() as transaction:
            await transaction.execute(insert(table).values(row))
    told = "".join(traceback.format_exception(refused.value)) + repr(refused.value)
    assert "1711000001" not in told
    assert "no octets" not in told


async def test_an_error_names_what_was_refused_and_where(records):
    with pytest.raises(StatementError, match=r"(?i)not.?null.*accounts\.name"):
        async with records.transaction() as transaction:
            await transaction.execute(insert(accounts).values(NAMELESS))


async def test_a_repeated_number_is_refused_without_telling_it(records):
    with pytest.raises(StatementError) as refused:
        async with records.transaction() as transaction:
            await transaction.execute(insert(callers), [caller(), caller()])
    assert "1711000001" not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_connections_that_died_while_nobody_used_them_are_replaced_unseen(records, database_url, monkeypatch):
    monkeypatch.setattr("services.records.engines.QUIET", 0.0)
    await records.answers()
    await ends_every_session(database_url)
    await records.answers()


async def ends_every_session(url):
    """As a restart of the server, or an impatient administrator, ends them."""
    engine = writing_engine(address(url).set(database="template1"))
    sessions = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
    async with engine.connect() as connection:
        await connection.execute(sessions, {"name": address(url).database})
    await engine.dispose()


@pytest.fixture
async def session_of(records):
    async with records.transaction() as transaction:
        await transaction.execute(insert(callers).values(caller()))
    return records.lookup(callers.c.number, (callers.c.session,), lambda columns: columns[0])


async def test_what_is_looked_up_at_once_is_found_each_by_its_key(session_of):
    found = await asyncio.gather(session_of(RAHIMA), session_of("+8801700000000"), session_of(RAHIMA))
    assert found == ["s1", None, "s1"]


async def test_a_moment_looked_up_is_in_utc(records, session_of):
    moment = await records.lookup(callers.c.number, (callers.c.chosen_at,), lambda columns: columns[0])(RAHIMA)
    assert (moment, moment.tzinfo) == (NOON, UTC)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_lookup_whose_connection_broke_asks_again_on_another(session_of, database_url):
    assert await session_of(RAHIMA) == "s1"
    await ends_every_session(database_url)
    assert await asyncio.gather(session_of(RAHIMA), session_of(RAHIMA)) == ["s1", "s1"]


async def test_a_lookup_that_finds_no_table_says_so_without_the_key_and_works_again_when_there_is_one(
    records, session_of
):
    await renames(records, "callers", "gone")
    with pytest.raises(RecordsUnreadable, match=r"^(UndefinedTableError|OperationalError)$") as unreadable:
        await session_of(RAHIMA)
    assert RAHIMA not in "".join(traceback.format_exception(unreadable.value))
    await renames(records, "gone", "callers")
    assert await session_of(RAHIMA) == "s1"


async def renames(records, old, new):
    async with records.transaction() as transaction:
        await transaction.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))
