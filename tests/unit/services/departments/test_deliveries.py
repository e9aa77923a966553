"""Deliveries to departments: enqueued with the application, claimed once, settled once, never lost."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from db.tables import applications, audit, deliveries
from services.departments.models import Accepted, ApplicationStatus, Fee, Rejected, RequiredDocument, RetryLater
from services.departments.registry import BuiltInRegistry
from tests.support.department_deliveries import CODE
from tests.support.services import RAHIMA, birth_certificate_submission
from tests.support.staff import staff_act

LATER = timedelta(minutes=3)


async def rows(office):
    return (await office.services.database.fetch(select(deliveries).order_by(deliveries.c.id))).all()


async def test_an_application_of_a_connected_department_is_queued_with_it_and_once(delivery_services):
    number = await delivery_services.submit_application()
    assert await delivery_services.submit_application() == number, "the same key press"
    (row,) = await rows(delivery_services)
    assert (row.department, row.state, row.attempts) == (CODE, "queued", 0)
    assert await delivery_services.deliveries_repository.delivery_state(number) == "on_its_way"


async def test_one_of_a_department_without_a_system_is_not(delivery_services):
    number = await delivery_services.submit_application(department="dncc")
    assert await rows(delivery_services) == []
    assert await delivery_services.deliveries_repository.delivery_state(number) == "here"


async def test_nothing_is_queued_where_the_application_was_not_recorded(delivery_services):
    async def fails_afterwards(*handed_in):
        await delivery_services.deliveries_repository.enqueue(*handed_in)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await delivery_services.enqueue(birth_certificate_submission(), "s1:20", fails_afterwards)
    assert await delivery_services.services.count_rows(applications) == 0
    assert await rows(delivery_services) == []


async def test_what_is_claimed_is_the_whole_application(delivery_services):
    number = await delivery_services.submit_application(beneficiary="+8801711000009", on_file=("parents_id",))
    claimed = await delivery_services.claim_one()
    assert claimed.application.tracking_number == number
    assert claimed.application.form == {"child": "আয়েশা", "nid": "19950000000000001"}
    assert claimed.application.applicant.msisdn == RAHIMA
    assert claimed.application.beneficiary == "+8801711000009"
    assert claimed.application.documents == (
        RequiredDocument("vaccine_card", on_file=False),
        RequiredDocument("parents_id", on_file=True),
    )
    assert claimed.application.fee == Fee(5000, "BDT", "due")


async def test_what_is_claimed_is_nobody_elses(delivery_services):
    for number in range(10):
        await delivery_services.submit_application(f"s1:{number}")
    found = await asyncio.gather(
        *(delivery_services.deliveries_repository.claim(CODE, f"w{worker}", 4) for worker in range(5))
    )
    ids = [claimed.id for some in found for claimed in some]
    assert len(ids) == len(set(ids)) == 10
    assert await delivery_services.deliveries_repository.claim("another", "w", 4) == []


async def test_one_that_was_taken_back_before_it_was_ever_tried_is_delivered_to_nobody(delivery_services, clock):
    tried, untried = (
        await delivery_services.submit_application("s1:1"),
        await delivery_services.submit_application("s1:2"),
    )
    (first,) = await delivery_services.deliveries_repository.claim(CODE, "test", 1)
    await delivery_services.deliveries_repository.record_result(first, RetryLater("no answer", clock()))
    for number in (tried, untried):
        await delivery_services.services.department_applications.move(CODE, number, "withdrawn", {}, number)
    claimed = await delivery_services.deliveries_repository.claim(CODE, "test", 10)
    assert [one.application.tracking_number for one in claimed] == [tried], "the department may have it"
    assert await delivery_services.deliveries_repository.delivery_state(untried) == "here"


async def test_one_that_was_delivered_has_the_departments_reference_and_is_in_the_audit(delivery_services):
    number = await delivery_services.submit_application()
    claimed = await delivery_services.claim_one()
    assert await delivery_services.deliveries_repository.record_result(claimed, Accepted("DEP-1"))
    assert not await delivery_services.deliveries_repository.record_result(claimed, Accepted("DEP-1"))
    assert await delivery_services.deliveries_repository.delivery_state(number) == "delivered"
    (row,) = await rows(delivery_services)
    assert (row.state, row.reference) == ("delivered", "DEP-1")
    noted = await delivery_services.services.database.fetch(select(audit).where(audit.c.act == "delivered"))
    assert [(one.actor, one.subject) for one in noted] == [(CODE, number)]


async def test_one_to_be_tried_later_is_due_then_and_not_before(delivery_services, clock):
    number = await delivery_services.submit_application()
    claimed = await delivery_services.claim_one()
    await delivery_services.deliveries_repository.record_result(claimed, RetryLater("HTTP 503", clock() + LATER))
    assert await delivery_services.deliveries_repository.departments_due() == []
    assert await delivery_services.deliveries_repository.claim(CODE, "test", 10) == []
    clock.advance(minutes=3)
    assert await delivery_services.deliveries_repository.departments_due() == [CODE]
    assert (await delivery_services.claim_one()).attempt == 2
    assert await delivery_services.deliveries_repository.delivery_state(number) == "waiting", (
        "it has waited for minutes"
    )


async def test_one_that_is_held_is_tried_again_too_and_is_told_apart(delivery_services, clock):
    await delivery_services.submit_application()
    await delivery_services.deliveries_repository.record_result(
        await delivery_services.claim_one(), RetryLater("HTTP 401", clock() + LATER, suspended=True)
    )
    assert [row.state for row in await rows(delivery_services)] == ["held"]
    clock.advance(minutes=3)
    assert (await delivery_services.claim_one()).attempt == 2


async def test_when_a_department_answers_again_all_of_its_are_due_at_once(delivery_services, clock):
    await delivery_services.submit_application()
    await delivery_services.deliveries_repository.record_result(
        await delivery_services.claim_one(), RetryLater("HTTP 503", clock() + LATER)
    )
    await delivery_services.deliveries_repository.retry_now("another")
    assert await delivery_services.deliveries_repository.departments_due() == []
    await delivery_services.deliveries_repository.retry_now(CODE)
    assert await delivery_services.deliveries_repository.departments_due() == [CODE]


async def test_a_refused_one_is_put_up_for_a_person_who_can_have_it_tried_again(delivery_services):
    number = await delivery_services.submit_application()
    await delivery_services.deliveries_repository.record_result(
        await delivery_services.claim_one(), Rejected("HTTP 422", "The mother's name is missing.")
    )
    assert await delivery_services.deliveries_repository.delivery_state(number) == "refused"
    (put_up,) = await delivery_services.deliveries_repository.list_rejected()
    assert put_up[:4] == (number, CODE, "HTTP 422", "The mother's name is missing.")
    assert b"mother" not in (await rows(delivery_services))[0].answer, "it may quote the application"
    assert await delivery_services.deliveries_repository.retry(number, staff_act())
    assert not await delivery_services.deliveries_repository.retry(number, staff_act())
    assert (await delivery_services.claim_one()).attempt == 1
    noted = await delivery_services.services.database.fetch(select(audit).where(audit.c.act == "delivered_again"))
    assert [(one.actor, one.details) for one in noted] == [("nadia", {"reason": "ticket 4711"})]


async def test_the_citizens_application_stays_received_whatever_the_department_says(delivery_services):
    number = await delivery_services.submit_application()
    await delivery_services.deliveries_repository.record_result(
        await delivery_services.claim_one(), Rejected("HTTP 422")
    )
    assert await BuiltInRegistry(delivery_services.services.database, CODE).fetch_status(number) == ApplicationStatus(
        "received", {}
    )


async def test_what_a_dead_worker_left_is_queued_again_under_the_same_key(delivery_services, clock):
    number = await delivery_services.submit_application()
    dead = await delivery_services.claim_one()
    assert await delivery_services.deliveries_repository.recover_abandoned(LATER) == 0
    clock.advance(minutes=4)
    assert await delivery_services.deliveries_repository.recover_abandoned(LATER) == 1
    alive = await delivery_services.claim_one()
    assert (alive.id, alive.attempt, alive.application.tracking_number) == (dead.id, 2, number)


async def test_one_that_was_only_slow_settles_nothing_that_another_has_begun(delivery_services, clock):
    await delivery_services.submit_application()
    slow = await delivery_services.claim_one()
    clock.advance(minutes=4)
    await delivery_services.deliveries_repository.recover_abandoned(LATER)
    other = await delivery_services.claim_one()
    assert not await delivery_services.deliveries_repository.record_result(slow, RetryLater("no answer", clock()))
    assert await delivery_services.deliveries_repository.record_result(slow, Accepted("DEP-1")), (
        "that it was taken is true whoever says so"
    )
    assert not await delivery_services.deliveries_repository.record_result(other, RetryLater("no answer", clock()))
    assert not await delivery_services.deliveries_repository.record_result(other, Rejected("HTTP 409"))
    assert [row.state for row in await rows(delivery_services)] == ["delivered"]


async def test_an_application_sealed_with_another_key_holds_up_no_other(delivery_services):
    await delivery_services.submit_application("s1:1")
    spoiled = update(applications).values(form=b"sealed with another key, long enough")
    async with delivery_services.services.database.transaction() as transaction:
        await transaction.execute(spoiled)
    number = await delivery_services.submit_application("s1:2")
    assert [
        one.application.tracking_number for one in await delivery_services.deliveries_repository.claim(CODE, "test", 10)
    ] == [number]
    assert [row.error for row in await rows(delivery_services) if row.state == "refused"] == ["unreadable"]


async def test_a_system_that_is_known_to_be_down_is_told_at_once(delivery_services):
    delivery_services.deliveries_repository.unreachable.add(CODE)
    assert (
        await delivery_services.deliveries_repository.delivery_state(await delivery_services.submit_application())
        == "waiting"
    )


async def test_what_piles_up_under_other_processes_is_told_and_one_that_is_at_fault_itself_is_not(
    delivery_services, clock
):
    for number in range(3):
        clock.advance(minutes=2)
        new = await delivery_services.submit_application(f"s1:{number}")
        assert await delivery_services.deliveries_repository.delivery_state(new) == "on_its_way", (
            "fewer than three have waited"
        )
    clock.advance(minutes=2)
    assert (
        await delivery_services.deliveries_repository.delivery_state(await delivery_services.submit_application("s2:1"))
        == "waiting"
    )


async def test_how_many_stand_where_is_told_by_department(delivery_services, clock):
    for number in range(3):
        await delivery_services.submit_application(f"s1:{number}")
    clock.advance(minutes=2)
    claimed = await delivery_services.deliveries_repository.claim(CODE, "test", 1)
    await delivery_services.deliveries_repository.record_result(claimed[0], Rejected("HTTP 422"))
    depth = {
        (one.department, one.state): (one.rows, one.oldest_age)
        for one in await delivery_services.deliveries_repository.depth()
    }
    minutes = timedelta(minutes=2)
    assert depth == {(CODE, "queued"): (2, minutes), (CODE, "refused"): (1, minutes)}


async def test_with_nothing_connected_nothing_is_asked_of_the_database(delivery_services):
    rows = delivery_services.deliveries({})
    await delivery_services.services.database.close()
    assert await rows.departments_due() == ()
    assert await rows.delivery_state("123456789015") == "here"
