"""Notices to the citizen: of every change to who may sign in, of lock-outs and of tries in their name; and the alarm."""

from structlog.testing import capture_logs

from services.audit.models import Actor
from services.audit.staff_acts import StaffAct
from tests.support.services import RAHIMA


async def claim_texts(services):
    return [text for _, _, text, _ in await services.claim_sms()]


async def try_wrong(services, count, session, *, vouched):
    for place in range(count):
        await services.accounts.sign_in(RAHIMA, "0000", f"{session}:{place}", vouched=vouched)


async def test_changed_questions_are_told_and_end_the_other_sign_ins(services):
    account = await services.register(pin="4821")
    owner = await services.accounts.sign_in(RAHIMA, "4821", "s1:12", vouched=True)
    other = await services.accounts.sign_in(RAHIMA, "4821", "s2:12", vouched=True)
    questions = [
        ("first_teacher", await services.hash_secret("a")),
        ("favourite_dish", await services.hash_secret("b")),
    ]
    epoch = await services.accounts.set_questions(account, questions, "s1:40", vouched=True)
    assert await services.accounts.set_questions(account, [], "s1:40", vouched=True) == epoch
    assert await services.accounts.get_questions(RAHIMA) == ("first_teacher", "favourite_dish")
    assert await services.accounts.find_session_end(account, owner.epoch, "s1", vouched=True) == ""
    assert await services.accounts.find_session_end(account, other.epoch, "s2", vouched=True) == "changed"
    assert await claim_texts(services) == ["questions_set"]


async def test_a_frozen_account_is_told(services):
    account = await services.register()
    for place in range(2):
        act = StaffAct(Actor("staff", "rina", "terminal"), "phone_lost", f"desk:{place}")
        await services.accounts.access.freeze(account, act)
    assert await claim_texts(services) == ["account_frozen"]


async def test_tries_in_the_citizens_name_are_told_once_a_day(services, clock):
    await services.register()
    await try_wrong(services, 2, "sms/1", vouched=False)
    assert await claim_texts(services) == []
    await try_wrong(services, 5, "sms/2", vouched=False)
    assert await claim_texts(services) == ["wrong_tries", "account_locked"]
    for round_number in range(3, 9):
        clock.advance(hours=3)
        await try_wrong(services, 5, f"sms/{round_number}", vouched=False)
    assert await claim_texts(services) == []
    clock.advance(days=8)
    await try_wrong(services, 5, "sms/20", vouched=False)
    assert await claim_texts(services) == ["wrong_tries", "account_locked"]


async def test_wrong_pins_from_the_phone_itself_are_told_when_they_lock(services):
    await services.register()
    await try_wrong(services, 4, "s1", vouched=True)
    assert await claim_texts(services) == []
    await try_wrong(services, 1, "s2", vouched=True)
    assert await claim_texts(services) == ["account_locked"]


async def test_changes_are_told_a_limited_number_of_times_a_day(services):
    account = await services.register()
    for place in range(9):
        await services.accounts.change_pin(account, "a hash", f"s1:{place}", vouched=True)
    assert await claim_texts(services) == ["pin_changed"] * 5


async def test_an_account_that_is_tried_for_three_days_raises_the_alarm(services, clock):
    await services.register()
    with capture_logs() as logs:
        for day in range(3):
            await try_wrong(services, 10, f"sms/{day}", vouched=False)
            clock.advance(days=1)
            assert [line for line in logs if line["log_level"] == "critical"] == [] or day == 2
    (alarm,) = [line for line in logs if line["event"] == "account_tried_for_days"]
    assert alarm["days"] == 3
    assert RAHIMA not in str(logs)
    assert services.accounts.guessing_alarms == {"account": 1}
