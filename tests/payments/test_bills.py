"""A bill is shown, paid, and told to its biller until it is taken or given back; nothing that was paid is lost."""

from datetime import date

import pytest

from services.catalogue.model import Field
from services.forgetting import Forgetting
from services.payments.billing import Bill, BillerDown, NoSuchConsumer, NothingDue, NotPosted, Posted
from services.payments.bills import Asking, Behind, Bills, Connected
from services.payments.fees import Payer
from services.payments.port import Returned
from services.payments.sandbox_biller import SandboxBiller
from services.records.tables import bills
from tests.desk import SEAL
from tests.payments.tills import PAYER, Shop, paid, refused

CONSUMER = "12345678904321"
FIELD = Field(name="consumer", kind="identity", labels={"en": "Number"}, scheme="digits", lengths=(14,))
ALL = lambda _: True  # noqa: E731


class ToldBiller:
    def __init__(self):
        self.owed = Bill("2026-11", 91000, "KES", date(2026, 12, 5), "R*** B***")
        self.posts, self.posted, self.down = [], [], False

    async def look(self, consumer):
        if self.down:
            raise BillerDown
        return self.owed

    async def post(self, payment):
        self.posted.append(payment)
        answer = self.posts.pop(0) if self.posts else Posted("B-1")
        if isinstance(answer, Exception):
            raise answer
        return answer


class Counter:
    """Bills over a shop."""

    def __init__(self, records, clock):
        self.biller = ToldBiller()
        self.shop = Shop(records, clock, errands=[self._post])
        shop = self.shop
        behind = Behind(
            records,
            SEAL,
            shop.payments,
            shop.refunds,
            shop.telling,
            connect=lambda code: Connected(code, FIELD, "KES", self.biller) if code == "water" else None,
            takes=lambda _, currency: currency == "KES",
            reaches=lambda number: number.startswith("+254"),
        )
        self.bills = Bills(behind, clock=clock)

    async def _post(self):
        return await self.bills.post()

    async def looks(self, typed=CONSUMER, *, effect="s:4", account=0, number=PAYER, biller="water", counts=ALL):
        asking = Asking(biller, number, account, date(2026, 11, 21))
        return await self.bills.look(asking, typed, effect, counts)

    async def pays(self, effect="s:5", account=0, **looked):
        shown = await self.looks(effect=f"{effect}/look", account=account, **looked)
        said = await self.bills.pay(shown.bill, Payer(PAYER, account, "en", "ussd"), effect)
        await self.shop.works()
        return said

    async def comes(self, report=None, place=-1):
        rows = await self.shop.rows()
        report = report or paid(amount=91000, request=rows[place].request)
        await self.shop.payments.heard(rows[place].key, report)
        await self.shop.works()

    async def postings(self):
        return [row.posting for row in await self.shop.rows(bills)]


@pytest.fixture
def counter(records, clock):
    return Counter(records, clock)


async def test_a_bill_is_shown_paid_and_posted(counter):
    shown = await counter.looks()
    assert shown.outcome == "due"
    assert shown.facts == {
        "biller": "water",
        "consumer": "XX4321",
        "bill_name": "R*** B***",
        "bill_due": "2026-12-05",
        "fee": [91000, "KES"],
    }
    assert await counter.pays() == "asked"
    (push,) = counter.shop.wallet.asked
    assert (push.amount_minor, push.about) == (91000, "BILL00000001")
    await counter.comes()
    (post,) = counter.biller.posted
    assert (post.consumer, post.reference, post.amount_minor, post.receipt) == (
        CONSUMER,
        "2026-11",
        91000,
        "QK12345678",
    )
    assert await counter.postings() == [None, "posted"]
    ((text, facts),) = await counter.shop.sent()
    assert (text, facts["consumer"], facts["biller_receipt"]) == ("bill_paid", "XX4321", "B-1")
    assert (await counter.looks(effect="t:1")).outcome == "paid"


async def test_what_was_shown_is_shown_again_though_the_biller_be_gone(counter):
    first = await counter.looks()
    counter.biller.down = True
    assert await counter.looks() == first
    assert (await counter.looks(effect="t:1")).outcome == "down"


@pytest.mark.parametrize(
    ("owed", "outcome"), [(NothingDue(), "none"), (NoSuchConsumer(), "unknown"), (Bill("x", 5, "USD"), "elsewhere")]
)
async def test_what_there_is_nothing_to_pay_for(counter, owed, outcome):
    counter.biller.owed = owed
    shown = await counter.looks()
    assert shown.outcome == outcome
    assert await counter.bills.pay(shown.bill, Payer(PAYER, 0, "en", "ussd"), "s:5") == "none"


async def test_a_number_that_cannot_be_one_is_told_what_is_wrong(counter):
    shown = await counter.looks("12")
    assert shown.outcome == "wrong"
    assert shown.refused.reason == "wrong_length"
    assert await counter.shop.rows(bills) == []


async def test_a_wallet_that_is_not_this_numbers_is_not_asked(counter):
    assert (await counter.looks(number="+8801700000001")).outcome == "elsewhere"


async def test_one_bill_is_paid_once_whoever_asks_after_it(counter):
    assert await counter.pays() == "asked"
    assert await counter.pays("t:5") == "pending"
    await counter.comes()
    assert await counter.pays("u:5") == "paid"
    assert len(counter.shop.wallet.asked) == 1


async def test_a_biller_that_does_not_answer_is_told_again_and_the_payer_that_it_takes_longer(counter):
    counter.biller.posts = [BillerDown()] * 3
    await counter.pays()
    await counter.comes()
    assert await counter.shop.texts() == []
    for _ in range(4):
        await counter.shop.later(minutes=10)
    assert await counter.postings() == ["posted"]
    assert await counter.shop.texts() == ["bill_waits", "bill_paid"]
    assert len({post.key for post in counter.biller.posted}) == 1, "so that it is noted once"


async def test_what_a_biller_does_not_take_is_given_back(counter):
    counter.biller.posts = [NotPosted("Closed")]
    counter.shop.wallet.returns.append(Returned("R1"))
    await counter.pays()
    await counter.comes()
    await counter.shop.works()
    assert await counter.postings() == ["refused"]
    assert await counter.shop.statuses() == ["refunded"]
    assert await counter.shop.texts() == ["refunded"]


async def test_what_a_biller_never_answers_to_is_given_back_or_in_a_persons_hands(counter):
    counter.biller.posts = [BillerDown()] * 100
    await counter.pays()
    await counter.comes()
    for _ in range(40):
        await counter.shop.later(hours=3)
    await counter.shop.works()
    assert await counter.postings() == ["refused"]
    assert await counter.shop.refund_statuses() == ["by_hand"]


async def test_one_that_a_dead_worker_was_posting_is_posted_again(counter):
    await counter.pays()
    rows = await counter.shop.rows()
    await counter.shop.payments.heard(rows[0].key, paid(amount=91000))
    assert len(await counter.bills._claim()) == 1
    await counter.shop.works()
    assert counter.biller.posted == []
    await counter.shop.later(minutes=1)
    assert await counter.postings() == ["posted"]


async def test_what_was_not_paid_is_not_posted(counter):
    await counter.pays()
    await counter.comes(refused())
    assert await counter.postings() == [None]
    assert counter.biller.posted == []


async def test_money_that_is_in_doubt_is_not_posted(counter):
    await counter.pays()
    await counter.comes(paid(amount=90000))
    assert await counter.postings() == [None]
    assert await counter.shop.payments.settle(1, "paid", "rahim")
    await counter.shop.works()
    assert await counter.postings() == ["posted"]


async def test_the_number_that_was_paid_for_last_is_offered_by_its_last_digits_to_its_account_alone(counter):
    account = await _account(counter.shop.records, counter.shop.clock)
    assert await counter.bills.last(account, "water", ALL) == ""
    await counter.pays(account=account)
    assert await counter.bills.last(account, "water", ALL) == "", "not before it is paid"
    await counter.comes()
    assert await counter.bills.last(account, "water", ALL) == "XX4321"
    assert await counter.bills.last(account, "water", lambda effect: effect != "s:5") == ""
    assert await counter.bills.last(account, "gas", ALL) == ""
    assert await counter.bills.last(0, "water", ALL) == ""
    counter.biller.owed = Bill("2026-12", 5000, "KES")
    asking = Asking("water", PAYER, account, date(2026, 12, 1))
    assert (await counter.bills.look_again(asking, "t:3", ALL)).facts["fee"] == [5000, "KES"]
    assert (await counter.bills.look_again(Asking("gas", PAYER, account, date.min), "t:4", ALL)).outcome == "elsewhere"


async def test_nothing_of_a_bill_can_be_read_in_the_table(counter):
    await counter.looks()
    (row,) = await counter.shop.rows(bills)
    assert CONSUMER not in str(row)
    assert b"R***" not in row.content


async def test_a_bill_that_nobody_wanted_to_pay_is_forgotten_and_one_that_was_paid_is_not(counter):
    await counter.pays()
    await counter.comes()
    await counter.looks(effect="t:1")
    counter.shop.clock.moves(days=31)
    assert await Forgetting(counter.shop.records, clock=counter.shop.clock).step() >= 1
    assert await counter.postings() == ["posted"]


async def _account(records, clock):
    from services.records.tables import accounts

    row = {"number": PAYER, "name": b"", "language": "en", "pin_hash": "", "created_at": clock()}
    async with records.transaction() as transaction:
        return (await transaction.execute(records.insert(accounts).returning(accounts.c.id), row)).scalar_one()


async def test_the_sandbox_biller_has_samples_for_every_number(clock):
    biller = SandboxBiller("sample_power_bd", "BDT", clock=clock)
    first = await biller.look("12345671")
    assert isinstance(first, Bill)
    assert first == await biller.look("12345671")
    assert first.due == date(2026, 12, 5)
    clock.moves(days=30)
    assert await biller.look("12345671") != first
    assert isinstance(await biller.look("12345670"), NothingDue)
    assert isinstance(await biller.look("12345679"), NoSuchConsumer)
