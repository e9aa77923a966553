"""A payment is requested once, charged once, and never lost, whatever the wallet does and wherever a process dies."""

import asyncio
import json
from datetime import timedelta

import pytest

from db.tables import accounts, payment_reports
from services.payments.models import RefundRejected
from services.payments.notifications import ReceiptEmails
from services.payments.refunds import RefundReason
from services.payments.wallets.base import Declined, PaymentReport, PushAccepted, Refunded, ResultUnknown
from tests.support.payments import (
    OTHER_MSISDN,
    PAYER_MSISDN,
    STAFF_ACT,
    TRACKING_NUMBER,
    UNCLEAR_RESPONSE,
    PaymentServiceSet,
    fee_request,
    paid_report,
    refused_report,
)
from tests.support.services import render_text

ALL = lambda _: True  # noqa: E731


@pytest.fixture
def payment_services(database, clock):
    return PaymentServiceSet(database, clock)


async def request_payment(payment_services, idempotency_key="s:5", **other):
    outcome = await payment_services.payments.request_payment(fee_request(**other), idempotency_key)
    await payment_services.run_due_jobs()
    return outcome


async def idempotency_key_from(payment_services, place=0):
    return (await payment_services.fetch_rows())[place].key


async def test_a_fee_is_asked_for_and_paid(payment_services):
    assert await request_payment(payment_services) == "requested"
    (push,) = payment_services.wallet.push_requests
    assert (push.payer, push.amount_minor, push.currency, push.description) == (
        PAYER_MSISDN,
        20000,
        "KES",
        TRACKING_NUMBER,
    )
    assert await payment_services.statuses() == ["pending"]
    assert await payment_services.payments.state_of(TRACKING_NUMBER, ALL) == "pending"
    await payment_services.payments.record_report(push.key, paid_report())
    assert await payment_services.statuses() == ["paid"]
    assert await payment_services.payments.state_of(TRACKING_NUMBER, ALL) == "paid"
    ((text, facts),) = await payment_services.claim_sms()
    assert text == "fee_paid"
    assert facts["paid"] == [20000, "KES"]
    assert (facts["number"], facts["receipt"], facts["service"]) == (TRACKING_NUMBER, "QK12345678", "birth_certificate")


async def test_the_wallet_is_asked_only_when_the_call_is_over(database, clock):
    payment_services = PaymentServiceSet(database, clock, push_delay=timedelta(seconds=4))
    await request_payment(payment_services)
    await request_payment(payment_services, "t:1", reference="100000000004", channel="sms")
    assert [push.description for push in payment_services.wallet.push_requests] == ["100000000004"]
    await payment_services.run_later(seconds=4)
    assert len(payment_services.wallet.push_requests) == 2


async def test_the_end_of_the_call_starts_the_wallet_of_that_call_alone(database, clock):
    payment_services = PaymentServiceSet(database, clock, push_delay=timedelta(seconds=4))
    await request_payment(payment_services, "ATUid_1:9+/ask_wallet")
    await request_payment(payment_services, "ATUid_10:9+/ask_wallet", reference="100000000004")
    assert await payment_services.payments.push_after_call("ATUid_1") == 1
    await payment_services.run_due_jobs()
    assert [push.description for push in payment_services.wallet.push_requests] == [TRACKING_NUMBER]
    assert await payment_services.payments.push_after_call("ATUid_1") == 0
    assert await payment_services.payments.push_after_call("ATUid%") == 0


async def test_the_end_of_a_call_whose_inputs_have_ids_starts_its_wallet_too(database, clock):
    payment_services = PaymentServiceSet(database, clock, push_delay=timedelta(seconds=4))
    await request_payment(payment_services, "smpp/robi/1a/9:1+/ask_wallet")
    await request_payment(payment_services, "smpp/robi/1/9:1+/ask_wallet", reference="100000000004")
    assert await payment_services.payments.push_after_call("smpp/robi/1a") == 1
    await payment_services.run_due_jobs()
    assert [push.description for push in payment_services.wallet.push_requests] == [TRACKING_NUMBER]


async def test_the_same_key_press_twice_and_at_once_is_one_payment(payment_services):
    said = await asyncio.gather(*(payment_services.payments.request_payment(fee_request(), "s:5") for _ in range(4)))
    await payment_services.run_due_jobs()
    assert said == ["requested"] * 4
    assert len(payment_services.wallet.push_requests) == 1


async def test_nothing_is_asked_for_twice_while_it_is_open_or_paid(payment_services):
    await request_payment(payment_services)
    assert await request_payment(payment_services, "s:9") == "pending"
    assert await request_payment(payment_services, "o:2", payer=OTHER_MSISDN) == "pending"
    await payment_services.payments.record_report(await idempotency_key_from(payment_services), paid_report())
    assert await request_payment(payment_services, "s:12") == "paid"
    assert len(payment_services.wallet.push_requests) == 1


@pytest.mark.parametrize("outcome", ["cancelled", "wrong_pin", "no_money", "unreachable", "expired", "failed"])
async def test_who_did_not_pay_is_told_why_and_may_try_again(payment_services, outcome):
    await request_payment(payment_services)
    await payment_services.payments.record_report(await idempotency_key_from(payment_services), refused_report(outcome))
    assert await payment_services.statuses() == ["expired" if outcome == "expired" else "failed"]
    ((text, facts),) = await payment_services.claim_sms()
    assert (text, facts["why"]) == ("unpaid_fee", outcome)
    assert await request_payment(payment_services, "s:20") == "requested"
    assert len(payment_services.wallet.push_requests) == 2


async def test_a_wallet_that_declines_has_charged_nothing(payment_services):
    payment_services.wallet.push_results.append(Declined("400.002.02"))
    await request_payment(payment_services)
    assert await payment_services.statuses() == ["failed"]
    assert await payment_services.claim_sms_texts() == ["unpaid_fee"]


async def test_an_answer_that_was_lost_is_never_asked_again_and_found_out(payment_services):
    payment_services.wallet.push_results.append(UNCLEAR_RESPONSE)
    await request_payment(payment_services)
    assert await payment_services.statuses() == ["unknown"]
    assert await request_payment(payment_services, "s:9") == "pending"
    payment_services.wallet.reports.append(paid_report())
    await payment_services.run_later(seconds=31)
    assert await payment_services.statuses() == ["paid"]
    assert len(payment_services.wallet.push_requests) == 1


async def test_a_callback_may_overtake_the_answer_to_the_request(payment_services):
    async def overtaken(push):
        await payment_services.payments.record_report(push.key, paid_report())
        return PushAccepted("ws_CO_1")

    payment_services.wallet.push_results.append(overtaken)
    await request_payment(payment_services)
    assert await payment_services.statuses() == ["paid"]


async def test_a_callback_may_overtake_a_refusal_and_a_lost_answer(payment_services):
    async def overtaken(push):
        await payment_services.payments.record_report(push.key, paid_report())
        return Declined("Oops")

    payment_services.wallet.push_results.append(overtaken)
    await request_payment(payment_services)
    assert await payment_services.statuses() == ["paid"]
    assert await payment_services.claim_sms_texts() == ["fee_paid"]


async def test_a_callback_twice_is_one(payment_services):
    await request_payment(payment_services)
    key = await idempotency_key_from(payment_services)
    await asyncio.gather(*(payment_services.payments.record_report(key, paid_report()) for _ in range(5)))
    assert await payment_services.claim_sms_texts() == ["fee_paid"]
    assert len(await payment_services.fetch_rows(payment_reports)) == 1


async def test_a_lost_callback_is_found_by_asking_at_growing_intervals(payment_services):
    await request_payment(payment_services)
    for seconds in (29, 1, 29, 1, 59, 1):
        await payment_services.run_later(seconds=seconds)
    assert len(payment_services.wallet.status_queries) == 3
    payment_services.wallet.reports.append(paid_report(receipt="", amount=None))
    await payment_services.run_later(seconds=120)
    assert await payment_services.statuses() == ["paid"]
    await payment_services.run_later(hours=100)
    assert len(payment_services.wallet.status_queries) == 4, "what is paid is not asked after"
    await payment_services.payments.record_report(await idempotency_key_from(payment_services), paid_report())
    assert [row.receipt for row in await payment_services.fetch_rows()] == ["QK12345678"], (
        "a late callback brings the receipt"
    )


async def test_who_waits_long_is_told_once_not_to_pay_again(payment_services):
    payment_services.wallet.push_results.append(UNCLEAR_RESPONSE)
    payment_services.wallet.reports.extend([PaymentReport("unknown", "NoRequest")] * 30)
    await request_payment(payment_services)
    for _ in range(60):
        await payment_services.run_later(hours=1)
    assert await payment_services.claim_sms_texts() == ["in_doubt"]
    assert await payment_services.statuses() == ["unknown"]
    for _ in range(20):
        await payment_services.run_later(hours=48)
    looked = len(payment_services.wallet.status_queries)
    await payment_services.run_later(hours=1000)
    assert len(payment_services.wallet.status_queries) == looked == 12


async def test_one_that_a_dead_worker_was_asking_for_is_unknown_and_asked_after(payment_services, database, clock):
    await payment_services.payments.request_payment(fee_request(), "s:5")
    assert len(await payment_services.payments.claim(10)) == 1
    other = PaymentServiceSet(database, clock)
    await other.run_later(seconds=59)
    assert await other.statuses() == ["sending"]
    other.wallet.reports.append(PaymentReport("pending"))
    await other.run_later(seconds=1)
    assert other.wallet.push_requests == []
    assert await other.statuses() == ["pending"]


async def test_two_tills_ask_for_each_once(payment_services, database, clock):
    other = PaymentServiceSet(database, clock, payment_services.wallet)
    for place in range(6):
        await payment_services.payments.request_payment(
            fee_request(reference=f"{place:012}", payer=f"+25470000{place:04}"), f"s:{place}"
        )
    await asyncio.gather(*(one.run_due_jobs() for one in (payment_services, other, payment_services, other)))
    assert sorted(push.description for push in payment_services.wallet.push_requests) == [
        f"{place:012}" for place in range(6)
    ]


async def test_money_that_comes_late_pays_what_was_given_up(payment_services):
    await request_payment(payment_services)
    key = await idempotency_key_from(payment_services)
    await payment_services.payments.record_report(key, refused_report("expired"))
    await payment_services.payments.record_report(key, paid_report())
    assert await payment_services.statuses() == ["paid"]
    assert await payment_services.payments.state_of(TRACKING_NUMBER, ALL) == "paid"
    assert await payment_services.claim_sms_texts() == ["unpaid_fee", "fee_paid"]


async def test_money_that_comes_late_for_what_was_paid_again_is_given_back(payment_services):
    payment_services.wallet.refund_results.append(Refunded("R1"))
    await request_payment(payment_services)
    first = await idempotency_key_from(payment_services)
    await payment_services.payments.record_report(first, refused_report("expired"))
    await request_payment(payment_services, "s:9")
    await payment_services.payments.record_report(
        await idempotency_key_from(payment_services, 1), paid_report("SECOND", request="ws_CO_2")
    )
    await payment_services.payments.record_report(first, paid_report("FIRST"))
    await payment_services.run_due_jobs()
    assert await payment_services.statuses() == ["refunded", "paid"]
    assert [back.receipt for back in payment_services.wallet.refund_requests] == ["FIRST"]
    assert await payment_services.claim_sms_texts() == ["unpaid_fee", "fee_paid", "refunded"]


async def test_money_that_comes_late_while_it_is_asked_for_again_waits_how_that_ends(payment_services):
    await request_payment(payment_services)
    first = await idempotency_key_from(payment_services)
    await payment_services.payments.record_report(first, refused_report("expired"))
    await request_payment(payment_services, "s:9")
    await payment_services.payments.record_report(first, paid_report("FIRST"))
    assert await payment_services.statuses() == ["duplicate_payment", "pending"]
    await payment_services.payments.record_report(
        await idempotency_key_from(payment_services, 1), refused_report("cancelled", "ws_CO_2")
    )
    assert await payment_services.statuses() == ["paid", "failed"]
    assert await payment_services.claim_sms_texts() == ["unpaid_fee", "fee_paid"], (
        "and nobody is told that it is unpaid"
    )


async def test_and_where_that_is_paid_too_the_first_is_given_back(payment_services):
    await request_payment(payment_services)
    first = await idempotency_key_from(payment_services)
    await payment_services.payments.record_report(first, refused_report("expired"))
    await request_payment(payment_services, "s:9")
    await payment_services.payments.record_report(first, paid_report("FIRST"))
    await payment_services.payments.record_report(
        await idempotency_key_from(payment_services, 1), paid_report("SECOND", request="ws_CO_2")
    )
    await payment_services.run_due_jobs()
    assert await payment_services.statuses() == ["duplicate_payment", "paid"]
    assert await payment_services.refund_statuses() == ["by_hand"], (
        "this wallet gives nothing back by itself: a person does"
    )
    assert await payment_services.refunds.mark_refunded(1, STAFF_ACT, "R77")
    assert await payment_services.statuses() == ["refunded", "paid"]


async def test_money_that_comes_before_the_second_was_asked_for_calls_that_off(payment_services):
    await request_payment(payment_services)
    first = await idempotency_key_from(payment_services)
    await payment_services.payments.record_report(first, refused_report("expired"))
    await payment_services.payments.request_payment(fee_request(), "s:9")
    await payment_services.payments.record_report(first, paid_report())
    await payment_services.run_due_jobs()
    assert await payment_services.statuses() == ["paid", "failed"]
    assert len(payment_services.wallet.push_requests) == 1


async def test_another_amount_is_never_taken_as_paid_but_put_up_for_a_person(payment_services):
    await request_payment(payment_services)
    await payment_services.payments.record_report(
        await idempotency_key_from(payment_services), paid_report(amount=10000)
    )
    assert await payment_services.statuses() == ["amount_mismatch"]
    assert await payment_services.payments.state_of(TRACKING_NUMBER, ALL) == "pending"
    assert await request_payment(payment_services, "s:9") == "pending"
    assert await payment_services.claim_sms_texts() == []
    assert await payment_services.payments.settle(1, "paid", STAFF_ACT)
    assert await payment_services.statuses() == ["paid"]
    assert not await payment_services.payments.settle(1, "failed", STAFF_ACT)


async def test_a_second_receipt_for_one_payment_is_put_up_for_a_person(payment_services):
    await request_payment(payment_services)
    await payment_services.payments.record_report(await idempotency_key_from(payment_services), paid_report("ONE"))
    await payment_services.payments.record_report(await idempotency_key_from(payment_services), paid_report("TWO"))
    (row,) = await payment_services.fetch_rows()
    assert (row.status, row.receipt, row.reason) == ("paid", "ONE", "PaidTwice")


async def test_a_report_that_names_another_request_changes_nothing_and_is_kept(payment_services):
    await request_payment(payment_services)
    await payment_services.payments.record_report(
        await idempotency_key_from(payment_services), paid_report(request="ws_CO_666")
    )
    assert await payment_services.statuses() == ["pending"]
    assert len(await payment_services.fetch_rows(payment_reports)) == 1


async def test_a_report_of_a_payment_that_nobody_knows_is_kept(payment_services):
    assert await payment_services.payments.record_report("f" * 32, paid_report()) is None
    (kept,) = await payment_services.fetch_rows(payment_reports)
    assert (kept.payment, kept.outcome, kept.receipt) == (None, "paid", "QK12345678")


async def test_a_failure_after_the_money_came_takes_nothing_away(payment_services):
    await request_payment(payment_services)
    await payment_services.payments.record_report(await idempotency_key_from(payment_services), paid_report())
    await payment_services.payments.record_report(await idempotency_key_from(payment_services), refused_report())
    assert await payment_services.statuses() == ["paid"]


async def test_no_phone_is_made_to_ring_all_day(payment_services):
    for place in range(6):
        assert await request_payment(payment_services, f"s:{place}", reference=f"{place:012}") == "requested"
    assert await request_payment(payment_services, "s:7", reference="000000000099") == "too_many"
    assert await request_payment(payment_services, "s:8", reference="000000000099", payer=OTHER_MSISDN) == "requested"
    await payment_services.run_later(hours=1, seconds=1)
    assert await request_payment(payment_services, "s:9", reference="000000000098") == "requested"


async def test_what_was_paid_from_an_account_is_said_by_e_mail_too(payment_services):
    emails = []

    async def send(_transaction, account, text, idempotency_key):
        emails.append((account, *json.loads(text)[:2], idempotency_key))

    payment_services.notifier._emails = ReceiptEmails(render_text, send)
    await request_payment(payment_services)
    await payment_services.payments.record_report(await idempotency_key_from(payment_services), paid_report())
    assert emails == [], "nobody's account paid it"
    async with payment_services.database.transaction() as transaction:
        row = {
            "msisdn": PAYER_MSISDN,
            "name": b"",
            "language": "en",
            "pin_hash": "",
            "created_at": payment_services.clock(),
        }
        await transaction.execute(payment_services.database.insert(accounts), row)
    await request_payment(payment_services, "s:9", reference="100000000004", account=1)
    await payment_services.payments.record_report(
        await idempotency_key_from(payment_services, 1), paid_report(request="ws_CO_2")
    )
    assert emails == [(1, "en", "fee_paid", "s:9/paid")]


async def test_what_counts_yet_is_all_that_is_told(payment_services):
    await request_payment(payment_services)
    assert await payment_services.payments.state_of(TRACKING_NUMBER, lambda effect: effect != "s:5") == "due"


def refund_request(idempotency_key="r:1"):
    return RefundReason("staff", "rahim", "Paid for the wrong service", idempotency_key)


async def test_no_more_is_given_back_than_was_paid(payment_services):
    payment_services.wallet.refund_results.extend([Refunded("R1"), Refunded("R2")])
    await request_payment(payment_services)
    assert await payment_services.refunds.request(1, None, refund_request()) == RefundRejected("not_paid")
    assert await payment_services.refunds.request(9, None, refund_request()) == RefundRejected("unknown")
    await payment_services.payments.record_report(await idempotency_key_from(payment_services), paid_report())
    assert await payment_services.refunds.request(1, 20001, refund_request()) == RefundRejected("too_much")
    assert await payment_services.refunds.request(1, 0, refund_request()) == RefundRejected("too_much")
    assert await payment_services.refunds.request(1, 5000, refund_request()) == 1
    assert await payment_services.refunds.request(1, 5000, refund_request()) == 1, "the same effect is the same refund"
    assert await payment_services.refunds.request(1, 15001, refund_request("r:2")) == RefundRejected("too_much")
    await payment_services.run_due_jobs()
    assert await payment_services.statuses() == ["paid"]
    assert await payment_services.refunds.request(1, None, refund_request("r:3")) == 2
    await payment_services.run_due_jobs()
    assert await payment_services.statuses() == ["refunded"]
    assert [back.amount_minor for back in payment_services.wallet.refund_requests] == [5000, 15000]
    assert await payment_services.payments.state_of(TRACKING_NUMBER, ALL) == "due"


async def test_a_refund_of_which_nobody_knows_is_not_asked_for_again(payment_services, database, clock):
    await request_payment(payment_services)
    await payment_services.payments.record_report(await idempotency_key_from(payment_services), paid_report())
    payment_services.wallet.refund_results.append(ResultUnknown("Timeout"))
    await payment_services.refunds.request(1, None, refund_request())
    await payment_services.run_due_jobs()
    assert await payment_services.refund_statuses() == ["unknown"]
    assert await payment_services.refunds.request(1, None, refund_request("r:2")) == RefundRejected("too_much")
    await payment_services.refunds.mark_refunded(1, STAFF_ACT, "R9")
    assert await payment_services.statuses() == ["refunded"]


async def test_a_refund_that_a_dead_worker_was_asking_for_is_left_to_a_person(payment_services):
    await request_payment(payment_services)
    await payment_services.payments.record_report(await idempotency_key_from(payment_services), paid_report())
    await payment_services.refunds.request(1, None, refund_request())
    assert await payment_services.refunds.claim() is not None
    await payment_services.run_later(minutes=2)
    assert await payment_services.refund_statuses() == ["unknown"]
    assert payment_services.wallet.refund_requests == []
