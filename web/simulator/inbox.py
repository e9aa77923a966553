"""The SMS of one number as server-sent events, and what its wallet is asked: what is there already, then each as it arrives."""

import asyncio
import json
import re
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, suppress
from datetime import datetime
from typing import Final, Protocol

from aiohttp import web

from web.simulator.wallets import NoWallets, Prompts, Wallets, event_of

RECONNECTS_AFTER = b"retry: 2000\n\n"  # ms; a gateway that was restarted is found again soon
LISTENING = b"event: listening\ndata: now\n\n"  # what follows arrives now; what came before was there already
HEARTBEAT = b": here\n\n"
HEADERS: Final = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store"}

_is_number = re.compile(r"\+[1-9][0-9]{6,14}").fullmatch


class Sms(Protocol):
    """A message in a phone's inbox."""

    @property
    def id(self) -> str:
        """Unique among the messages of its number."""

    @property
    def sender(self) -> str:
        """A sender ID or a short code."""

    @property
    def text(self) -> str:
        """The whole text, however many segments it takes."""

    @property
    def at(self) -> datetime:
        """When it arrived; aware, and UTC."""


class Arrivals(Protocol):
    """Messages from now on, one at a time; an `asyncio.Queue` is one."""

    async def get(self) -> Sms:
        """The next message, whenever it comes; a wait that is cancelled loses none."""


class SmsFeed(Protocol):
    """Where a number's messages are."""

    def messages_to(self, number: str) -> Sequence[Sms]:
        """Those there already, oldest first."""

    def listen(self, number: str) -> AbstractAsyncContextManager[Arrivals]:
        """Those to come."""


class Inbox:
    """Answers `/simulator/sms?number=…` with a stream that ends when the browser leaves or the server shuts down.

    aiohttp does not tell a handler that its client is gone; a write does, so every `heartbeat` seconds there is one.
    """

    def __init__(self, sms: SmsFeed, wallets: Wallets | None = None, *, heartbeat: float) -> None:
        self._sms = sms
        self._wallets = wallets or NoWallets()
        self._heartbeat = heartbeat
        self._closing = asyncio.Event()

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Every event is `{id, from, text, at}`; one with the id in `Last-Event-ID` and those before it are left out."""
        number = _number_of(request)
        response = web.StreamResponse(headers=HEADERS)
        with suppress(ConnectionResetError):  # the browser has left
            async with self._sms.listen(number) as arrivals, self._wallets.listen(number) as prompts:
                asked = b"".join(map(event_of, await self._wallets.waiting(number)))
                kept = _after(self._sms.messages_to(number), request.headers.get("Last-Event-ID"))
                await response.prepare(request)
                await response.write(RECONNECTS_AFTER + b"".join(map(_event, kept)) + LISTENING + asked)
                await self._forward(arrivals, prompts, response)
        return response

    async def close(self, _: web.Application) -> None:
        """End every stream; an application's `on_shutdown`."""
        self._closing.set()

    async def _forward(self, arrivals: Arrivals, prompts: Prompts, response: web.StreamResponse) -> None:
        while not self._closing.is_set():
            await response.write(await self._next(arrivals, prompts))

    async def _next(self, arrivals: Arrivals, prompts: Prompts) -> bytes:
        """The next message or prompt, or a heartbeat when there was none for so long, or at shutdown."""
        arrival = asyncio.create_task(_next_sms(arrivals))
        prompt = asyncio.create_task(_next_prompt(prompts))
        closing = asyncio.create_task(self._closing.wait())
        waits = {arrival, prompt, closing}
        try:
            await asyncio.wait(waits, timeout=self._heartbeat, return_when=asyncio.FIRST_COMPLETED)
            came = [one.result() for one in (arrival, prompt) if one.done()]
            return b"".join(came) or HEARTBEAT
        finally:
            for wait in waits:
                wait.cancel()


async def _next_sms(arrivals: Arrivals) -> bytes:
    return _event(await arrivals.get())


async def _next_prompt(prompts: Prompts) -> bytes:
    return event_of(await prompts.get())


def _number_of(request: web.Request) -> str:
    number = request.query.get("number", "")
    if not _is_number(number):
        raise web.HTTPBadRequest(text="number wants an E.164 number; in an address its plus is written %2B.")
    return number


def _after(messages: Sequence[Sms], last: str | None) -> Sequence[Sms]:
    """The messages after the one with id `last`; all of them where it is not among them."""
    places = [place for place, sms in enumerate(messages, start=1) if sms.id == last]
    return messages[places[0] :] if places else messages


def _event(sms: Sms) -> bytes:
    facts = {"id": sms.id, "from": sms.sender, "text": sms.text, "at": sms.at.isoformat()}
    return f"id: {sms.id}\ndata: {json.dumps(facts, ensure_ascii=False)}\n\n".encode()
