"""The keyboard of the tests in Chromium: it reaches only what a person without a mouse reaches."""

import pytest

from tests.support.browser import launch_chromium
from tests.support.keyboard import Keyboard

pytestmark = pytest.mark.slow  # every test opens a browser

PAGE = """<!doctype html><title>Form</title><a href="#end">Skip</a>
<form id="end"><label>Reason <input value="old"><small>It goes into the audit log.</small></label>
<label>Language <select><option>English<option>বাংলা<option>हिन्दी</select></label>
<details><summary>More</summary><button type="button">Delete</button></details>
<div onclick="1">Mouse only</div><button>Save</button></form>"""


@pytest.fixture
async def keyboard():
    async with launch_chromium() as browser:
        page = await browser.new_page()
        await page.set_content(PAGE)
        yield Keyboard(page)


async def test_a_form_is_filled_in_and_sent_by_keys(keyboard):
    await keyboard.follow("Skip", role="link")
    await keyboard.fill("Reason", "new")
    await keyboard.choose("Language", "हिन्दी")
    assert await keyboard.page.locator("input").input_value() == "new"
    assert await keyboard.page.locator("select").input_value() == "हिन्दी"
    await keyboard.reach("Save", role="button")
    assert await keyboard.read_focus() == ("Save", "button")
    pressed = [
        "Tab",
        "Enter",
        "Tab",
        "Control+a",
        "Delete",
        *"new",
        "Tab",
        "Home",
        "ArrowDown",
        "ArrowDown",
        "Tab",
        "Tab",
    ]
    assert keyboard.presses == len(pressed)


async def test_what_is_closed_or_needs_a_mouse_is_out_of_reach(keyboard):
    for name in ("Delete", "Mouse only"):
        with pytest.raises(AssertionError, match=f"Tab does not reach '{name}'"):
            await keyboard.reach(name)
    await keyboard.reach("More")
    await keyboard.press("Enter")
    await keyboard.reach("Delete")
