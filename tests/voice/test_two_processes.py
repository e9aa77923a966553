"""Five missed calls are one SMS when two processes hear the provider's callbacks at once, on a real Redis."""

import asyncio
import re
from collections import Counter

import pytest
from aiohttp import ClientSession
from sqlalchemy import select

from services.records.database import Records
from services.records.migrate import upgrade
from services.records.tables import messages, missed_calls, registrants
from tests.program import SECRET, serving
from tests.servers import new_database
from tests.voice.forms import is_over, rings

CALLER = "+8801798765432"


@pytest.fixture
def database(postgres_server):
    with new_database(postgres_server) as url:
        yield url


async def counted(http, url):
    async with http.get(f"{url}/metrics") as answer:
        found = re.findall(r'^ekdial_voice_callbacks_total\{as="(\w+)"\} (\S+)', await answer.text(), re.MULTILINE)
    return Counter({taken_for: int(float(count)) for taken_for, count in found if float(count)})


async def rows(url, table):
    async with Records(url) as records:
        return (await records.read(select(table))).all()


async def test_five_calls_heard_by_two_processes_are_one_sms(tmp_path, redis_server, database):
    """Each process hears every callback of every call, all of them at once: ten times twice."""
    await upgrade(database)
    redis_server.empty()
    given = {"REDIS__URL": redis_server.url, "DATABASE__URL": database, "KEYS__SECRET": SECRET}
    folders = [tmp_path / name for name in ("one", "other")]
    for folder in folders:
        folder.mkdir()
    with serving(folders[0], **given) as one, serving(folders[1], **given) as other:
        urls = [one.url, other.url]
        assert one.process.pid != other.process.pid
        async with ClientSession() as http:

            async def posts(url, form):
                async with http.post(f"{url}/voice/africastalking", data=form) as answer:
                    return form["isActive"], answer.status, await answer.text()

            forms = [form(session, CALLER) for session in "abcde" for form in (rings, is_over)]
            answers = await asyncio.gather(*(posts(url, form) for form in forms for url in urls))
            heard = await counted(http, urls[0]) + await counted(http, urls[1])
    assert set(answers) == {("1", 200, "<Response><Reject/></Response>"), ("0", 200, "")}
    assert heard == {"answered": 1, "cooling": 4, "repeated": 15}
    assert len(await rows(database, messages)) == 1
    assert [(row.number, row.times, row.answered) for row in await rows(database, missed_calls)] == [(CALLER, 1, True)]
    assert [(row.number, row.language) for row in await rows(database, registrants)] == [(CALLER, "bn")]
