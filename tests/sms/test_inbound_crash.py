"""A gateway that is killed while SMS come in: what it acknowledged is answered by the next one, each once."""

import asyncio
import signal
from collections import Counter
from itertools import count
from pathlib import Path

from aiohttp import ClientError, ClientSession, ClientTimeout
from sqlalchemy import func, select, update

from services.records.database import Records
from services.records.tables import feedback, inbound_sms, messages
from tests.program import serving
from tests.texting import ROUTE, until

DEATHS = 3
PEOPLE = 12
AT_ONCE = 8
IDS = count()


async def writes(http: ClientSession, url: str, acknowledged: set[str], over: asyncio.Event) -> None:
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
            return  # it died, and did not acknowledge this one


async def floods(url: str, acknowledged: set[str], die: signal.Signals, process) -> None:
    """Many write at once, and in the midst of it the gateway is killed."""
    over, before = asyncio.Event(), len(acknowledged)
    async with ClientSession(timeout=ClientTimeout(total=10)) as http, asyncio.TaskGroup() as writers:
        for _ in range(AT_ONCE):
            writers.create_task(writes(http, url, acknowledged, over))
        await until(lambda: many(acknowledged, before + 60))
        process.told(die)
        over.set()


async def test_killed_in_the_midst_of_a_flood_it_loses_nothing_and_does_nothing_twice(tmp_path: Path) -> None:
    acknowledged: set[str] = set()
    for _ in range(DEATHS):
        with serving(tmp_path) as gateway:
            await floods(gateway.url, acknowledged, signal.SIGKILL, gateway)
            gateway.ends()
    with serving(tmp_path) as gateway:
        assert gateway.url
        async with Records(f"sqlite+aiosqlite:///{tmp_path}/ekdial.db") as records:
            async with records.transaction() as transaction:  # as if what the dead held had been held for its time
                await transaction.execute(update(inbound_sms).values(held_until=None))
            await until(lambda: none_waits(records))
            kept = Counter((await records.read(select(inbound_sms.c.provider_id))).scalars())
            replies = Counter((await records.read(select(messages.c.effect))).scalars())
            suggestions = Counter((await records.read(select(feedback.c.effect))).scalars())
    lost = acknowledged - kept.keys()
    print(f"{DEATHS} kills, {len(acknowledged)} acknowledged, {len(kept)} kept, {len(lost)} lost")  # noqa: T201 - the claim
    assert not lost
    assert replies == Counter({f"sms/{key}/reply": 1 for key in kept})
    assert suggestions == Counter({f"sms/{key}:1": 1 for key in kept})


async def many(acknowledged: set[str], most: int) -> bool:
    return len(acknowledged) >= most


async def none_waits(records: Records) -> bool:
    left = select(func.count()).select_from(inbound_sms).where(inbound_sms.c.state == "new")
    return (await records.read(left)).scalar_one() == 0
