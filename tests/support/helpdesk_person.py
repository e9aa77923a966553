"""A person at the helpdesk, with a mouse in Chromium: presses what has a name, types, and counts the clicks."""

import re
from dataclasses import dataclass, field
from typing import Final

from playwright.async_api import Locator, Page

MAX_CLICKS: Final = 9
"""Clicks of a call: under ten."""
REASON: Final = "ticket 4711: identity card seen"


@dataclass
class HelpdeskPerson:
    """Works on a page. `password` is typed where proof is asked for."""

    page: Page
    password: str
    clicks: int = field(default=0)

    async def find(self, what: str) -> None:
        """Look up a citizen from any page of the console. The cursor is in the field already."""
        await self._load(self.page.get_by_role("link", name="Citizens", exact=True))
        await self.page.locator("input[name=what]:focus").wait_for()
        await self.page.keyboard.type(what)
        await self._load(self.page.get_by_role("button", name="Find"))

    async def act(self, label: str, **fields: str) -> None:
        """Open the form of an act, fill its fields and the reason, and send it; prove who one is where that is asked."""
        form = await self._open(label)
        await form.locator("input:focus").wait_for()  # the cursor is in the first field
        for name, text in (*fields.items(), ("Reason", REASON)):
            box = form.get_by_role("textbox", name=re.compile(f"^{name}"))
            if not await box.evaluate("one => one === document.activeElement"):
                await self._click(box)
            await self.page.keyboard.type(text)
        await self._load(form.get_by_role("button", name=label))
        if await self.page.get_by_role("heading", name="Prove that it is you").count():
            await self.page.keyboard.type(self.password)
            await self._load(self.page.get_by_role("button", name="Go on"))

    async def read(self) -> str:
        """What the page says, with single spaces."""
        return " ".join((await self.page.inner_text("main")).split())

    async def _open(self, label: str) -> Locator:
        act = self.page.locator("details.act", has=self.page.locator("summary", has_text=label)).last
        await self._click(act.locator("summary"))
        return act

    async def _load(self, what: Locator) -> None:
        async with self.page.expect_navigation():
            await self._click(what)

    async def _click(self, what: Locator) -> None:
        await what.click()
        self.clicks += 1
