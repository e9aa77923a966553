"""Operators: enrolled once, signed in with a PIN of their own, locked out by wrong ones, suspended and back."""

import asyncio

import pytest

from services.operators import Newcomer, NumberEnrolled, Operators
from services.records.tables import audit, operators
from tests.desk import KARIM, RAHIMA, SEAL, say


@pytest.fixture
def enrolled(desk, clock):
    return Operators(desk.records, desk.messages, desk.pins, SEAL, say, clock=clock)


def karim(**other) -> Newcomer:
    return Newcomer(**{"number": KARIM, "name": "Karim Mia", "centre": "mirpur", "language": "bn", **other})


async def test_the_pin_goes_to_the_operators_own_number(desk, enrolled):
    operator, pin = await enrolled.add(karim())
    facts = {"pin": pin, "operator": operator, "centre": "mirpur"}
    assert await desk.sent() == [(KARIM, "bn", "operator_pin", facts)]


async def test_a_number_is_enrolled_once(desk, enrolled):
    operator, _ = await enrolled.add(karim())
    with pytest.raises(NumberEnrolled, match=f"Operator {operator} has this number already"):
        await enrolled.add(karim(name="Somebody Else"))
    assert len(await desk.sent()) == 1


async def test_in_the_table_there_is_neither_name_nor_pin(desk, enrolled):
    _, pin = await enrolled.add(karim())
    row = (await desk.records.read(operators.select())).one()
    assert b"Karim" not in row.name
    assert pin not in row.pin_hash
    assert [one.name for one in await enrolled.listed()] == ["Karim Mia"]


async def test_the_first_sign_in_wants_a_pin_of_their_own(enrolled, desk):
    operator, pin = await enrolled.add(karim())
    assert (await enrolled.sign_in(KARIM, pin, "s1:4")).outcome == "first"
    await enrolled.choose_pin(operator, await desk.hashed("7391"), "s1:8")
    assert (await enrolled.sign_in(KARIM, "7391", "s2:4")).outcome == "in"
    assert (await enrolled.sign_in(KARIM, pin, "s2:9")).outcome == "wrong"


async def test_the_same_key_press_heard_again_is_answered_as_before(enrolled, desk):
    operator, pin = await enrolled.add(karim())
    first = await enrolled.sign_in(KARIM, pin, "s1:4")
    await enrolled.choose_pin(operator, await desk.hashed("7391"), "s1:8")
    await enrolled.choose_pin(operator, await desk.hashed("8052"), "s1:8")
    assert await enrolled.sign_in(KARIM, pin, "s1:4") == first
    assert (await enrolled.sign_in(KARIM, "7391", "s2:4")).outcome == "in"


async def test_from_another_number_the_right_pin_is_nobodys(enrolled):
    _, pin = await enrolled.add(karim())
    assert (await enrolled.sign_in(RAHIMA, pin, "s1:4")).outcome == "unknown"


async def test_five_wrong_pins_lock_them_out_for_a_while_however_fast_they_come(enrolled, clock):
    _, pin = await enrolled.add(karim())
    tries = [enrolled.sign_in(KARIM, "0000", f"s1:{at}") for at in range(5)]
    outcomes = sorted(tried.outcome for tried in await asyncio.gather(*tries))
    assert outcomes == ["locked", *["wrong"] * 4]
    assert (await enrolled.sign_in(KARIM, pin, "s2:4")).outcome == "locked"
    clock.moves(minutes=15)
    assert (await enrolled.sign_in(KARIM, pin, "s3:4")).outcome == "first"


async def test_who_is_suspended_cannot_sign_in_until_they_are_resumed(enrolled):
    operator, pin = await enrolled.add(karim())
    assert await enrolled.suspend(operator)
    assert not await enrolled.suspend(operator)
    assert (await enrolled.sign_in(KARIM, pin, "s1:4")).outcome == "unknown"
    assert await enrolled.resume(operator)
    assert not await enrolled.resume(operator)
    assert (await enrolled.sign_in(KARIM, pin, "s2:4")).outcome == "first"


async def test_a_pin_that_is_reset_opens_a_locked_account_and_replaces_the_one_before(enrolled, desk):
    operator, _ = await enrolled.add(karim())
    for at in range(5):
        await enrolled.sign_in(KARIM, "0000", f"s1:{at}")
    new = await enrolled.reset_pin(operator, "hi")
    assert [(to, language, facts["pin"]) for to, language, _, facts in await desk.sent()][1:] == [(KARIM, "hi", new)]
    assert (await enrolled.sign_in(KARIM, new, "s2:4")).outcome == "first"
    assert await enrolled.reset_pin(operator + 1, "hi") is None


async def test_what_staff_does_is_on_the_record(enrolled, desk, clock):
    operator, _ = await enrolled.add(karim())
    for change in (enrolled.suspend, enrolled.resume, enrolled.suspend):
        clock.moves(seconds=1)
        await change(operator)
    rows = (await desk.records.read(audit.select().order_by(audit.c.id))).all()
    assert [row.act for row in rows] == [
        *("operator_added", "operator_suspended"),
        *("operator_resumed", "operator_suspended"),
    ]
    assert {(row.actor_kind, row.subject_kind, row.subject) for row in rows} == {("staff", "operator", str(operator))}
