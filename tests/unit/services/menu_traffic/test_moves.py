"""Moves between screens: counted in memory, added up in the database, and read as what happened on each screen."""

import asyncio
from datetime import date

import pytest
from sqlalchemy import insert, select, text

from core.types import utc_now
from db.tables import monthly_screen_moves, screen_moves
from services.menu_traffic import counter
from services.menu_traffic.counter import MoveCounter
from services.menu_traffic.models import END, REFUSED, START, Move, MoveCount
from services.menu_traffic.report import MenuTraffic, TrafficFilter, summarize_screens
from tests.support.sql_plans import explain_plan

TODAY = date(2026, 11, 30)
ALL = TrafficFilter()


def move(source, target, channel="ussd", network="47001", language="bn"):
    return Move(channel, network, language, source, target)


@pytest.fixture
def today():
    return [TODAY]


@pytest.fixture
def moves(database, today):
    return MoveCounter(database, lambda: today[0])


@pytest.fixture
def traffic(database):
    return MenuTraffic(database)


async def write(moves, *counted):
    for one in counted:
        moves.count(one)
    await moves.write_pending()


async def test_what_was_counted_is_added_to_what_is_there(moves, traffic):
    await write(moves, move(START, "main"), move(START, "main"), move("main", "sectors"))
    await write(moves, move(START, "main"))
    assert sorted(await traffic.read_moves(["2026-11-30"], ALL)) == [
        MoveCount(START, "main", 3),
        MoveCount("main", "sectors", 1),
    ]


async def test_counts_are_of_their_day_and_of_their_month(moves, traffic, today):
    await write(moves, move(START, "main"))
    today[0] = date(2026, 12, 1)
    await write(moves, move(START, "main"))
    assert await traffic.read_moves(["2026-11-30"], ALL) == [MoveCount(START, "main", 1)]
    assert await traffic.read_moves(["2026-11-29"], ALL) == []
    assert await traffic.read_moves(["2026-11-30", "2026-12-01"], ALL) == [MoveCount(START, "main", 2)]
    assert await traffic.read_moves(["2026-12"], ALL) == [MoveCount(START, "main", 1)]
    assert await traffic.read_moves(["2026-11", "2026-12"], ALL) == [MoveCount(START, "main", 2)]


async def test_processes_that_write_the_same_rows_lose_nothing(database, traffic):
    counters = [MoveCounter(database, lambda: TODAY) for _ in range(4)]
    for number, one in enumerate(counters):
        for target in ("main", "sectors", "services")[:: 1 if number % 2 else -1]:
            one.count(move(START, target))
    await asyncio.gather(*(one.write_pending() for one in counters))
    assert {one.times for one in await traffic.read_moves(["2026-11-30"], ALL)} == {4}


@pytest.mark.parametrize(
    ("only", "times"),
    [
        (ALL, 4),
        (TrafficFilter(channel="sms"), 1),
        (TrafficFilter(network="47001"), 2),
        (TrafficFilter(network="-"), 1),
        (TrafficFilter(language="hi"), 1),
        (TrafficFilter(channel="ussd", network="47001", language="bn"), 1),
    ],
)
async def test_a_filter_reads_what_fits_it(moves, traffic, only, times):
    await write(
        moves,
        move(START, "main"),
        move(START, "main", language="hi"),
        move(START, "main", network="47002"),
        move(START, "main", channel="sms", network=""),
    )
    assert await traffic.read_moves(["2026-11-30"], only) == [MoveCount(START, "main", times)]
    starts = await traffic.read_starts(["2026-11-30"])
    assert sum(one.times for one in starts if only.fits(one)) == times


@pytest.mark.parametrize("network", ["+8801700000001", "Grameenphone", "1' OR 1=1", "47001; DROP", "9" * 400])
async def test_what_is_no_network_is_not_written(moves, traffic, network):
    await write(moves, move(START, "main", network=network), move(START, "main", network=""))
    (start,) = await traffic.read_starts(["2026-11-30"])
    assert (start.network, start.times) == ("", 2)


async def test_what_could_not_be_written_is_written_the_next_time(moves, traffic, monkeypatch):
    async def fail(_):
        raise OSError("no disk")

    with monkeypatch.context() as broken:
        broken.setattr(moves, "_write", fail)
        with pytest.raises(OSError, match="no disk"):
            await write(moves, move(START, "main"))
    await write(moves, move(START, "main"))
    assert await traffic.read_moves(["2026-11-30"], ALL) == [MoveCount(START, "main", 2)]


async def test_many_different_moves_do_not_fill_the_memory(moves, monkeypatch):
    monkeypatch.setattr(counter, "MAX_PENDING", 10)
    for number in range(100):
        moves.count(move(START, f"screen_{number}"))
    assert len(moves._pending) == 10


async def test_more_moves_than_one_batch_are_all_written(moves, traffic, monkeypatch):
    monkeypatch.setattr(counter, "BATCH_SIZE", 7)
    await write(moves, *(move(START, f"screen_{number}") for number in range(50)))
    assert len(await traffic.read_moves(["2026-11-30"], ALL)) == 50


@pytest.mark.parametrize(("table", "part"), [(screen_moves, "2026-11-%02d"), (monthly_screen_moves, "20%02d-11")])
async def test_reading_a_day_or_a_month_is_a_walk_in_the_key(database, table, part):
    period = table.primary_key.columns[0]
    common = {"channel": "ussd", "network": "", "language": "en", "times": 1, "begins_at": utc_now()}
    rows = [
        {period.name: part % number, "source": source, "target": f"screen_{target}", **common}
        for number in range(10, 30)
        for source in (START, "main")
        for target in range(100)
    ]
    async with database.transaction() as transaction:
        await transaction.execute(insert(table), rows)
        await transaction.execute(text("ANALYZE"))
    query = select(table.c.target, table.c.times).where(period == part % 20, table.c.source == START)
    plan = await explain_plan(database, query, {})
    assert ("USING PRIMARY KEY" in plan) if database.dialect == "sqlite" else (f"pk_{table.name}" in plan), plan


def test_who_came_and_did_not_go_on_has_left():
    traffic = summarize_screens(
        [
            MoveCount(START, "main", 10),
            MoveCount("main", "sectors", 6),
            MoveCount("sectors", "sectors", 2),
            MoveCount("sectors", "main", 1),
            MoveCount("sectors", REFUSED, 3),
            MoveCount("sectors", "done", 4),
            MoveCount("done", END, 4),
        ]
    )
    assert traffic["main"][1:] == (11, 0, 5, 0)
    assert traffic["sectors"][1:] == (8, 0, 1, 3)
    assert traffic["done"][1:] == (4, 4, 0, 0)
    assert sum(one.left + one.ended for one in traffic.values()) == 10
    assert traffic["sectors"].left_share == 1 / 8


def test_a_screen_of_which_the_beginning_is_not_known_has_no_negative_count():
    traffic = summarize_screens([MoveCount("main", "sectors", 3), MoveCount("main", END, 1)])
    assert traffic["main"].left == 0
    assert traffic["main"].left_share == 0
