"""Payments by reference: told more than once, late, in any order, beside a payment by STK push, and for what nobody knows."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from db.tables import applications, payment_refunds, payment_reports, payments
from services.audit.audit import AuditLog
from services.payments.models import PaymentRequest
from services.payments.reconciliation import PaymentReconciler
from services.payments.reference_payments import ReferencePayments, normalize_account
from services.payments.wallets import daraja_c2b
from services.payments.wallets.base import PaymentReport, PushAccepted, ReferenceNotice
from tests.fakes.daraja_server import SHORT_CODE, build_c2b_notice
from tests.support.payments import PaymentServiceSet, ScriptedWallet, paid_report, refused_report
from tests.support.services import CIPHER, RAHIMA, birth_certificate_submission

PAYER = "+254700000009"


@pytest.fixture
async def number(services):
    account = await services.register()
    return (await services.applications.submit(birth_certificate_submission(account), "s:1")).tracking_number


@pytest.fixture
def pay_bill(services):
    """Payments by reference beside those by STK push, over the same database."""
    wallet = ScriptedWallet()
    wallet.currencies = {"BDT": 100}
    pay_bill = PaymentServiceSet(services.database, services.clock, wallet)
    audit = AuditLog(services.database, clock=services.clock)
    reconciler = PaymentReconciler(services.database, CIPHER, pay_bill.notifier, audit, services.clock)
    pay_bill.by_reference = ReferencePayments(
        services.database,
        reconciler,
        pay_bill.notifier,
        wallet=wallet.name,
        merchants=[SHORT_CODE],
        clock=services.clock,
    )
    return pay_bill


def build_notice(account, amount=5000, receipt="RKT1234567", **others):
    values = {"currency": "BDT", "merchant": SHORT_CODE, **others}
    return ReferenceNotice(receipt, account, amount, **values)


async def ask_wallet(pay_bill, number):
    pay_bill.wallet.push_results.append(PushAccepted("ws_CO_1"))
    request = PaymentRequest("fee", number, "birth_certificate", PAYER, 5000, "BDT", "en", "ussd")
    assert await pay_bill.payments.request_payment(request, "u:9") == "requested"
    await pay_bill.run_due_jobs()
    return (await pay_bill.fetch_rows())[-1].key


async def receipts_sent(pay_bill):
    return [text for text, _ in await pay_bill.claim_sms() if text in {"fee_paid", "amount_differs", "unpaid_fee"}]


async def test_who_pays_the_tracking_number_has_paid_the_fee(services, pay_bill, number):
    shown = f"{number[:4]}-{number[4:8]} {number[8:]}"
    assert await pay_bill.by_reference.check(build_notice(shown)) == "accepted"
    assert await pay_bill.by_reference.record(build_notice(shown)) == 1
    (row,) = await pay_bill.fetch_rows()
    assert (row.status, row.wallet, row.channel, row.receipt) == ("paid", "told", "reference", "RKT1234567")
    assert (row.payer, row.paid_minor, row.ended_at) == (RAHIMA, 5000, services.clock())
    assert await services.fees().find_state(number) == "paid"
    assert await receipts_sent(pay_bill) == ["fee_paid"]
    assert await pay_bill.by_reference.check(build_notice(number)) == "paid"


async def test_a_payer_whose_number_is_told_gets_a_receipt_beside_the_applicant(services, pay_bill, number):
    await pay_bill.by_reference.record(build_notice(number, payer=PAYER))
    assert await receipts_sent(pay_bill) == ["fee_paid", "fee_paid"]


@pytest.mark.parametrize("times", [2, 4])
async def test_a_confirmation_counts_once_however_often_it_comes(pay_bill, number, times):
    said = await asyncio.gather(*(pay_bill.by_reference.record(build_notice(number)) for _ in range(times)))
    assert set(said) == {1}
    assert await pay_bill.statuses() == ["paid"]
    assert len(await pay_bill.fetch_rows(payment_reports)) == 1


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ({"account": "100000000004"}, "unknown_account"),
        ({"account": "BILL00000099"}, "unknown_account"),
        ({"account": "John's rent"}, "unknown_account"),
        ({"amount": 4000}, "wrong_amount"),
        ({"merchant": "600000"}, "other_merchant"),
    ],
)
async def test_what_is_not_the_fee_is_refused_before_money_moves(pay_bill, number, values, verdict):
    assert await pay_bill.by_reference.check(build_notice(**{"account": number, **values})) == verdict
    assert await pay_bill.fetch_rows() == []


async def test_another_amount_waits_for_a_person_and_the_payer_is_told(services, pay_bill, number):
    assert await pay_bill.by_reference.record(build_notice(number, amount=4000)) == 1
    (row,) = await pay_bill.fetch_rows()
    assert (row.status, row.reason, row.paid_minor) == ("amount_mismatch", "AmountDiffers", 4000)
    assert await services.fees().find_state(number) == "pending"
    assert await receipts_sent(pay_bill) == ["amount_differs"]


async def test_money_for_what_nobody_knows_is_kept_for_a_person(pay_bill, number):
    for _ in range(2):
        assert await pay_bill.by_reference.record(build_notice("100000000004")) is None
    assert await pay_bill.by_reference.record(build_notice(number, receipt="RKT7", merchant="600000")) is None
    kept = await pay_bill.fetch_rows(payment_reports)
    assert [(row.payment, row.receipt, row.amount_minor, row.source) for row in kept] == [
        (None, "RKT1234567", 5000, "c2b"),
        (None, "RKT7", 5000, "c2b"),
    ]
    assert await pay_bill.fetch_rows() == []


async def test_money_for_a_withdrawn_application_waits_for_a_person(services, pay_bill, number):
    async with services.database.transaction() as transaction:
        await transaction.execute(update(applications).values(status="withdrawn"))
    assert await pay_bill.by_reference.check(build_notice(number)) == "unknown_account"
    await pay_bill.by_reference.record(build_notice(number))
    assert [(row.status, row.reason) for row in await pay_bill.fetch_rows()] == [("amount_mismatch", "NotDue")]


async def test_who_pays_what_is_paid_gets_it_back_by_a_person(pay_bill, number):
    await pay_bill.by_reference.record(build_notice(number))
    await pay_bill.by_reference.record(build_notice(number, receipt="RKT7654321"))
    await pay_bill.run_due_jobs()
    assert await pay_bill.statuses() == ["paid", "duplicate_payment"]
    assert await pay_bill.statuses(payment_refunds) == ["by_hand"]


async def test_the_confirmation_of_an_stk_push_is_the_same_money_after_its_callback(pay_bill, number):
    key = await ask_wallet(pay_bill, number)
    await pay_bill.payments.record_report(key, paid_report("RKT1234567", 5000))
    assert await pay_bill.by_reference.record(build_notice(number)) == 1
    assert await pay_bill.statuses() == ["paid"]


@pytest.mark.parametrize("receipt", ["RKT1234567", ""], ids=["by callback", "by query"])
async def test_the_confirmation_of_an_stk_push_is_the_same_money_before_its_report(pay_bill, number, receipt):
    key = await ask_wallet(pay_bill, number)
    assert await pay_bill.by_reference.check(build_notice(number)) == "accepted"
    await pay_bill.by_reference.record(build_notice(number))
    assert await pay_bill.statuses() == ["pending", "duplicate_payment"]
    await pay_bill.payments.record_report(
        key, PaymentReport("paid", "0", "ws_CO_1", receipt, 5000 if receipt else None)
    )
    await pay_bill.run_due_jobs()
    rows = await pay_bill.fetch_rows()
    assert [(row.status, row.reason) for row in rows] == [("paid", None), ("failed", "SameMoney")]
    assert (rows[0].receipt, rows[1].paid_minor) == ("RKT1234567", None)
    assert await pay_bill.fetch_rows(payment_refunds) == []
    assert await receipts_sent(pay_bill) == ["fee_paid", "fee_paid"], "to the payer and to the applicant"


async def test_a_receipt_that_a_query_left_out_comes_with_the_confirmation(pay_bill, number):
    key = await ask_wallet(pay_bill, number)
    await pay_bill.payments.record_report(key, PaymentReport("paid", "0", "ws_CO_1"), "query")
    await pay_bill.by_reference.record(build_notice(number))
    assert [(row.status, row.receipt) for row in await pay_bill.fetch_rows()] == [("paid", "RKT1234567")]


OF_ANOTHER = [
    {"payer": "+254700000008"},
    {"payer_mask": "2547*****008"},
    {"payer_mask": "2541*****009"},
    {"payer_mask": "2547*****009", "minutes": 30},
    {"minutes": -30},
]
OF_THE_PAYER = [
    {"payer": PAYER, "minutes": 1},
    {"payer_mask": "2547*****009", "minutes": 1},
    {"minutes": 14},
    {"minutes": -1},
]


def build_told(services, number, minutes=None, **values):
    paid_at = None if minutes is None else services.clock() + timedelta(minutes=minutes)
    return build_notice(number, paid_at=paid_at, **values)


@pytest.mark.parametrize("values", OF_ANOTHER)
async def test_money_of_another_payer_or_time_is_no_payment_by_stk_push_that_a_query_told(
    services, pay_bill, number, values
):
    """The query has no receipt: the amount alone would take a second payment for the first."""
    key = await ask_wallet(pay_bill, number)
    told = build_told(services, number, **values)
    await pay_bill.payments.record_report(key, PaymentReport("paid", "0", "ws_CO_1"), "query")
    assert await pay_bill.by_reference.record(told) == 2
    await pay_bill.run_due_jobs()
    assert [(row.status, row.receipt) for row in await pay_bill.fetch_rows()] == [
        ("paid", None),
        ("duplicate_payment", "RKT1234567"),
    ]
    assert await pay_bill.refund_statuses() == ["by_hand"]


@pytest.mark.parametrize("values", OF_ANOTHER)
async def test_money_of_another_payer_that_came_before_the_query_is_held_for_a_person(
    services, pay_bill, number, values
):
    key = await ask_wallet(pay_bill, number)
    await pay_bill.by_reference.record(build_told(services, number, **values))
    await pay_bill.payments.record_report(key, PaymentReport("paid", "0", "ws_CO_1"), "query")
    await pay_bill.run_due_jobs()
    assert await pay_bill.statuses() == ["paid", "duplicate_payment"]
    assert await pay_bill.refund_statuses() == ["by_hand"]


@pytest.mark.parametrize("values", OF_THE_PAYER)
@pytest.mark.parametrize("is_before", [True, False])
async def test_money_of_the_payer_of_the_prompt_is_the_payment_by_stk_push(
    services, pay_bill, number, values, is_before
):
    key = await ask_wallet(pay_bill, number)
    told, report = build_told(services, number, **values), PaymentReport("paid", "0", "ws_CO_1")
    if is_before:
        await pay_bill.by_reference.record(told)
    await pay_bill.payments.record_report(key, report, "query")
    if not is_before:
        await pay_bill.by_reference.record(told)
    await pay_bill.run_due_jobs()
    paid, *others = await pay_bill.fetch_rows()
    assert (paid.status, paid.receipt) == ("paid", "RKT1234567")
    assert [other.status for other in others] == (["failed"] if is_before else [])
    assert await pay_bill.fetch_rows(payment_refunds) == []


async def test_a_second_receipt_after_the_first_is_a_second_payment(pay_bill, number):
    key = await ask_wallet(pay_bill, number)
    await pay_bill.payments.record_report(key, PaymentReport("paid", "0", "ws_CO_1"), "query")
    await pay_bill.by_reference.record(build_notice(number))
    await pay_bill.by_reference.record(build_notice(number, receipt="RKT7654321"))
    assert await pay_bill.statuses() == ["paid", "duplicate_payment"]


@pytest.mark.parametrize(
    ("msisdn", "mask"),
    [("2547 ***** 126", "2547*****126"), ("254700000009", ""), ("a" * 64, ""), ("*", ""), (None, "")],
)
def test_a_masked_number_and_the_time_of_kenya_are_read(msisdn, mask):
    told = {**build_c2b_notice("123456789015", "200.00", msisdn=msisdn), "TransTime": "20261130122246"}
    notice = daraja_c2b.parse_notice(encode(told))
    assert notice.payer_mask == mask
    assert notice.paid_at == datetime(2026, 11, 30, 9, 22, 46, tzinfo=UTC)
    assert daraja_c2b.parse_notice(encode({**told, "TransTime": "today"})).paid_at is None


async def test_who_missed_the_prompt_and_pays_by_reference_has_paid(pay_bill, number):
    key = await ask_wallet(pay_bill, number)
    await pay_bill.by_reference.record(build_notice(number))
    await pay_bill.payments.record_report(key, refused_report("unreachable"))
    assert await pay_bill.statuses() == ["failed", "paid"]
    assert (await receipts_sent(pay_bill)).count("unpaid_fee") == 0


async def test_who_pays_both_by_prompt_and_by_reference_gets_one_back(pay_bill, number):
    key = await ask_wallet(pay_bill, number)
    await pay_bill.by_reference.record(build_notice(number))
    await pay_bill.payments.record_report(key, paid_report("RKT7654321", 5000))
    await pay_bill.run_due_jobs()
    assert await pay_bill.statuses() == ["paid", "duplicate_payment"]
    assert await pay_bill.refund_statuses() == ["by_hand"]


async def test_a_late_callback_of_a_push_that_was_given_up_is_the_same_money(pay_bill, number):
    key = await ask_wallet(pay_bill, number)
    await pay_bill.payments.record_report(key, refused_report("expired"), "query")
    await pay_bill.by_reference.record(build_notice(number))
    await pay_bill.payments.record_report(key, paid_report("RKT1234567", 5000))
    await pay_bill.run_due_jobs()
    assert await pay_bill.statuses() == ["failed", "paid"]
    assert await pay_bill.fetch_rows(payment_refunds) == []


async def test_the_number_of_a_bill_payment_pays_the_bill(pay_bill, services):
    request = PaymentRequest("bill", "b" * 64, "water", PAYER, 91000, "BDT", "en", "ussd")
    pay_bill.wallet.push_results.append(PushAccepted("ws_CO_1"))
    await pay_bill.payments.request_payment(request, "u:9")
    await pay_bill.run_due_jobs()
    key = (await pay_bill.fetch_rows())[0].key
    await pay_bill.payments.record_report(key, refused_report())
    account = pay_bill.wallet.push_requests[0].description
    assert account == "BILL00000001"
    notice = build_notice("bill 0000 0001", amount=91000)
    assert await pay_bill.by_reference.check(notice) == "accepted"
    assert await pay_bill.by_reference.record(notice) == 2
    rows = (await services.database.fetch(select(payments).order_by(payments.c.id))).all()
    assert [(row.status, row.reference, row.purpose) for row in rows] == [
        ("failed", "b" * 64, "bill"),
        ("paid", "b" * 64, "bill"),
    ]


@pytest.mark.parametrize(
    ("text", "account"),
    [
        ("123456789015", "123456789015"),
        (" 1234 5678 9015 ", "123456789015"),
        ("1234-5678-9015", "123456789015"),
        ("#123456789O15", "123456789015"),
        ("১২৩৪৫৬৭৮৯০১৫", "123456789015"),
        ("bill 0000 0042", "BILL00000042"),
        ("rent", ""),
    ],
)
def test_an_account_number_is_read_however_it_was_typed(text, account):
    assert normalize_account(text) == account


def encode(notice):
    return json.dumps(notice).encode()


@pytest.mark.parametrize(
    ("msisdn", "payer"),
    [("254700000009", PAYER), ("2547 ***** 126", ""), ("a" * 64, ""), ("", ""), (254700000009, PAYER)],
)
def test_the_payer_is_known_where_m_pesa_tells_the_whole_number(msisdn, payer):
    notice = daraja_c2b.parse_notice(encode(build_c2b_notice("123456789015", "200.00", msisdn=msisdn)))
    assert notice is not None
    assert (notice.payer, notice.amount_minor, notice.currency) == (payer, 20000, "KES")


@pytest.mark.parametrize(
    "wrong",
    [{"TransID": ""}, {"TransID": 7}, {"TransAmount": "free"}, {"TransAmount": "-5"}, {"TransAmount": None}],
)
def test_a_notice_without_receipt_or_amount_is_none(wrong):
    assert daraja_c2b.parse_notice(encode({**build_c2b_notice("123456789015", "200.00"), **wrong})) is None
    assert daraja_c2b.parse_notice(b"[") is None


def test_a_rejection_has_one_of_the_codes_of_m_pesa():
    verdicts = ("accepted", "unknown_account", "wrong_amount", "other_merchant", "paid", "unclear")
    assert [daraja_c2b.build_answer(verdict)["ResultCode"] for verdict in verdicts] == [
        *("0", "C2B00012", "C2B00013", "C2B00015", "C2B00016", "C2B00016")
    ]


def test_an_address_with_a_word_that_safaricom_refuses_is_found():
    assert daraja_c2b.find_forbidden_word("https://ekdial.example/payments/daraja/reference/validation?token=ab") == ""
    assert daraja_c2b.find_forbidden_word("https://pay.example/?token=xMPESAx") == "mpesa"
