"""What is kept only for a while, on each database: gone when its time is over, a few at a time, and nothing else."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from services import forgetting
from services.audit import Audit
from services.forgetting import Forgetting
from services.inbound import Arrived, Inbound
from services.messages import Ending, Message
from services.profiles import Change, Profiles
from services.records.tables import account_events, consents, inbound_sms, messages, operators, profile_facts
from tests.desk import RAHIMA, SEAL

SMS_KEPT, EVENTS_KEPT, *_ = (rule.kept for rule in forgetting.RULES)


@pytest.fixture
def inbound(desk, records, clock):
    return Inbound(records, desk.messages, SEAL, clock=clock)


@pytest.fixture
def memory(records, clock):
    return Forgetting(records, clock=clock)


async def answered(inbound, key):
    await inbound.keep(Arrived(key, RAHIMA, "22384", "MENU"), "ignored")


async def ids(records):
    return (await records.read(select(inbound_sms.c.provider_id).order_by(inbound_sms.c.id))).scalars().all()


async def test_an_sms_that_was_answered_long_ago_is_forgotten(inbound, records, memory, clock):
    await answered(inbound, "old")
    clock.now += timedelta(days=1)
    await answered(inbound, "newer")
    clock.now += SMS_KEPT - timedelta(days=1)
    assert await memory.step() == 0, "it is kept for as long as it says"
    clock.now += timedelta(seconds=1)
    assert await memory.step() == 1
    assert await ids(records) == ["newer"]


async def test_one_that_waits_for_its_answer_is_never_forgotten(inbound, records, memory, clock):
    await inbound.keep(Arrived("waiting", RAHIMA, "22384", "MENU"))
    clock.now += 2 * SMS_KEPT
    assert await memory.step() == 0
    assert await ids(records) == ["waiting"]


async def test_a_few_at_a_time_the_oldest_first_and_by_two_at_once(inbound, records, memory, clock, monkeypatch):
    monkeypatch.setattr(forgetting, "STEP", 3)
    monkeypatch.setattr(forgetting, "_OLDEST", {rule.table.name: forgetting._oldest(rule) for rule in forgetting.RULES})
    for number in range(8):
        await answered(inbound, str(number))
        clock.now += timedelta(seconds=1)
    clock.now += SMS_KEPT
    assert await memory.step() == 3
    assert await ids(records) == list("34567")
    assert 3 <= sum(await asyncio.gather(memory.step(), memory.step())) <= 5
    while await memory.step():
        pass
    assert await ids(records) == []


async def test_tries_are_forgotten_and_how_an_account_was_made_is_not(desk, records, memory, clock):
    account = await desk.registers()
    assert (await desk.accounts.sign_in(RAHIMA, "0000", "s2:3")).outcome == "wrong"
    clock.now += EVENTS_KEPT
    assert await memory.step() == 0
    clock.now += timedelta(seconds=1)
    assert await memory.step() == 1
    assert (await records.read(select(account_events.c.kind))).scalars().all() == ["registered"]
    assert await desk.accounts.registered_by(RAHIMA) == "s1:9"
    assert account


async def test_a_message_that_has_left_is_forgotten_after_half_a_year_and_one_that_waits_is_not(desk, memory, clock):
    for effect in ("s1:4", "s1:5"):
        await desk.messages.send(Message(RAHIMA, "text", "info", effect))
    (first, _) = await desk.messages.claim("test", 2)
    await desk.messages.settle(first.id, Ending("sent", "id"))
    clock.now += timedelta(days=180)
    assert await memory.step() == 0
    clock.now += timedelta(seconds=1)
    assert await memory.step() == 1
    (left,) = (await desk.records.read(select(messages.c.status))).scalars()
    assert left == "sending"


async def test_what_was_overtaken_in_a_profile_is_forgotten_and_what_is_known_is_not(desk, memory, clock):
    account = await desk.registers()
    profiles = Profiles(desk.records, desk.accounts, Audit(desk.records), SEAL, lambda _: (), clock=clock)
    for effect, district in (("s1:12", "Cumilla"), ("s1:14", "Dhaka")):
        await profiles.keep(Change(account, "ussd", effect), "district", district)
    clock.now += timedelta(days=91)
    await memory.step()
    assert await desk.count(profile_facts) == 1
    assert (await profiles.known(account))["district"] == "Dhaka"


async def test_a_consent_is_forgotten_after_400_days_and_an_open_one_is_not(desk, records, memory, clock):
    given = {"name": b"", "centre": "c1", "pin_hash": "", "pin_chosen": True, "created_at": clock()}
    asked = {"newcomer": True, "purpose": "apply", "language": "bn", "channel": "ussd", "outcome": "sent"}
    async with records.transaction() as transaction:
        operator = (
            await transaction.execute(records.insert(operators).values(number="+8801711000009", **given))
        ).inserted_primary_key[0]
        for effect, more in (("s1:4", {"ended_at": clock()}), ("s2:4", {"ended_at": None})):
            row = {"operator": operator, "number": RAHIMA, "effect": effect, "asked_at": clock(), "given_at": clock()}
            await transaction.execute(records.insert(consents), {**asked, **row, **more})
    clock.now += timedelta(days=400)
    assert await memory.step() == 0
    clock.now += timedelta(seconds=1)
    assert await memory.step() == 1
    assert (await records.read(select(consents.c.effect))).scalars().all() == ["s2:4"]
