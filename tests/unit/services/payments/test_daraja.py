"""Daraja against a strict server: requests, the meaning of each answer, and callbacks."""

import json
from datetime import UTC, datetime

import pytest

from core.http.aiohttp_client import open_http_client
from services.payments.wallets.base import (
    Declined,
    ManualRefund,
    PaymentReport,
    PushAccepted,
    PushQuery,
    PushRequest,
    RefundRequest,
    ResultUnknown,
    accepts_amount,
)
from services.payments.wallets.daraja import Daraja, parse_callback
from tests.fakes.daraja_server import (
    SHORT_CODE,
    DarajaServer,
    accept_then,
    build_callback,
    hang,
    respond_with_error,
)
from tests.support.payments import build_client

NOW = datetime.now(UTC)
PUSH = PushRequest("k" * 32, "+254700000001", 20000, "KES", "123456789016", NOW)


@pytest.fixture
async def server():
    async with DarajaServer() as server:
        yield server


@pytest.fixture
async def daraja(server):
    async with open_http_client(deadline=0.5, max_bytes=100_000) as client:
        yield Daraja(client, build_client(server.url), deadline=3, retry_waits=(0.0, 0.0))


async def test_a_request_has_every_field_as_it_must_be(server, daraja):
    answer = await daraja.push(PUSH)
    (push,) = server.pushes
    assert answer == PushAccepted(push.checkout_request_id)
    assert push.fields["Amount"] == 200
    assert push.fields["PartyA"] == push.fields["PhoneNumber"] == "254700000001"
    assert push.fields["PartyB"] == SHORT_CODE
    assert push.fields["AccountReference"] == "123456789016"
    assert push.callback == f"https://ekdial.example/payments/daraja/{'k' * 32}?token=a+token"


async def test_a_till_is_paid_as_goods(server):
    async with open_http_client(deadline=1, max_bytes=100_000) as client:
        await Daraja(client, build_client(server.url, till="555555")).push(PUSH)
    (push,) = server.pushes
    assert (push.fields["TransactionType"], push.fields["PartyB"]) == ("CustomerBuyGoodsOnline", "555555")


async def test_a_token_is_kept_and_renewed_when_it_is_refused_or_over(server, daraja):
    await daraja.push(PUSH)
    await daraja.push(PUSH)
    assert server.requests == ["token", "push", "push"]
    server.forget_tokens()
    assert isinstance(await daraja.push(PUSH), PushAccepted)
    assert server.requests[3:] == ["push", "token", "push"]
    server.expires_in = 30
    server.forget_tokens()
    await daraja.push(PUSH)
    await daraja.push(PUSH)
    assert server.requests[-4:] == ["token", "push", "token", "push"]


@pytest.mark.parametrize(
    ("behaviour", "answer"),
    [
        (respond_with_error(400, "400.002.02", "Bad Request - Invalid PhoneNumber"), Declined("400.002.02")),
        (respond_with_error(500, "500.001.1001", "Unable to lock subscriber"), Declined("500.001.1001")),
        (respond_with_error(403), Declined("HTTP403")),
        (respond_with_error(500, "500.003.1001", "Internal Server Error"), ResultUnknown("500.003.1001")),
        (respond_with_error(503), ResultUnknown("HTTP503")),
        (accept_then(respond_with_error(500)), ResultUnknown("HTTP500")),
        (accept_then(respond_with_error(200)), ResultUnknown("HTTP200")),
        (hang, ResultUnknown("NoAnswer")),
    ],
)
async def test_what_an_answer_means(server, daraja, behaviour, answer):
    server.respond_with("push", behaviour)
    assert await daraja.push(PUSH) == answer
    assert server.requests.count("push") == 1, "what may have been taken is not asked again"


async def test_what_was_not_taken_for_haste_is_asked_again_and_not_for_ever(server, daraja):
    server.respond_with(
        "push", respond_with_error(429), respond_with_error(500, "500.003.02", "Spike arrest violation")
    )
    assert isinstance(await daraja.push(PUSH), PushAccepted)
    server.respond_with("push", *[respond_with_error(429)] * 3)
    assert await daraja.push(PUSH) == Declined("TooFast")


async def test_without_a_token_nobody_is_asked_for_money(server, daraja):
    server.respond_with("token", *[respond_with_error(500)] * 3)
    assert await daraja.push(PUSH) == Declined("NoToken")
    assert "push" not in server.requests


async def test_nobody_there_is_certain(server):
    async with open_http_client(deadline=0.5, max_bytes=100_000) as client:
        nowhere = Daraja(client, build_client("http://127.0.0.1:1"), retry_waits=(0.0,))
        assert await nowhere.push(PUSH) == Declined("NoToken")
        assert await nowhere.query_status(PushQuery("k", "ws_CO_1", PUSH.payer, NOW)) == PaymentReport(
            "unknown", "NoAnswer"
        )


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
    pushed = await daraja.push(PUSH)
    assert isinstance(pushed, PushAccepted)
    asked = PushQuery(PUSH.key, pushed.request_id, PUSH.payer, NOW)
    assert (await daraja.query_status(asked)).outcome == "pending"
    server.pushes[0].result = result
    report = await daraja.query_status(asked)
    assert (report.outcome, report.amount_minor) == (outcome, None), "a query tells no amount"


async def test_what_cannot_be_asked_after_is_unknown(server, daraja):
    assert await daraja.query_status(PushQuery("k", "", PUSH.payer, NOW)) == PaymentReport("unknown", "NoRequest")
    assert (await daraja.query_status(PushQuery("k", "ws_CO_none", PUSH.payer, NOW))).outcome == "unknown"
    server.respond_with("query", respond_with_error(503), hang)
    assert await daraja.query_status(PushQuery("k", "ws_CO_1", PUSH.payer, NOW)) == PaymentReport("unknown", "HTTP503")
    assert await daraja.query_status(PushQuery("k", "ws_CO_1", PUSH.payer, NOW)) == PaymentReport("unknown", "NoAnswer")


async def test_money_is_given_back_by_a_person(daraja):
    assert await daraja.refund(RefundRequest("r", "k", PUSH.payer, "", "", 100, "KES")) == ManualRefund()


def test_only_whole_shillings_and_kenyan_numbers():
    daraja = Daraja(None, build_client("http://127.0.0.1:1"))
    assert accepts_amount(daraja, 20000, "KES")
    assert not accepts_amount(daraja, 20050, "KES")
    assert not accepts_amount(daraja, 20000, "BDT")
    assert not accepts_amount(daraja, 0, "KES")
    assert not accepts_amount(None, 20000, "KES")
    assert daraja.can_pay("+254700000001", "KES")
    assert not daraja.can_pay("+8801700000001", "KES")
    assert not daraja.can_pay("+254700000001", "BDT")


async def test_a_callback_says_what_became_of_it(server, daraja):
    await daraja.push(PUSH)
    (push,) = server.pushes
    push.result, push.receipt = 0, "QK1"
    said = build_callback(push)
    assert parse_callback(json.dumps(said).encode()) == PaymentReport(
        "paid", "0", push.checkout_request_id, "QK1", 20000
    )
    push.result = 1032
    assert parse_callback(json.dumps(build_callback(push)).encode()) == PaymentReport(
        "cancelled", "1032", push.checkout_request_id
    )
    push.result = 31337
    assert parse_callback(json.dumps(build_callback(push)).encode()) == PaymentReport(
        "failed", "31337", push.checkout_request_id
    )


@pytest.mark.parametrize("amount", [1, 1.0, "1", "1.00"])
def test_an_amount_is_read_however_it_is_written(amount):
    report = parse_callback(_paid_callback({"Name": "Amount", "Value": amount}))
    assert report is not None
    assert report.amount_minor == 100


@pytest.mark.parametrize("amount", [None, True, "one", 0.001, [], float("inf"), float("nan"), 1e300, "1e99999"])
def test_a_callback_with_money_of_no_amount_is_not_read(amount):
    assert parse_callback(_paid_callback({"Name": "Amount", "Value": amount})) is None


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
    assert parse_callback(body) is None


@pytest.mark.parametrize("name", ["", "QK1\0", "Q" * 65, "QK 1", 7, None])
def test_a_callback_whose_names_no_wallet_would_give_is_not_read(name):
    amount = {"Name": "Amount", "Value": 1}
    assert parse_callback(_paid_callback(amount, receipt=name)) is None
    assert parse_callback(_paid_callback(amount, request=name)) is None


def _paid_callback(amount, *, receipt="QK1", request="ws_CO_1"):
    items = [amount, {"Name": "MpesaReceiptNumber", "Value": receipt}]
    said = {"CheckoutRequestID": request, "ResultCode": 0, "CallbackMetadata": {"Item": items}}
    return json.dumps({"Body": {"stkCallback": said}}).encode()
