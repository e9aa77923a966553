"""A driver of the simulator's page: it presses keys and reads the display."""

import re

from playwright.async_api import Page, expect


class SimulatorPhone:
    """The phone in the page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.text = page.locator("#text")
        self.answer = page.locator("#answer")
        self.dialled_code = page.locator("#dialled")
        self.draft = page.locator("#draft")
        self.bubbles = page.locator("#bubbles li")
        self.texts = page.locator("#bubbles li > p:first-child")
        self.hops = page.locator('#rows tr:is([data-kind="dial"], [data-kind="answer"])')

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.page.locator(f'.key[data-key="{key}"], .pad [data-key="{key}"]').click()

    async def press_keys(self, keys: str) -> None:
        """Press keys one after the other in one step of the page, so that a busy machine adds no pauses."""
        await self.page.evaluate(
            """(keys) => [...keys].forEach((key) => {
                const button = document.querySelector(`.keypad [data-key="${key}"]`);
                ["pointerdown", "pointerup"].forEach((type) => button.dispatchEvent(new PointerEvent(type, {bubbles: true})));
            })""",
            keys,
        )

    async def press_long(self, key: str) -> None:
        await self.page.locator(f'.key[data-key="{key}"]').click(delay=700)

    async def dial(self, code: str) -> None:
        await self.press(*code, "call")

    async def reply(self, digits: str) -> None:
        await self.press(*digits, "left")

    async def write_sms(self, text: str) -> None:
        """Write an SMS in the open thread."""
        await self.draft.fill(text)
        await self.press("left")

    async def expect_text(self, text: str) -> None:
        await self.expect_exactly("asking", "ended")
        await expect(self.text).to_have_text(re.compile(re.escape(text.partition("\n")[0])))
        assert await self.text.text_content() == text

    async def expect_exactly(self, *views: str) -> None:
        await expect(self.page.locator("#display")).to_have_attribute("data-showing", re.compile("|".join(views)))

    async def soft_keys(self, left: str, right: str) -> None:
        await expect(self.page.locator("#soft-left")).to_have_text(left)
        await expect(self.page.locator("#soft-right")).to_have_text(right)
