"""M5: nobody could settle a message with an unknown result, and many of them hid each other from delivery reports."""

from datetime import timedelta

from sqlalchemy import func, insert, select

from db.tables import messages
from services.messaging import delivery_reports, queries
from services.messaging.delivery_status import DeliveryReport, DeliveryStatus
from services.messaging.models import Message, SendResult
from tests.support.services import KARIM, RAHIMA
from tests.support.staff import staff_act

LATE = timedelta(minutes=5)


def message_rows(status, count, at, recipient=RAHIMA):
    row = {"recipient": recipient, "kind": "info", "secret": False, "status": status, "due_at": at, "not_after": at}
    return [
        {**row, "idempotency_key": f"{status}:{number}", "created_at": at, "updated_at": at} for number in range(count)
    ]


async def add(database, rows):
    async with database.transaction() as transaction:
        await transaction.execute(insert(messages), rows)


async def test_m5_a_person_settles_an_unknown_message(services, database, clock):
    await add(database, message_rows("unknown", 3, clock()))
    listed = await services.messages.list_unresolved()
    assert [one.to for one in listed] == ["…001"] * 3
    for one, resolution in zip(listed, ("sent", "failed"), strict=False):
        assert await services.messages.resolve_unknown(one.id, resolution, staff_act("provider"))
    assert [one.id for one in await services.messages.list_unresolved()] == [listed[2].id]
    found = await database.fetch(select(messages.c.status).order_by(messages.c.id))
    assert found.scalars().all() == ["sent", "failed", "unknown"]


async def test_m5_a_report_finds_its_message_behind_many_unknown_ones(services, database, clock, monkeypatch):
    """The newest 500 unknown messages were looked at, and no others."""
    monkeypatch.setattr(delivery_reports, "MAX_PAGES", 1)
    await services.messages.send(Message(KARIM, "text", "info", "s1:4"))
    (message,) = await services.messages.claim("test", 1)
    await services.messages.record_report(DeliveryReport("ATXid_7", DeliveryStatus.DELIVERED, "Success", msisdn=KARIM))
    await services.messages.record_result(message.id, SendResult("unknown", error="Timeout"))
    clock.advance(seconds=1)
    await add(database, message_rows("unknown", 2 * delivery_reports.BATCH_SIZE, clock()))
    for _ in range(3):
        await services.messages.recover_abandoned(LATE)
    assert (await services.messages.state(message.id)).stage == "delivered"


async def test_m5_reports_that_find_no_message_do_not_hide_those_behind_them(services, database, clock):
    for number in range(delivery_reports.BATCH_SIZE + 1):
        report = DeliveryReport(f"old_{number}", DeliveryStatus.DELIVERED, "Success", msisdn=KARIM)
        await services.messages.record_report(report)
    clock.advance(minutes=1)
    await services.messages.send(Message(KARIM, "text", "info", "s1:4"))
    (message,) = await services.messages.claim("test", 1)
    await services.messages.record_report(DeliveryReport("ATXid_7", DeliveryStatus.DELIVERED, "Success", msisdn=KARIM))
    await services.messages.record_result(message.id, SendResult("unknown", error="Timeout"))
    await services.messages.recover_abandoned(LATE)
    assert (await services.messages.state(message.id)).stage == "delivered"


async def test_m5_a_recovery_goes_through_all_of_a_backlog_in_batches(services, database, clock):
    count = 2 * queries.RECOVERY_BATCH + 1
    await add(database, message_rows("sending", count, clock()))
    await add(database, message_rows("queued", count, clock()))
    clock.advance(minutes=10)
    assert await services.messages.recover_abandoned(LATE) == count
    by_status = select(messages.c.status, func.count()).group_by(messages.c.status).order_by(messages.c.status)
    assert (await database.fetch(by_status)).all() == [("failed", count), ("unknown", count)]
