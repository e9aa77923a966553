"""The HTTP biller against a strict server with the JSON of docs/payments.md."""

from datetime import date

import pytest
from aiohttp import web

from core.http.aiohttp_client import open_http_client
from services.payments.billers.base import (
    Bill,
    BillerUnavailableError,
    BillPayment,
    NoSuchConsumer,
    NothingDue,
    PaymentPosted,
    PostRejected,
)
from services.payments.billers.http import HttpBiller

KEY = "made up key"
PAYMENT = BillPayment("k" * 32, "12345671", "2026-11", 91000, "KES", "QK1")


class BillerServer:
    """A biller's server that is as strict as docs/payments.md."""

    def __init__(self):
        self.bills = {"12345671": {"reference": "2026-11", "amount_minor": 91000, "currency": "KES"}}
        self.receipts, self.posts = {}, []
        self.instead = None

    async def __aenter__(self):
        app = web.Application()
        app.add_routes([web.post("/v1/bills", self._bill), web.post("/v1/payments", self._payment)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1/"
        return self

    async def __aexit__(self, *_):
        await self._runner.cleanup()

    def _refuses(self, request):
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return web.json_response({"reason": "key"}, status=401)
        assert request.content_type == "application/json"
        return self.instead

    async def _bill(self, request):
        if refused := self._refuses(request):
            return refused
        said = await request.json()
        assert said.keys() == {"consumer"}
        bill = self.bills.get(said["consumer"])
        return web.json_response(bill) if bill is not None else web.Response(status=404)

    async def _payment(self, request):
        if refused := self._refuses(request):
            return refused
        said = await request.json()
        assert said.keys() == {"payment", "consumer", "reference", "amount_minor", "currency", "wallet_receipt"}
        assert request.headers["Idempotency-Key"] == said["payment"]
        self.posts.append(said)
        receipt = self.receipts.setdefault(said["payment"], f"B-{len(self.receipts)}")
        return web.json_response({"receipt": receipt}, status=201)


@pytest.fixture
async def server():
    async with BillerServer() as server:
        yield server


@pytest.fixture
async def biller(server):
    async with open_http_client(deadline=2, max_bytes=100_000) as client:
        yield HttpBiller(client, server.url, KEY)


async def test_a_bill_is_read(server, biller):
    server.bills["12345671"] |= {"due": "2026-12-05", "name": "R*** B***"}
    assert await biller.fetch_bill("12345671") == Bill("2026-11", 91000, "KES", date(2026, 12, 5), "R*** B***")
    server.bills["12345671"] |= {"due": "soon", "name": None}
    assert await biller.fetch_bill("12345671") == Bill("2026-11", 91000, "KES")


async def test_nothing_due_and_nobody(server, biller):
    server.bills["1"] = {"amount_minor": 0}
    assert await biller.fetch_bill("1") == NothingDue()
    assert await biller.fetch_bill("2") == NoSuchConsumer()


async def test_a_payment_is_noted_once_however_often_it_is_told(server, biller):
    assert await biller.post_payment(PAYMENT) == await biller.post_payment(PAYMENT) == PaymentPosted("B-0")
    assert len(server.posts) == 2


@pytest.mark.parametrize("status", [409, 410, 422])
async def test_what_they_do_not_take_is_told(server, biller, status):
    server.instead = web.json_response({"reason": "Closed"}, status=status)
    assert await biller.post_payment(PAYMENT) == PostRejected("Closed")


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 500},
        {"status": 401},
        {"status": 302},
        {"text": "all is well"},
        {"text": "[]", "content_type": "application/json"},
        {"text": '{"amount_minor": "91000"}', "content_type": "application/json"},
        {"text": '{"amount_minor": 5}', "content_type": "application/json"},
        {"text": '{"amount_minor": -5}', "content_type": "application/json"},
    ],
)
async def test_what_cannot_be_used_is_a_biller_that_is_down(server, biller, answer):
    server.instead = web.Response(**answer)
    with pytest.raises(BillerUnavailableError):
        await biller.fetch_bill("12345671")
    server.instead = web.Response(**answer)
    with pytest.raises(BillerUnavailableError):
        await biller.post_payment(PAYMENT)


async def test_who_is_not_there_is_down():
    async with open_http_client(deadline=1, max_bytes=1000) as client:
        with pytest.raises(BillerUnavailableError):
            await HttpBiller(client, "http://127.0.0.1:1", KEY).fetch_bill("1")
