"""A fee paid in cash: at the department's counter, to an operator of a village centre, and on the command line."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from app.cli import open_ledger_commands
from db.database import Database
from db.tables import audit, payments
from services.departments.api_keys import ApiKeys
from services.payments.refunds import RefundReason
from services.payments.wallets.base import Refunded
from tests.support.assisted_scenario import OPERATORS_PIN, AssistedScenario
from tests.support.citizen_steps import answer_wallet, pay_key, tracking_number_in, wallet_prompt
from tests.support.department_api import OWN_DEPARTMENT, DepartmentClient
from tests.support.phone import build_settings
from tests.support.staff import staff_act


@pytest.fixture
async def scenario(tmp_path: Path) -> AsyncIterator[AssistedScenario]:
    async with ClientSession() as http:
        scenario = AssistedScenario(build_settings(tmp_path, PAYMENTS__PUSH_DELAY="0"), http)
        await scenario.start()
        try:
            yield scenario
        finally:
            await scenario.stack.aclose()


async def open_office(scenario: AssistedScenario) -> DepartmentClient:
    """The system of the department of birth certificates."""
    async with Database(scenario.settings.database.url.get_secret_value()) as database:
        key = await ApiKeys(database).create(OWN_DEPARTMENT, staff_act())
    return DepartmentClient(scenario.http, scenario.operator.url, key)


async def open_status(scenario: AssistedScenario, number: str) -> str:
    """The status of the application on the citizen's phone, all pages."""
    await scenario.citizen.redial()
    status = await scenario.citizen.enter("2", number)
    while "98 More" in status:
        status = f"{status.partition('98 More')[0]}{await scenario.citizen.enter('98')}"
    return status


async def give_back_cash(scenario: AssistedScenario) -> None:
    """Ask for a refund of the one payment, and record that a person made it."""
    async with open_ledger_commands(scenario.settings) as commands:
        refund = await commands.refunds.request(1, None, RefundReason("staff", "nadia", "ticket 4711", "r:1"))
        assert isinstance(refund, int)
        await commands.refunds.record_result(refund, Refunded("by hand"))


async def test_3_2_an_operator_takes_the_fee_in_cash_and_the_citizen_gets_the_receipt(
    scenario: AssistedScenario,
) -> None:
    await scenario.start_acting()
    number = tracking_number_in(await scenario.apply_for_citizen())
    operator = scenario.operator
    await operator.enter("00", "2")
    status = await operator.enter(number)
    while not pay_key(status):
        status = await operator.enter("98")
    how = await operator.enter(pay_key(status))
    assert "Fee Tk 50\n1 From the citizen's wallet\n2 In cash, here\n" in how
    confirm = await operator.enter("2")
    assert "Fee Tk 50, in cash. Take the money first.\n1 I have the cash\n" in confirm
    assert "PIN" in await operator.enter("1")
    assert "paid in cash" in await operator.enter(OPERATORS_PIN)
    receipt = await scenario.citizen.wait_for_sms("paid for Birth certificate")
    assert re.search(r"Tk 50 paid for Birth certificate.*\nReceipt C[0-9A-F]{8}$", receipt)
    assert not pay_key(await open_status(scenario, number)), "what is paid is not offered again"
    (row,) = await scenario.fetch(payments.select())
    assert (row.wallet, row.status, row.reference) == ("cash", "paid", number)
    (act,) = await scenario.fetch(audit.select().where(audit.c.act == "cash_recorded"))
    assert (act.actor_kind, act.subject, act.details["centre"]) == ("operator", number, "mirpur")
    await operator.enter("00", "8")
    assert "Took your fee in cash" in await scenario.citizen.wait_for_sms("acted for you")


async def test_a_counter_takes_cash_while_the_wallet_is_asked_and_gives_it_back_if_the_wallet_pays(
    scenario: AssistedScenario,
) -> None:
    await scenario.start_acting()
    number = tracking_number_in(await scenario.apply_for_citizen())
    office = await open_office(scenario)
    paid = {"amount_minor": 5000, "currency": "BDT", "receipt": "R-17"}
    status = await open_status(scenario, number)
    await scenario.citizen.enter(pay_key(status), "1")
    await wallet_prompt(scenario.citizen)
    status, recorded = await office.post_payment(number, paid)
    assert (status, recorded["state"], recorded["receipt"]) == (201, "pending", "R-17")
    assert await answer_wallet(scenario.citizen, None) == "cancelled"
    assert "Receipt R-17" in await scenario.citizen.wait_for_sms("paid for Birth certificate")
    assert (await office.post_payment(number, paid))[1]["state"] == "paid"
    status, refused = await office.post_payment(number, paid, "key-2")
    assert (status, refused["title"]) == (409, "Paid before")
    status, refused = await office.post_payment(number, {**paid, "amount_minor": 10})
    assert (status, refused["title"]) == (409, "Key used before")


async def test_7_5_a_delivered_application_whose_fee_was_given_back_asks_for_nothing(
    scenario: AssistedScenario,
) -> None:
    await scenario.start_acting()
    number = tracking_number_in(await scenario.apply_for_citizen())
    office = await open_office(scenario)
    paid = {"amount_minor": 5000, "currency": "BDT", "receipt": "R-17"}
    assert (await office.post_payment(number, {**paid, "amount_minor": 4000}))[0] == 409
    assert (await office.post_payment(number, paid))[0] == 201
    assert (await office.post_event(number, {"status": "delivered"}, "key-3"))[0] == 201
    await give_back_cash(scenario)
    screen = await open_status(scenario, number)
    assert "Fee given back" in screen
    assert "not paid" not in screen
    assert not pay_key(screen)
    assert (await office.get(f"/applications/{number}"))[1]["fee"]["state"] == "refunded"
