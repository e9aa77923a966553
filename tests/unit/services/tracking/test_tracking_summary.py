"""An application as it is followed: its status, its fee and whether it waits for its office, in one look."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from db.tables import applications, deliveries, payments
from services.applications.models import STATUSES
from services.departments.deliveries import DeliveryRepository
from tests.support.services import RAHIMA, birth_certificate_submission

CODE = "local_government"


async def submit_application(services, **other) -> str:
    account = await services.register()
    return (await services.applications.submit(birth_certificate_submission(account, **other), "s:1")).tracking_number


async def insert_payment(services, number: str, status: str) -> None:
    """A payment of this application's fee that stands so."""
    moments = dict.fromkeys(("created_at", "updated_at"), services.clock())
    what = {"purpose": "fee", "reference": number, "subject": "birth_certificate", "wallet": "sandbox"}
    money = {"payer": RAHIMA, "amount_minor": 5000, "currency": "BDT", "language": "bn", "channel": "ussd"}
    row = {"key": f"key-{status}", "status": status, "idempotency_key": f"s:9/{status}", **moments, **what, **money}
    async with services.database.transaction() as transaction:
        await transaction.execute(services.database.insert(payments), row)


async def insert_delivery(services, state: str) -> None:
    """A delivery of the one application there is, that stands so."""
    moments = dict.fromkeys(("created_at", "updated_at", "due_at"), services.clock())
    row = {
        "application": 1,
        "department": CODE,
        "state": state,
        "idempotency_key": "application:1/handed_in",
        **moments,
    }
    async with services.database.transaction() as transaction:
        await transaction.execute(services.database.insert(deliveries), row)


async def test_the_summary_has_the_status_of_the_status_reader(services):
    number = await submit_application(services)
    glance = await services.tracking_summaries().find(number)
    assert glance == (await services.status_reader.find_status(number), "due", False, glance.holders)
    assert RAHIMA not in repr(glance)
    assert await services.tracking_summaries().find("000000000000") is None


@pytest.mark.parametrize(
    ("stands", "fee"),
    [("pending", "pending"), ("sending", "pending"), ("unknown", "pending"), ("paid", "paid"), ("failed", "due")],
)
async def test_the_summary_has_the_fee_of_the_payment_that_counts(services, stands, fee):
    number = await submit_application(services)
    await insert_payment(services, number, stands)
    assert (await services.tracking_summaries().find(number)).fee == fee


@pytest.mark.parametrize("status", ["rejected", "withdrawn"])
async def test_a_rejected_application_has_no_due_fee_and_a_paid_fee_stays_paid(services, status):
    number = await submit_application(services)
    async with services.database.transaction() as transaction:
        await transaction.execute(update(applications).values(status=status))
    assert (await services.tracking_summaries().find(number)).fee == "none"
    await insert_payment(services, number, "paid")
    assert (await services.tracking_summaries().find(number)).fee == "paid"


FEE_STATES = {  # by status of the application: of a fee that was never paid, is being paid, was paid, was given back
    "received": ("due", "pending", "paid", "due"),
    "under_review": ("due", "pending", "paid", "due"),
    "more_information": ("due", "pending", "paid", "due"),
    "approved": ("due", "pending", "paid", "due"),
    "ready": ("due", "pending", "paid", "due"),
    "delivered": ("due", "pending", "paid", "refunded"),
    "rejected": ("none", "pending", "paid", "refunded"),
    "withdrawn": ("none", "pending", "paid", "refunded"),
}


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize(("stands", "column"), [("failed", 0), ("pending", 1), ("paid", 2), ("refunded", 3)])
async def test_7_5_every_status_has_a_fee_state_for_every_payment(services, status, stands, column):
    number = await submit_application(services)
    await insert_payment(services, number, stands)
    async with services.database.transaction() as transaction:
        await transaction.execute(update(applications).values(status=status))
    expected = FEE_STATES[status][column]
    assert (await services.tracking_summaries().find(number)).fee == expected
    assert await services.fees().find_state(number) == expected


@pytest.mark.parametrize(
    ("state", "silent", "waits"),
    [("queued", (), False), ("queued", (CODE,), True), ("delivered", (CODE,), False), ("refused", (CODE,), False)],
)
async def test_the_summary_waits_where_the_departments_system_does_not_answer(services, state, silent, waits):
    number, rows = (
        await submit_application(services),
        DeliveryRepository(services.database, services.cipher, {CODE: None}, clock=services.clock),
    )
    rows.unreachable.update(silent)
    assert not (await services.tracking_summaries(rows).find(number)).is_waiting, "nothing is on its way"
    await insert_delivery(services, state)
    assert (await services.tracking_summaries(rows).find(number)).is_waiting is waits


async def test_an_answered_application_does_not_wait(services):
    number, rows = (
        await submit_application(services),
        DeliveryRepository(services.database, services.cipher, {CODE: None}, clock=services.clock),
    )
    await insert_delivery(services, "queued")
    services.clock.now += timedelta(minutes=2)
    assert (await services.tracking_summaries(rows).find(number)).is_waiting
    async with services.database.transaction() as transaction:
        await transaction.execute(update(applications).values(status="under_review"))
    assert not (await services.tracking_summaries(rows).find(number)).is_waiting


async def test_the_summary_is_one_database_query(services, monkeypatch):
    number, rows = (
        await submit_application(services),
        DeliveryRepository(services.database, services.cipher, {CODE: None}, clock=services.clock),
    )
    await insert_delivery(services, "delivered")
    summaries, keys = services.tracking_summaries(rows), []

    async def find(key):
        keys.append(key)
        return await row(key)

    row = summaries._find_row._reader
    with monkeypatch.context() as patch:  # undone before the database is closed
        patch.setattr(summaries._find_row, "_reader", find)
        patch.setattr(services.database, "fetch", None)
        assert (await summaries.find(number)).fee == "due"
    assert keys == [number]
