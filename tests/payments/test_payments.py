"""A payment is asked for once, charged once, and never forgotten, whatever the wallet does and who dies when."""

import asyncio
import json

import pytest

from services.payments import NotRefunded
from services.payments.port import Declined, Pushed, Report, Returned, Unclear
from services.payments.refunds import Giving
from services.payments.telling import Letters
from services.records.tables import accounts, payment_reports
from tests.desk import say
from tests.payments.tills import NUMBER, OTHER, PAYER, UNCLEAR, Shop, fee, paid, refused

ALL = lambda _: True  # noqa: E731


@pytest.fixture
def shop(records, clock):
    return Shop(records, clock)


async def asks(shop, effect="s:5", **other):
    outcome = await shop.payments.pay(fee(**other), effect)
    await shop.works()
    return outcome


async def key_of(shop, place=0):
    return (await shop.rows())[place].key


async def test_a_fee_is_asked_for_and_paid(shop):
    assert await asks(shop) == "asked"
    (push,) = shop.wallet.asked
    assert (push.payer, push.amount_minor, push.currency, push.about) == (PAYER, 20000, "KES", NUMBER)
    assert await shop.statuses() == ["pending"]
    assert await shop.payments.stands(NUMBER, ALL) == "pending"
    await shop.payments.heard(push.key, paid())
    assert await shop.statuses() == ["paid"]
    assert await shop.payments.stands(NUMBER, ALL) == "paid"
    ((text, facts),) = await shop.sent()
    assert text == "fee_paid"
    assert facts["paid"] == [20000, "KES"]
    assert (facts["number"], facts["receipt"], facts["service"]) == (NUMBER, "QK12345678", "good_conduct")


async def test_the_wallet_is_asked_only_when_the_call_is_over(records, clock):
    from datetime import timedelta

    shop = Shop(records, clock, after_call=timedelta(seconds=4))
    await asks(shop)
    await asks(shop, "t:1", reference="100000000004", channel="sms")
    assert [push.about for push in shop.wallet.asked] == ["100000000004"]
    await shop.later(seconds=4)
    assert len(shop.wallet.asked) == 2


async def test_the_same_key_press_twice_and_at_once_is_one_payment(shop):
    said = await asyncio.gather(*(shop.payments.pay(fee(), "s:5") for _ in range(4)))
    await shop.works()
    assert said == ["asked"] * 4
    assert len(shop.wallet.asked) == 1


async def test_nothing_is_asked_for_twice_while_it_is_open_or_paid(shop):
    await asks(shop)
    assert await asks(shop, "s:9") == "pending"
    assert await asks(shop, "o:2", payer=OTHER) == "pending"
    await shop.payments.heard(await key_of(shop), paid())
    assert await asks(shop, "s:12") == "paid"
    assert len(shop.wallet.asked) == 1


@pytest.mark.parametrize("outcome", ["cancelled", "wrong_pin", "no_money", "unreachable", "expired", "failed"])
async def test_who_did_not_pay_is_told_why_and_may_try_again(shop, outcome):
    await asks(shop)
    await shop.payments.heard(await key_of(shop), refused(outcome))
    assert await shop.statuses() == ["expired" if outcome == "expired" else "failed"]
    ((text, facts),) = await shop.sent()
    assert (text, facts["why"]) == ("unpaid", outcome)
    assert await asks(shop, "s:20") == "asked"
    assert len(shop.wallet.asked) == 2


async def test_a_wallet_that_declines_has_charged_nothing(shop):
    shop.wallet.answers.append(Declined("400.002.02"))
    await asks(shop)
    assert await shop.statuses() == ["failed"]
    assert await shop.texts() == ["unpaid"]


async def test_an_answer_that_was_lost_is_never_asked_again_and_found_out(shop):
    shop.wallet.answers.append(UNCLEAR)
    await asks(shop)
    assert await shop.statuses() == ["unknown"]
    assert await asks(shop, "s:9") == "pending"
    shop.wallet.reports.append(paid())
    await shop.later(seconds=31)
    assert await shop.statuses() == ["paid"]
    assert len(shop.wallet.asked) == 1


async def test_a_callback_may_overtake_the_answer_to_the_request(shop):
    async def overtaken(push):
        await shop.payments.heard(push.key, paid())
        return Pushed("ws_CO_1")

    shop.wallet.answers.append(overtaken)
    await asks(shop)
    assert await shop.statuses() == ["paid"]


async def test_a_callback_may_overtake_a_refusal_and_a_lost_answer(shop):
    async def overtaken(push):
        await shop.payments.heard(push.key, paid())
        return Declined("Oops")

    shop.wallet.answers.append(overtaken)
    await asks(shop)
    assert await shop.statuses() == ["paid"]
    assert await shop.texts() == ["fee_paid"]


async def test_a_callback_twice_is_one(shop):
    await asks(shop)
    key = await key_of(shop)
    await asyncio.gather(*(shop.payments.heard(key, paid()) for _ in range(5)))
    assert await shop.texts() == ["fee_paid"]
    assert len(await shop.rows(payment_reports)) == 1


async def test_a_lost_callback_is_found_by_asking_at_growing_intervals(shop):
    await asks(shop)
    for seconds in (29, 1, 29, 1, 59, 1):
        await shop.later(seconds=seconds)
    assert len(shop.wallet.queried) == 3
    shop.wallet.reports.append(paid(receipt="", amount=None))
    await shop.later(seconds=120)
    assert await shop.statuses() == ["paid"]
    await shop.later(hours=100)
    assert len(shop.wallet.queried) == 4, "what is paid is not asked after"
    await shop.payments.heard(await key_of(shop), paid())
    assert [row.receipt for row in await shop.rows()] == ["QK12345678"], "a late callback brings the receipt"


async def test_who_waits_long_is_told_once_not_to_pay_again(shop):
    shop.wallet.answers.append(UNCLEAR)
    shop.wallet.reports.extend([Report("unknown", "NoRequest")] * 30)
    await asks(shop)
    for _ in range(60):
        await shop.later(hours=1)
    assert await shop.texts() == ["in_doubt"]
    assert await shop.statuses() == ["unknown"]
    for _ in range(20):
        await shop.later(hours=48)
    looked = len(shop.wallet.queried)
    await shop.later(hours=1000)
    assert len(shop.wallet.queried) == looked == 12


async def test_one_that_a_dead_worker_was_asking_for_is_unknown_and_asked_after(shop, records, clock):
    await shop.payments.pay(fee(), "s:5")
    assert len(await shop.payments.claim(10)) == 1
    other = Shop(records, clock)
    await other.later(seconds=59)
    assert await other.statuses() == ["sending"]
    other.wallet.reports.append(Report("pending"))
    await other.later(seconds=1)
    assert other.wallet.asked == []
    assert await other.statuses() == ["pending"]


async def test_two_tills_ask_for_each_once(shop, records, clock):
    other = Shop(records, clock, shop.wallet)
    for place in range(6):
        await shop.payments.pay(fee(reference=f"{place:012}", payer=f"+25470000{place:04}"), f"s:{place}")
    await asyncio.gather(*(one.works() for one in (shop, other, shop, other)))
    assert sorted(push.about for push in shop.wallet.asked) == [f"{place:012}" for place in range(6)]


async def test_money_that_comes_late_pays_what_was_given_up(shop):
    await asks(shop)
    key = await key_of(shop)
    await shop.payments.heard(key, refused("expired"))
    await shop.payments.heard(key, paid())
    assert await shop.statuses() == ["paid"]
    assert await shop.payments.stands(NUMBER, ALL) == "paid"
    assert await shop.texts() == ["unpaid", "fee_paid"]


async def test_money_that_comes_late_for_what_was_paid_again_is_given_back(shop):
    shop.wallet.returns.append(Returned("R1"))
    await asks(shop)
    first = await key_of(shop)
    await shop.payments.heard(first, refused("expired"))
    await asks(shop, "s:9")
    await shop.payments.heard(await key_of(shop, 1), paid("SECOND", request="ws_CO_2"))
    await shop.payments.heard(first, paid("FIRST"))
    await shop.works()
    assert await shop.statuses() == ["refunded", "paid"]
    assert [back.receipt for back in shop.wallet.given_back] == ["FIRST"]
    assert await shop.texts() == ["unpaid", "fee_paid", "refunded"]


async def test_money_that_comes_late_while_it_is_asked_for_again_waits_how_that_ends(shop):
    await asks(shop)
    first = await key_of(shop)
    await shop.payments.heard(first, refused("expired"))
    await asks(shop, "s:9")
    await shop.payments.heard(first, paid("FIRST"))
    assert await shop.statuses() == ["surplus", "pending"]
    await shop.payments.heard(await key_of(shop, 1), refused("cancelled", "ws_CO_2"))
    assert await shop.statuses() == ["paid", "failed"]
    assert await shop.texts() == ["unpaid", "fee_paid"], "and nobody is told that it is unpaid"


async def test_and_where_that_is_paid_too_the_first_is_given_back(shop):
    await asks(shop)
    first = await key_of(shop)
    await shop.payments.heard(first, refused("expired"))
    await asks(shop, "s:9")
    await shop.payments.heard(first, paid("FIRST"))
    await shop.payments.heard(await key_of(shop, 1), paid("SECOND", request="ws_CO_2"))
    await shop.works()
    assert await shop.statuses() == ["surplus", "paid"]
    assert await shop.refund_statuses() == ["by_hand"], "this wallet gives nothing back by itself: a person does"
    assert await shop.refunds.returned(1, "rahim", "R77")
    assert await shop.statuses() == ["refunded", "paid"]


async def test_money_that_comes_before_the_second_was_asked_for_calls_that_off(shop):
    await asks(shop)
    first = await key_of(shop)
    await shop.payments.heard(first, refused("expired"))
    await shop.payments.pay(fee(), "s:9")
    await shop.payments.heard(first, paid())
    await shop.works()
    assert await shop.statuses() == ["paid", "failed"]
    assert len(shop.wallet.asked) == 1


async def test_another_amount_is_never_taken_as_paid_but_put_up_for_a_person(shop):
    await asks(shop)
    await shop.payments.heard(await key_of(shop), paid(amount=10000))
    assert await shop.statuses() == ["differs"]
    assert await shop.payments.stands(NUMBER, ALL) == "pending"
    assert await asks(shop, "s:9") == "pending"
    assert await shop.texts() == []
    assert await shop.payments.settle(1, "paid", "rahim")
    assert await shop.statuses() == ["paid"]
    assert not await shop.payments.settle(1, "failed", "rahim")


async def test_a_second_receipt_for_one_payment_is_put_up_for_a_person(shop):
    await asks(shop)
    await shop.payments.heard(await key_of(shop), paid("ONE"))
    await shop.payments.heard(await key_of(shop), paid("TWO"))
    (row,) = await shop.rows()
    assert (row.status, row.receipt, row.reason) == ("paid", "ONE", "PaidTwice")


async def test_a_report_that_names_another_request_changes_nothing_and_is_kept(shop):
    await asks(shop)
    await shop.payments.heard(await key_of(shop), paid(request="ws_CO_666"))
    assert await shop.statuses() == ["pending"]
    assert len(await shop.rows(payment_reports)) == 1


async def test_a_report_of_a_payment_that_nobody_knows_is_kept(shop):
    assert await shop.payments.heard("f" * 32, paid()) is None
    (kept,) = await shop.rows(payment_reports)
    assert (kept.payment, kept.outcome, kept.receipt) == (None, "paid", "QK12345678")


async def test_a_failure_after_the_money_came_takes_nothing_away(shop):
    await asks(shop)
    await shop.payments.heard(await key_of(shop), paid())
    await shop.payments.heard(await key_of(shop), refused())
    assert await shop.statuses() == ["paid"]


async def test_no_phone_is_made_to_ring_all_day(shop):
    for place in range(6):
        assert await asks(shop, f"s:{place}", reference=f"{place:012}") == "asked"
    assert await asks(shop, "s:7", reference="000000000099") == "too_many"
    assert await asks(shop, "s:8", reference="000000000099", payer=OTHER) == "asked"
    await shop.later(hours=1, seconds=1)
    assert await asks(shop, "s:9", reference="000000000098") == "asked"


async def test_what_was_paid_from_an_account_is_said_by_e_mail_too(shop):
    letters = []

    async def send(_transaction, account, text, effect):
        letters.append((account, *json.loads(text)[:2], effect))

    shop.telling._letters = Letters(say, send)
    await asks(shop)
    await shop.payments.heard(await key_of(shop), paid())
    assert letters == [], "nobody's account paid it"
    async with shop.records.transaction() as transaction:
        row = {"number": PAYER, "name": b"", "language": "en", "pin_hash": "", "created_at": shop.clock()}
        await transaction.execute(shop.records.insert(accounts), row)
    await asks(shop, "s:9", reference="100000000004", account=1)
    await shop.payments.heard(await key_of(shop, 1), paid(request="ws_CO_2"))
    assert letters == [(1, "en", "fee_paid", "s:9/paid")]


async def test_what_counts_yet_is_all_that_is_told(shop):
    await asks(shop)
    assert await shop.payments.stands(NUMBER, lambda effect: effect != "s:5") == "due"


def giving(effect="r:1"):
    return Giving("staff", "rahim", "Paid for the wrong service", effect)


async def test_no_more_is_given_back_than_was_paid(shop):
    shop.wallet.returns.extend([Returned("R1"), Returned("R2")])
    await asks(shop)
    assert await shop.refunds.ask(1, None, giving()) == NotRefunded("not_paid")
    assert await shop.refunds.ask(9, None, giving()) == NotRefunded("unknown")
    await shop.payments.heard(await key_of(shop), paid())
    assert await shop.refunds.ask(1, 20001, giving()) == NotRefunded("too_much")
    assert await shop.refunds.ask(1, 0, giving()) == NotRefunded("too_much")
    assert await shop.refunds.ask(1, 5000, giving()) == 1
    assert await shop.refunds.ask(1, 5000, giving()) == 1, "the same effect is the same refund"
    assert await shop.refunds.ask(1, 15001, giving("r:2")) == NotRefunded("too_much")
    await shop.works()
    assert await shop.statuses() == ["paid"]
    assert await shop.refunds.ask(1, None, giving("r:3")) == 2
    await shop.works()
    assert await shop.statuses() == ["refunded"]
    assert [back.amount_minor for back in shop.wallet.given_back] == [5000, 15000]
    assert await shop.payments.stands(NUMBER, ALL) == "due"


async def test_a_refund_of_which_nobody_knows_is_not_asked_for_again(shop, records, clock):
    await asks(shop)
    await shop.payments.heard(await key_of(shop), paid())
    shop.wallet.returns.append(Unclear("Timeout"))
    await shop.refunds.ask(1, None, giving())
    await shop.works()
    assert await shop.refund_statuses() == ["unknown"]
    assert await shop.refunds.ask(1, None, giving("r:2")) == NotRefunded("too_much")
    await shop.refunds.returned(1, "rahim", "R9")
    assert await shop.statuses() == ["refunded"]


async def test_a_refund_that_a_dead_worker_was_asking_for_is_left_to_a_person(shop):
    await asks(shop)
    await shop.payments.heard(await key_of(shop), paid())
    await shop.refunds.ask(1, None, giving())
    assert await shop.refunds.claim() is not None
    await shop.later(minutes=2)
    assert await shop.refund_statuses() == ["unknown"]
    assert shop.wallet.given_back == []
