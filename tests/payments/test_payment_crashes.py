"""Whoever dies at whatever step, and whatever becomes of callbacks: charged once at most, and what was paid never forgotten."""

from collections import Counter
from contextlib import suppress
from random import Random

import pytest
from sqlalchemy import select

from services.payments.port import Pushed, Report, Returned, Unclear
from services.records.tables import payment_refunds, payments
from tests.payments.tills import PAYER, Shop, fee

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


class Died(BaseException):
    """The process is killed here."""


class RealWallet:
    """A wallet that remembers what it was asked and whom it charged, in no process that dies."""

    name = "real"

    def __init__(self):
        self.currencies = {"KES": 100}
        self.asked, self.charged, self.returned = Counter(), {}, Counter()
        self.refused = set()
        self.dies_before_taking = self.dies_before_answering = False
        self.answers_lost = False

    def reaches(self, number):
        return True

    async def ask(self, push):
        if self.dies_before_taking:
            raise Died
        self.asked[push.key] += 1
        if self.dies_before_answering:
            raise Died
        return Unclear("Timeout") if self.answers_lost else Pushed(f"ws_{push.key}")

    def pays(self, key):
        """Whoever holds the phone types the PIN."""
        if key in self.asked and key not in self.refused:
            self.charged.setdefault(key, f"R{len(self.charged)}")

    def refuses(self, key):
        if key in self.asked and key not in self.charged:
            self.refused.add(key)

    def report(self, key):
        if key in self.charged:
            return Report("paid", request=f"ws_{key}", receipt=self.charged[key], amount_minor=20000)
        if key in self.refused:
            return Report("cancelled", request=f"ws_{key}")
        return Report("pending" if key in self.asked else "unknown")

    async def query(self, asked):
        return self.report(asked.key)

    async def give_back(self, back):
        self.returned[back.key] += 1
        return Returned("B")


class DyingTell:
    """Queues a message and dies before the transaction is over."""

    def __init__(self, telling):
        self.telling = telling

    async def paid(self, transaction, row):
        await self.telling.paid(transaction, row)
        raise Died

    async def unpaid(self, transaction, row, reason):
        raise Died

    async def doubtful(self, transaction, row):
        raise Died


def dying(step, shop):
    """This process dies at `step`."""
    payments = shop.payments

    async def die(*_args, **_options):
        raise Died

    if step == "before it is claimed":
        payments.claim = die
    if step == "before the wallet is asked":
        shop.till._ask_for = die
    shop.wallet.dies_before_taking = step == "before the wallet takes it"
    shop.wallet.dies_before_answering = step == "before the answer"
    if step == "before the answer is noted":
        payments.answered = die
    if step == "within noting the answer":
        payments._reports._change = payments._note = die
    if step == "within the callback":
        payments._reports._tell = DyingTell(shop.telling)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("callback", ["comes", "is lost"])
async def test_a_process_that_dies_at_any_step_charges_nobody_twice_and_forgets_nothing(records, clock, step, callback):
    wallet = RealWallet()
    first = Shop(records, clock, wallet)
    dying(step, first)
    await first.payments.pay(fee(), "s:5")
    (row,) = await first.rows()
    with_callback = callback == "comes"
    with suppress(Died):
        await first.works()
        wallet.pays(row.key)
        if with_callback and step != "before the callback":
            await first.payments.heard(row.key, wallet.report(row.key))
    wallet.pays(row.key)
    wallet.dies_before_taking = wallet.dies_before_answering = False
    second = Shop(records, clock, wallet)
    if with_callback and row.key in wallet.charged:
        await second.payments.heard(row.key, wallet.report(row.key))
    for _ in range(4):
        await second.later(minutes=2)
        wallet.pays(row.key)
    await second.later(hours=2)
    assert wallet.asked[row.key] <= 1
    (row,) = await second.rows()
    assert row.status == ("paid" if row.key in wallet.charged else "unknown")
    assert await second.payments.pay(fee(), "s:9") in {"paid", "pending"}, "and nothing is asked for again"
    texts = await second.texts()
    assert texts.count("fee_paid") == (1 if row.key in wallet.charged else 0)


async def test_whatever_the_order_of_events_the_books_and_the_wallet_agree(records, clock):
    for seed in range(12):
        life = Life(records, clock, Random(seed), f"{seed:012}")
        for turn in range(25):
            await life.goes_on(turn)
        await life.comes_to_an_end()
        await agree(records, life.wallet, life.number)


class Life:
    """A few people press pay, answer, wait and press again, while callbacks are early, late, doubled and lost."""

    def __init__(self, records, clock, chance, number):
        self.wallet, self.chance, self.number = RealWallet(), chance, number
        self.shops = [Shop(records, clock, self.wallet), Shop(records, clock, self.wallet)]
        self.heard = []

    async def goes_on(self, turn):
        shop = self.chance.choice(self.shops)
        keys = [row.key for row in await shop.rows() if row.reference == self.number]
        self.wallet.answers_lost = self.chance.random() < 0.3
        what = self.chance.choice([self.asks, self.asks, self.works, self.pays, self.refuses, self.hears, self.waits])
        await what(shop, keys, turn)

    async def asks(self, shop, _keys, turn):
        payer = f"{PAYER[:-3]}{self.chance.randrange(100, 999)}"
        await shop.payments.pay(fee(reference=self.number, payer=payer), f"{self.number}:{turn}")

    async def works(self, shop, _keys, _turn):
        await shop.works()

    async def pays(self, _shop, keys, _turn):
        if keys:
            self.wallet.pays(self.chance.choice(keys))

    async def refuses(self, _shop, keys, _turn):
        if keys:
            self.wallet.refuses(self.chance.choice(keys))

    async def hears(self, shop, keys, _turn):
        """A callback, or an older one once more; or the wallet gives up, and the payer may pay all the same."""
        key = self.chance.choice(keys) if keys else ""
        report = self.wallet.report(key)
        if report.outcome not in {"pending", "unknown"}:
            self.heard.append((key, report))
            await shop.payments.heard(*self.chance.choice(self.heard))
        elif key and self.chance.random() < 0.3:
            await shop.payments.heard(key, Report("expired"))

    async def waits(self, shop, _keys, _turn):
        await shop.later(minutes=self.chance.choice([1, 5, 60]))

    async def comes_to_an_end(self):
        """Every callback has come at least once, and nobody has been idle."""
        self.wallet.answers_lost = False
        for key in self.wallet.charged:
            await self.shops[0].payments.heard(key, self.wallet.report(key))
        for _ in range(8):
            await self.shops[1].later(hours=20)


async def agree(records, wallet, number):
    """Every payer whose money is at the wallet is on the books once, and no more than one of them has paid."""
    rows = (await records.read(select(payments).where(payments.c.reference == number))).all()
    assert all(count == 1 for count in wallet.asked.values())
    by_key = {row.key: row for row in rows}
    for key in wallet.charged:
        assert by_key[key].status in {"paid", "surplus", "refunded"}, by_key[key].status
    for row in rows:
        if row.status in {"paid", "surplus", "refunded"}:
            assert row.key in wallet.charged
    states = Counter(row.status for row in rows)
    assert states["paid"] <= 1
    if wallet.charged:
        assert states["paid"] == 1 or states["surplus"] == 0 or _open(states)
    refunded = (await records.read(select(payment_refunds).where(payment_refunds.c.status == "returned"))).all()
    assert all(count == 1 for count in wallet.returned.values())
    assert {by_key[key].id for key in wallet.returned} <= {row.payment for row in refunded}


def _open(states):
    return any(states[status] for status in ("pending", "unknown", "sending", "asked"))
