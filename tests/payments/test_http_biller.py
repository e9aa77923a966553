"""A biller over HTTP: the small JSON shape of docs/payments.md, on a strict server."""

from datetime import date

import pytest
from aiohttp import web

from assembly.fetching import fetching
from services.payments.billing import Bill, BillerDown, NoSuchConsumer, NothingDue, NotPosted, Payment, Posted
from services.payments.http_biller import HttpBiller

KEY = "made up key"
PAYMENT = Payment("k" * 32, "12345671", "2026-11", 91000, "KES", "QK1")


class BillerServer:
    """Holds the other side to what docs/payments.md says."""

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
    async with fetching(deadline=2, most=100_000) as client:
        yield HttpBiller(client, server.url, KEY)


async def test_a_bill_is_read(server, biller):
    server.bills["12345671"] |= {"due": "2026-12-05", "name": "R*** B***"}
    assert await biller.look("12345671") == Bill("2026-11", 91000, "KES", date(2026, 12, 5), "R*** B***")
    server.bills["12345671"] |= {"due": "soon", "name": None}
    assert await biller.look("12345671") == Bill("2026-11", 91000, "KES")


async def test_nothing_due_and_nobody(server, biller):
    server.bills["1"] = {"amount_minor": 0}
    assert await biller.look("1") == NothingDue()
    assert await biller.look("2") == NoSuchConsumer()


async def test_a_payment_is_noted_once_however_often_it_is_told(server, biller):
    assert await biller.post(PAYMENT) == await biller.post(PAYMENT) == Posted("B-0")
    assert len(server.posts) == 2


@pytest.mark.parametrize("status", [409, 410, 422])
async def test_what_they_do_not_take_is_told(server, biller, status):
    server.instead = web.json_response({"reason": "Closed"}, status=status)
    assert await biller.post(PAYMENT) == NotPosted("Closed")


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
    with pytest.raises(BillerDown):
        await biller.look("12345671")
    server.instead = web.Response(**answer)
    with pytest.raises(BillerDown):
        await biller.post(PAYMENT)


async def test_who_is_not_there_is_down():
    async with fetching(deadline=1, most=1000) as client:
        with pytest.raises(BillerDown):
            await HttpBiller(client, "http://127.0.0.1:1", KEY).look("1")
