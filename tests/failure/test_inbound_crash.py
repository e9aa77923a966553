"""A gateway is killed while SMS come in: the next one answers each acknowledged SMS once."""

import asyncio
import signal
from collections import Counter
from itertools import count
from pathlib import Path

from aiohttp import ClientError, ClientSession, ClientTimeout
from sqlalchemy import func, select, update

from db.database import Database
from db.tables import feedback, inbound_sms, messages
from tests.support.program import run_server
from tests.support.sms_phone import ROUTE, wait_until

KILL_COUNT = 3
PEOPLE = 12
AT_ONCE = 8
IDS = count()


async def send_suggestions(http: ClientSession, url: str, acknowledged: set[str], over: asyncio.Event) -> None:
    """Somebody who sends suggestions until told to stop, each again under its id until it is acknowledged."""
    while not over.is_set():
        number = next(IDS)
        form = {
            "from": f"+88017{number % PEOPLE:08}",
            "to": "22384",
            "id": f"sms-{number}",
            "text": f"FEEDBACK no {number}",
        }
        try:
            async with http.post(f"{url}{ROUTE}", data=form) as response:
                if response.status == 200:
                    acknowledged.add(form["id"])
        except ClientError:
            return  # the gateway died and did not acknowledge this SMS


async def flood_and_kill(url: str, acknowledged: set[str], die: signal.Signals, process) -> None:
    """Send many SMS at once, and kill the gateway meanwhile."""
    over, before = asyncio.Event(), len(acknowledged)
    async with ClientSession(timeout=ClientTimeout(total=10)) as http, asyncio.TaskGroup() as writers:
        for _ in range(AT_ONCE):
            writers.create_task(send_suggestions(http, url, acknowledged, over))
        await wait_until(lambda: wait_for_acknowledged(acknowledged, before + 60))
        process.send_signal(die)
        over.set()


async def test_a_killed_gateway_loses_no_sms_and_repeats_no_effect(tmp_path: Path) -> None:
    acknowledged: set[str] = set()
    for _ in range(KILL_COUNT):
        with run_server(tmp_path) as gateway:
            await flood_and_kill(gateway.url, acknowledged, signal.SIGKILL, gateway)
            gateway.wait_for_exit()
    with run_server(tmp_path) as gateway:
        assert gateway.url
        async with Database(f"sqlite+aiosqlite:///{tmp_path}/ekdial.db") as database:
            async with database.transaction() as transaction:  # as if the claims of the killed process had expired
                await transaction.execute(update(inbound_sms).values(claimed_until=None))
            await wait_until(lambda: nothing_waits(database))
            kept = Counter((await database.fetch(select(inbound_sms.c.provider_id))).scalars())
            replies = Counter((await database.fetch(select(messages.c.idempotency_key))).scalars())
            suggestions = Counter((await database.fetch(select(feedback.c.idempotency_key))).scalars())
    lost = acknowledged - kept.keys()
    print(f"{KILL_COUNT} kills, {len(acknowledged)} acknowledged, {len(kept)} kept, {len(lost)} lost")  # noqa: T201 - the claim
    assert not lost
    assert replies == Counter({f"sms/{key}/reply": 1 for key in kept})
    assert suggestions == Counter({f"sms/{key}:0+/texted_feedback": 1 for key in kept})


async def wait_for_acknowledged(acknowledged: set[str], minimum: int) -> bool:
    return len(acknowledged) >= minimum


async def nothing_waits(database: Database) -> bool:
    left = select(func.count()).select_from(inbound_sms).where(inbound_sms.c.state == "new")
    return (await database.fetch(left)).scalar_one() == 0
