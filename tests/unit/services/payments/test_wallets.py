"""The contract of every wallet, for the sandbox and Daraja, with a payment worker and a payer."""

import pytest

from core.http.aiohttp_client import open_http_client
from services.payments.wallets.base import PushQuery, Refunded, RefundRequest
from services.payments.wallets.daraja import Daraja, parse_callback
from services.payments.wallets.sandbox import SandboxWallet
from tests.fakes.daraja_server import DarajaServer, build_callback
from tests.support.payments import PAYER_MSISDN, PaymentServiceSet, build_client, fee_request

RESULTS = {"paid": 0, "cancelled": 1032, "wrong_pin": 2001, "no_money": 1}
PINS = {"paid": "4826", "cancelled": None, "wrong_pin": "0000", "no_money": "9999"}


class SandboxContext:
    def __init__(self, database, clock):
        self.wallet = SandboxWallet(database, clock=clock)
        self.heard = None

    def deliver_report(self, received):
        self.wallet.on_report = received

    async def act_as_payer(self, does, *, tells=True):
        (prompt,) = await self.wallet.pending_prompts(PAYER_MSISDN)
        if not tells:
            self.wallet.on_report = _drop_report
        assert await self.wallet.answer_prompt(prompt.id, PINS[does]) == does
        return prompt


class DarajaContext:
    def __init__(self, server, client):
        self.server = server
        self.wallet = Daraja(client, build_client(server.url), retry_waits=(0.0,))

    def deliver_report(self, received):
        self.heard = received

    async def act_as_payer(self, does, *, tells=True):
        import json

        push = self.server.pushes[-1]
        await self.server.finish_push(push, RESULTS[does], times=0)
        if tells:
            key = push.callback.split("/")[-1].partition("?")[0]
            await self.heard(key, parse_callback(json.dumps(build_callback(push)).encode()))
        return push


async def _drop_report(_key, _report):
    """Lose a callback."""


@pytest.fixture(params=["sandbox", "daraja"])
async def wallet_context(request, database, clock):
    if request.param == "sandbox":
        yield SandboxContext(database, clock)
        return
    from datetime import UTC, datetime

    clock.now = datetime.now(UTC)
    async with DarajaServer() as server, open_http_client(deadline=2, max_bytes=100_000) as client:
        yield DarajaContext(server, client)


@pytest.fixture
async def payment_services(wallet_context, database, clock):
    payment_services = PaymentServiceSet(database, clock, wallet_context.wallet)
    wallet_context.deliver_report(payment_services.payments.record_report)
    await payment_services.payments.request_payment(fee_request(), "s:5")
    await payment_services.run_due_jobs()
    return payment_services


@pytest.mark.parametrize("does", list(RESULTS))
async def test_what_the_payer_does_is_told_by_a_callback(wallet_context, payment_services, does):
    assert await payment_services.statuses() == ["pending"]
    await wallet_context.act_as_payer(does)
    assert await payment_services.statuses() == ["paid" if does == "paid" else "failed"]
    ((text, facts),) = await payment_services.claim_sms()
    assert text == ("fee_paid" if does == "paid" else "unpaid_fee")
    assert facts["paid"] == [20000, "KES"]


@pytest.mark.parametrize("does", list(RESULTS))
async def test_or_found_by_asking_when_the_callback_was_lost(wallet_context, payment_services, does):
    await wallet_context.act_as_payer(does, tells=False)
    assert await payment_services.statuses() == ["pending"]
    await payment_services.run_later(seconds=31)
    assert await payment_services.statuses() == ["paid" if does == "paid" else "failed"]


async def test_what_nobody_has_answered_is_pending_when_it_is_asked_after(payment_services):
    await payment_services.run_later(seconds=31)
    assert await payment_services.statuses() == ["pending"]


async def test_the_sandbox_runs_out_gives_back_and_never_asks_twice(database, clock):
    wallet_context = SandboxContext(database, clock)
    payment_services = PaymentServiceSet(database, clock, wallet_context.wallet)
    wallet_context.deliver_report(payment_services.payments.record_report)
    await payment_services.payments.request_payment(fee_request(), "s:5")
    await payment_services.run_due_jobs()
    (prompt,) = await wallet_context.wallet.pending_prompts(PAYER_MSISDN)
    await payment_services.run_later(minutes=3)
    assert await wallet_context.wallet.answer_prompt(prompt.id, "4826") == "gone"
    assert await payment_services.statuses() == ["expired"]
    await payment_services.payments.request_payment(fee_request(), "s:9")
    await payment_services.run_due_jobs()
    prompt = await wallet_context.act_as_payer("paid")
    assert await wallet_context.wallet.answer_prompt(prompt.id, "4826") == "gone"
    (_, row) = await payment_services.fetch_rows()
    back = RefundRequest("r1", row.key, PAYER_MSISDN, row.request, row.receipt, 15000, "KES")
    assert isinstance(await wallet_context.wallet.refund(back), Refunded)
    assert not isinstance(await wallet_context.wallet.refund(back), Refunded), "no more than there was"
    assert (
        await wallet_context.wallet.query_status(PushQuery("nobody's", "", PAYER_MSISDN, clock()))
    ).outcome == "failed"
