"""Binds of tests: settings for an SMSC on this machine, and a link that is bound."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import SecretStr

from providers.smpp.link import OnDeliver, SmppLink, open_link
from providers.smpp.pdus import Deliver
from providers.smpp.settings import BindSettings
from tests.fakes.smsc import DEADLINE, PASSWORD, SYSTEM_ID


def build_bind(port: int, **settings: object) -> BindSettings:
    """The settings of a bind at the SMSC on this port: quick to connect again, slow to give up."""
    usual = {
        "host": "127.0.0.1",
        "system_id": SYSTEM_ID,
        "password": SecretStr(PASSWORD),
        "reconnect_after": 0.05,
        "response_timeout": DEADLINE,
        "sender": "333",
    }
    return BindSettings(port=port, **{**usual, **settings})


@asynccontextmanager
async def open_bound_link(bind: BindSettings, on_deliver: OnDeliver | None = None) -> AsyncIterator[SmppLink]:
    """A link that is bound."""
    async with open_link(bind, on_deliver or accept_all, name="robi") as link:
        await asyncio.wait_for(link.wait_bound(), DEADLINE)
        yield link


async def accept_all(_: Deliver) -> int:
    """Take whatever is delivered."""
    return 0


async def wait_for_state(link: SmppLink, state: str) -> None:
    """Return once the link has this state."""
    async with asyncio.timeout(DEADLINE):
        while link.state != state:  # noqa: ASYNC110 - it is the SMSC's doing
            await asyncio.sleep(0.01)
