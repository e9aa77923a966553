"""Registration by SMS: an account is created once the PIN that was sent is typed."""

import pytest

from db.tables import accounts, pending_registrations
from services.citizens.models import NumberTakenError
from tests.support.services import KARIM, RAHIMA


async def start(services, key="sms/1:1", msisdn=RAHIMA, name="Rahima Begum"):
    """Start a registration; the PIN of the newest SMS, empty without one."""
    await services.accounts.registrations.start(msisdn, name, "bn", key)
    return ([""] + [facts["pin"] for _, _, text, facts in await services.claim_sms() if text == "pin"])[-1]


async def try_pin(services, pin, key, msisdn=RAHIMA, *, vouched=False):
    return await services.accounts.sign_in(msisdn, pin, key, vouched=vouched)


@pytest.mark.parametrize("vouched", [True, False])
async def test_the_pin_that_was_sent_creates_the_account_once(services, vouched):
    pin = await start(services)
    assert not await services.accounts.has_account(RAHIMA)
    result = await try_pin(services, pin, "sms/2:1", vouched=vouched)
    assert result.outcome == "in"
    assert await try_pin(services, pin, "sms/2:1", vouched=vouched) == result
    assert await services.accounts.holder_name(result.account) == "Rahima Begum"
    assert await services.accounts.find_registration_key(RAHIMA) == "sms/1:1"
    assert await services.accounts.get_questions(RAHIMA) == ()
    assert await services.count_rows(pending_registrations) == 0
    assert (await try_pin(services, pin, "s3:12", vouched=True)).account == result.account


async def test_a_repeated_message_sends_one_pin_and_a_later_one_replaces_it(services):
    first = await start(services)
    assert await start(services) == ""
    second = await start(services, "sms/5:1", name="Rahima Khatun")
    if first != second:
        assert (await try_pin(services, first, "sms/6:1")).outcome == "wrong"
    account = (await try_pin(services, second, "sms/7:1")).account
    assert await services.accounts.holder_name(account) == "Rahima Khatun"


async def test_five_wrong_pins_end_the_registration_and_nothing_else(services):
    pin = await start(services)
    tries = [await try_pin(services, "0000", f"sms/{place}:1") for place in range(10, 15)]
    assert [(one.outcome, one.tries_left) for one in tries] == [
        *(("wrong", left) for left in (4, 3, 2, 1)),
        ("unknown", 0),
    ]
    assert (await try_pin(services, pin, "sms/20:1")).outcome == "unknown"
    assert (await services.register(pin="4821")) > 0


async def test_a_registration_expires(services, clock):
    pin = await start(services)
    assert await services.accounts.registrations.find_key(RAHIMA) == "sms/1:1"
    clock.advance(hours=24)
    assert await services.accounts.registrations.find_key(RAHIMA) is None
    assert (await try_pin(services, pin, "sms/2:1")).outcome == "unknown"
    assert await services.count_rows(accounts) == 0


async def test_who_registers_by_phone_replaces_what_waits_for_its_pin(services):
    pin = await start(services)
    account = await services.register(pin="7305")
    assert await services.count_rows(pending_registrations) == 0
    assert (await try_pin(services, "7305", "s2:12", vouched=True)).account == account
    assert pin == "7305" or (await try_pin(services, pin, "s2:17", vouched=True)).outcome == "wrong"


async def test_a_number_with_an_account_gets_no_pin(services):
    await services.register()
    with pytest.raises(NumberTakenError):
        await start(services)
    assert await services.claim_sms() == []


async def test_an_unknown_number_and_answers_stay_unknown(services):
    await start(services)
    assert (await try_pin(services, "4821", "sms/2:1", KARIM)).outcome == "unknown"
    answers = await services.accounts.sign_in_by_answers(RAHIMA, ("a", "b"), "sms/3:1", vouched=False)
    assert answers.outcome == "unknown"


async def test_neither_name_nor_pin_is_readable_in_the_table(services):
    pin = await start(services)
    row = (await services.database.fetch(pending_registrations.select())).one()
    assert b"Rahima" not in row.name
    assert pin not in row.pin_hash
