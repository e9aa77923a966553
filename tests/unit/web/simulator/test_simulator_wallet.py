"""The simulated wallet: payment requests on the display after a session, and in the terminal."""

import io
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from playwright.async_api import BrowserContext, expect

from tests.support.citizen_steps import PIN, register
from tests.support.phone import Phone, build_settings, run_gateway
from tests.support.simulator_page import SimulatorPhone
from web.simulator.terminal import SimOptions, dial, exchange_sms

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASKED = re.compile(r"Pay BDT [\d,]+\.\d\d to Ekdial\?")
TO_A_BILL = ["1", "9", "1", "12345671", "1"]  # language, bills, the first biller, a consumer, pay


@pytest_asyncio.fixture(loop_scope="module")
async def address(tmp_path: Path) -> AsyncIterator[str]:
    async with run_gateway(build_settings(tmp_path)) as url:
        yield url


async def reach_payment(phone: SimulatorPhone, address: str) -> None:
    """Pay a bill up to the last screen of the session."""
    await phone.page.goto(f"{address}/simulator")
    await phone.dial("*123#")
    for typed in TO_A_BILL:
        await phone.expect_exactly("asking")
        hops = await phone.hops.count()
        await phone.reply(typed)
        await expect(phone.hops.nth(hops)).to_be_attached()


async def test_the_wallet_asks_when_the_call_is_over_and_takes_a_pin_that_nobody_sees(
    browser_context: BrowserContext, address: str
) -> None:
    phone = SimulatorPhone(await browser_context.new_page())
    await reach_payment(phone, address)
    await phone.expect_exactly("wallet")
    await expect(phone.text).to_have_text(ASKED)
    await phone.soft_keys("OK", "Decline")
    await phone.press(*"482", "left")
    await phone.expect_exactly("wallet")
    await phone.press("6", "left")
    await expect(phone.page.locator('#rows [data-kind="wallet"]')).to_contain_text("paid")
    assert "4826" not in await phone.page.locator("#rows").inner_text()
    await phone.expect_exactly("ended")
    await expect(phone.page.locator("#banner")).to_contain_text("paid to")
    await phone.page.close()


async def test_a_wallet_that_is_told_no_says_so_by_sms_and_a_page_that_is_loaded_again_asks_again(
    browser_context: BrowserContext, address: str
) -> None:
    phone = SimulatorPhone(await browser_context.new_page())
    await reach_payment(phone, address)
    await phone.expect_exactly("wallet")
    await phone.page.reload()
    await phone.expect_exactly("wallet")
    await phone.press("right")
    await phone.expect_exactly("idle")
    await expect(phone.page.locator("#notice")).to_contain_text("1 new message")
    await phone.press("left")
    await expect(phone.texts.last).to_contain_text("you said no")
    await phone.page.close()


async def test_in_the_terminal_the_key_after_the_call_is_the_wallets_pin(address: str) -> None:
    status = await dial(SimOptions(address), None, [*TO_A_BILL, "4826"], out=(out := io.StringIO()), linger_seconds=1)
    assert status == 0, out.getvalue()
    assert "╭─ Wallet\n│ Pay BDT " in out.getvalue()
    assert "\nPaid.\n" in out.getvalue()
    assert "paid to Electricity Bangladesh (sample)" in out.getvalue()


async def test_a_wrong_pin_is_said_in_the_terminal_too(address: str) -> None:
    status = await dial(SimOptions(address), None, [*TO_A_BILL, "0000"], out=(out := io.StringIO()), linger_seconds=1)
    assert status == 0, out.getvalue()
    assert "That is not the wallet's PIN: nothing was paid." in out.getvalue()


async def test_by_sms_the_wallet_asks_in_between(address: str) -> None:
    async with ClientSession() as http:
        await register(caller := Phone(http, address))
        await caller.redial()
    keys = ["MENU", "9", "1", "12345671", "1", PIN, "4826", "HELP"]  # our PIN before, and the wallet's
    options = SimOptions(address, caller.msisdn)
    status = await exchange_sms(options, "LANG EN", keys, out=(out := io.StringIO()), linger_seconds=0.5)
    assert status == 0, out.getvalue()
    assert "\nPaid.\n" in out.getvalue()
