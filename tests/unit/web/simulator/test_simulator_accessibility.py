"""The simulator for people who do not see it or hold no mouse: axe-core, and everything around the phone by keys alone."""

import pytest
from playwright.async_api import Page, expect

from tests.support.accessibility import find_violations
from tests.support.keyboard import Keyboard
from tests.support.scripted_gateway import SCREENS, ScriptedGateway
from tests.support.simulator_page import SimulatorPhone

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture
def phone(page: Page) -> SimulatorPhone:
    return SimulatorPhone(page)


async def test_axe_core_finds_nothing_serious_in_any_view(phone: SimulatorPhone, gateway: ScriptedGateway) -> None:
    findings = list(await find_violations(phone.page))
    await phone.press(*"*123#")
    findings += await find_violations(phone.page)
    await phone.press("call")
    await phone.expect_exactly("asking")
    await phone.page.locator("#log summary").click()
    await phone.page.locator("#other-number").evaluate("(hidden) => { hidden.hidden = false; }")
    findings += await find_violations(phone.page)
    await phone.press("end")
    await phone.expect_exactly("idle")
    await phone.press("call")
    await phone.expect_exactly("numbers")
    findings += await find_violations(phone.page)
    await phone.press("end", "left")
    await phone.write_sms("HELP")
    await expect(phone.texts.first).to_have_text("HELP")
    findings += await find_violations(phone.page)
    assert not findings, "\n".join(findings)


@pytest.mark.parametrize("language", ["বাংলা", "हिन्दी"])
async def test_axe_core_finds_nothing_serious_in_the_other_languages(page: Page, language: str) -> None:
    await page.locator("#language").select_option(label=language)
    findings = await find_violations(page)
    await page.locator("#language").select_option(label="English")
    assert not findings, "\n".join(findings)


async def test_what_is_around_the_phone_is_worked_by_keys(phone: SimulatorPhone, gateway: ScriptedGateway) -> None:
    keyboard = Keyboard(phone.page)
    await keyboard.reach("5", role="button")
    await keyboard.press("Enter", "Escape")
    await phone.expect_exactly("idle")
    await keyboard.choose("Number", "Another number…")
    await keyboard.fill("Number, with + and country code", "+8801700000009")
    await keyboard.press("Escape")
    await keyboard.reach("New SIM")
    await keyboard.press("Enter")
    await keyboard.reach("Call or send")
    await keyboard.type("*123#")
    await keyboard.press("Enter")
    await phone.expect_text(SCREENS[""].split(" ", 1)[1])
    await keyboard.reach("Repeat the last request")
    await keyboard.press("Enter")
    await keyboard.reach("Requests")
    await keyboard.press("Space")
    await expect(phone.page.locator("#rows")).to_contain_text("same answer")
