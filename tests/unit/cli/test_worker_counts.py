"""What two workers of a real gunicorn counted is in the database once they have stopped: every screen that callers saw."""

import asyncio
import signal

from aiohttp import ClientSession, TCPConnector
from sqlalchemy import select

from db.database import Database
from db.migrate import upgrade
from db.tables import monthly_screen_moves
from services.menu_traffic.models import START
from services.menu_traffic.report import MenuTraffic, TrafficFilter
from tests.support.program import SECRET, run_gunicorn

CALLERS = 200
AT_ONCE = 20


async def call(http, url, number):
    """Dial, choose a language, and hang up at the main menu."""
    for text in ("", "1"):
        form = {
            "sessionId": f"s{number}",
            "serviceCode": "*123#",
            "phoneNumber": f"+88017{number:08}",
            "networkCode": "47001",
            "text": text,
        }
        async with http.post(f"{url}/ussd/africastalking", data=form) as answer:
            assert answer.status == 200


async def call_all(url):
    """Each request on a connection of its own, so that both workers accept some."""
    left = iter(range(CALLERS))

    async def call_some(http):
        for number in left:
            await call(http, url, number)

    async with ClientSession(connector=TCPConnector(force_close=True)) as http:
        await asyncio.gather(*(call_some(http) for _ in range(AT_ONCE)))


async def test_workers_write_every_screen_that_they_counted_when_they_stop(tmp_path, redis_server):
    url = f"sqlite+aiosqlite:///{tmp_path}/ekdial.db"
    await upgrade(url)
    redis_server.empty()
    given = {"REDIS__URL": redis_server.url, "DATABASE__URL": url, "KEYS__SECRET": SECRET}
    with run_gunicorn(tmp_path, "--workers", "2", **given) as master:
        await call_all(master.url)
        master.send_signal(signal.SIGTERM)
        assert master.wait_for_exit() == 0
    async with Database(url) as database:
        months = await list_months(database)
        moves = await MenuTraffic(database).read_moves(months, TrafficFilter(network="47001"))
    assert sorted(moves) == [(START, "languages", CALLERS), ("languages", "main", CALLERS)]


async def list_months(database):
    """The months with counts: two where the test runs at midnight."""
    rows = await database.fetch(select(monthly_screen_moves.c.month).distinct())
    return list(rows.scalars())
