"""A phone for tests that writes: an SMS in the provider's captured wire form, and what comes back to its inbox."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import ClientSession

from tests.phone import NUMBER
from web.simulator.received import Inbox, inbox_of

ARRIVES_WITHIN = 10.0  # seconds
ROUTE = "/sms/africastalking"


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    """Return when this is so; the test fails where it never is. It is another process's doing, or the database's."""
    async with asyncio.timeout(20):
        while not await true():  # noqa: ASYNC110 - neither sets an event of ours
            await asyncio.sleep(0.01)


class Texter:
    """One handset with its inbox open. `session` is for calls by the same person, with `tests.phone.Phone`."""

    def __init__(self, http: ClientSession, url: str, inbox: Inbox, number: str) -> None:
        self.http, self.url, self.inbox, self.number = http, url, inbox, number

    async def texts(self, text: str, *, expect: int = 1, **fields: str) -> str:
        """Write one SMS; what comes back, which are as many as expected, the last of them last."""
        before = len(self.inbox.messages)
        assert await self.posts(self.form(text, **fields)) == 200
        return "\n---\n".join(await self.hears(before, expect))

    async def hears(self, before: int, expect: int = 1) -> list[str]:
        """The SMS beyond the first so many, as soon as there are as many as expected."""
        async with asyncio.timeout(ARRIVES_WITHIN):
            while len(self.inbox.messages) < before + expect:
                await self.inbox.beyond(len(self.inbox.messages))
        return [message.text for message in self.inbox.messages[before:]]

    async def writes(self, *texts: str, **fields: str) -> list[str]:
        """Write these, one after the other without waiting; what has come when the last of all is answered.

        Answers to one person come in order: when a question asked at the end is answered, nothing else is under way.
        """
        before = len(self.inbox.messages)
        for text in texts:
            assert await self.posts(self.form(text, **fields)) == 200
        await self.posts(self.form("LANG EN"))
        while not (heard := await self.hears(before))[-1].startswith("From now on we write to you in English"):
            await self.inbox.beyond(before + len(heard))
        return heard[:-1]

    def form(self, text: str, **fields: str) -> dict[str, str]:
        """The callback as captured."""
        return {
            "linkId": "",
            "text": text,
            "to": "22384",
            "id": secrets.token_hex(16),
            "date": "2026-11-21 06:00:00",
            "from": self.number,
            "networkCode": "99999",
            **fields,
        }

    async def posts(self, form: Mapping[str, str] | bytes, query: str = "") -> int:
        """Exactly this form; the status it is answered with."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if isinstance(form, bytes) else {}
        async with self.http.post(f"{self.url}{ROUTE}{query}", data=form, headers=headers) as response:
            return response.status


@asynccontextmanager
async def texter(url: str, number: str = NUMBER) -> AsyncIterator[Texter]:
    """A handset on a gateway that runs."""
    async with (
        ClientSession() as http,
        ClientSession(url) as feed,
        inbox_of(feed, number, lambda _: None) as inbox,
    ):
        yield Texter(http, url, inbox, number)
