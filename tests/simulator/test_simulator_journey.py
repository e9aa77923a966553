"""A citizen at the simulator of a real gateway: registers, applies, gets the SMS, and follows the application."""

import io
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, expect

from tests.phone import running, settings_for
from tests.simulator.phone_page import Phone
from web.simulator.terminal import dial, parse_keys

pytestmark = pytest.mark.asyncio(loop_scope="module")

REGISTER = "1,5,1,Amina Begum,4826,4826,1,Mirpur School,2,Ayesha"
APPLY = "1,1,1,1,Rahim Uddin,21112025,2,Karim Uddin,Ayesha Begum,1"


@pytest_asyncio.fixture(loop_scope="module")
async def address(tmp_path: Path) -> AsyncIterator[str]:
    """A gateway with everything of its own behind it."""
    async with running(settings_for(tmp_path)) as url:
        yield url


async def answers(phone: Phone, keys: str) -> None:
    """Each answer on a screen of its own, digits by the keypad and words by the keyboard."""
    for answer in parse_keys(keys):
        hops = await phone.page.locator("#rows tr").count()
        if answer.isdigit():
            await phone.answers(answer)
        else:
            await phone.answer.fill(answer)
            await phone.page.keyboard.press("Enter")
        await expect(phone.page.locator("#rows tr").nth(hops)).to_be_attached()
        await phone.showing("asking", "ended")


async def test_register_apply_and_track_in_the_page(chromium: BrowserContext, address: str) -> None:
    phone = Phone(await chromium.new_page())
    await phone.page.goto(f"{address}/simulator")
    await phone.dials("*123#")
    await phone.showing("asking")
    await answers(phone, REGISTER)
    await expect(phone.text).to_contain_text("Amina Begum")
    await answers(phone, f"00,{APPLY}")
    await phone.showing("ended")
    receipt = await phone.text.text_content() or ""
    number = re.sub(r"\D", "", (re.search(r"\d{4} \d{4} \d{4}", receipt) or [""])[0])
    assert len(number) == 12

    await expect(phone.page.locator("#banner")).to_contain_text(f"{number[:4]} {number[4:8]} {number[8:]}")
    await phone.press("left")
    await expect(phone.page.locator("#notice")).to_have_text("1 new message")
    await phone.dials(f"*123*2*{number}#")
    await expect(phone.text).to_contain_text("Received")
    await phone.page.close()


async def test_register_apply_and_track_in_the_terminal(address: str) -> None:
    out = io.StringIO()
    status = await dial(address, None, None, parse_keys(f"{REGISTER},00,{APPLY}"), network=None, out=out, lingers=1)
    assert status == 0, out.getvalue()
    assert "SMS from EKDIAL" in out.getvalue()
    status = await dial(address, None, "*123*2#", ["{tracking}"], network=None, out=(out := io.StringIO()), lingers=0.1)
    assert status == 1
    assert "Birth certificate" in out.getvalue()
