"""A phone that sends SMS in the captured form of the provider, and reads its inbox."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import ClientSession

from tests.support.phone import MSISDN
from web.simulator.terminal_inbox import TerminalInbox, open_inbox

ARRIVAL_TIMEOUT = 10.0  # seconds
ROUTE = "/sms/africastalking"


async def wait_until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until the condition holds; the test fails after 20 seconds. The cause is another process or the database."""
    async with asyncio.timeout(20):
        while not await condition():  # noqa: ASYNC110 - neither sets an event of ours
            await asyncio.sleep(0.01)


class SmsPhone:
    """One handset with its inbox."""

    def __init__(self, http: ClientSession, url: str, inbox: TerminalInbox, msisdn: str) -> None:
        self.http, self.url, self.inbox, self.msisdn = http, url, inbox, msisdn

    async def send_sms(self, text: str, *, expect: int = 1, **fields: str) -> str:
        """Send one SMS; the replies, separated by lines of `---`, as many as expected."""
        before = len(self.inbox.messages)
        assert await self.post_form(self.build_form(text, **fields)) == 200
        return "\n---\n".join(await self.receive(before, expect))

    async def receive(self, before: int, expect: int = 1) -> list[str]:
        """The SMS after the first `before`, once as many as expected have come."""
        async with asyncio.timeout(ARRIVAL_TIMEOUT):
            while len(self.inbox.messages) < before + expect:
                await self.inbox.wait_for_more_than(len(self.inbox.messages))
        return [message.text for message in self.inbox.messages[before:]]

    async def send_all(self, *texts: str, **fields: str) -> list[str]:
        """Send several SMS without waiting; every reply to them.

        Replies to one person come in order: when the last question is answered, all others are.
        """
        before = len(self.inbox.messages)
        for text in texts:
            assert await self.post_form(self.build_form(text, **fields)) == 200
        await self.post_form(self.build_form("LANG EN"))
        async with asyncio.timeout(ARRIVAL_TIMEOUT):
            while not (heard := await self.receive(before))[-1].startswith(
                "From now on we will write to you in English"
            ):
                await self.inbox.wait_for_more_than(before + len(heard))
        return heard[:-1]

    def build_form(self, text: str, **fields: str) -> dict[str, str]:
        """The webhook form as captured."""
        return {
            "linkId": "",
            "text": text,
            "to": "22384",
            "id": secrets.token_hex(16),
            "date": "2026-11-21 06:00:00",
            "from": self.msisdn,
            "networkCode": "99999",
            **fields,
        }

    async def post_form(self, form: Mapping[str, str] | bytes, query: str = "") -> int:
        """Post this form; the status of the response."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if isinstance(form, bytes) else {}
        async with self.http.post(f"{self.url}{ROUTE}{query}", data=form, headers=headers) as response:
            return response.status


@asynccontextmanager
async def open_sms_phone(url: str, msisdn: str = MSISDN) -> AsyncIterator[SmsPhone]:
    """A handset on a running gateway, with its inbox open, for the block."""
    async with (
        ClientSession() as http,
        ClientSession(url) as feed,
        open_inbox(feed, msisdn, lambda _: None) as inbox,
    ):
        yield SmsPhone(http, url, inbox, msisdn)
