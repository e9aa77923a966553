"""A thief has a new SIM with the victim's number: what would profit the thief is refused, and the rest goes on."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession

from core.errors import CommandError
from tests.fakes.africastalking_insights_server import API_KEY, InsightsServer
from tests.support.citizen_steps import PIN, register
from tests.support.commands import citizen_command
from tests.support.phone import MSISDN, Phone, build_settings, run_gateway
from tests.support.servers import RedisServer

REPLACED = "The SIM of this number was replaced recently"


def day(days_ago: int) -> str:
    return f"{datetime.now(UTC) - timedelta(days=days_ago):%d-%m-%Y}"


def sim_swap_settings(insights: InsightsServer) -> dict[str, str]:
    return {
        "PROVIDERS__AFRICASTALKING__SIM_SWAP": "true",
        "PROVIDERS__AFRICASTALKING__API_KEY": API_KEY,
        "PROVIDERS__AFRICASTALKING__BASE_URL": insights.url,
        "PROVIDERS__AFRICASTALKING__SIM_SWAP_DEADLINE": "2",
    }


@pytest.fixture
async def insights() -> AsyncIterator[InsightsServer]:
    async with InsightsServer() as server:
        yield server


@pytest.fixture
async def phone(tmp_path: Path, insights: InsightsServer) -> AsyncIterator[Phone]:
    settings = build_settings(tmp_path, **sim_swap_settings(insights))
    async with run_gateway(settings) as url, ClientSession() as http:
        insights.webhook = f"{url}/sim-swap/africastalking"
        phone = Phone(http, url)
        await register(phone)
        yield phone


async def ask_for_own_data(phone: Phone) -> str:
    """Ask for all that is kept, with the PIN; the screen after it."""
    await phone.redial()
    await phone.enter("5", PIN, "5")
    screen = await phone.enter("3", "1", "1")
    return await phone.enter(PIN) if "PIN" in screen else screen


async def test_with_the_same_sim_everything_goes_on(phone: Phone, insights: InsightsServer) -> None:
    insights.last_date = day(400)
    assert REPLACED not in await ask_for_own_data(phone)
    assert len(insights.requests) == 1


async def test_after_a_swap_nobody_gets_the_data_even_with_the_pin(phone: Phone, insights: InsightsServer) -> None:
    insights.last_date = day(1)
    assert REPLACED in await ask_for_own_data(phone)


async def test_after_a_swap_the_citizen_still_follows_applications(phone: Phone, insights: InsightsServer) -> None:
    insights.last_date = day(1)
    await phone.redial()
    await phone.enter("5", PIN)
    assert REPLACED not in await phone.enter("1")
    assert insights.requests == [], "looking costs no check"


async def test_a_network_that_does_not_answer_locks_nobody_out_who_types_a_pin(
    phone: Phone, insights: InsightsServer
) -> None:
    insights.webhook = ""
    screen = await ask_for_own_data(phone)
    assert REPLACED not in screen
    assert "did not tell us" not in screen


async def test_8_1_the_helpdesk_sends_no_pin_to_a_sim_that_was_replaced(
    tmp_path: Path, insights: InsightsServer, redis_server: RedisServer
) -> None:
    redis_server.empty()
    settings = build_settings(tmp_path, REDIS__URL=redis_server.url, **sim_swap_settings(insights))
    async with run_gateway(settings) as url, ClientSession() as http:
        insights.webhook = f"{url}/sim-swap/africastalking"
        await register(Phone(http, url))
        insights.last_date = day(1)
        with pytest.raises(CommandError, match="The SIM of this number was replaced lately"):
            await citizen_command(settings, "reset-pin", MSISDN, "--why", "ticket 4711", "--by", "nadia")
        assert len(insights.requests) == 1
