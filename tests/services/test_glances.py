"""An application as it is followed: its status, its fee and whether it waits for its office, in one look."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from services.departments.deliveries import Deliveries
from services.records.tables import applications, deliveries, payments
from tests.desk import RAHIMA, birth_certificate

CODE = "local_government"


async def applied(desk, **other) -> str:
    account = await desk.registers()
    return (await desk.applications.submit(birth_certificate(account, **other), "s:1")).tracking_number


async def paying(desk, number: str, status: str) -> None:
    """A payment of this application's fee that stands so."""
    moments = dict.fromkeys(("created_at", "updated_at"), desk.clock())
    what = {"purpose": "fee", "reference": number, "subject": "birth_certificate", "wallet": "sandbox"}
    money = {"payer": RAHIMA, "amount_minor": 5000, "currency": "BDT", "language": "bn", "channel": "ussd"}
    row = {"key": f"key-{status}", "status": status, "effect": f"s:9/{status}", **moments, **what, **money}
    async with desk.records.transaction() as transaction:
        await transaction.execute(desk.records.insert(payments), row)


async def queued(desk, state: str) -> None:
    """A delivery of the one application there is, that stands so."""
    moments = dict.fromkeys(("created_at", "updated_at", "due_at"), desk.clock())
    row = {"application": 1, "department": CODE, "state": state, "effect": "application:1/handed_in", **moments}
    async with desk.records.transaction() as transaction:
        await transaction.execute(desk.records.insert(deliveries), row)


async def test_it_says_of_the_status_what_following_says(desk):
    number = await applied(desk)
    glance = await desk.glances()(number)
    assert glance == (await desk.following.status(number), "due", False)
    assert await desk.glances()("000000000000") is None


@pytest.mark.parametrize(
    ("stands", "fee"),
    [("pending", "pending"), ("sending", "pending"), ("unknown", "pending"), ("paid", "paid"), ("failed", "due")],
)
async def test_the_fee_is_that_of_the_payment_that_counts(desk, stands, fee):
    number = await applied(desk)
    await paying(desk, number, stands)
    assert (await desk.glances()(number)).fee == fee


@pytest.mark.parametrize("status", ["rejected", "withdrawn"])
async def test_nobody_is_asked_for_the_fee_of_what_came_to_nothing_and_what_was_paid_is_told(desk, status):
    number = await applied(desk)
    async with desk.records.transaction() as transaction:
        await transaction.execute(update(applications).values(status=status))
    assert (await desk.glances()(number)).fee == "none"
    await paying(desk, number, "paid")
    assert (await desk.glances()(number)).fee == "paid"


@pytest.mark.parametrize(
    ("state", "silent", "waits"),
    [("queued", (), False), ("queued", (CODE,), True), ("delivered", (CODE,), False), ("refused", (CODE,), False)],
)
async def test_it_waits_where_its_offices_system_does_not_answer(desk, state, silent, waits):
    number, rows = await applied(desk), Deliveries(desk.records, desk.seal, {CODE: None}, clock=desk.clock)
    rows.silent.update(silent)
    assert not (await desk.glances(rows)(number)).waits, "nothing is on its way"
    await queued(desk, state)
    assert (await desk.glances(rows)(number)).waits is waits


async def test_what_its_office_has_answered_waits_no_more(desk):
    number, rows = await applied(desk), Deliveries(desk.records, desk.seal, {CODE: None}, clock=desk.clock)
    await queued(desk, "queued")
    desk.clock.now += timedelta(minutes=2)
    assert (await desk.glances(rows)(number)).waits
    async with desk.records.transaction() as transaction:
        await transaction.execute(update(applications).values(status="under_review"))
    assert not (await desk.glances(rows)(number)).waits


async def test_it_is_one_look_into_the_database(desk, monkeypatch):
    number, rows = await applied(desk), Deliveries(desk.records, desk.seal, {CODE: None}, clock=desk.clock)
    await queued(desk, "delivered")
    glances, looked = desk.glances(rows), []

    async def find(key):
        looked.append(key)
        return await row(key)

    row = glances._row._row
    monkeypatch.setattr(glances._row, "_row", find)
    monkeypatch.setattr(desk.records, "read", None)
    assert (await glances(number)).fee == "due"
    assert looked == [number]
