"""Whoever dies at whatever step, and whatever becomes of callbacks: charged once at most, and what was paid never forgotten."""

from collections import Counter
from contextlib import suppress
from random import Random

import pytest
from sqlalchemy import select

from db.tables import payment_refunds, payments
from services.payments.wallets.base import PaymentReport, PushAccepted, Refunded, ResultUnknown
from tests.support.payments import PAYER_MSISDN, PaymentServiceSet, fee_request

STEPS = (
    "before it is claimed",
    "before the wallet is asked",
    "before the wallet takes it",
    "before the answer",
    "before the answer is noted",
    "within noting the answer",
    "before the callback",
    "within the callback",
)


class ProcessKilledError(BaseException):
    """The process is killed here."""


class PersistentWallet:
    """A wallet that remembers what it was asked and whom it charged, in no process that dies."""

    name = "real"

    def __init__(self):
        self.currencies = {"KES": 100}
        self.push_requests, self.charges, self.refunds = Counter(), {}, Counter()
        self.refusals = set()
        self.dies_before_taking = self.dies_before_answering = False
        self.loses_responses = False

    def can_pay(self, msisdn, currency):
        return True

    async def push(self, request):
        if self.dies_before_taking:
            raise ProcessKilledError
        self.push_requests[request.key] += 1
        if self.dies_before_answering:
            raise ProcessKilledError
        return ResultUnknown("Timeout") if self.loses_responses else PushAccepted(f"ws_{request.key}")

    def pay(self, key):
        """Whoever holds the phone types the PIN."""
        if key in self.push_requests and key not in self.refusals:
            self.charges.setdefault(key, f"R{len(self.charges)}")

    def refuse(self, key):
        if key in self.push_requests and key not in self.charges:
            self.refusals.add(key)

    def report(self, key):
        if key in self.charges:
            return PaymentReport("paid", request_id=f"ws_{key}", receipt=self.charges[key], amount_minor=20000)
        if key in self.refusals:
            return PaymentReport("cancelled", request_id=f"ws_{key}")
        return PaymentReport("pending" if key in self.push_requests else "unknown")

    async def query_status(self, query):
        return self.report(query.key)

    async def refund(self, request):
        self.refunds[request.key] += 1
        return Refunded("B")


class CrashingNotifier:
    """Queues a message and dies before the transaction is over."""

    def __init__(self, telling):
        self.telling = telling

    async def notify_paid(self, transaction, row):
        await self.telling.notify_paid(transaction, row)
        raise ProcessKilledError

    async def notify_unpaid(self, transaction, row, reason):
        raise ProcessKilledError

    async def notify_unresolved(self, transaction, row):
        raise ProcessKilledError


def crash_at(step, payment_services):
    """This process dies at `step`."""
    payments = payment_services.payments

    async def die(*_args, **_options):
        raise ProcessKilledError

    if step == "before it is claimed":
        payments.claim = die
    if step == "before the wallet is asked":
        payment_services.worker._push_one = die
    payment_services.wallet.dies_before_taking = step == "before the wallet takes it"
    payment_services.wallet.dies_before_answering = step == "before the answer"
    if step == "before the answer is noted":
        payments.record_push_result = die
    if step == "within noting the answer":
        payments._reconciler._update = payments._update = die
    if step == "within the callback":
        payments._reconciler._notifier = CrashingNotifier(payment_services.notifier)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("callback", ["comes", "is lost"])
async def test_a_process_that_dies_at_any_step_charges_nobody_twice_and_forgets_nothing(
    database, clock, step, callback
):
    wallet = PersistentWallet()
    first = PaymentServiceSet(database, clock, wallet)
    crash_at(step, first)
    await first.payments.request_payment(fee_request(), "s:5")
    (row,) = await first.fetch_rows()
    with_callback = callback == "comes"
    with suppress(ProcessKilledError):
        await first.run_due_jobs()
        wallet.pay(row.key)
        if with_callback and step != "before the callback":
            await first.payments.record_report(row.key, wallet.report(row.key))
    wallet.pay(row.key)
    wallet.dies_before_taking = wallet.dies_before_answering = False
    second = PaymentServiceSet(database, clock, wallet)
    if with_callback and row.key in wallet.charges:
        await second.payments.record_report(row.key, wallet.report(row.key))
    for _ in range(4):
        await second.run_later(minutes=2)
        wallet.pay(row.key)
    await second.run_later(hours=2)
    assert wallet.push_requests[row.key] <= 1
    (row,) = await second.fetch_rows()
    assert row.status == ("paid" if row.key in wallet.charges else "unknown")
    assert await second.payments.request_payment(fee_request(), "s:9") in {"paid", "pending"}, (
        "and nothing is asked for again"
    )
    texts = await second.claim_sms_texts()
    assert texts.count("fee_paid") == (1 if row.key in wallet.charges else 0)


async def test_whatever_the_order_of_events_the_books_and_the_wallet_agree(database, clock):
    for seed in range(12):
        life = RandomScenario(database, clock, Random(seed), f"{seed:012}")
        for turn in range(25):
            await life.run_turn(turn)
        await life.finish()
        await assert_books_match_wallet(database, life.wallet, life.number)


class RandomScenario:
    """A few people press pay, answer, wait and press again, while callbacks are early, late, doubled and lost."""

    def __init__(self, database, clock, chance, number):
        self.wallet, self.random, self.number = PersistentWallet(), chance, number
        self.shops = [PaymentServiceSet(database, clock, self.wallet), PaymentServiceSet(database, clock, self.wallet)]
        self.heard = []

    async def run_turn(self, turn):
        payment_services = self.random.choice(self.shops)
        keys = [row.key for row in await payment_services.fetch_rows() if row.reference == self.number]
        self.wallet.loses_responses = self.random.random() < 0.3
        what = self.random.choice(
            [
                self.request_payment,
                self.request_payment,
                self.run_worker,
                self.pay,
                self.refuse,
                self.deliver_callback,
                self.advance_clock,
            ]
        )
        await what(payment_services, keys, turn)

    async def request_payment(self, payment_services, _keys, turn):
        payer = f"{PAYER_MSISDN[:-3]}{self.random.randrange(100, 999)}"
        await payment_services.payments.request_payment(
            fee_request(reference=self.number, payer=payer), f"{self.number}:{turn}"
        )

    async def run_worker(self, payment_services, _keys, _turn):
        await payment_services.run_due_jobs()

    async def pay(self, _shop, keys, _turn):
        if keys:
            self.wallet.pay(self.random.choice(keys))

    async def refuse(self, _shop, keys, _turn):
        if keys:
            self.wallet.refuse(self.random.choice(keys))

    async def deliver_callback(self, payment_services, keys, _turn):
        """A callback, or an older one once more; or the wallet gives up, and the payer may pay all the same."""
        key = self.random.choice(keys) if keys else ""
        report = self.wallet.report(key)
        if report.outcome not in {"pending", "unknown"}:
            self.heard.append((key, report))
            await payment_services.payments.record_report(*self.random.choice(self.heard))
        elif key and self.random.random() < 0.3:
            await payment_services.payments.record_report(key, PaymentReport("expired"))

    async def advance_clock(self, payment_services, _keys, _turn):
        await payment_services.run_later(minutes=self.random.choice([1, 5, 60]))

    async def finish(self):
        """Every callback has come at least once, and nobody has been idle."""
        self.wallet.loses_responses = False
        for key in self.wallet.charges:
            await self.shops[0].payments.record_report(key, self.wallet.report(key))
        for _ in range(8):
            await self.shops[1].run_later(hours=20)


async def assert_books_match_wallet(database, wallet, number):
    """Every payer whose money is at the wallet is on the books once, and no more than one of them has paid."""
    rows = (await database.fetch(select(payments).where(payments.c.reference == number))).all()
    assert all(count == 1 for count in wallet.push_requests.values())
    by_key = {row.key: row for row in rows}
    for key in wallet.charges:
        assert by_key[key].status in {"paid", "duplicate_payment", "refunded"}, by_key[key].status
    for row in rows:
        if row.status in {"paid", "duplicate_payment", "refunded"}:
            assert row.key in wallet.charges
    states = Counter(row.status for row in rows)
    assert states["paid"] <= 1
    if wallet.charges:
        assert states["paid"] == 1 or states["duplicate_payment"] == 0 or _open(states)
    refunded = (await database.fetch(select(payment_refunds).where(payment_refunds.c.status == "returned"))).all()
    assert all(count == 1 for count in wallet.refunds.values())
    assert {by_key[key].id for key in wallet.refunds} <= {row.payment for row in refunded}


def _open(states):
    return any(states[status] for status in ("pending", "unknown", "sending", "requested"))
