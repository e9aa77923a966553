"""M5: a row that could not be handled, such as one that another key encrypted, stopped the sweep of all rows behind it."""

from sqlalchemy import select

from db.tables import complaints, consents
from services.assisted.consents import Consents
from services.complaints import escalation
from tests.support.complaints import ComplaintServiceSet
from tests.support.sample_rows import insert_row


async def test_m5_a_complaint_that_fails_keeps_no_other(services, clock, monkeypatch):
    monkeypatch.setattr(escalation, "BATCH_SIZE", 2)
    complaint_services = ComplaintServiceSet(services)
    failing = [await complaint_services.submit_complaint(f"s:{place}") for place in range(3)]
    clock.advance(seconds=1)
    good = await complaint_services.submit_complaint("s:9")
    apply = complaint_services.escalation._transitions.apply

    async def fail(transaction, row, *arguments):
        if row.complaint_number in failing:
            raise ValueError
        return await apply(transaction, row, *arguments)

    monkeypatch.setattr(complaint_services.escalation._transitions, "apply", fail)
    clock.advance(days=6)
    assert await complaint_services.escalation.escalate_overdue() == 1
    levels = await services.database.fetch(select(complaints.c.level).where(complaints.c.complaint_number == good))
    assert levels.scalar_one() == 1


async def test_m5_a_consent_that_fails_keeps_no_other(services, database, clock, monkeypatch):
    monkeypatch.setattr("services.assisted.consents.BATCH_SIZE", 2)
    lapsed = {"given_at": clock(), "lapses_at": clock()}
    keys = [(await insert_row(database, consents, clock(), **lapsed))[0] for _ in range(4)]
    clock.advance(hours=1)
    expiry = Consents.__new__(Consents)
    expiry._database, expiry._clock = database, clock
    ended = []

    async def end(_transaction, row, reason, _idempotency_key):
        if row.id != keys[-1]:
            raise ValueError
        ended.append((row.id, reason))

    monkeypatch.setattr(expiry, "_end", end)
    assert await expiry.expire() == 1
    assert ended == [(keys[-1], "lapsed")]
