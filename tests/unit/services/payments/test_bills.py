"""A bill is shown, paid, and posted to its biller until it is accepted or refunded; no payment is lost."""

from datetime import date

import pytest

from core.crypto import Cipher
from db.tables import bills
from services.payments.billers.base import (
    Bill,
    BillerUnavailableError,
    NoSuchConsumer,
    NothingDue,
    PostRejected,
)
from services.payments.billers.sandbox import SandboxBiller
from services.payments.models import BillQuery, Payer
from services.payments.wallets.base import Refunded
from tests.support.bills import ALL, CONSUMER, BillServiceSet
from tests.support.payments import PAYER_MSISDN, STAFF_ACT, paid_report, refused_report
from tests.support.retention import build_retention


@pytest.fixture
def bill_services(database, clock):
    return BillServiceSet(database, clock)


async def test_a_bill_is_shown_paid_and_posted(bill_services):
    shown = await bill_services.look_up()
    assert shown.outcome == "due"
    assert shown.facts == {
        "biller": "water",
        "consumer": "XX4321",
        "bill_name": "R*** B***",
        "bill_due": "2026-12-05",
        "fee": [91000, "KES"],
    }
    assert await bill_services.pay() == "requested"
    (push,) = bill_services.payments.wallet.push_requests
    assert (push.amount_minor, push.description) == (91000, "BILL00000001")
    await bill_services.receive_report()
    (post,) = bill_services.biller.posted_payments
    assert (post.consumer, post.reference, post.amount_minor, post.receipt) == (
        CONSUMER,
        "2026-11",
        91000,
        "QK12345678",
    )
    assert await bill_services.posting_statuses() == [None, "posted"]
    ((text, facts),) = await bill_services.payments.claim_sms()
    assert (text, facts["consumer"], facts["biller_receipt"]) == ("bill_paid", "XX4321", "B-1")
    assert (await bill_services.look_up(idempotency_key="t:1")).outcome == "paid"


async def test_what_was_shown_is_shown_again_though_the_biller_be_gone(bill_services):
    first = await bill_services.look_up()
    bill_services.biller.is_down = True
    assert await bill_services.look_up() == first
    assert (await bill_services.look_up(idempotency_key="t:1")).outcome == "down"


@pytest.mark.parametrize(
    ("owed", "outcome"), [(NothingDue(), "none"), (NoSuchConsumer(), "unknown"), (Bill("x", 5, "USD"), "elsewhere")]
)
async def test_what_there_is_nothing_to_pay_for(bill_services, owed, outcome):
    bill_services.biller.amounts_due = owed
    shown = await bill_services.look_up()
    assert shown.outcome == outcome
    assert (
        await bill_services.bills.request_payment(shown.bill_id, Payer(PAYER_MSISDN, 0, "en", "ussd"), "s:5") == "none"
    )


async def test_a_number_that_cannot_be_one_is_told_what_is_wrong(bill_services):
    shown = await bill_services.look_up("12")
    assert shown.outcome == "wrong"
    assert shown.invalid.reason == "wrong_length"
    assert await bill_services.payments.fetch_rows(bills) == []


async def test_a_wallet_that_is_not_this_numbers_is_not_asked(bill_services):
    assert (await bill_services.look_up(number="+8801700000001")).outcome == "elsewhere"


async def test_one_bill_is_paid_once_whoever_asks_after_it(bill_services):
    assert await bill_services.pay() == "requested"
    assert await bill_services.pay("t:5") == "pending"
    await bill_services.receive_report()
    assert await bill_services.pay("u:5") == "paid"
    assert len(bill_services.payments.wallet.push_requests) == 1


async def test_a_biller_that_does_not_answer_is_told_again_and_the_payer_that_it_takes_longer(bill_services):
    bill_services.biller.post_results = [BillerUnavailableError()] * 3
    await bill_services.pay()
    await bill_services.receive_report()
    assert await bill_services.payments.claim_sms_texts() == []
    for _ in range(4):
        await bill_services.payments.run_later(minutes=10)
    assert await bill_services.posting_statuses() == ["posted"]
    assert await bill_services.payments.claim_sms_texts() == ["bill_waits", "bill_paid"]
    assert len({post.key for post in bill_services.biller.posted_payments}) == 1, "so that it is noted once"


async def test_what_a_biller_does_not_take_is_given_back(bill_services):
    bill_services.biller.post_results = [PostRejected("Closed")]
    bill_services.payments.wallet.refund_results.append(Refunded("R1"))
    await bill_services.pay()
    await bill_services.receive_report()
    await bill_services.payments.run_due_jobs()
    assert await bill_services.posting_statuses() == ["refused"]
    assert await bill_services.payments.statuses() == ["refunded"]
    assert await bill_services.payments.claim_sms_texts() == ["refunded"]


async def test_what_a_biller_never_answers_to_is_given_back_or_in_a_persons_hands(bill_services):
    bill_services.biller.post_results = [BillerUnavailableError()] * 100
    await bill_services.pay()
    await bill_services.receive_report()
    for _ in range(40):
        await bill_services.payments.run_later(hours=3)
    await bill_services.payments.run_due_jobs()
    assert await bill_services.posting_statuses() == ["refused"]
    assert await bill_services.payments.refund_statuses() == ["by_hand"]


async def test_one_that_a_dead_worker_was_posting_is_posted_again(bill_services):
    await bill_services.pay()
    rows = await bill_services.payments.fetch_rows()
    await bill_services.payments.payments.record_report(rows[0].key, paid_report(amount=91000))
    assert len(await bill_services.bills._claim()) == 1
    await bill_services.payments.run_due_jobs()
    assert bill_services.biller.posted_payments == []
    await bill_services.payments.run_later(minutes=1)
    assert await bill_services.posting_statuses() == ["posted"]


async def test_what_was_not_paid_is_not_posted(bill_services):
    await bill_services.pay()
    await bill_services.receive_report(refused_report())
    assert await bill_services.posting_statuses() == [None]
    assert bill_services.biller.posted_payments == []


async def test_money_that_is_in_doubt_is_not_posted(bill_services):
    await bill_services.pay()
    await bill_services.receive_report(paid_report(amount=90000))
    assert await bill_services.posting_statuses() == [None]
    assert await bill_services.payments.payments.settle(1, "paid", STAFF_ACT)
    await bill_services.payments.run_due_jobs()
    assert await bill_services.posting_statuses() == ["posted"]


async def test_the_number_that_was_paid_for_last_is_offered_by_its_last_digits_to_its_account_alone(bill_services):
    account = await _account(bill_services.payments.database, bill_services.payments.clock)
    assert await bill_services.bills.last_consumer_digits(account, "water", ALL) == ""
    await bill_services.pay(account=account)
    assert await bill_services.bills.last_consumer_digits(account, "water", ALL) == "", "not before it is paid"
    await bill_services.receive_report()
    assert await bill_services.bills.last_consumer_digits(account, "water", ALL) == "XX4321"
    assert await bill_services.bills.last_consumer_digits(account, "water", lambda effect: effect != "s:5") == ""
    assert await bill_services.bills.last_consumer_digits(account, "gas", ALL) == ""
    assert await bill_services.bills.last_consumer_digits(0, "water", ALL) == ""
    bill_services.biller.amounts_due = Bill("2026-12", 5000, "KES")
    asking = BillQuery("water", PAYER_MSISDN, account, date(2026, 12, 1))
    assert (await bill_services.bills.look_up_last(asking, "t:3", ALL)).facts["fee"] == [5000, "KES"]
    assert (
        await bill_services.bills.look_up_last(BillQuery("gas", PAYER_MSISDN, account, date.min), "t:4", ALL)
    ).outcome == "elsewhere"


async def test_nothing_of_a_bill_can_be_read_in_the_table(bill_services):
    await bill_services.look_up()
    (row,) = await bill_services.payments.fetch_rows(bills)
    assert CONSUMER not in str(row)
    assert b"R***" not in row.content


async def test_a_bill_that_nobody_wanted_to_pay_is_forgotten_and_one_that_was_paid_is_not(bill_services):
    await bill_services.pay()
    await bill_services.receive_report()
    await bill_services.look_up(idempotency_key="t:1")
    bill_services.payments.clock.advance(days=31)
    assert await build_retention(bill_services.payments.database, bill_services.payments.clock).delete_expired() >= 1
    assert await bill_services.posting_statuses() == ["posted"]


async def _account(database, clock):
    from db.tables import accounts

    row = {"msisdn": PAYER_MSISDN, "name": b"", "language": "en", "pin_hash": "", "created_at": clock()}
    async with database.transaction() as transaction:
        return (await transaction.execute(database.insert(accounts).returning(accounts.c.id), row)).scalar_one()


async def test_the_sandbox_biller_has_samples_for_every_number(clock):
    biller = SandboxBiller("sample_power_bd", "BDT", clock=clock)
    first = await biller.fetch_bill("12345671")
    assert isinstance(first, Bill)
    assert first == await biller.fetch_bill("12345671")
    assert first.due_date == date(2026, 12, 5)
    clock.advance(days=30)
    assert await biller.fetch_bill("12345671") != first
    assert isinstance(await biller.fetch_bill("12345670"), NothingDue)
    assert isinstance(await biller.fetch_bill("12345679"), NoSuchConsumer)


async def test_a_bill_that_is_being_paid_when_the_secret_is_changed_is_not_paid_twice(bill_services):
    await bill_services.pay()
    after = Cipher(bytes(range(32)), [b"a secret of the tests, 32 octets+"])
    bill_services.bills._cipher = bill_services.payments.payments._cipher = after
    assert (await bill_services.look_up(idempotency_key="t:1")).outcome == "pending"
    assert await bill_services.pay("t:5") == "pending"
    await bill_services.receive_report()
    assert (await bill_services.look_up(idempotency_key="u:1")).outcome == "paid"
    assert len(await bill_services.payments.fetch_rows()) == 1
