"""The wallet of a simulated phone: payment requests, and the answers to them.

On a real phone the operator's own screen asks for the PIN. Here the request is an event of the SMS stream.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Final, Protocol

from aiohttp import web

from core.http.webhooks import BadWebhookError, read_form

PAYEE: Final = "Ekdial"
WALLET_PATH: Final = "/simulator/wallet"


class SimulatedPrompt(Protocol):
    """A payment request on a phone."""

    @property
    def id(self) -> str:
        """A unique id."""

    @property
    def amount_minor(self) -> int:
        """The amount in hundredths."""

    @property
    def currency(self) -> str:
        """The currency by ISO 4217."""

    @property
    def description(self) -> str:
        """The purpose, as in the payer's statement."""

    @property
    def expires_at(self) -> datetime:
        """When the request expires."""


class PromptQueue(Protocol):
    """New requests, one at a time; an `asyncio.Queue` is one."""

    async def get(self) -> SimulatedPrompt:
        """Wait for the next request."""


class SimulatedWallets(Protocol):
    """The payment requests of all phones."""

    async def pending_prompts(self, msisdn: str) -> Sequence[SimulatedPrompt]:
        """The unanswered requests of a phone."""

    def listen(self, msisdn: str) -> AbstractAsyncContextManager[PromptQueue]:
        """A queue of new requests of a phone, inside the context."""

    async def answer_prompt(self, request_id: str, pin: str | None, /) -> str:
        """Answer a request with a PIN, or decline it with None; the result in one word."""


class NoWallets:
    """Phones without wallets."""

    async def pending_prompts(self, msisdn: str) -> Sequence[SimulatedPrompt]:  # noqa: ARG002 - the interface's
        """No requests."""
        return ()

    @asynccontextmanager
    async def listen(self, msisdn: str) -> AsyncIterator[PromptQueue]:  # noqa: ARG002 - the interface's
        """A queue that stays empty."""
        yield asyncio.Queue()

    async def answer_prompt(self, request_id: str, pin: str | None, /) -> str:  # noqa: ARG002 - the interface's
        """The request is gone."""
        return "gone"


def build_wallet_event(prompt: SimulatedPrompt) -> bytes:
    """The event of the stream; it has no id, since ids are those of SMS."""
    facts = {
        "id": prompt.id,
        "amount": f"{prompt.currency} {prompt.amount_minor / 100:,.2f}",
        "payee": PAYEE,
        "about": prompt.description,
        "ends": prompt.expires_at.isoformat(),
    }
    return f"event: wallet\ndata: {json.dumps(facts)}\n\n".encode()


def build_answer_handler(wallets: SimulatedWallets) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The handler of a form with `request` and `pin`; without a PIN the request is declined. It responds in JSON."""

    async def handle_answer(request: web.Request) -> web.StreamResponse:
        try:
            form = await read_form(request)
        except BadWebhookError as bad:
            return bad.to_response()
        return web.json_response({"said": await wallets.answer_prompt(form.get("request", ""), form.get("pin"))})

    return handle_answer
