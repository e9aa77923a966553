"""A forgotten PIN: replaced at once, or after a notice where the account was not used for long."""

import pytest
from sqlalchemy import select

from db.tables import audit
from services.audit.models import Actor
from services.audit.staff_acts import StaffAct
from services.citizens.account_support import AccountSupport
from services.citizens.number_release import NumberReleases
from tests.support.services import CIPHER, KARIM, RAHIMA, render_text

ANSWERS = ("Sonar Bangla School", "কুমিল্লা ৪")


@pytest.fixture
async def recover(services):
    async def recover(account, pin="7305", key="s3:30", *, vouched=True):
        return await services.accounts.recover_pin(account, await services.hash_secret(pin), key, vouched=vouched)

    return recover


async def sign_in(services, pin, key, *, vouched=True):
    return await services.accounts.sign_in(RAHIMA, pin, key, vouched=vouched)


async def claim_texts(services):
    return [text for _, _, text, _ in await services.claim_sms()]


async def test_a_recovered_pin_works_at_once_where_the_account_is_in_use(services, recover, clock):
    account = await services.register(pin="4821")
    clock.advance(days=89)
    before = await sign_in(services, "4821", "s1:12")
    result = await recover(account)
    assert (result.outcome, await recover(account)) == ("changed", result)
    assert await services.accounts.find_session_end(account, before.epoch, "s1", vouched=True) == "changed"
    assert await services.accounts.find_session_end(account, result.epoch, "s3", vouched=True) == ""
    assert (await sign_in(services, "7305", "s4:12")).outcome == "in"
    assert await claim_texts(services) == ["pin_changed"]


async def test_right_answers_are_no_use_of_the_account(services, recover, clock):
    account = await services.register(pin="4821")
    clock.advance(days=91)
    await services.accounts.sign_in_by_answers(RAHIMA, ANSWERS, "s3:20", vouched=True)
    assert (await recover(account)).outcome == "pending"


async def test_a_recovered_pin_waits_where_the_account_was_not_used_for_long(services, recover, clock):
    account = await services.register(pin="4821")
    clock.advance(days=91)
    assert (await recover(account)).outcome == "pending"
    assert await recover(account) == ("pending", 0, 24)
    assert [(text, facts) for _, _, text, facts in await services.claim_sms()] == [("pin_pending", {"hours": 24})]
    assert (await sign_in(services, "7305", "s4:12")).outcome == "wrong"
    clock.advance(hours=24)
    assert await services.accounts.find_session_end(account, 0, "s1", vouched=True) == "changed"
    assert (await sign_in(services, "4821", "s5:12")).outcome == "wrong"
    signed_in = await sign_in(services, "7305", "s6:12")
    assert signed_in.outcome == "in"
    assert await services.accounts.find_session_end(account, signed_in.epoch, "s6", vouched=True) == ""
    assert await services.accounts.find_session_end(account, 0, "s1", vouched=True) == "changed"
    assert (await sign_in(services, "7305", "s7:12")).epoch == signed_in.epoch


async def test_stop_keeps_the_old_pin(services, recover, clock):
    account = await services.register(pin="4821")
    clock.advance(days=91)
    await recover(account)
    assert await services.accounts.cancel_recovery(RAHIMA, "sms/9:1")
    assert await services.accounts.cancel_recovery(RAHIMA, "sms/9:1"), "as the first time"
    assert not await services.accounts.cancel_recovery(RAHIMA, "sms/10:1")
    assert not await services.accounts.cancel_recovery(KARIM, "sms/11:1")
    clock.advance(hours=25)
    assert (await sign_in(services, "7305", "s4:12")).outcome == "wrong"
    assert (await sign_in(services, "4821", "s4:17")).outcome == "in"


@pytest.mark.parametrize("vouched", [True, False])
async def test_the_old_pin_from_the_phone_itself_cancels_the_recovery(services, recover, clock, vouched):
    account = await services.register(pin="4821")
    clock.advance(days=91)
    await recover(account)
    await claim_texts(services)
    assert (await sign_in(services, "4821", "s4:12", vouched=vouched)).outcome == "in"
    assert await claim_texts(services) == (["pin_kept"] if vouched else [])
    clock.advance(hours=25)
    assert (await sign_in(services, "4821", "s5:12")).outcome == ("in" if vouched else "wrong")


async def test_a_changed_pin_and_a_frozen_account_drop_the_recovered_one(services, recover, clock):
    account = await services.register(pin="4821")
    clock.advance(days=91)
    await recover(account)
    await services.accounts.change_pin(account, await services.hash_secret("9164"), "s8:30", vouched=True)
    clock.advance(hours=25)
    assert (await sign_in(services, "9164", "s9:12")).outcome == "in"
    clock.advance(days=91)
    await recover(account, key="s10:30")
    act = StaffAct(Actor("staff", "rina", "terminal"), "phone_lost", "desk:1")
    await services.accounts.access.freeze(account, act)
    assert (await recover(account, key="s11:30")).outcome == "frozen"
    await services.accounts.access.unfreeze(account, StaffAct(act.actor, "found", "desk:2"))
    clock.advance(hours=25)
    assert (await sign_in(services, "7305", "s12:12")).outcome == "wrong"
    assert (await sign_in(services, "9164", "s12:17")).outcome == "in"


@pytest.fixture
def support(services, database, clock):
    """The acts of the helpdesk; `support.sim` is what the network says of the SIM."""

    async def check_sim(_msisdn):
        return support.sim

    accounts = services.accounts
    support = AccountSupport(
        database=database,
        access=accounts.access,
        releases=NumberReleases(database, CIPHER, clock=clock),
        messages=services.messages,
        pin_changes=accounts.pin_changes,
        registrations=accounts.registrations,
        hasher=services.pins,
        check_sim=check_sim,
        render_text=render_text,
    )
    support.sim = "unchanged"
    return support


def by_staff(key="t1"):
    return StaffAct(Actor("staff", "nadia", "terminal"), "ticket 4711", key)


async def test_8_1_a_new_pin_goes_to_the_number_and_ends_every_sign_in(services, database, support):
    account = await services.register(pin="4821")
    before = await sign_in(services, "4821", "s1:12")
    assert (await support.reset_pin(RAHIMA, by_staff())) == ("changed", 0)
    ((to, _, text, facts),) = await services.claim_sms()
    assert (to, text) == (RAHIMA, "support_pin")
    assert await services.accounts.find_session_end(account, before.epoch, "s1", vouched=True) == "changed"
    assert (await sign_in(services, "4821", "s4:12")).outcome == "wrong"
    assert (await sign_in(services, facts["pin"], "s5:12")).outcome == "in"
    columns = (audit.c.actor, audit.c.act, audit.c.details)
    rows = await database.fetch(select(*columns).where(audit.c.actor_kind == "staff"))
    assert [tuple(row) for row in rows] == [("nadia", "pin_reset", {"reason": "ticket 4711"})]


async def test_8_1_a_new_pin_unlocks_the_account(services, support):
    await services.register(pin="4821")
    for number in range(5):
        await sign_in(services, "0000", f"s2:{number}")
    await support.reset_pin(RAHIMA, by_staff())
    ((*_, facts),) = [sms for sms in await services.claim_sms() if sms[2] == "support_pin"]
    assert (await sign_in(services, facts["pin"], "s5:12")).outcome == "in"


async def test_a_repeated_act_sends_one_pin(services, support):
    await services.register(pin="4821")
    assert [await support.reset_pin(RAHIMA, by_staff()) for _ in range(2)] == [("changed", 0)] * 2
    assert len(await services.claim_sms()) == 1


async def test_a_reset_pin_waits_where_the_account_was_not_used_for_long(services, support, clock):
    await services.register(pin="4821")
    clock.advance(days=91)
    assert await support.reset_pin(RAHIMA, by_staff()) == ("pending", 24)
    assert sorted([text for _, _, text, _ in await services.claim_sms()]) == ["pin_pending", "support_pin"]
    assert (await sign_in(services, "4821", "s4:12")).outcome == "in"


@pytest.mark.parametrize("state", ["swapped", "unknown"])
async def test_no_pin_goes_to_a_sim_that_was_replaced_lately(services, support, state):
    await services.register(pin="4821")
    support.sim = state
    assert (await support.reset_pin(RAHIMA, by_staff())).outcome == f"sim_{state}"
    assert await services.claim_sms() == []
    assert (await sign_in(services, "4821", "s4:12")).outcome == "in"


async def test_no_pin_opens_a_frozen_account(services, support):
    account = await services.register(pin="4821")
    await services.accounts.access.freeze(account, by_staff("f1"))
    await services.claim_sms()
    assert (await support.reset_pin(RAHIMA, by_staff())).outcome == "frozen"
    assert await services.claim_sms() == []


async def test_a_number_without_an_account_or_one_that_was_released_gets_no_pin(services, support):
    assert (await support.reset_pin(KARIM, by_staff("t1"))).outcome == "no_account"
    await services.register(pin="4821")
    await support.release(RAHIMA, by_staff("r1"))
    assert (await support.reset_pin(RAHIMA, by_staff("t2"))).outcome == "no_account"
    assert await services.claim_sms() == []


async def test_a_registration_that_waits_for_its_pin_gets_another_one(services, support):
    await services.accounts.registrations.start(RAHIMA, "Rahima Begum", "bn", "sms/a:1")
    assert (await support.reset_pin(RAHIMA, by_staff())).outcome == "registering"
    first, second = [facts["pin"] for *_, facts in await services.claim_sms()]
    assert first == second or (await sign_in(services, first, "s4:12")).outcome == "wrong"
    assert (await sign_in(services, second, "s5:12")).outcome == "in"
