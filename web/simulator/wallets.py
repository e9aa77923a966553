"""The wallet of a phone on the desk: what the gateway asks it for, and what its holder answers.

On a real phone the operator's own screen asks for the PIN; here it comes with the SMS, as an event of its own.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Final, Protocol

from aiohttp import web

from callbacks import BadCallback, form

PAYEE: Final = "Ekdial"
ROUTE: Final = "/simulator/wallet"


class Prompt(Protocol):
    """A question on a phone: an amount in hundredths, and what it is for."""

    @property
    def id(self) -> str:
        """Unique."""

    @property
    def amount_minor(self) -> int:
        """In hundredths."""

    @property
    def currency(self) -> str:
        """ISO 4217."""

    @property
    def about(self) -> str:
        """What it is for, as the payer's statement will say."""

    @property
    def ends(self) -> datetime:
        """When it is too late to answer."""


class Prompts(Protocol):
    """Questions from now on, one at a time; an `asyncio.Queue` is one."""

    async def get(self) -> Prompt:
        """The next one, whenever it comes."""


class Wallets(Protocol):
    """Where the prompts are."""

    async def waiting(self, number: str) -> Sequence[Prompt]:
        """Those of a phone that nobody has answered."""

    def listen(self, number: str) -> AbstractAsyncContextManager[Prompts]:
        """Those to come."""

    async def press(self, request: str, pin: str | None, /) -> str:
        """What the holder does with one: types a PIN, or declines; what came of it, in a word."""


class NoWallets:
    """No phone here has one."""

    async def waiting(self, number: str) -> Sequence[Prompt]:  # noqa: ARG002 - nobody's
        """None."""
        return ()

    @asynccontextmanager
    async def listen(self, number: str) -> AsyncIterator[Prompts]:  # noqa: ARG002 - nobody's
        """Nothing ever comes."""
        yield asyncio.Queue()

    async def press(self, request: str, pin: str | None, /) -> str:  # noqa: ARG002 - nobody's
        """There is none."""
        return "gone"


def event_of(prompt: Prompt) -> bytes:
    """As the stream has it, without an id: those are of SMS."""
    facts = {
        "id": prompt.id,
        "amount": f"{prompt.currency} {prompt.amount_minor / 100:,.2f}",
        "payee": PAYEE,
        "about": prompt.about,
        "ends": prompt.ends.isoformat(),
    }
    return f"event: wallet\ndata: {json.dumps(facts)}\n\n".encode()


def answering(wallets: Wallets) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Takes `request` and a `pin`, or none for a no; what came of it is one word of JSON."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            said = await form(request)
        except BadCallback as bad:
            return bad.answer()
        return web.json_response({"said": await wallets.press(said.get("request", ""), said.get("pin"))})

    return answer
