"""Binds at Kannel's `drive_smpp`, receives its messages and submits some. Usage: kannel_bind.py FOLDER. It prints JSON.

The program plays the SMSC of Kannel's own tests, and wants to reach a bearerbox too: a port that says nothing.
"""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from providers.smpp.link import Submit, open_link
from providers.smpp.pdus import Deliver
from tests.support.smpp import build_bind
from tests.support.smsc_programs import KANNEL

SMPP_PORT, BEARERBOX_PORT, COUNT = 2345, 13001, 50


async def keep_silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Be the bearerbox."""
    await reader.read()


async def main(folder: str) -> None:
    """Run the conversation."""
    texts: list[str] = []
    all_received = asyncio.Event()

    async def take(deliver: Deliver) -> int:
        texts.append(deliver.text.decode())
        if len(texts) == COUNT:
            all_received.set()
        return 0

    await asyncio.start_server(keep_silent, "127.0.0.1", BEARERBOX_PORT)
    command = [str(KANNEL), "-p", str(SMPP_PORT), "-m", str(COUNT), "-v", "4"]
    kannel = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: ASYNC220, S603 - it returns at once
    bind = build_bind(SMPP_PORT, system_id="foo", mode="pair")
    try:
        async with asyncio.timeout(30), open_link(bind, take) as link:
            await link.wait_bound()
            statuses = [(await link.submit(Submit("333", "8801711000001", b"hello"))).status for _ in range(5)]
            await all_received.wait()
    finally:
        kannel.terminate()
        kannel.wait()
    print(json.dumps({"texts": texts, "statuses": statuses}))  # noqa: T201 - the test reads it


asyncio.run(main(sys.argv[1]))
