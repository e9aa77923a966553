"""Daraja on a strict server: what is asked, what every answer means, and what a callback says."""

import json
from datetime import UTC, datetime

import pytest

from assembly.fetching import fetching
from services.payments.daraja import Daraja, Merchant, callback_address, read_callback
from services.payments.port import Asked, ByHand, Declined, Push, Pushed, Report, Return, Unclear, takes
from tests.fakes.daraja_server import (
    KEY,
    PASSKEY,
    SECRET,
    SHORT_CODE,
    DarajaServer,
    answers,
    callback_of,
    never_answers,
    takes_and,
)

NOW = datetime.now(UTC)
PUSH = Push("k" * 32, "+254700000001", 20000, "KES", "123456789016", NOW)


@pytest.fixture
async def server():
    async with DarajaServer() as server:
        yield server


def merchant(url, till=""):
    return Merchant(
        base_url=url,
        consumer_key=KEY,
        consumer_secret=SECRET,
        short_code=SHORT_CODE,
        passkey=PASSKEY,
        party=till or SHORT_CODE,
        kind="CustomerBuyGoodsOnline" if till else "CustomerPayBillOnline",
        callback=callback_address("https://ekdial.example", "a token"),
    )


@pytest.fixture
async def daraja(server):
    async with fetching(deadline=0.5, most=100_000) as client:
        yield Daraja(client, merchant(server.url), deadline=3, waits=(0.0, 0.0))


async def test_a_request_has_every_field_as_it_must_be(server, daraja):
    answer = await daraja.ask(PUSH)
    (push,) = server.pushes
    assert answer == Pushed(push.request)
    assert push.fields["Amount"] == 200
    assert push.fields["PartyA"] == push.fields["PhoneNumber"] == "254700000001"
    assert push.fields["PartyB"] == SHORT_CODE
    assert push.fields["AccountReference"] == "123456789016"
    assert push.callback == f"https://ekdial.example/payments/daraja/{'k' * 32}?token=a+token"


async def test_a_till_is_paid_as_goods(server):
    async with fetching(deadline=1, most=100_000) as client:
        await Daraja(client, merchant(server.url, till="555555")).ask(PUSH)
    (push,) = server.pushes
    assert (push.fields["TransactionType"], push.fields["PartyB"]) == ("CustomerBuyGoodsOnline", "555555")


async def test_a_token_is_kept_and_renewed_when_it_is_refused_or_over(server, daraja):
    await daraja.ask(PUSH)
    await daraja.ask(PUSH)
    assert server.asked == ["token", "push", "push"]
    server.forget_tokens()
    assert isinstance(await daraja.ask(PUSH), Pushed)
    assert server.asked[3:] == ["push", "token", "push"]
    server.expires_in = 30
    server.forget_tokens()
    await daraja.ask(PUSH)
    await daraja.ask(PUSH)
    assert server.asked[-4:] == ["token", "push", "token", "push"]


@pytest.mark.parametrize(
    ("behaviour", "answer"),
    [
        (answers(400, "400.002.02", "Bad Request - Invalid PhoneNumber"), Declined("400.002.02")),
        (answers(500, "500.001.1001", "Unable to lock subscriber"), Declined("500.001.1001")),
        (answers(403), Declined("HTTP403")),
        (answers(500, "500.003.1001", "Internal Server Error"), Unclear("500.003.1001")),
        (answers(503), Unclear("HTTP503")),
        (takes_and(answers(500)), Unclear("HTTP500")),
        (takes_and(answers(200)), Unclear("HTTP200")),
        (never_answers, Unclear("NoAnswer")),
    ],
)
async def test_what_an_answer_means(server, daraja, behaviour, answer):
    server.then("push", behaviour)
    assert await daraja.ask(PUSH) == answer
    assert server.asked.count("push") == 1, "what may have been taken is not asked again"


async def test_what_was_not_taken_for_haste_is_asked_again_and_not_for_ever(server, daraja):
    server.then("push", answers(429), answers(500, "500.003.02", "Spike arrest violation"))
    assert isinstance(await daraja.ask(PUSH), Pushed)
    server.then("push", *[answers(429)] * 3)
    assert await daraja.ask(PUSH) == Declined("TooFast")


async def test_without_a_token_nobody_is_asked_for_money(server, daraja):
    server.then("token", *[answers(500)] * 3)
    assert await daraja.ask(PUSH) == Declined("NoToken")
    assert "push" not in server.asked


async def test_nobody_there_is_certain(server):
    async with fetching(deadline=0.5, most=100_000) as client:
        nowhere = Daraja(client, merchant("http://127.0.0.1:1"), waits=(0.0,))
        assert await nowhere.ask(PUSH) == Declined("NoToken")
        assert await nowhere.query(Asked("k", "ws_CO_1", PUSH.payer, NOW)) == Report("unknown", "NoAnswer")


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        (0, "paid"),
        (1, "no_money"),
        (1032, "cancelled"),
        (1037, "unreachable"),
        (2001, "wrong_pin"),
        (1019, "expired"),
        (4999, "pending"),
        (77777, "unknown"),
    ],
)
async def test_what_became_of_it_is_told_when_it_is_asked(server, daraja, result, outcome):
    pushed = await daraja.ask(PUSH)
    assert isinstance(pushed, Pushed)
    asked = Asked(PUSH.key, pushed.request, PUSH.payer, NOW)
    assert (await daraja.query(asked)).outcome == "pending"
    server.pushes[0].result = result
    report = await daraja.query(asked)
    assert (report.outcome, report.amount_minor) == (outcome, None), "a query tells no amount"


async def test_what_cannot_be_asked_after_is_unknown(server, daraja):
    assert await daraja.query(Asked("k", "", PUSH.payer, NOW)) == Report("unknown", "NoRequest")
    assert (await daraja.query(Asked("k", "ws_CO_none", PUSH.payer, NOW))).outcome == "unknown"
    server.then("query", answers(503), never_answers)
    assert await daraja.query(Asked("k", "ws_CO_1", PUSH.payer, NOW)) == Report("unknown", "HTTP503")
    assert await daraja.query(Asked("k", "ws_CO_1", PUSH.payer, NOW)) == Report("unknown", "NoAnswer")


async def test_money_is_given_back_by_a_person(daraja):
    assert await daraja.give_back(Return("r", "k", PUSH.payer, "", "", 100, "KES")) == ByHand()


def test_only_whole_shillings_and_kenyan_numbers():
    daraja = Daraja(None, merchant("http://127.0.0.1:1"))
    assert takes(daraja, 20000, "KES")
    assert not takes(daraja, 20050, "KES")
    assert not takes(daraja, 20000, "BDT")
    assert not takes(daraja, 0, "KES")
    assert not takes(None, 20000, "KES")
    assert daraja.reaches("+254700000001")
    assert not daraja.reaches("+8801700000001")


async def test_a_callback_says_what_became_of_it(server, daraja):
    await daraja.ask(PUSH)
    (push,) = server.pushes
    push.result, push.receipt = 0, "QK1"
    said = callback_of(push)
    assert read_callback(json.dumps(said).encode()) == Report("paid", "0", push.request, "QK1", 20000)
    push.result = 1032
    assert read_callback(json.dumps(callback_of(push)).encode()) == Report("cancelled", "1032", push.request)
    push.result = 31337
    assert read_callback(json.dumps(callback_of(push)).encode()) == Report("failed", "31337", push.request)


@pytest.mark.parametrize("amount", [1, 1.0, "1", "1.00"])
def test_an_amount_is_read_however_it_is_written(amount):
    report = read_callback(_paid({"Name": "Amount", "Value": amount}))
    assert report is not None
    assert report.amount_minor == 100


@pytest.mark.parametrize("amount", [None, True, "one", 0.001, [], float("inf"), float("nan"), 1e300, "1e99999"])
def test_a_callback_with_money_of_no_amount_is_not_read(amount):
    assert read_callback(_paid({"Name": "Amount", "Value": amount})) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b"null",
        b'{"Body": {}}',
        b'{"Body": {"stkCallback": {"ResultCode": 0}}}',
        b"\xff",
        b"[" * 16_000,
    ],
)
def test_what_is_no_callback_is_not_read(body):
    assert read_callback(body) is None


@pytest.mark.parametrize("name", ["", "QK1\0", "Q" * 65, "QK 1", 7, None])
def test_a_callback_whose_names_no_wallet_would_give_is_not_read(name):
    amount = {"Name": "Amount", "Value": 1}
    assert read_callback(_paid(amount, receipt=name)) is None
    assert read_callback(_paid(amount, request=name)) is None


def _paid(amount, *, receipt="QK1", request="ws_CO_1"):
    items = [amount, {"Name": "MpesaReceiptNumber", "Value": receipt}]
    said = {"CheckoutRequestID": request, "ResultCode": 0, "CallbackMetadata": {"Item": items}}
    return json.dumps({"Body": {"stkCallback": said}}).encode()
