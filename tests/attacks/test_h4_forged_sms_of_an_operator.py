"""H4: a forged SMS acts as an operator whose citizen has consented, or changes the operator's PIN."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.support.assisted_scenario import OPERATOR, OPERATORS_PIN, AssistedScenario
from tests.support.citizen_steps import ANSWERS, open_birth_certificate
from tests.support.forged_sms import Attacker
from tests.support.phone import build_settings


@pytest.fixture
async def scenario(tmp_path: Path) -> AsyncIterator[AssistedScenario]:
    """A gateway, an operator and a citizen."""
    async with ClientSession() as http:
        scenario = AssistedScenario(build_settings(tmp_path), http)
        await scenario.start()
        yield scenario
        await scenario.stack.aclose()


async def test_h4_forged_sms_do_nothing_in_a_visit(scenario: AssistedScenario, tmp_path: Path) -> None:
    await scenario.start_acting()
    attacker = Attacker(scenario.http, scenario.operator.url, tmp_path)
    before = attacker.fetch("SELECT pin_hash, pin_failures, suspended_at FROM operators")

    await attacker.forge_sms(OPERATOR, "MENU", "1", "trade", "1", "1", "Evil Stores", "1", "1", "1", OPERATORS_PIN)
    await attacker.forge_sms(OPERATOR, "OPERATOR", OPERATORS_PIN, "2", "8265", "8265", OPERATORS_PIN)
    await attacker.forge_sms(OPERATOR, "OPERATOR", "1111", "2222", "3333", "4444", "5555", "6666")

    assert attacker.fetch("SELECT 1 FROM applications") == []
    assert attacker.fetch("SELECT pin_hash, pin_failures, suspended_at FROM operators") == before, "not locked either"
    assert attacker.fetch("SELECT 1 FROM consents WHERE ended_at IS NOT NULL") == [], "the visit goes on"
    await open_birth_certificate(scenario.operator)
    asked = await scenario.operator.enter(*ANSWERS, "1")
    assert "To send it, type your operator PIN" in asked
    assert attacker.fetch("SELECT 1 FROM applications") == []
    assert "racking number" in await scenario.operator.enter(OPERATORS_PIN)


async def test_h4_a_visit_does_not_outlive_the_operators_call(scenario: AssistedScenario) -> None:
    await scenario.start_acting()
    await scenario.operator.enter("1")
    screen = await scenario.operator.dial()
    assert "XX5432" not in screen
    assert "did not finish" not in screen, "an operator signs in anew, and asks for a new consent"


async def test_h4_the_operators_pin_is_changed_with_the_pin_they_have(
    scenario: AssistedScenario, tmp_path: Path
) -> None:
    await scenario.enrol()
    await scenario.sign_in()
    attacker = Attacker(scenario.http, scenario.operator.url, tmp_path)
    before = attacker.fetch("SELECT pin_hash FROM operators")
    await scenario.operator.enter("2", "8265", "8265")
    assert attacker.fetch("SELECT pin_hash FROM operators") == before
    await scenario.operator.enter("1357")
    assert attacker.fetch("SELECT pin_hash FROM operators") == before
    await scenario.operator.enter(OPERATORS_PIN)
    assert attacker.fetch("SELECT pin_hash FROM operators") != before
