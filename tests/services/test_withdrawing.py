"""Taking an application back: by whom it is of, by the other person whom it is for, and by nobody else."""

import asyncio

import pytest
from sqlalchemy import select

from services.records.tables import application_events, audit
from tests.desk import KARIM, RAHIMA, birth_certificate

OURS = "local_government"


@pytest.fixture
async def account(desk):
    return await desk.registers()


@pytest.fixture
async def number(desk, account):
    receipt = await desk.applications.submit(birth_certificate(account, beneficiary=KARIM), "s1:30")
    await desk.sent()
    return receipt.tracking_number


async def acts(desk):
    rows = await desk.records.read(select(audit.c.act, audit.c.actor, audit.c.subject).order_by(audit.c.id))
    return [tuple(row) for row in rows]


async def test_the_other_person_is_told_in_their_language_and_how_to_refuse(desk, account):
    await desk.accounts.choose_language(KARIM, "hi", "s0")
    receipt = await desk.applications.submit(birth_certificate(account, beneficiary=KARIM), "s1:30")
    to_rahima, to_karim = sorted(await desk.sent(), key=lambda one: one[0])
    assert to_rahima[:3] == (RAHIMA, "bn", "received")
    told = {"service": "birth_certificate", "number": receipt.tracking_number}
    assert to_karim == (KARIM, "hi", "applied_for_you", told)


async def test_the_other_person_refuses_and_the_applicant_is_told(desk, account, number):
    taken = await desk.withdrawing.refuse(KARIM, number, "sms", "sms/1:1")
    assert taken == ("withdrawn", "birth_certificate", "withdrawn")
    assert (await desk.following.status(number)).status == "withdrawn"
    [(to, language, text, facts)] = await desk.sent()
    assert (to, language, text, facts["number"]) == (RAHIMA, "bn", "refused_for", number)
    noted = [("handed_in", str(account), number), ("refused", "beneficiary", number)]
    assert [act for act in await acts(desk) if act[2] == number] == noted


async def test_the_same_refusal_heard_again_is_answered_alike_and_told_once(desk, number):
    heard = (desk.withdrawing.refuse(KARIM, number, "sms", "sms/1:1") for _ in range(5))
    assert {taken.outcome for taken in await asyncio.gather(*heard)} == {"withdrawn"}
    assert len(await desk.sent()) == 1
    assert await desk.count(application_events) == 2
    assert (await desk.withdrawing.refuse(KARIM, number, "sms", "sms/2:1")).outcome == "final"


@pytest.mark.parametrize("who", [RAHIMA, "+8801711000099"])
async def test_nobody_but_the_other_person_refuses(desk, number, who):
    assert await desk.withdrawing.refuse(who, number, "sms", "sms/1:1") == ("unknown", "", "")
    assert await desk.withdrawing.refuse(KARIM, "000000000000", "sms", "sms/2:1") == ("unknown", "", "")
    assert (await desk.following.status(number)).status == "received"
    assert await desk.sent() == []


async def test_the_applicant_withdraws_and_both_are_told(desk, account, number):
    assert (await desk.withdrawing.withdraw(account, number, "ussd", "s9:12")).outcome == "withdrawn"
    assert {(to, text, facts["status"]) for to, _, text, facts in await desk.sent()} == {
        (RAHIMA, "moved", "withdrawn"),
        (KARIM, "moved", "withdrawn"),
    }
    assert (await desk.withdrawing.withdraw(account, number, "ussd", "s9:12")).outcome == "withdrawn"
    assert await desk.sent() == []
    assert (await acts(desk))[-1] == ("withdrawn", str(account), number)


async def test_another_account_withdraws_nothing(desk, number):
    other = await desk.registers("+8801711000077", effect="s5:9")
    assert (await desk.withdrawing.withdraw(other, number, "ussd", "s9:12")).outcome == "unknown"


async def test_what_was_delivered_stays_so(desk, account, number):
    await desk.filings.move(OURS, number, "delivered", {}, "key-1")
    assert await desk.withdrawing.refuse(KARIM, number, "sms", "sms/1:1") == (
        "final",
        "birth_certificate",
        "delivered",
    )
    assert (await desk.withdrawing.withdraw(account, number, "ussd", "s9:12")).outcome == "final"


async def test_both_hear_of_every_move_and_one_who_wants_no_sms_gets_none(desk, number):
    await desk.filings.move(OURS, number, "under_review", {}, "key-1")
    assert {to for to, *_ in await desk.sent()} == {RAHIMA, KARIM}
    await desk.optouts.out(KARIM, "keyword")
    await desk.filings.move(OURS, number, "approved", {}, "key-2")
    assert {to for to, *_ in await desk.sent()} == {RAHIMA}
