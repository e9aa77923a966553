"""The SMS of one number as a terminal's phone receives them: kept, printed as they come, and searched for codes."""

import asyncio
import json
import re
import unicodedata
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout

ARRIVES_WITHIN = 3.0  # seconds in which a code is awaited; SMS are sent after the screen that announces them
LENGTHS: Mapping[str, range] = {"code": range(6, 7), "pin": range(4, 7), "tracking": range(12, 13)}

_dates = re.compile(r"\d{1,2} [^\d\s]+ \d{4}")
_numbers = re.compile(r"\d+(?: \d+)*")


@dataclass(frozen=True, slots=True)
class Received:
    """One SMS; `old` when it was in the inbox before the call."""

    id: str
    sender: str
    text: str
    at: datetime
    old: bool


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a wallet is asked for: how much, for whom, about what."""

    id: str
    amount: str
    payee: str
    about: str


@dataclass(slots=True)
class Inbox:
    """Everything received so far, oldest first; `tell` is called with each new one."""

    tell: Callable[[Received], None]
    prompts: asyncio.Queue[Prompt] = field(default_factory=asyncio.Queue)
    messages: list[Received] = field(default_factory=list)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)
    _used: set[str] = field(default_factory=set)

    async def number(self, kind: str) -> str | None:
        """The newest code, PIN or tracking number: one of this call that was not used yet, else any there is.

        An SMS of this call is awaited for a few seconds; without any number the answer is None.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(ARRIVES_WITHIN), self._came:
                await self._came.wait_for(lambda: self._newest(kind, fresh=True) is not None)
        found = self._newest(kind, fresh=True) or self._newest(kind, fresh=False)
        if found is None:
            return None
        sms, number = found
        self._used.add(sms.id)
        return number

    async def beyond(self, count: int) -> bool:
        """Whether there are more SMS than `count`, within the seconds in which one is awaited."""
        with suppress(TimeoutError):
            async with asyncio.timeout(ARRIVES_WITHIN), self._came:
                await self._came.wait_for(lambda: len(self.messages) > count)
        return len(self.messages) > count

    async def asked(self, seconds: float) -> Prompt | None:
        """What the wallet is asked for next; None when that is nothing for so long."""
        try:
            async with asyncio.timeout(seconds):
                return await self.prompts.get()
        except TimeoutError:
            return None

    async def quiet(self, seconds: float) -> None:
        """Return when no SMS has come for so long."""
        with suppress(TimeoutError):
            while True:
                async with asyncio.timeout(seconds), self._came:
                    await self._came.wait()

    async def receive(self, response: ClientResponse) -> None:
        """Read the gateway's stream until it ends."""
        async for name, data in _events(response):
            if name == "listening":
                self.ready.set()
            elif name == "wallet":
                facts = json.loads(data)
                self.prompts.put_nowait(Prompt(facts["id"], facts["amount"], facts["payee"], facts["about"]))
            else:
                await self._add(json.loads(data))

    async def _add(self, facts: Mapping[str, str]) -> None:
        at = datetime.fromisoformat(facts["at"])
        sms = Received(facts["id"], facts["from"], facts["text"], at, old=not self.ready.is_set())
        async with self._came:
            self.messages.append(sms)
            self._came.notify_all()
        if not sms.old:
            self.tell(sms)

    def _newest(self, kind: str, *, fresh: bool) -> tuple[Received, str] | None:
        for sms in reversed(self.messages):
            number = number_in(sms.text, kind)
            if number and not (fresh and (sms.old or sms.id in self._used)):
                return sms, number
        return None


@asynccontextmanager
async def inbox_of(http: ClientSession, number: str, tell: Callable[[Received], None]) -> AsyncIterator[Inbox]:
    """The inbox of `number`, listening from before the body begins until it ends."""
    inbox = Inbox(tell)
    endless = ClientTimeout(total=None, sock_connect=10)
    async with http.get("/simulator/sms", params={"number": number}, timeout=endless) as response:
        response.raise_for_status()
        reading = asyncio.create_task(_until_it_ends(inbox, response))
        try:
            await inbox.ready.wait()
            yield inbox
        finally:
            reading.cancel()
            await asyncio.wait({reading})


def number_in(text: str, kind: str) -> str | None:
    """The first number in `text` with as many digits as that kind has, in 0-9; `1234 5678` is one number of eight.

    Dates are passed over: their year has as many digits as a PIN.
    """
    found = ("".join(str(unicodedata.digit(digit)) for digit in run if digit != " ") for run in _runs(text))
    return next((number for number in found if len(number) in LENGTHS[kind]), None)


def _runs(text: str) -> list[str]:
    return _numbers.findall(_dates.sub("", text))


async def _until_it_ends(inbox: Inbox, response: ClientResponse) -> None:
    with suppress(ClientError):  # the gateway went away; the call itself will say so
        await inbox.receive(response)
    inbox.ready.set()


async def _events(response: ClientResponse) -> AsyncIterator[tuple[str, str]]:
    """The name and data of each server-sent event."""
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
