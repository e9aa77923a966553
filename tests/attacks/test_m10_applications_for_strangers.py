"""M10: one citizen makes many applications for other people, and each sends SMS to a number of their choice."""

import asyncio
from pathlib import Path

from aiohttp import ClientSession

from services.applications.models import BeneficiaryLimitError
from tests.support.citizen_steps import register
from tests.support.phone import Phone, build_settings, run_gateway
from tests.support.services import KARIM, RAHIMA, birth_certificate_submission

STRANGERS = [f"+88018000000{number:02}" for number in range(20)]


async def submit(services, account: int, beneficiary: str, turn: int) -> bool:
    """Apply for the beneficiary; whether it was recorded."""
    application = birth_certificate_submission(account, beneficiary=beneficiary)
    try:
        await services.applications.submit(application, f"s{account}-{beneficiary}-{turn}:1")
    except BeneficiaryLimitError:
        return False
    return True


async def test_m10_an_account_applies_for_five_strangers_a_day(services, clock) -> None:
    account = await services.register()
    assert sum([await submit(services, account, number, 1) for number in STRANGERS]) == 5
    told = {to for to, *_ in await services.claim_sms(1000)} & set(STRANGERS)
    assert len(told) == 5, "no SMS to anybody else"
    assert await submit(services, account, "", 1), "for oneself there is no such limit"
    clock.advance(hours=25)
    assert await submit(services, account, STRANGERS[9], 2)


async def test_m10_concurrent_applications_do_not_exceed_the_limit(services) -> None:
    account = await services.register()
    done = await asyncio.gather(*(submit(services, account, number, 1) for number in STRANGERS))
    assert sum(done) == 5


async def test_m10_a_stranger_is_named_three_times_a_day_by_all_accounts(services, clock) -> None:
    accounts = [await services.register(f"+88017110001{number:02}") for number in range(5)]
    assert sum([await submit(services, account, STRANGERS[0], 1) for account in accounts]) == 3
    clock.advance(hours=25)
    assert await submit(services, accounts[4], STRANGERS[0], 2)


async def test_m10_who_refused_is_not_named_again_by_that_account(services, clock) -> None:
    account, another = await services.register(), await services.register(KARIM)
    application = birth_certificate_submission(account, beneficiary=STRANGERS[0])
    receipt = await services.applications.submit(application, "s1:1")
    await services.withdrawals.refuse(STRANGERS[0], receipt.tracking_number, "sms", "sms/1:1")
    await services.claim_sms(100)
    assert not await submit(services, account, STRANGERS[0], 2)
    assert not [to for to, *_ in await services.claim_sms(100) if to == STRANGERS[0]], "no second SMS"
    assert await submit(services, another, STRANGERS[0], 1)
    clock.advance(days=31)
    assert await submit(services, account, STRANGERS[0], 3)


async def test_m10_a_repeated_submission_gets_its_receipt_beyond_the_limit(services) -> None:
    account = await services.register()
    application = birth_certificate_submission(account, beneficiary=STRANGERS[0])
    first = await services.applications.submit(application, "s1:1")
    for number in STRANGERS:
        await submit(services, account, number, 1)
    assert (await services.applications.submit(application, "s1:1")).tracking_number == first.tracking_number


async def test_m10_the_caller_is_told_before_the_form(tmp_path: Path) -> None:
    settings = build_settings(tmp_path, APPLICATIONS__FOR_OTHERS_PER_ACCOUNT_PER_DAY="0")
    async with run_gateway(settings) as url, ClientSession() as http:
        phone = Phone(http, url, RAHIMA)
        await register(phone)
        screen = await phone.enter("00", "1", "1", "1", "1", "2", "01711 000002")
        assert screen.startswith("Too many applications for others. Try again tomorrow")
