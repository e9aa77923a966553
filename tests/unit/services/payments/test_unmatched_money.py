"""Money by reference that belongs to no payment: a person assigns it, or gives it back in the wallet's portal."""

import asyncio

import pytest
from sqlalchemy import select

from db.tables import audit, payment_refunds, payment_reports
from services.audit.audit import AuditLog
from services.audit.models import Actor
from services.audit.staff_acts import StaffAct
from services.payments.ledger import Ledger
from services.payments.reconciliation import PaymentReconciler
from services.payments.reference_payments import ReferencePayments
from services.payments.unmatched_money import AssignedMoney, ReturnedMoney, UnmatchedMoney, UnmatchedRejected
from services.payments.wallets.base import ReferenceNotice
from tests.fakes.daraja_server import SHORT_CODE
from tests.support.payments import PaymentServiceSet
from tests.support.services import CIPHER, RAHIMA, birth_certificate_submission

RECEIPT = "RKT1234567"


def build_act(key="terminal:1"):
    return StaffAct(Actor("staff", "nadia", "terminal"), "ticket 4711", key)


class FinanceSteps:
    """Finance, beside a wallet that has told of money for an account number that nobody knows."""

    def __init__(self, services):
        self.services = services
        self.pay_bill = PaymentServiceSet(services.database, services.clock)
        log = AuditLog(services.database, clock=services.clock)
        notifier = self.pay_bill.notifier
        reconciler = PaymentReconciler(services.database, CIPHER, notifier, log, services.clock)
        given = {"wallet": "told", "clock": services.clock}
        self.by_reference = ReferencePayments(services.database, reconciler, notifier, merchants=[SHORT_CODE], **given)
        self.unmatched = UnmatchedMoney(services.database, reconciler, notifier, **given)

    async def receive(self, account="rent", amount=5000, receipt=RECEIPT, currency="BDT"):
        return await self.by_reference.record(ReferenceNotice(receipt, account, amount, currency, SHORT_CODE))

    async def assign(self, what, account, key="terminal:1"):
        return await self.unmatched.assign(what, account, build_act(key))

    async def issues(self):
        found = await Ledger(self.services.database, clock=self.services.clock).issues()
        return [(one.id, one.amount_minor, one.currency) for one in found if one.kind == "report"]

    async def acts(self):
        of_staff = select(audit).where(audit.c.actor_kind == "staff").order_by(audit.c.id)
        return [(row.act, row.subject_kind, row.subject) for row in await self.services.database.fetch(of_staff)]


@pytest.fixture
def finance(services):
    return FinanceSteps(services)


@pytest.fixture
async def number(services):
    account = await services.register()
    return (await services.applications.submit(birth_certificate_submission(account), "s:1")).tracking_number


@pytest.mark.parametrize("what", [RECEIPT, RECEIPT.lower(), "1", "#1"])
async def test_money_is_assigned_to_the_tracking_number_that_the_payer_meant(finance, number, what):
    assert await finance.receive() is None
    assert await finance.issues() == [(1, 5000, "BDT")]
    shown = f"{number[:4]} {number[4:8]} {number[8:]}"
    assert await finance.assign(what, shown) == AssignedMoney(1, 1, "paid", 5000, "BDT")
    (row,) = await finance.pay_bill.fetch_rows()
    assert (row.status, row.wallet, row.channel, row.receipt, row.payer) == (
        *("paid", "told", "reference", RECEIPT),
        RAHIMA,
    )
    assert await finance.services.fees().find_state(number) == "paid"
    assert [text for text in await finance.pay_bill.claim_sms_texts() if text == "fee_paid"] == ["fee_paid"]
    assert await finance.issues() == []
    assert await finance.acts() == [("assigned", "payment", "1")]


async def test_money_is_assigned_once_however_often_and_by_how_many(finance, number):
    await finance.receive()
    said = await asyncio.gather(*(finance.assign(RECEIPT, number, f"terminal:{key}") for key in range(3)))
    assert set(said) == {AssignedMoney(1, 1, "paid", 5000, "BDT")}
    assert await finance.pay_bill.statuses() == ["paid"]
    assert await finance.acts() == [("assigned", "payment", "1")]
    assert await finance.receive() is None, "the wallet tells it again"
    assert await finance.pay_bill.statuses() == ["paid"]
    assert await finance.issues() == []


async def test_money_for_what_is_paid_is_a_duplicate_that_a_person_gives_back(finance, number):
    await finance.receive(number, receipt="RKTFIRST01")
    await finance.receive()
    assert (await finance.assign(RECEIPT, number)).status == "duplicate_payment"
    await finance.pay_bill.run_due_jobs()
    assert await finance.pay_bill.statuses() == ["paid", "duplicate_payment"]
    assert await finance.pay_bill.statuses(payment_refunds) == ["by_hand"]


async def test_another_amount_is_a_mismatch_and_the_applicant_is_told(finance, number):
    await finance.receive(amount=4000)
    assert (await finance.assign(RECEIPT, number)).status == "amount_mismatch"
    assert "amount_differs" in await finance.pay_bill.claim_sms_texts()
    assert await finance.services.fees().find_state(number) == "pending"


async def test_a_report_of_money_that_is_a_payment_is_refused(finance, number, services):
    await finance.receive(number)
    other = (await services.applications.submit(birth_certificate_submission(1), "s:2")).tracking_number
    assert await finance.assign(RECEIPT, other) == UnmatchedRejected("assigned", 1)
    assert await finance.unmatched.give_back(RECEIPT, "RKTBACK1", build_act()) == UnmatchedRejected("assigned", 1)
    assert await finance.acts() == []


@pytest.mark.parametrize(
    ("what", "account", "reason"),
    [
        ("RKTNOBODY1", "", "unknown"),
        ("#2", "", "unknown"),
        ("#x", "", "unknown"),
        (RECEIPT, "100000000004", "unknown_account"),
        (RECEIPT, "BILL00000099", "unknown_account"),
        (RECEIPT, "rent", "unknown_account"),
    ],
)
async def test_what_nobody_knows_is_refused_and_nothing_is_recorded(finance, number, what, account, reason):
    await finance.receive()
    assert await finance.assign(what, account or number) == UnmatchedRejected(reason)
    assert await finance.pay_bill.fetch_rows() == []
    assert await finance.acts() == []


async def test_money_of_another_currency_is_refused(finance, number):
    await finance.receive(currency="KES")
    assert await finance.assign(RECEIPT, number) == UnmatchedRejected("wrong_currency")


async def test_money_that_was_given_back_in_the_portal_waits_for_nobody(finance, number):
    await finance.receive()
    for key in ("terminal:1", "terminal:2"):
        done = await finance.unmatched.give_back(RECEIPT, "RKTBACK1", build_act(key))
        assert done == ReturnedMoney(1, 5000, "BDT")
    (row,) = await finance.pay_bill.fetch_rows(payment_reports)
    assert (row.payment, row.refund_receipt, row.given_back_at) == (None, "RKTBACK1", finance.services.clock())
    assert await finance.issues() == []
    assert await finance.acts() == [("given_back", "report", "1")]
    assert await finance.unmatched.give_back(RECEIPT, "RKTBACK2", build_act()) == UnmatchedRejected("given_back")
    assert await finance.assign(RECEIPT, number) == UnmatchedRejected("given_back")
