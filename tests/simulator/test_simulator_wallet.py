"""The wallet of the phone on the desk: asked on the display when the call is over, and in the terminal."""

import io
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, expect

from tests.phone import running, settings_for
from tests.simulator.phone_page import Phone
from web.simulator.terminal import Sim, dial, text

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASKED = re.compile(r"Pay BDT [\d,]+\.\d\d to Ekdial\?")
TO_A_BILL = ["1", "9", "1", "12345671", "1"]  # language, bills, the first biller, a consumer, pay


@pytest_asyncio.fixture(loop_scope="module")
async def address(tmp_path: Path) -> AsyncIterator[str]:
    async with running(settings_for(tmp_path)) as url:
        yield url


async def comes_to_pay(phone: Phone, address: str) -> None:
    """A bill on the display's last screen, whose call is over."""
    await phone.page.goto(f"{address}/simulator")
    await phone.dials("*123#")
    for typed in TO_A_BILL:
        await phone.showing("asking")
        hops = await phone.hops.count()
        await phone.answers(typed)
        await expect(phone.hops.nth(hops)).to_be_attached()


async def test_the_wallet_asks_when_the_call_is_over_and_takes_a_pin_that_nobody_sees(
    window: BrowserContext, address: str
) -> None:
    phone = Phone(await window.new_page())
    await comes_to_pay(phone, address)
    await phone.showing("wallet")
    await expect(phone.text).to_have_text(ASKED)
    await phone.soft_keys("OK", "Decline")
    await phone.press(*"482", "left")
    await phone.showing("wallet")
    await phone.press("6", "left")
    await expect(phone.page.locator('#rows [data-kind="wallet"]')).to_contain_text("paid")
    assert "4826" not in await phone.page.locator("#rows").inner_text()
    await phone.showing("ended")
    await expect(phone.page.locator("#banner")).to_contain_text("paid to")
    await phone.page.close()


async def test_a_wallet_that_is_told_no_says_so_by_sms_and_a_page_that_is_loaded_again_asks_again(
    window: BrowserContext, address: str
) -> None:
    phone = Phone(await window.new_page())
    await comes_to_pay(phone, address)
    await phone.showing("wallet")
    await phone.page.reload()
    await phone.showing("wallet")
    await phone.press("right")
    await phone.showing("idle")
    await expect(phone.page.locator("#notice")).to_contain_text("1 new message")
    await phone.press("left")
    await expect(phone.texts.last).to_contain_text("you said no")
    await phone.page.close()


async def test_in_the_terminal_the_key_after_the_call_is_the_wallets_pin(address: str) -> None:
    status = await dial(Sim(address), None, [*TO_A_BILL, "4826"], out=(out := io.StringIO()), lingers=1)
    assert status == 0, out.getvalue()
    assert "╭─ Wallet\n│ Pay BDT " in out.getvalue()
    assert "\nPaid.\n" in out.getvalue()
    assert "paid to Electricity Bangladesh (sample)" in out.getvalue()


async def test_a_wrong_pin_is_said_in_the_terminal_too(address: str) -> None:
    status = await dial(Sim(address), None, [*TO_A_BILL, "0000"], out=(out := io.StringIO()), lingers=1)
    assert status == 0, out.getvalue()
    assert "That is not the wallet's PIN: nothing was paid." in out.getvalue()


async def test_by_sms_the_wallet_asks_in_between(address: str) -> None:
    keys = ["MENU", "9", "1", "12345671", "1", "4826", "HELP"]
    status = await text(Sim(address), "LANG EN", keys, out=(out := io.StringIO()), lingers=0.5)
    assert status == 0, out.getvalue()
    assert "\nPaid.\n" in out.getvalue()
