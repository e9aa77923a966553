"""The page calls over another provider where its network is chosen."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.support.scripted_gateway import ScriptedGateway, run_scripted_gateway
from tests.support.scripted_wire import CODE, ScriptedWire
from tests.support.simulator_page import SimulatorPhone

pytestmark = pytest.mark.asyncio(loop_scope="module")
WIRE = ScriptedWire()


@pytest_asyncio.fixture(loop_scope="module")
async def gateway() -> AsyncIterator[ScriptedGateway]:
    """A scripted gateway whose simulator has one more network."""
    async with run_scripted_gateway(wires=[WIRE], heartbeat=0.2) as running:
        yield running


async def test_a_network_of_another_provider_has_its_own_code_and_its_own_wire(
    page: Page, gateway: ScriptedGateway
) -> None:
    phone = SimulatorPhone(page)
    await page.locator("#network").select_option(label="Acme North")
    await phone.soft_keys("Messages", "*213#")
    await phone.dial("*213#")
    await phone.expect_text("You typed nothing")
    await phone.reply("7")
    await phone.expect_text("You typed 7")
    await phone.press("end")
    await expect(page.locator("#carrier")).to_have_text("Acme North")
    assert [(one.text, one.session_id == WIRE.presses[0].session_id) for one in WIRE.presses] == [
        ("", True),
        ("7", True),
    ]
    assert gateway.hops == []

    await page.locator("#network").select_option("47001")
    await phone.soft_keys("Messages", "*123#")
    assert CODE not in {hop["networkCode"] for hop in gateway.hops}
