"""After a release nothing reaches the number: every cause of a message is tried, and every kind of message."""

from typing import get_args

import pytest
from sqlalchemy import select

from db.tables import accounts, messages
from services.audit.models import Actor
from services.citizens.number_release import NumberReleases, ReleaseRequest
from services.messaging.kinds import MessageKind
from services.messaging.models import Message
from tests.support.assisted_services import AssistedServiceSet
from tests.support.complaints import ComplaintServiceSet
from tests.support.payments import PaymentServiceSet, fee_request, paid_report, refused_report
from tests.support.services import CIPHER, KARIM, RAHIMA, birth_certificate_submission

VILLAGE_OPERATOR = "+8801711000003"
DEPARTMENT = Actor("department", "local_government", "api")


class Holder:
    """The former holder of a number, who has something of every kind, and the causes of news about it."""

    def __init__(self, services, database, redis, clock):
        self.services, self.database, self.clock = services, database, clock
        self.complaints = ComplaintServiceSet(services)
        self.payments = PaymentServiceSet(database, clock)
        self.assisted = AssistedServiceSet(services, redis, clock)

    async def prepare(self):
        self.account = await self.services.register(RAHIMA)
        other = await self.services.register(KARIM, idempotency_key="s2:9")
        submit = self.services.applications.submit
        self.own = (await submit(birth_certificate_submission(self.account), "s1:30")).tracking_number
        for_rahima = birth_certificate_submission(other, KARIM, beneficiary=RAHIMA)
        self.of_another = (await submit(for_rahima, "s2:30")).tracking_number
        self.complaint = await self.complaints.submit_complaint("s1:40", about=self.own)
        operator = await self.assisted.enrol(VILLAGE_OPERATOR)
        self.consent = await self.assisted.give_consent(operator, "s3")
        for reference in ("1", "2", "3"):
            request = fee_request(reference * 12, RAHIMA, account=self.account)
            await self.payments.payments.request_payment(request, f"s1:5{reference}")
        await self.payments.run_later(seconds=10)
        self.clock.advance(days=1)

    async def release(self):
        releases = NumberReleases(self.database, CIPHER, clock=self.clock)
        staff = Actor("staff", "nadia", "terminal")
        await releases.release(ReleaseRequest(RAHIMA, "staff", staff, "k1"))
        await self.drop_outbox()

    async def drop_outbox(self):
        """Forget what was sent until now; whom it went to."""
        async with self.database.transaction() as transaction:
            rows = (await transaction.execute(select(messages.c.recipient))).scalars().all()
            await transaction.execute(messages.delete())
        return set(rows)

    async def move_application(self):
        await self.services.department_applications.move("local_government", self.own, "ready", {}, "h1", by=DEPARTMENT)

    async def move_application_of_another(self):
        move = self.services.department_applications.move
        await move("local_government", self.of_another, "ready", {}, "h2", by=DEPARTMENT)

    async def withdraw_application_of_another(self):
        query = select(accounts.c.id).where(accounts.c.msisdn == KARIM)
        other = (await self.database.fetch(query)).scalar_one()
        await self.services.withdrawals.withdraw(other, self.of_another, "ussd", "s2:80")

    async def answer_complaint(self):
        note = {"en": "Done"}
        move = self.complaints.department_complaints.move
        await move("local_government", self.complaint, "answered", note, "h3", by=DEPARTMENT)

    async def escalate_complaint(self):
        self.clock.advance(days=30)
        await self.complaints.escalation.escalate_overdue()

    async def end_visit(self):
        await self.assisted.consents.expire()

    async def report_payments(self):
        rows = await self.payments.fetch_rows()
        await self.payments.payments.record_report(rows[0].key, paid_report(request=rows[0].request))
        await self.payments.payments.record_report(rows[1].key, refused_report(request=rows[1].request))
        for _ in range(12):
            await self.payments.run_later(hours=1)

    async def send_status(self):
        await self.services.status_reader.send_status(
            (await self.database.fetch(select(accounts.c.msisdn).where(accounts.c.id == self.account))).scalar_one(),
            self.own,
            "bn",
            "s1:90",
        )


CAUSES = (
    Holder.move_application,
    Holder.move_application_of_another,
    Holder.withdraw_application_of_another,
    Holder.answer_complaint,
    Holder.escalate_complaint,
    Holder.end_visit,
    Holder.report_payments,
    Holder.send_status,
)


@pytest.fixture
async def holder(services, database, redis, clock):
    holder = Holder(services, database, redis, clock)
    await holder.prepare()
    return holder


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.__name__)
@pytest.mark.parametrize("redis_url", ["fakeredis"], indirect=True)
async def test_after_a_release_the_cause_brings_no_news(holder, cause):
    await holder.drop_outbox()
    await holder.release()
    await cause(holder)
    assert RAHIMA not in await holder.drop_outbox()


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.__name__)
@pytest.mark.parametrize("redis_url", ["fakeredis"], indirect=True)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_without_a_release_the_cause_brings_news(holder, cause):
    await holder.drop_outbox()
    await cause(holder)
    assert RAHIMA in await holder.drop_outbox()


@pytest.mark.parametrize("kind", get_args(MessageKind))
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_message_of_any_kind_to_a_released_number_is_dropped(services, database, kind):
    await services.messages.send(Message("#12", "x", kind, "m1"))
    assert (await database.fetch(select(messages.c.id))).all() == []
