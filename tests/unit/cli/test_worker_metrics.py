"""The metrics of a real gunicorn with two workers are those of both, of a killed one too."""

import asyncio
import json
import os
import re
import signal

from aiohttp import ClientSession, TCPConnector

from db.migrate import upgrade
from tests.support.program import SECRET, child_pids, run_gunicorn
from tests.support.sms_phone import wait_until

REQUESTS = 1000
AT_ONCE = 20
HOPS = re.compile(r'^ekdial_hops_total\{channel="ussd",.*\} (\S+)$', re.MULTILINE)


async def press(http, url, number):
    """One dial of a number of its own."""
    form = {"sessionId": f"s{number}", "serviceCode": "*123#", "phoneNumber": f"+88017{number:08}", "text": ""}
    async with http.post(f"{url}/ussd/africastalking", data=form) as answer:
        assert answer.status == 200


async def press_all(http, url):
    """Dial REQUESTS times, a few at once, each on a connection of its own, so that both workers accept some."""
    left = iter(range(REQUESTS))

    async def press_some():
        for number in left:
            await press(http, url, number)

    await asyncio.gather(*(press_some() for _ in range(AT_ONCE)))


async def sum_scraped(http, url):
    async with http.get(f"{url}/metrics") as answer:
        return sum(map(float, HOPS.findall(await answer.text())))


def sum_written(folder):
    """What the workers have written to their files, by process id."""
    found = {}
    for file in (folder / "metrics").glob("*-*.json"):
        hops = json.loads(file.read_text()).get("ekdial_hops", {"samples": []})["samples"]
        found[int(file.name.partition("-")[0])] = sum(value for _, labels, value in hops if labels["channel"] == "ussd")
    return found


async def test_a_thousand_requests_to_two_workers_are_a_thousand_and_stay_so_when_one_is_killed(tmp_path, redis_server):
    url = f"sqlite+aiosqlite:///{tmp_path}/ekdial.db"
    await upgrade(url)
    redis_server.empty()
    given = {"REDIS__URL": redis_server.url, "DATABASE__URL": url, "KEYS__SECRET": SECRET}
    with run_gunicorn(tmp_path, "--workers", "2", **given) as master:
        async with ClientSession(connector=TCPConnector(force_close=True)) as http:

            async def both_serve():
                return len(sum_written(tmp_path)) == 2

            async def all_written():
                return sum(sum_written(tmp_path).values()) == REQUESTS

            async def all_scraped():
                return await sum_scraped(http, master.admin_url) == REQUESTS

            await wait_until(both_serve)
            await press_all(http, master.url)
            await wait_until(all_written)
            assert all(sum_written(tmp_path).values()), "both workers have answered some"
            await wait_until(all_scraped)

            killed = child_pids(master.process.pid)[0]
            os.kill(killed, signal.SIGKILL)

            async def is_replaced():
                workers = child_pids(master.process.pid)
                return killed not in workers and set(workers) <= set(sum_written(tmp_path)) and len(workers) == 2

            await wait_until(is_replaced)
            assert [await sum_scraped(http, master.admin_url) for _ in range(4)] == [REQUESTS] * 4
        master.send_signal(signal.SIGTERM)
        assert master.wait_for_exit() == 0
