"""The simulator with a real gateway: USSD, SMS and missed calls from end to end."""

import io
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from playwright.async_api import BrowserContext, expect

from tests.support.phone import build_settings, run_gateway
from tests.support.simulator_page import SimulatorPhone
from web.simulator.terminal import SimOptions, dial, exchange_sms, parse_keys, ring_number
from web.simulator.terminal_inbox import find_number

pytestmark = pytest.mark.asyncio(loop_scope="module")

AADHAAR = "৫৫৫৫ ৬৬৬৬ ৭৭৭১"
REGISTER = "1,5,1,Amina Begum,4826,4826,1,Mirpur School,2,Ayesha"
APPLY = "1,1,1,1,1,Rahim Uddin,21112025,2,Karim Uddin,Ayesha Begum,1,4826"


@pytest_asyncio.fixture(loop_scope="module")
async def address(tmp_path: Path) -> AsyncIterator[str]:
    """A gateway with its own stores."""
    async with run_gateway(build_settings(tmp_path)) as url:
        yield url


async def enter_answers(phone: SimulatorPhone, keys: str) -> None:
    """Enter each input on its own screen, digits with the keypad and words with the keyboard."""
    for answer in parse_keys(keys):
        hops = await phone.hops.count()
        if answer.isdigit():
            await phone.reply(answer)
        else:
            await phone.answer.fill(answer)
            await phone.page.keyboard.press("Enter")
        await expect(phone.hops.nth(hops)).to_be_attached()
        await phone.expect_exactly("asking", "ended")


async def test_register_apply_and_track_in_the_page(browser_context: BrowserContext, address: str) -> None:
    phone = SimulatorPhone(await browser_context.new_page())
    await phone.page.goto(f"{address}/simulator")
    await phone.dial("*123#")
    await phone.expect_exactly("asking")
    await enter_answers(phone, REGISTER)
    await expect(phone.text).to_contain_text("Amina Begum")
    await enter_answers(phone, f"00,{APPLY}")
    await expect(phone.text).to_contain_text("Pay now")
    receipt = await phone.text.text_content() or ""
    number = re.sub(r"\D", "", (re.search(r"\d{4} \d{4} \d{4}", receipt) or [""])[0])
    assert len(number) == 12

    await expect(phone.page.locator("#banner")).to_contain_text(f"{number[:4]} {number[4:8]} {number[8:]}")
    await phone.press("end")
    await expect(phone.page.locator("#notice")).to_have_text("1 new message")
    await phone.dial(f"*123*2*{number}#")
    await expect(phone.text).to_contain_text("Submitted")
    await phone.page.close()


async def test_an_sms_is_answered_in_its_thread_and_known_to_be_delivered(
    browser_context: BrowserContext, address: str, tmp_path: Path
) -> None:
    phone = SimulatorPhone(await browser_context.new_page())
    await phone.page.goto(f"{address}/simulator")
    await phone.press("left")
    await phone.write_sms("HELP")
    await expect(phone.bubbles).to_have_count(2)
    await expect(phone.texts.last).to_contain_text("STATUS")
    await phone.write_sms("LANG BN")
    await expect(phone.bubbles).to_have_count(4)
    assert await phone.texts.last.get_attribute("lang") == "bn"
    await expect(phone.page.locator('#rows [data-kind="delivery"]')).to_have_count(2)
    assert delivery_states(tmp_path) == ["delivered", "delivered"]
    await phone.page.close()


def delivery_states(folder: Path) -> list[str]:
    """The delivery state of every SMS in the database of this folder."""
    with closing(sqlite3.connect(folder / "ekdial.db")) as database:
        return [delivery for (delivery,) in database.execute("SELECT delivery FROM messages ORDER BY id")]


async def test_the_whole_documents_conversation_by_sms_in_bengali(
    browser_context: BrowserContext, address: str
) -> None:
    phone = SimulatorPhone(await browser_context.new_page())
    await phone.page.goto(f"{address}/simulator")
    await phone.press("left")
    for typed in ("ডিজিলকার", "1", "1", AADHAAR):
        await wait_for_reply(phone, typed)
    await expect(phone.bubbles).to_have_count(9)  # four that were written, four replies, and the code
    code = phone.texts.filter(has_text=re.compile(r"^[0-9]{6} "))
    await expect(code).to_have_count(1)
    listed = await wait_for_reply(phone, find_number(await code.text_content() or "", "code") or "")
    assert re.findall(r"^[0-9] ", listed, re.MULTILINE)[:3] == ["1 ", "2 ", "3 "]
    await wait_for_reply(phone, "1")
    links = phone.page.locator("#bubbles a")
    await expect(links).to_have_count(1)
    await wait_for_reply(phone, "1")
    await wait_for_reply(phone, "2")
    await expect(links).to_have_count(2)
    opened = {await fetch_page(address, await link.get_attribute("href") or "") for link in await links.all()}
    assert len(opened) == 2
    came = phone.page.locator(".theirs > p:first-child")
    assert set(await came.evaluate_all("texts => texts.map(({lang}) => lang)")) == {"bn"}
    await phone.page.close()


async def wait_for_reply(phone: SimulatorPhone, text: str) -> str:
    """Send an SMS and wait for the reply."""
    came = phone.page.locator(".theirs")
    before = await came.count()
    await phone.write_sms(text)
    await expect(came.nth(before)).to_be_attached()
    await expect(phone.page.locator(".mine .foot").last).to_contain_text("Sent")
    return await came.last.locator("p").first.text_content() or ""


async def fetch_page(address: str, link: str) -> str:
    """The page that a link of the gateway shows after its button."""
    async with ClientSession(address) as browser, browser.post(f"/d/{link.rpartition('/d/')[2]}") as response:
        assert (response.status, response.content_type) == (200, "text/html")
        return await response.text()


async def test_a_ring_brings_a_link_that_leads_somewhere(browser_context: BrowserContext, address: str) -> None:
    phone = SimulatorPhone(await browser_context.new_page())
    await phone.page.goto(f"{address}/simulator")
    await phone.press("call", "down", "call")
    await expect(phone.text).to_have_text("Rejected: you pay nothing.")
    await expect(phone.page.locator("#banner")).to_be_visible()
    await phone.press("right")
    link = await phone.page.locator("#bubbles a").first.get_attribute("href") or ""
    token = link.rpartition("/d/")[2]
    async with ClientSession(address) as browser, browser.get(f"/d/{token}", allow_redirects=False) as response:
        assert response.status in {200, 302, 303}
    await phone.page.close()


async def test_a_conversation_by_sms_and_a_ring_in_the_terminal(address: str) -> None:
    status = await exchange_sms(SimOptions(address), "MENU", ["7"], out=(out := io.StringIO()), linger_seconds=0.1)
    assert status == 0, out.getvalue()
    assert "> MENU\n╭─ SMS from 123\n" in out.getvalue()
    status = await ring_number(SimOptions(address), None, out=(out := io.StringIO()), linger_seconds=1)
    assert status == 0, out.getvalue()
    assert "Rejected: you pay nothing." in out.getvalue()
    assert "/d/" in out.getvalue()
    await ring_number(SimOptions(address), None, out=(out := io.StringIO()), linger_seconds=0.1)
    assert re.search(
        r"Rejected: you pay nothing\.\nNo SMS comes: this number got one for an earlier call\. Ring again after \d\d:\d\d\.",
        out.getvalue(),
    ), "section 1 of the field report, minor"


async def test_register_apply_and_track_in_the_terminal(address: str) -> None:
    out = io.StringIO()
    status = await dial(SimOptions(address), None, parse_keys(f"{REGISTER},00,{APPLY}"), out=out, linger_seconds=1)
    assert status == 1, "the call still asks whether the fee is to be paid now"
    assert "Pay now" in out.getvalue()
    assert "SMS from 123" in out.getvalue()
    status = await dial(SimOptions(address), "*123*2#", ["{tracking}"], out=(out := io.StringIO()), linger_seconds=0.1)
    assert status == 1
    assert "Birth certificate" in out.getvalue()
