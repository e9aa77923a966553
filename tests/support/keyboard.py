"""A person without a mouse in Chromium: presses Tab until the element is reached, types, and presses keys."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from playwright.async_api import CDPSession, Error, Page

MAX_TABS: Final = 100
"""Presses of Tab after which an element counts as out of reach."""

ONE_PIXEL: Final = {"format": "jpeg", "clip": {"x": 0, "y": 0, "width": 1, "height": 1, "scale": 1}}
SELECTED_OPTION: Final = "(list) => list.selectedOptions[0].textContent.trim()"


class Keyboard:
    """The keyboard of a page. `presses` counts the keys that were pressed, each character that was typed included."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.presses = 0
        self._cdp: CDPSession | None = None

    async def reach(self, name: str, role: str = "") -> None:
        """Press Tab until the element with this accessible name has the focus; fails after 100.

        A name may go on after `name` with another word: a field is called by its label and the hint below it. `role` is that
        of ARIA, such as `link` or `textbox`, where two elements have the same name.
        """
        passed = []
        for _ in range(MAX_TABS + 1):
            focused_name, focused_role = await self.read_focus()
            if f"{focused_name} ".startswith(f"{name} ") and role in {"", focused_role}:
                return
            passed.append(focused_name)
            await self.press("Tab")
        msg = f"Tab does not reach {f'{role} {name!r}'.strip()} of {self.page.url}; it passed {list(dict.fromkeys(passed))}"
        raise AssertionError(msg)

    async def press(self, *keys: str) -> None:
        """Press keys one after the other, each named as in `KeyboardEvent.key`; a chord is `Shift+Tab`.

        Enter may open a part of the page, which puts the focus into its first field: the next key waits for that.
        """
        for key in keys:
            await self._press(key)
            if key == "Enter":
                with suppress(Error):  # it led to another page
                    await self._wait_for_focus()

    async def submit(self) -> None:
        """Press Enter, which leads to another page; returns once that page is loaded and the focus is where it begins."""
        async with self.page.expect_navigation():
            await self._press("Enter")
        await self._wait_for_focus()

    async def type(self, text: str) -> None:
        """Type a text into the element that has the focus, at the end of what it holds."""
        await self.page.keyboard.type(text)
        self.presses += len(text)

    async def fill(self, name: str, text: str) -> None:
        """Reach a field and type over what it holds."""
        await self.reach(name)
        await self.press("Control+a", "Delete")
        await self.type(text)

    async def choose(self, name: str, option: str) -> None:
        """Reach a list of options and go down, from the first, to the one with this text."""
        await self.reach(name)
        await self.press("Home")
        options = await self.page.evaluate_handle("document.activeElement")
        passed = [await options.evaluate(SELECTED_OPTION)]
        while passed[-1] != option:
            await self.press("ArrowDown")
            passed.append(await options.evaluate(SELECTED_OPTION))
            assert passed[-1] != passed[-2], f"{name!r} has no {option!r}: {passed}"

    async def follow(self, name: str, role: str = "") -> None:
        """Reach a link, or a button that sends its form, and press Enter; returns once the next page is loaded."""
        await self.reach(name, role)
        await self.submit()

    async def read_focus(self) -> tuple[str, str]:
        """The accessible name and the ARIA role of the element that has the focus; both are empty for the page itself."""
        node = await self._find_focused_node()
        if node["role"]["value"] == "RootWebArea":
            return "", ""
        return " ".join(node.get("name", {}).get("value", "").split()), node["role"]["value"]

    async def _press(self, key: str) -> None:
        await self.page.keyboard.press(key)
        self.presses += 1

    async def _wait_for_focus(self) -> None:
        """Wait until the browser has drawn: it moves the focus of its own accord (`autofocus`, `toggle`) before it does."""
        await (await self._open_session()).send("Page.captureScreenshot", ONE_PIXEL)

    async def _find_focused_node(self) -> Mapping[str, Any]:
        session = await self._open_session()
        expression = "document.activeElement === document.body ? document : document.activeElement"
        element = await session.send("Runtime.evaluate", {"expression": expression})
        sought = {"objectId": element["result"]["objectId"], "fetchRelatives": False}
        tree = await session.send("Accessibility.getPartialAXTree", sought)
        return tree["nodes"][0]

    async def _open_session(self) -> CDPSession:
        if self._cdp is None:
            self._cdp = await self.page.context.new_cdp_session(self.page)
        return self._cdp
