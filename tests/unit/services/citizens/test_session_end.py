"""When a sign-in is over: a change of who may sign in, a lock-out of its class of channels, staff, the closing of the account."""

from typing import NamedTuple

import pytest

from services.audit.models import Actor
from services.audit.staff_acts import StaffAct
from services.citizens.models import SignInResult
from services.citizens.session_epoch import SessionEpoch, find_epoch_end
from tests.support.services import RAHIMA

STAFF = Actor("staff", "rina", "terminal")


class EpochRow(NamedTuple):
    epoch: int
    epoch_session: str | None
    epoch_session_from: int | None


def act(key="desk:1", reason="phone_lost") -> StaffAct:
    return StaffAct(STAFF, reason, key)


async def sign_in(services, key, *, vouched=True) -> SignInResult:
    result = await services.accounts.sign_in(RAHIMA, "4821", key, vouched=vouched)
    assert result.outcome == "in"
    return result


async def find_end(services, result, session, *, vouched=True):
    return await services.accounts.find_session_end(result.account, result.epoch, session, vouched=vouched)


@pytest.mark.parametrize(
    ("row", "held", "session", "end"),
    [
        (EpochRow(3, None, None), (3, 2), "s1", ""),
        (EpochRow(3, None, None), (2, 2), "s1", "changed"),
        (EpochRow(3, None, None), (3, 1), "s1", "locked"),
        (EpochRow(3, "s1", 2), (2, 2), "s1", ""),
        (EpochRow(3, "s1", 2), (2, 2), "s2", "changed"),
        (EpochRow(3, "s1", 2), (1, 2), "s1", "changed"),
        (EpochRow(3, "s1", 2), (2, 1), "s1", "locked"),
        (EpochRow(3, "", 2), (2, 2), "", "changed"),
    ],
)
def test_an_epoch_is_over_after_a_change_by_another_session_or_a_lock_out(row, held, session, end):
    assert find_epoch_end(row, SessionEpoch(*held).pack(), session, 2) == end


async def test_a_new_pin_ends_every_sign_in_but_that_of_its_own_session(services):
    await services.register(pin="4821")
    owner, other = await sign_in(services, "s1:12"), await sign_in(services, "sms/7:1", vouched=False)
    assert await find_end(services, owner, "s1") == await find_end(services, other, "sms/8", vouched=False) == ""
    new_hash = await services.hash_secret("7305")
    epoch = await services.accounts.change_pin(owner.account, new_hash, "s1:30", vouched=True)
    assert await find_end(services, owner, "s1") == ""  # a replayed path holds the epoch of the sign-in
    assert await services.accounts.find_session_end(owner.account, epoch, "sms/9", vouched=True) == ""
    assert await find_end(services, other, "sms/8", vouched=False) == "changed"
    again = await services.accounts.change_pin(owner.account, new_hash, "s1:30", vouched=True)
    assert again == epoch


async def test_a_repeated_sign_in_holds_the_epoch_of_the_first_time(services):
    await services.register(pin="4821")
    before = await sign_in(services, "s1:12")
    await services.accounts.change_pin(before.account, await services.hash_secret("7305"), "s2:30", vouched=True)
    again = await sign_in(services, "s1:12")
    assert again == before
    assert await find_end(services, again, "s1") == "changed"


async def test_two_changes_of_one_session_keep_it_signed_in(services):
    await services.register(pin="4821")
    owner = await sign_in(services, "s1:12")
    for place, pin in ((30, "7305"), (50, "9164")):
        await services.accounts.change_pin(owner.account, await services.hash_secret(pin), f"s1:{place}", vouched=True)
    assert await find_end(services, owner, "s1") == ""
    assert await find_end(services, owner, "s2") == "changed"


@pytest.mark.parametrize("vouched", [True, False])
async def test_a_lock_out_ends_the_sign_ins_of_its_class_alone(services, vouched):
    await services.register(pin="4821")
    call, text = await sign_in(services, "s1:12"), await sign_in(services, "sms/7:1", vouched=False)
    for place in range(5):
        await services.accounts.sign_in(RAHIMA, "0000", f"s9:{place}", vouched=vouched)
    assert await find_end(services, call, "s1") == ("locked" if vouched else "")
    assert await find_end(services, text, "sms/8", vouched=False) == ("" if vouched else "locked")


async def test_wrong_pins_without_a_vouched_number_never_lock_the_owner_out(services, clock):
    await services.register(pin="4821")
    for place in range(60):
        clock.advance(hours=1)
        await services.accounts.sign_in(RAHIMA, "0000", f"sms/{place}:1", vouched=False)
        await services.accounts.sign_in_by_answers(RAHIMA, ("a", "b"), f"sms/{place}:1", vouched=False)
    assert (await services.accounts.sign_in(RAHIMA, "4821", "sms/90:1", vouched=False)).outcome == "locked"
    assert (await services.accounts.sign_in(RAHIMA, "4821", "s1:12", vouched=True)).outcome == "in"


async def test_a_stolen_phone_gets_no_further_tries_by_sms(services, clock):
    account = await services.register(pin="4821")
    for place in range(5):
        await services.accounts.sign_in(RAHIMA, "0000", f"s9:{place}", vouched=True)
    locked = await services.accounts.sign_in(RAHIMA, "4821", "sms/7:1", vouched=False)
    assert (locked.outcome, locked.locked_until) == ("locked", clock.now.replace(minute=15))
    clock.advance(minutes=15)
    assert (await services.accounts.sign_in(RAHIMA, "4821", "sms/8:1", vouched=False)).account == account


async def test_unvouched_attempts_are_locked_for_a_week_in_the_end(services, clock):
    await services.register(pin="4821")
    periods = []
    for number in range(30):
        result = await services.accounts.sign_in(RAHIMA, "0000", f"sms/{number}:1", vouched=False)
        if result.locked_until:
            periods.append(result.locked_until - clock.now)
            clock.now = result.locked_until
    assert [period.total_seconds() / 3600 for period in periods] == [0.25, 1, 24, 168, 168, 168]


async def test_success_in_one_class_forgives_nothing_in_the_other_and_a_new_pin_forgives_both(services):
    account = await services.register(pin="4821")
    for place in range(4):
        await services.accounts.sign_in(RAHIMA, "0000", f"sms/{place}:1", vouched=False)
    await sign_in(services, "s1:12")
    assert (await services.accounts.sign_in(RAHIMA, "0000", "sms/5:1", vouched=False)).outcome == "locked"
    await services.accounts.change_pin(account, await services.hash_secret("7305"), "s1:30", vouched=True)
    assert (await services.accounts.sign_in(RAHIMA, "7305", "sms/6:1", vouched=False)).outcome == "in"


async def test_a_frozen_account_lets_nobody_in_until_it_is_unfrozen(services):
    account = await services.register(pin="4821")
    owner = await sign_in(services, "s1:12")
    access = services.accounts.access
    assert await access.freeze(account, act())
    assert not await access.freeze(account, act("desk:2"))
    assert await find_end(services, owner, "s1") == "frozen"
    right_answers = ("Sonar Bangla School", "কুমিল্লা ৪")
    for _ in range(6):
        assert (await services.accounts.sign_in(RAHIMA, "4821", "s2:12", vouched=True)).outcome == "frozen"
        by_answers = await services.accounts.sign_in_by_answers(RAHIMA, right_answers, "s2:20", vouched=True)
        assert (by_answers.outcome, by_answers.account) == ("frozen", 0)
    assert await access.unfreeze(account, act("desk:3"))
    assert not await access.unfreeze(account, act("desk:4"))
    assert await find_end(services, owner, "s1") == "changed"
    assert (await services.accounts.sign_in(RAHIMA, "4821", "s3:12", vouched=True)).outcome == "in"


async def test_staff_sign_a_citizen_out_everywhere_and_reset_the_questions(services):
    account = await services.register(pin="4821")
    first = await sign_in(services, "s1:12")
    assert await services.accounts.access.sign_out_everywhere(account, act())
    assert await find_end(services, first, "s1") == "changed"
    second = await sign_in(services, "s2:12")
    assert await services.accounts.access.reset_questions(account, act("desk:2"))
    assert await find_end(services, second, "s2") == "changed"
    assert await services.accounts.get_questions(RAHIMA) == ()
    assert not await services.accounts.access.sign_out_everywhere(account + 1, act("desk:3"))


async def test_a_closed_account_ends_every_sign_in_but_that_of_its_own_session(services):
    account = await services.register(pin="4821")
    one, other = await sign_in(services, "s1:12"), await sign_in(services, "s2:12")
    async with services.database.transaction() as transaction:
        assert await services.accounts.close(transaction, account, "s1:30")
    assert await find_end(services, one, "s1") == ""
    assert await find_end(services, other, "s2") == "closed"
    assert await services.accounts.find_session_end(account + 1, 0, "s1", vouched=True) == "closed"
    assert not await services.accounts.access.freeze(account, act())
