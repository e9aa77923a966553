"""Withdrawal of an application by the applicant or the beneficiary, and by no one else."""

import asyncio

import pytest
from sqlalchemy import select

from db.tables import application_events, audit
from tests.support.services import KARIM, RAHIMA, birth_certificate_submission

OURS = "local_government"


@pytest.fixture
async def account(services):
    return await services.register()


@pytest.fixture
async def number(services, account):
    receipt = await services.applications.submit(birth_certificate_submission(account, beneficiary=KARIM), "s1:30")
    await services.claim_sms()
    return receipt.tracking_number


async def audit_actions(services):
    rows = await services.database.fetch(select(audit.c.act, audit.c.actor, audit.c.subject).order_by(audit.c.id))
    return [tuple(row) for row in rows]


async def test_the_beneficiary_is_notified_in_their_language_with_the_way_to_refuse(services, account):
    await services.accounts.choose_language(KARIM, "hi", "s0")
    receipt = await services.applications.submit(birth_certificate_submission(account, beneficiary=KARIM), "s1:30")
    to_rahima, to_karim = sorted(await services.claim_sms(), key=lambda one: one[0])
    assert to_rahima[:3] == (RAHIMA, "bn", "received")
    facts = {"service": "birth_certificate", "number": receipt.tracking_number}
    assert to_karim == (KARIM, "hi", "applied_for_you", facts)


async def test_a_refusal_of_the_beneficiary_notifies_the_applicant(services, account, number):
    taken = await services.withdrawals.refuse(KARIM, number, "sms", "sms/1:1")
    assert taken == ("withdrawn", "birth_certificate", "withdrawn")
    assert (await services.status_reader.find_status(number)).status == "withdrawn"
    [(to, language, text, facts)] = await services.claim_sms()
    assert (to, language, text, facts["number"]) == (RAHIMA, "bn", "refused_for", number)
    noted = [("handed_in", str(account), number), ("refused", "beneficiary", number)]
    assert [act for act in await audit_actions(services) if act[2] == number] == noted


async def test_a_repeated_refusal_gets_the_same_result_and_one_sms(services, number):
    results = (services.withdrawals.refuse(KARIM, number, "sms", "sms/1:1") for _ in range(5))
    assert {taken.outcome for taken in await asyncio.gather(*results)} == {"withdrawn"}
    assert len(await services.claim_sms()) == 1
    assert await services.count_rows(application_events) == 2
    assert (await services.withdrawals.refuse(KARIM, number, "sms", "sms/2:1")).outcome == "final"


@pytest.mark.parametrize("who", [RAHIMA, "+8801711000099"])
async def test_only_the_beneficiary_can_refuse(services, number, who):
    assert await services.withdrawals.refuse(who, number, "sms", "sms/1:1") == ("unknown", "", "")
    assert await services.withdrawals.refuse(KARIM, "000000000000", "sms", "sms/2:1") == ("unknown", "", "")
    assert (await services.status_reader.find_status(number)).status == "received"
    assert await services.claim_sms() == []


async def test_a_withdrawal_notifies_applicant_and_beneficiary(services, account, number):
    assert (await services.withdrawals.withdraw(account, number, "ussd", "s9:12")).outcome == "withdrawn"
    assert {(to, text, facts["status"]) for to, _, text, facts in await services.claim_sms()} == {
        (RAHIMA, "moved", "withdrawn"),
        (KARIM, "moved", "withdrawn"),
    }
    assert (await services.withdrawals.withdraw(account, number, "ussd", "s9:12")).outcome == "withdrawn"
    assert await services.claim_sms() == []
    assert (await audit_actions(services))[-1] == ("withdrawn", str(account), number)


async def test_another_account_cannot_withdraw(services, number):
    other = await services.register("+8801711000077", idempotency_key="s5:9")
    assert (await services.withdrawals.withdraw(other, number, "ussd", "s9:12")).outcome == "unknown"


async def test_a_delivered_application_cannot_be_withdrawn(services, account, number):
    await services.department_applications.move(OURS, number, "delivered", {}, "key-1")
    assert await services.withdrawals.refuse(KARIM, number, "sms", "sms/1:1") == (
        "final",
        "birth_certificate",
        "delivered",
    )
    assert (await services.withdrawals.withdraw(account, number, "ussd", "s9:12")).outcome == "final"


async def test_every_status_change_notifies_both_except_after_an_opt_out(services, number):
    await services.department_applications.move(OURS, number, "under_review", {}, "key-1")
    assert {to for to, *_ in await services.claim_sms()} == {RAHIMA, KARIM}
    await services.opt_outs.opt_out(KARIM, "keyword")
    await services.department_applications.move(OURS, number, "approved", {}, "key-2")
    assert {to for to, *_ in await services.claim_sms()} == {RAHIMA}
