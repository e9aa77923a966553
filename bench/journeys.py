"""Time of the page *Journeys* on a year of counts, and what counting costs a key press.

python -m bench.journeys [--rounds 30]

A day has about 3,600 rows: the moves of a large gateway on three networks, by SMS and on the KaiOS page, in three languages.
The page is rendered whole, over SQLite and over PostgreSQL.
"""

import argparse
import asyncio
import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, Final

from aiohttp import ClientSession
from sqlalchemy import insert

from app.bootstrap import build_checked_menu
from db.database import Database
from db.migrate import upgrade
from db.tables import monthly_screen_moves, screen_moves
from menus.model import Menu, Position, successors
from services.menu_traffic.counter import MoveCounter
from services.menu_traffic.models import START
from sessions.counted_turns import count_turn
from tests.support.console import open_staff_room
from tests.support.phone import build_settings, run_gateway
from tests.support.servers import new_database, real_postgres

DAYS: Final = 366
MONTHS: Final = 13
PLACES: Final = tuple(
    (channel, network, language)
    for channel, networks in (("ussd", ("47001", "47002", "47003")), ("sms", ("",)), ("kaios", ("",)))
    for network in networks
    for language in ("en", "bn", "hi")
)
SHARE_SEEN: Final = 0.6
"""The part of the moves that a day has for one channel, network and language."""
BATCH: Final = 5000
PAGES: Final = (
    "",
    "?period=today",
    "?period=year",
    "?period=year&network=47001&language=bn",
    "?period=year&journey=apply",
    "/picture?period=year",
)
COUNTED: Final = 1_000_000


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30, help="loads of each page (default: 30)")
    rounds = parser.parse_args().rounds
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ekdial-bench-")))
        databases = {
            "SQLite": f"sqlite+aiosqlite:///{folder}/ekdial.db",
            "PostgreSQL": stack.enter_context(new_database(stack.enter_context(real_postgres()))),
        }
        for name, url in databases.items():
            print(f"{name}: {asyncio.run(measure_pages(url, folder / name, rounds))}")
        print(f"one move, counted: {measure_count(folder) * 1e6:.2f} µs")


async def measure_pages(url: str, folder: Path, rounds: int) -> str:
    """Fill the tables, and load each page: the median and the slowest of `rounds` in milliseconds."""
    await upgrade(url)
    settings = build_settings(folder, DATABASE__URL=url)
    menu = (await build_checked_menu(settings)).menu
    async with Database(url) as database:
        rows = await fill(database, menu)
    lines = [f"{rows:,} rows"]
    async with run_gateway(settings) as address, open_staff_room(settings, address) as room:
        token = (await room.open_browser("admin")).token
        for page in PAGES:
            times = [await load(room.http, f"{address}/console/journeys{page}", token) for _ in range(rounds)]
            lines.append(f"{page or '(week)':40} {median(times) * 1000:6.0f} ms, slowest {max(times) * 1000:6.0f} ms")
    return "\n  ".join(lines)


async def load(http: ClientSession, url: str, token: str) -> float:
    """The seconds that a page takes."""
    began = perf_counter()
    async with http.get(url, headers={"Cookie": f"__Host-console={token}"}) as response:
        await response.read()
        response.raise_for_status()
    return perf_counter() - began


async def fill(database: Database, menu: Menu) -> int:
    """Write the counts of every day and month; the number of rows."""
    today, count = datetime.now(UTC).date(), 0
    days = [today - timedelta(days=days) for days in range(DAYS)]
    months = sorted({day.replace(day=1) for day in days}, reverse=True)[:MONTHS]
    for table, part, starts in ((screen_moves, "day", days), (monthly_screen_moves, "month", months)):
        for start in starts:
            name = start.isoformat() if part == "day" else f"{start:%Y-%m}"
            rows = [{part: name, "begins_at": _midnight(start), **row} for row in build_rows(menu, start)]
            count += len(rows)
            for begin in range(0, len(rows), BATCH):
                async with database.transaction() as transaction:
                    await transaction.execute(insert(table), rows[begin : begin + BATCH])
    return count


def build_rows(menu: Menu, day: date) -> Sequence[dict[str, Any]]:
    """The rows of a day or month, without the period."""
    chance = random.Random(day.toordinal())  # nosec B311  # the same rows at every run
    ways = [(START, "main"), (START, "languages"), *list_ways(menu)]
    return [
        {
            "source": source,
            "target": target,
            "channel": channel,
            "network": network,
            "language": language,
            "times": chance.randint(1, 50_000),
        }
        for source, target in ways
        for channel, network, language in PLACES
        if chance.random() < SHARE_SEEN
    ]


def list_ways(menu: Menu) -> Iterator[tuple[str, str]]:
    """Every way from a screen to another one, without the steps between them, about 400."""
    ways = {(screen.name, name) for screen in menu.screen_list for name in successors(screen)}
    yield from sorted(ways)[:400]


def measure_count(folder: Path) -> float:
    """The seconds that counting one turn takes."""
    counter = MoveCounter(Database(f"sqlite+aiosqlite:///{folder}/unused.db"), lambda: date(2026, 11, 30))
    position = Position("sectors", "bn")
    began = perf_counter()
    for _ in range(COUNTED):
        count_turn(counter.count, position, "main", channel="ussd", network="47001")
    return (perf_counter() - began) / COUNTED


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


if __name__ == "__main__":
    main()
