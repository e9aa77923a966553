"""Fees paid in cash: recorded once, counted everywhere, and given back by a person alone."""

import asyncio

import pytest
from sqlalchemy import select, update

from db.tables import applications, audit, payment_refunds, payments
from services.audit.models import Actor
from services.payments.cash import CashPayment, CashRecorded, CashRejected
from services.payments.models import PaymentRequest
from services.payments.refunds import RefundReason
from services.payments.wallets.base import PushAccepted, Refunded
from tests.support.payments import PaymentServiceSet, ScriptedWallet, paid_report, refused_report
from tests.support.services import RAHIMA, birth_certificate_submission

CLERK = Actor("department", "dncc", "api", {"key": "1"})
OTHER_PHONE = "+8801700000009"


@pytest.fixture
async def number(services):
    account = await services.register()
    return (await services.applications.submit(birth_certificate_submission(account), "s:1")).tracking_number


@pytest.fixture
def cash_services(services):
    """The cash, beside the payments of a wallet over the same database."""
    wallet = ScriptedWallet()
    wallet.currencies = {"BDT": 100}
    cash_services = PaymentServiceSet(services.database, services.clock, wallet)
    cash_services.cash = services.cash_payments()
    return cash_services


def build_cash(number, **other):
    values = {"amount_minor": 5000, "currency": "BDT", "receipt": "R-17", "department": "local_government"}
    return CashPayment(number, **{**values, **other})


async def ask_wallet(cash_services, number, key="u:9", payer=OTHER_PHONE):
    request = PaymentRequest("fee", number, "birth_certificate", payer, 5000, "BDT", "en", "ussd")
    result = await cash_services.payments.request_payment(request, key)
    await cash_services.run_due_jobs()
    return result


async def fee_state(services, number):
    shown = (await services.tracking_summaries().find(number)).fee
    assert await services.fees().find_state(number) == shown
    return shown


async def test_cash_is_paid_everywhere_with_a_receipt_and_an_audit_line(services, cash_services, number):
    recorded = await cash_services.cash.record(build_cash(number), CLERK, "k:1")
    assert isinstance(recorded, CashRecorded)
    assert (recorded.state, recorded.receipt, recorded.amount_minor) == ("paid", "R-17", 5000)
    assert await fee_state(services, number) == "paid"
    (row,) = await cash_services.fetch_rows()
    assert (row.wallet, row.channel, row.status, row.paid_minor) == ("cash", "api", "paid", 5000)
    assert (row.payer, row.receipt, row.due_at) == (RAHIMA, "R-17", None)
    assert row.ended_at == services.clock()
    texts = [facts for text, facts in await cash_services.claim_sms() if text == "fee_paid"]
    assert [(facts["number"], facts["receipt"], facts["paid"]) for facts in texts] == [(number, "R-17", [5000, "BDT"])]
    lines = (await services.database.fetch(select(audit).where(audit.c.act == "cash_recorded"))).all()
    assert [(line.actor, line.subject, line.details["receipt"]) for line in lines] == [("dncc", number, "R-17")]
    assert await ask_wallet(cash_services, number) == "paid"


async def test_the_same_key_records_it_once_also_at_once(services, cash_services, number):
    said = await asyncio.gather(*(cash_services.cash.record(build_cash(number), CLERK, "k:1") for _ in range(3)))
    assert len({one.payment for one in said}) == 1
    assert sorted(one.is_repeat for one in said) == [False, True, True]
    assert len(await cash_services.fetch_rows()) == 1
    assert await cash_services.cash.record(build_cash(number, receipt="R-18"), CLERK, "k:1") == CashRejected("conflict")


async def test_two_clerks_at_once_record_one_payment(services, cash_services, number):
    said = await asyncio.gather(*(cash_services.cash.record(build_cash(number), CLERK, f"k:{key}") for key in range(3)))
    assert sorted(type(one).__name__ for one in said) == ["CashRecorded", "CashRejected", "CashRejected"]
    assert {one.reason for one in said if isinstance(one, CashRejected)} == {"paid"}
    assert await cash_services.statuses() == ["paid"]


@pytest.mark.parametrize(
    ("values", "rejected"),
    [
        ({"amount_minor": 4000}, CashRejected("wrong_amount", 5000, "BDT")),
        ({"currency": "INR"}, CashRejected("wrong_amount", 5000, "BDT")),
        ({"department": "brta"}, CashRejected("unknown")),
    ],
)
async def test_what_is_not_the_fee_is_not_recorded(services, cash_services, number, values, rejected):
    assert await cash_services.cash.record(build_cash(number, **values), CLERK, "k:1") == rejected
    assert await cash_services.cash.record(build_cash("100000000004"), CLERK, "k:2") == CashRejected("unknown")
    assert await cash_services.fetch_rows() == []


@pytest.mark.parametrize("status", ["rejected", "withdrawn"])
async def test_no_fee_is_taken_for_what_is_over(services, cash_services, number, status):
    async with services.database.transaction() as transaction:
        await transaction.execute(update(applications).values(status=status))
    assert await cash_services.cash.record(build_cash(number), CLERK, "k:1") == CashRejected("no_fee")


async def test_an_operator_takes_cash_only_where_the_department_lets_them(services, number):
    refused = services.cash_payments(lambda service: service != "birth_certificate")
    assert await refused.record(CashPayment(number, operator=1), CLERK, "k:1") == CashRejected("not_taken")


async def test_cash_while_a_wallet_is_asked_waits_and_counts_if_the_wallet_does_not_pay(
    services, cash_services, number
):
    cash_services.wallet.push_results.append(PushAccepted("ws_CO_1"))
    await ask_wallet(cash_services, number)
    recorded = await cash_services.cash.record(build_cash(number), CLERK, "k:1")
    assert recorded.state == "pending"
    assert await fee_state(services, number) == "pending"
    key = (await cash_services.fetch_rows())[0].key
    await cash_services.payments.record_report(key, refused_report())
    assert await cash_services.statuses() == ["failed", "paid"]
    assert (await cash_services.cash.record(build_cash(number), CLERK, "k:1")).state == "paid"
    assert [text for text, _ in await cash_services.claim_sms() if text != "received"] == ["fee_paid"]


async def test_cash_beside_a_wallet_that_pays_is_given_back_by_a_person(services, cash_services, number):
    cash_services.wallet.push_results.append(PushAccepted("ws_CO_1"))
    await ask_wallet(cash_services, number)
    await cash_services.cash.record(build_cash(number), CLERK, "k:1")
    key = (await cash_services.fetch_rows())[0].key
    await cash_services.payments.record_report(key, paid_report(amount=5000))
    await cash_services.run_due_jobs()
    assert await cash_services.statuses() == ["paid", "duplicate_payment"]
    assert await cash_services.refund_statuses() == ["by_hand"]
    assert cash_services.wallet.refund_requests == [], "no wallet can give back cash"


async def test_a_wallet_that_was_not_asked_yet_is_not_asked_after_cash(services, cash_services, number):
    request = PaymentRequest("fee", number, "birth_certificate", OTHER_PHONE, 5000, "BDT", "en", "ussd")
    await cash_services.payments.request_payment(request, "u:9")
    assert (await cash_services.cash.record(build_cash(number), CLERK, "k:1")).state == "paid"
    await cash_services.run_due_jobs()
    assert cash_services.wallet.push_requests == []
    assert await cash_services.statuses() == ["failed", "paid"]


async def test_a_mistake_is_voided_by_a_person_and_the_fee_is_due_again(services, cash_services, number):
    recorded = await cash_services.cash.record(build_cash(number), CLERK, "k:1")
    refund = await cash_services.refunds.request(
        recorded.payment, None, RefundReason("staff", "ana", "wrong number", "r:1")
    )
    await cash_services.run_due_jobs()
    assert await cash_services.refund_statuses() == ["by_hand"]
    assert await fee_state(services, number) == "paid"
    await complete_refund(cash_services, refund)
    assert await cash_services.statuses() == ["refunded"]
    assert await fee_state(services, number) == "due"
    assert isinstance(await cash_services.cash.record(build_cash(number, receipt="R-18"), CLERK, "k:2"), CashRecorded)


async def complete_refund(cash_services, refund):
    """Record that the money was given back."""
    await cash_services.refunds.record_result(refund, Refunded(""))
    rows = await cash_services.database.fetch(select(payment_refunds.c.status, payments.c.status).join(payments))
    assert [tuple(row) for row in rows] == [("returned", "refunded")]
