"""The inbox of a terminal phone: it stores SMS, reports each new one, and finds codes in them."""

import asyncio
import json
import re
import unicodedata
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout

from core.timeouts import Timeout

ARRIVAL_TIMEOUT = 3.0  # seconds to wait for a code: an SMS is sent after the screen that announces it
DIGIT_COUNTS: Mapping[str, range] = {"code": range(6, 7), "pin": range(4, 7), "tracking": range(12, 13)}

_date_pattern = re.compile(r"\d{1,2} [^\d\s]+ \d{4}")
_number_pattern = re.compile(r"\d+(?: \d+)*")


@dataclass(frozen=True, slots=True)
class ReceivedSms:
    """One SMS. `is_old`: it was in the inbox before the call."""

    id: str
    sender: str
    text: str
    sent_at: datetime
    is_old: bool


@dataclass(frozen=True, slots=True)
class WalletPrompt:
    """A payment request: its amount, payee and description."""

    id: str
    amount: str
    payee: str
    description: str


@dataclass(slots=True)
class TerminalInbox:
    """All messages received, oldest first; `on_sms` is called with each new one."""

    on_sms: Callable[[ReceivedSms], None]
    prompts: asyncio.Queue[WalletPrompt] = field(default_factory=asyncio.Queue)
    messages: list[ReceivedSms] = field(default_factory=list)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    _arrival: asyncio.Condition = field(default_factory=asyncio.Condition)
    _used_ids: set[str] = field(default_factory=set)

    async def wait_for_number(self, kind: str) -> str | None:
        """The newest number of this kind (`code`, `pin`, `tracking`) from an SMS of this call that is not used yet.

        Wait up to ARRIVAL_TIMEOUT seconds for it. After that any older number will do; None if there is none.
        """
        with suppress(TimeoutError):
            async with Timeout(ARRIVAL_TIMEOUT), self._arrival:
                await self._arrival.wait_for(lambda: self._newest(kind, fresh=True) is not None)
        found = self._newest(kind, fresh=True) or self._newest(kind, fresh=False)
        if found is None:
            return None
        sms, number = found
        self._used_ids.add(sms.id)
        return number

    async def wait_for_more_than(self, count: int) -> bool:
        """Whether there are more than `count` SMS within ARRIVAL_TIMEOUT seconds."""
        with suppress(TimeoutError):
            async with Timeout(ARRIVAL_TIMEOUT), self._arrival:
                await self._arrival.wait_for(lambda: len(self.messages) > count)
        return len(self.messages) > count

    async def wait_for_prompt(self, timeout: float) -> WalletPrompt | None:
        """The next payment request; None if there is none within `timeout` seconds."""
        try:
            async with Timeout(timeout):
                return await self.prompts.get()
        except TimeoutError:
            return None

    async def wait_until_quiet(self, seconds: float) -> None:
        """Return after this number of seconds without a new SMS."""
        with suppress(TimeoutError):
            while True:
                async with Timeout(seconds), self._arrival:
                    await self._arrival.wait()

    async def read_stream(self, response: ClientResponse) -> None:
        """Read the gateway's stream until it ends."""
        async for name, data in _parse_events(response):
            if name == "listening":
                self.ready.set()
            elif name == "wallet":
                facts = json.loads(data)
                self.prompts.put_nowait(WalletPrompt(facts["id"], facts["amount"], facts["payee"], facts["about"]))
            else:
                await self._add(json.loads(data))

    async def _add(self, facts: Mapping[str, str]) -> None:
        at = datetime.fromisoformat(facts["at"])
        sms = ReceivedSms(facts["id"], facts["from"], facts["text"], at, is_old=not self.ready.is_set())
        async with self._arrival:
            self.messages.append(sms)
            self._arrival.notify_all()
        if not sms.is_old:
            self.on_sms(sms)

    def _newest(self, kind: str, *, fresh: bool) -> tuple[ReceivedSms, str] | None:
        for sms in reversed(self.messages):
            number = find_number(sms.text, kind)
            if number and not (fresh and (sms.is_old or sms.id in self._used_ids)):
                return sms, number
        return None


@asynccontextmanager
async def open_inbox(
    http: ClientSession, msisdn: str, on_sms: Callable[[ReceivedSms], None]
) -> AsyncIterator[TerminalInbox]:
    """The inbox of `msisdn`, connected to the gateway inside the context."""
    inbox = TerminalInbox(on_sms)
    endless = ClientTimeout(total=None, sock_connect=10)
    async with http.get("/simulator/sms", params={"number": msisdn}, timeout=endless) as response:
        response.raise_for_status()
        reading = asyncio.create_task(_read_until_closed(inbox, response))
        try:
            await inbox.ready.wait()
            yield inbox
        finally:
            reading.cancel()
            await asyncio.wait({reading})


def find_number(text: str, kind: str) -> str | None:
    """The first number in `text` with the digit count of that kind, in digits 0-9; `1234 5678` is one number.

    Dates are skipped, because a year has as many digits as a PIN.
    """
    found = ("".join(str(unicodedata.digit(digit)) for digit in run if digit != " ") for run in _digit_runs(text))
    return next((number for number in found if len(number) in DIGIT_COUNTS[kind]), None)


def _digit_runs(text: str) -> list[str]:
    return _number_pattern.findall(_date_pattern.sub("", text))


async def _read_until_closed(inbox: TerminalInbox, response: ClientResponse) -> None:
    with suppress(ClientError):  # the gateway is gone, which the call reports
        await inbox.read_stream(response)
    inbox.ready.set()


async def _parse_events(response: ClientResponse) -> AsyncIterator[tuple[str, str]]:
    """Yield the name and the data of each server-sent event."""
    name, data = "message", ""
    async for line in response.content:
        key, _, value = line.decode().rstrip("\n").partition(": ")
        if key == "event":
            name = value
        elif key == "data":
            data = value
        elif not key and data:
            yield name, data
            name, data = "message", ""
