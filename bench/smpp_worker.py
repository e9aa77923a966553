"""A process of `bench.smpp --fire`: one bind, an outbox, and what is delivered, over a database, until it is killed.

Usage: python -m bench.smpp_worker URL PORT
"""

import asyncio
import contextlib
import sys

import uvloop

from bench.smpp_scene import CIPHER, build_inbound
from core.claim_worker import running_worker
from core.logging import configure_logging
from db.database import Database
from providers.smpp.link import open_link
from providers.smpp.sms import SmppSms
from services.messaging.messages import Messages
from services.messaging.outbox import Outbox
from tests.support.smpp import build_bind


async def main(url: str, port: int) -> None:
    """Work until the process is killed."""
    async with Database(url, pool_size=4) as database:
        messages = Messages(database, CIPHER)
        inbound = build_inbound(database, messages)
        bind = build_bind(port, window=20, response_timeout=5.0)
        async with open_link(bind, inbound.on_deliver, name="robi") as link:
            await link.wait_bound()
            outbox = Outbox(messages, SmppSms(link), worker="fire", concurrency=20, poll_interval=0.05)
            async with running_worker(outbox):
                await asyncio.Event().wait()


if __name__ == "__main__":
    configure_logging("critical")
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(main(sys.argv[1], int(sys.argv[2])))
