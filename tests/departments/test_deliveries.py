"""The rows of what is on its way to departments: written with the application, claimed once, settled once, never lost."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from services.departments.deliveries import Later
from services.departments.port import Fee, Paper, Refused, Standing, Taken
from services.departments.registry import Registry
from services.records.tables import applications, audit, deliveries
from tests.departments.office import CODE
from tests.desk import RAHIMA, birth_certificate

LATER = timedelta(minutes=3)


async def rows(office):
    return (await office.desk.records.read(select(deliveries).order_by(deliveries.c.id))).all()


async def test_an_application_of_a_connected_department_is_queued_with_it_and_once(office):
    number = await office.applies()
    assert await office.applies() == number, "the same key press"
    (row,) = await rows(office)
    assert (row.department, row.state, row.attempts) == (CODE, "queued", 0)
    assert await office.rows.delivery_state(number) == "on_its_way"


async def test_one_of_a_department_without_a_system_is_not(office):
    number = await office.applies(department="dncc")
    assert await rows(office) == []
    assert await office.rows.delivery_state(number) == "here"


async def test_nothing_is_queued_where_the_application_was_not_recorded(office):
    async def fails_afterwards(*handed_in):
        await office.rows.handed_in(*handed_in)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await office.hands_in(birth_certificate(), "s1:20", fails_afterwards)
    assert await office.desk.count(applications) == 0
    assert await rows(office) == []


async def test_what_is_claimed_is_the_whole_application(office):
    number = await office.applies(beneficiary="+8801711000009", on_file=("parents_id",))
    claimed = await office.claimed()
    assert claimed.application.tracking_number == number
    assert claimed.application.form == {"child": "আয়েশা", "nid": "19950000000000001"}
    assert claimed.application.applicant.number == RAHIMA
    assert claimed.application.beneficiary == "+8801711000009"
    assert claimed.application.documents == (Paper("vaccine_card", on_file=False), Paper("parents_id", on_file=True))
    assert claimed.application.fee == Fee(5000, "BDT", "due")


async def test_what_is_claimed_is_nobody_elses(office):
    for number in range(10):
        await office.applies(f"s1:{number}")
    found = await asyncio.gather(*(office.rows.claim(CODE, f"w{worker}", 4) for worker in range(5)))
    ids = [claimed.id for some in found for claimed in some]
    assert len(ids) == len(set(ids)) == 10
    assert await office.rows.claim("another", "w", 4) == []


async def test_one_that_was_taken_back_before_it_was_ever_tried_is_delivered_to_nobody(office, clock):
    tried, untried = await office.applies("s1:1"), await office.applies("s1:2")
    (first,) = await office.rows.claim(CODE, "test", 1)
    await office.rows.settle(first, Later("no answer", clock()))
    for number in (tried, untried):
        await office.desk.filings.move(CODE, number, "withdrawn", {}, number)
    claimed = await office.rows.claim(CODE, "test", 10)
    assert [one.application.tracking_number for one in claimed] == [tried], "the department may have it"
    assert await office.rows.delivery_state(untried) == "here"


async def test_one_that_was_delivered_has_the_departments_reference_and_is_in_the_audit(office):
    number = await office.applies()
    claimed = await office.claimed()
    assert await office.rows.settle(claimed, Taken("DEP-1"))
    assert not await office.rows.settle(claimed, Taken("DEP-1"))
    assert await office.rows.delivery_state(number) == "delivered"
    (row,) = await rows(office)
    assert (row.state, row.reference) == ("delivered", "DEP-1")
    noted = await office.desk.records.read(select(audit).where(audit.c.act == "delivered"))
    assert [(one.actor, one.subject) for one in noted] == [(CODE, number)]


async def test_one_to_be_tried_later_is_due_then_and_not_before(office, clock):
    number = await office.applies()
    claimed = await office.claimed()
    await office.rows.settle(claimed, Later("HTTP 503", clock() + LATER))
    assert await office.rows.due() == []
    assert await office.rows.claim(CODE, "test", 10) == []
    clock.moves(minutes=3)
    assert await office.rows.due() == [CODE]
    assert (await office.claimed()).attempt == 2
    assert await office.rows.delivery_state(number) == "waiting", "it has waited for minutes"


async def test_one_that_is_held_is_tried_again_too_and_is_told_apart(office, clock):
    await office.applies()
    await office.rows.settle(await office.claimed(), Later("HTTP 401", clock() + LATER, held=True))
    assert [row.state for row in await rows(office)] == ["held"]
    clock.moves(minutes=3)
    assert (await office.claimed()).attempt == 2


async def test_when_a_department_answers_again_all_of_its_are_due_at_once(office, clock):
    await office.applies()
    await office.rows.settle(await office.claimed(), Later("HTTP 503", clock() + LATER))
    await office.rows.hasten("another")
    assert await office.rows.due() == []
    await office.rows.hasten(CODE)
    assert await office.rows.due() == [CODE]


async def test_a_refused_one_is_put_up_for_a_person_who_can_have_it_tried_again(office):
    number = await office.applies()
    await office.rows.settle(await office.claimed(), Refused("HTTP 422", "The mother's name is missing."))
    assert await office.rows.delivery_state(number) == "refused"
    (put_up,) = await office.rows.put_up()
    assert put_up[:4] == (number, CODE, "HTTP 422", "The mother's name is missing.")
    assert b"mother" not in (await rows(office))[0].answer, "it may quote the application"
    assert await office.rows.again(number, "staff-1", "console")
    assert not await office.rows.again(number, "staff-1", "console")
    assert (await office.claimed()).attempt == 1
    noted = await office.desk.records.read(select(audit).where(audit.c.act == "delivered_again"))
    assert [one.actor for one in noted] == ["staff-1"]


async def test_the_citizens_application_stays_received_whatever_the_department_says(office):
    number = await office.applies()
    await office.rows.settle(await office.claimed(), Refused("HTTP 422"))
    assert await Registry(office.desk.records, CODE).status(number) == Standing("received", {})


async def test_what_a_dead_worker_left_is_queued_again_under_the_same_key(office, clock):
    number = await office.applies()
    dead = await office.claimed()
    assert await office.rows.sweep(LATER) == 0
    clock.moves(minutes=4)
    assert await office.rows.sweep(LATER) == 1
    alive = await office.claimed()
    assert (alive.id, alive.attempt, alive.application.tracking_number) == (dead.id, 2, number)


async def test_one_that_was_only_slow_settles_nothing_that_another_has_begun(office, clock):
    await office.applies()
    slow = await office.claimed()
    clock.moves(minutes=4)
    await office.rows.sweep(LATER)
    other = await office.claimed()
    assert not await office.rows.settle(slow, Later("no answer", clock()))
    assert await office.rows.settle(slow, Taken("DEP-1")), "that it was taken is true whoever says so"
    assert not await office.rows.settle(other, Later("no answer", clock()))
    assert not await office.rows.settle(other, Refused("HTTP 409"))
    assert [row.state for row in await rows(office)] == ["delivered"]


async def test_an_application_sealed_with_another_key_holds_up_no_other(office):
    await office.applies("s1:1")
    spoiled = update(applications).values(form=b"sealed with another key, long enough")
    async with office.desk.records.transaction() as transaction:
        await transaction.execute(spoiled)
    number = await office.applies("s1:2")
    assert [one.application.tracking_number for one in await office.rows.claim(CODE, "test", 10)] == [number]
    assert [row.error for row in await rows(office) if row.state == "refused"] == ["unreadable"]


async def test_a_system_that_is_known_to_be_down_is_told_at_once(office):
    office.rows.silent.add(CODE)
    assert await office.rows.delivery_state(await office.applies()) == "waiting"


async def test_what_piles_up_under_other_processes_is_told_and_one_that_is_at_fault_itself_is_not(office, clock):
    for number in range(3):
        clock.moves(minutes=2)
        new = await office.applies(f"s1:{number}")
        assert await office.rows.delivery_state(new) == "on_its_way", "fewer than three have waited"
    clock.moves(minutes=2)
    assert await office.rows.delivery_state(await office.applies("s2:1")) == "waiting"


async def test_how_many_stand_where_is_told_by_department(office, clock):
    for number in range(3):
        await office.applies(f"s1:{number}")
    clock.moves(minutes=2)
    claimed = await office.rows.claim(CODE, "test", 1)
    await office.rows.settle(claimed[0], Refused("HTTP 422"))
    depth = {(one.department, one.state): (one.rows, one.oldest) for one in await office.rows.depth()}
    minutes = timedelta(minutes=2)
    assert depth == {(CODE, "queued"): (2, minutes), (CODE, "refused"): (1, minutes)}


async def test_with_nothing_connected_nothing_is_asked_of_the_database(office):
    rows = office.deliveries({})
    await office.desk.records.close()
    assert await rows.due() == ()
    assert await rows.delivery_state("123456789015") == "here"
