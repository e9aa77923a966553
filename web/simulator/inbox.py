"""Stream the SMS and the payment requests of one number as server-sent events, first the stored ones, then new ones."""

import asyncio
import json
import re
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, suppress
from datetime import datetime
from typing import Final, Protocol

from aiohttp import web

from web.simulator.wallets import NoWallets, PromptQueue, SimulatedWallets, build_wallet_event

RECONNECT_EVENT = b"retry: 2000\n\n"  # ms between attempts of the browser to reconnect
LISTENING_EVENT = b"event: listening\ndata: now\n\n"  # separates stored events from new ones
HEARTBEAT = b": here\n\n"
HEADERS: Final = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store"}

_is_msisdn = re.compile(r"\+[1-9][0-9]{6,14}").fullmatch


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
        """The whole text of all segments."""

    @property
    def sent_at(self) -> datetime:
        """When it was sent, in UTC."""


class SmsQueue(Protocol):
    """New messages, one at a time; an `asyncio.Queue` is one."""

    async def get(self) -> Sms:
        """Wait for the next message; a cancelled wait loses none."""


class SmsFeed(Protocol):
    """The inboxes of all numbers."""

    def messages_to(self, msisdn: str) -> Sequence[Sms]:
        """The stored messages of a number, oldest first."""

    def listen(self, msisdn: str) -> AbstractAsyncContextManager[SmsQueue]:
        """A queue of new messages of a number, inside the context."""


class InboxStream:
    """Answers `/simulator/sms?number=…` with a stream that ends when the browser disconnects or the server stops.

    aiohttp does not cancel the handler of a client that has disconnected, but a write fails. Therefore a heartbeat is
    written every `heartbeat` seconds.
    """

    def __init__(self, sms: SmsFeed, wallets: SimulatedWallets | None = None, *, heartbeat: float) -> None:
        self._sms = sms
        self._wallets = wallets or NoWallets()
        self._heartbeat = heartbeat
        self._closing = asyncio.Event()

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Stream events `{id, from, text, at}` after the one that `Last-Event-ID` names."""
        number = _parse_msisdn(request)
        response = web.StreamResponse(headers=HEADERS)
        with suppress(ConnectionResetError):  # the browser has disconnected
            async with self._sms.listen(number) as arrivals:
                # before anything is awaited: a message that comes meanwhile is among the arrivals, and is not shown twice
                stored = _messages_after(self._sms.messages_to(number), request.headers.get("Last-Event-ID"))
                async with self._wallets.listen(number) as prompts:
                    requests = b"".join(map(build_wallet_event, await self._wallets.pending_prompts(number)))
                    await response.prepare(request)
                    await response.write(
                        RECONNECT_EVENT + b"".join(map(_build_sms_event, stored)) + LISTENING_EVENT + requests
                    )
                    await self._forward(arrivals, prompts, response)
        return response

    async def end(self) -> None:
        """End every stream."""
        self._closing.set()

    async def close(self, _: web.Application) -> None:
        """End every stream; an application's `on_shutdown`."""
        await self.end()

    async def _forward(self, arrivals: SmsQueue, prompts: PromptQueue, response: web.StreamResponse) -> None:
        while not self._closing.is_set():
            await response.write(await self._next_event(arrivals, prompts))

    async def _next_event(self, arrivals: SmsQueue, prompts: PromptQueue) -> bytes:
        """The next event, or a heartbeat after `heartbeat` seconds and at shutdown."""
        arrival = asyncio.create_task(_next_sms(arrivals))
        prompt = asyncio.create_task(_next_prompt(prompts))
        closing = asyncio.create_task(self._closing.wait())
        waits = {arrival, prompt, closing}
        try:
            await asyncio.wait(waits, timeout=self._heartbeat, return_when=asyncio.FIRST_COMPLETED)
            events = [one.result() for one in (arrival, prompt) if one.done()]
            return b"".join(events) or HEARTBEAT
        finally:
            for wait in waits:
                wait.cancel()


async def _next_sms(arrivals: SmsQueue) -> bytes:
    return _build_sms_event(await arrivals.get())


async def _next_prompt(prompts: PromptQueue) -> bytes:
    return build_wallet_event(await prompts.get())


def _parse_msisdn(request: web.Request) -> str:
    number = request.query.get("number", "")
    if not _is_msisdn(number):
        raise web.HTTPBadRequest(text="number is not an E.164 number; write its plus as %2B.")
    return number


def _messages_after(messages: Sequence[Sms], last_id: str | None) -> Sequence[Sms]:
    """The messages after the one with the id `last_id`; all messages if there is none."""
    places = [place for place, sms in enumerate(messages, start=1) if sms.id == last_id]
    return messages[places[0] :] if places else messages


def _build_sms_event(sms: Sms) -> bytes:
    facts = {"id": sms.id, "from": sms.sender, "text": sms.text, "at": sms.sent_at.isoformat()}
    return f"id: {sms.id}\ndata: {json.dumps(facts, ensure_ascii=False)}\n\n".encode()
