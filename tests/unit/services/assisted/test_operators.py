"""Operators: enrolment, sign-in with their own PIN, lock-out, suspension."""

import asyncio

import pytest

from db.tables import audit, operators
from services.assisted.models import NewOperator
from services.assisted.operators import NumberEnrolledError, Operators
from tests.support.services import CIPHER, KARIM, RAHIMA, render_text
from tests.support.staff import staff_act


@pytest.fixture
def enrolled_operators(services, clock):
    return Operators(services.database, services.messages, services.pins, CIPHER, render_text, clock=clock)


def karim(**other) -> NewOperator:
    return NewOperator(**{"msisdn": KARIM, "name": "Karim Mia", "centre": "mirpur", "language": "bn", **other})


async def test_the_first_pin_goes_to_the_operators_number(services, enrolled_operators):
    operator, pin = await enrolled_operators.add(karim(), staff_act())
    facts = {"pin": pin, "operator": operator, "centre": "mirpur"}
    assert await services.claim_sms() == [(KARIM, "bn", "operator_pin", facts)]


async def test_a_number_belongs_to_one_operator(services, enrolled_operators):
    operator, _ = await enrolled_operators.add(karim(), staff_act())
    with pytest.raises(NumberEnrolledError, match=f"Operator {operator} has this number already"):
        await enrolled_operators.add(karim(name="Somebody Else"), staff_act())
    assert len(await services.claim_sms()) == 1


async def test_the_table_of_operators_has_no_readable_name_and_no_pin(services, enrolled_operators):
    _, pin = await enrolled_operators.add(karim(), staff_act())
    row = (await services.database.fetch(operators.select())).one()
    assert b"Karim" not in row.name
    assert pin not in row.pin_hash
    assert [one.name for one in await enrolled_operators.list_all()] == ["Karim Mia"]


async def test_the_first_sign_in_requires_a_chosen_pin(enrolled_operators, services):
    operator, pin = await enrolled_operators.add(karim(), staff_act())
    assert (await enrolled_operators.sign_in(KARIM, pin, "s1:4", vouched=True)).outcome == "first"
    await enrolled_operators.choose_pin(operator, await services.hash_secret("7391"), "s1:8")
    assert (await enrolled_operators.sign_in(KARIM, "7391", "s2:4", vouched=True)).outcome == "in"
    assert (await enrolled_operators.sign_in(KARIM, pin, "s2:9", vouched=True)).outcome == "wrong"


async def test_a_repeated_sign_in_gets_the_first_result(enrolled_operators, services):
    operator, pin = await enrolled_operators.add(karim(), staff_act())
    first = await enrolled_operators.sign_in(KARIM, pin, "s1:4", vouched=True)
    await enrolled_operators.choose_pin(operator, await services.hash_secret("7391"), "s1:8")
    await enrolled_operators.choose_pin(operator, await services.hash_secret("8052"), "s1:8")
    assert await enrolled_operators.sign_in(KARIM, pin, "s1:4", vouched=True) == first
    assert (await enrolled_operators.sign_in(KARIM, "7391", "s2:4", vouched=True)).outcome == "in"


async def test_the_right_pin_from_another_number_is_unknown(enrolled_operators):
    _, pin = await enrolled_operators.add(karim(), staff_act())
    assert (await enrolled_operators.sign_in(RAHIMA, pin, "s1:4", vouched=True)).outcome == "unknown"


async def test_five_wrong_pins_lock_the_operator_also_concurrently(enrolled_operators, clock):
    _, pin = await enrolled_operators.add(karim(), staff_act())
    tries = [enrolled_operators.sign_in(KARIM, "0000", f"s1:{at}", vouched=True) for at in range(5)]
    outcomes = sorted(tried.outcome for tried in await asyncio.gather(*tries))
    assert outcomes == ["locked", *["wrong"] * 4]
    assert (await enrolled_operators.sign_in(KARIM, pin, "s2:4", vouched=True)).outcome == "locked"
    clock.advance(minutes=15)
    assert (await enrolled_operators.sign_in(KARIM, pin, "s3:4", vouched=True)).outcome == "first"


async def test_a_suspended_operator_cannot_sign_in_until_resumed(enrolled_operators):
    operator, pin = await enrolled_operators.add(karim(), staff_act())
    assert await enrolled_operators.suspend(operator, staff_act())
    assert not await enrolled_operators.suspend(operator, staff_act())
    assert (await enrolled_operators.sign_in(KARIM, pin, "s1:4", vouched=True)).outcome == "unknown"
    assert await enrolled_operators.resume(operator, staff_act())
    assert not await enrolled_operators.resume(operator, staff_act())
    assert (await enrolled_operators.sign_in(KARIM, pin, "s2:4", vouched=True)).outcome == "first"


async def test_a_pin_reset_unlocks_the_operator_and_replaces_the_pin(enrolled_operators, services):
    operator, _ = await enrolled_operators.add(karim(), staff_act())
    for at in range(5):
        await enrolled_operators.sign_in(KARIM, "0000", f"s1:{at}", vouched=True)
    new = await enrolled_operators.reset_pin(operator, "hi", staff_act())
    assert [(to, language, facts["pin"]) for to, language, _, facts in await services.claim_sms()][1:] == [
        (KARIM, "hi", new)
    ]
    assert (await enrolled_operators.sign_in(KARIM, new, "s2:4", vouched=True)).outcome == "first"
    assert await enrolled_operators.reset_pin(operator + 1, "hi", staff_act()) is None


async def test_the_audit_log_records_acts_on_operators(enrolled_operators, services, clock):
    operator, _ = await enrolled_operators.add(karim(), staff_act())
    for change in (enrolled_operators.suspend, enrolled_operators.resume, enrolled_operators.suspend):
        clock.advance(seconds=1)
        await change(operator, staff_act())
    rows = (await services.database.fetch(audit.select().order_by(audit.c.id))).all()
    assert [row.act for row in rows] == [
        *("operator_added", "operator_suspended"),
        *("operator_resumed", "operator_suspended"),
    ]
    assert {(row.actor_kind, row.subject_kind, row.subject) for row in rows} == {("staff", "operator", str(operator))}


async def test_a_channel_that_does_not_vouch_for_the_number_is_refused_and_counts_nothing(enrolled_operators):
    _, pin = await enrolled_operators.add(karim(), staff_act())
    for at in range(20):
        assert (await enrolled_operators.sign_in(KARIM, "0000", f"sms/{at}:1", vouched=False)).outcome == "unvouched"
    assert (await enrolled_operators.sign_in(KARIM, pin, "sms/30:1", vouched=False)).outcome == "unvouched"
    assert (await enrolled_operators.sign_in(KARIM, pin, "s1:4", vouched=True)).outcome == "first"


async def test_a_sign_in_of_an_operator_ends_with_a_suspension_a_new_pin_or_a_lock_out(enrolled_operators, services):
    operator, pin = await enrolled_operators.add(karim(), staff_act())

    async def find_end(result, session):
        return await enrolled_operators.find_session_end(operator, result.epoch, session)

    one = await enrolled_operators.sign_in(KARIM, pin, "s1:4", vouched=True)
    other = await enrolled_operators.sign_in(KARIM, pin, "s2:4", vouched=True)
    epoch = await enrolled_operators.choose_pin(operator, await services.hash_secret("7391"), "s1:8")
    assert await enrolled_operators.choose_pin(operator, await services.hash_secret("8052"), "s1:8") == epoch
    assert [await find_end(one, "s1"), await find_end(other, "s2")] == ["", "changed"]
    third = await enrolled_operators.sign_in(KARIM, "7391", "s3:4", vouched=True)
    for at in range(5):
        await enrolled_operators.sign_in(KARIM, "0000", f"s4:{at}", vouched=True)
    assert await find_end(third, "s3") == "locked"
    await enrolled_operators.suspend(operator, staff_act())
    assert await find_end(third, "s3") == "suspended"
    await enrolled_operators.resume(operator, staff_act())
    assert await find_end(third, "s3") == "changed"
    assert await enrolled_operators.find_session_end(operator + 1, 0, "s3") == "closed"


async def test_a_list_of_operators_goes_on_after_its_last_one(enrolled_operators):
    added = [
        (await enrolled_operators.add(karim(msisdn=f"+88017110001{place:02}"), staff_act()))[0] for place in range(5)
    ]
    newest_first = list(reversed(added))
    first = await enrolled_operators.list_page(limit=2)
    assert [one.id for one in first.operators] == newest_first[:2]
    second = await enrolled_operators.list_page(first.before, limit=2)
    last = await enrolled_operators.list_page(second.before, limit=2)
    assert [one.id for one in (*second.operators, *last.operators)] == newest_first[2:]
    assert last.before is None
    assert (await enrolled_operators.find(added[0])).msisdn == "+8801711000100"
    assert await enrolled_operators.find(987) is None
