"""What every wallet must be: the sandbox's and Daraja's go through the same with a till, a payer and reports between."""

import pytest

from assembly.fetching import fetching
from services.payments.daraja import Daraja, read_callback
from services.payments.port import Asked, Return, Returned
from services.payments.sandbox import Sandbox
from tests.fakes.daraja_server import DarajaServer, callback_of
from tests.payments.test_daraja import merchant
from tests.payments.tills import PAYER, Shop, fee

RESULTS = {"paid": 0, "cancelled": 1032, "wrong_pin": 2001, "no_money": 1}
PINS = {"paid": "4826", "cancelled": None, "wrong_pin": "0000", "no_money": "9999"}


class SandboxWorld:
    def __init__(self, records, clock):
        self.wallet = Sandbox(records, clock=clock)
        self.heard = None

    def hears(self, heard):
        self.wallet.tells = heard

    async def payer(self, does, *, tells=True):
        (prompt,) = await self.wallet.waiting(PAYER)
        if not tells:
            self.wallet.tells = _lost
        assert await self.wallet.press(prompt.id, PINS[does]) == does
        return prompt


class DarajaWorld:
    def __init__(self, server, client):
        self.server = server
        self.wallet = Daraja(client, merchant(server.url), waits=(0.0,))

    def hears(self, heard):
        self.heard = heard

    async def payer(self, does, *, tells=True):
        import json

        push = self.server.pushes[-1]
        await self.server.ends(push, RESULTS[does], times=0)
        if tells:
            key = push.callback.split("/")[-1].partition("?")[0]
            await self.heard(key, read_callback(json.dumps(callback_of(push)).encode()))
        return push


async def _lost(_key, _report):
    """A callback that never arrives."""


@pytest.fixture(params=["sandbox", "daraja"])
async def world(request, records, clock):
    if request.param == "sandbox":
        yield SandboxWorld(records, clock)
        return
    from datetime import UTC, datetime

    clock.now = datetime.now(UTC)
    async with DarajaServer() as server, fetching(deadline=2, most=100_000) as client:
        yield DarajaWorld(server, client)


@pytest.fixture
async def shop(world, records, clock):
    shop = Shop(records, clock, world.wallet)
    world.hears(shop.payments.heard)
    await shop.payments.pay(fee(), "s:5")
    await shop.works()
    return shop


@pytest.mark.parametrize("does", list(RESULTS))
async def test_what_the_payer_does_is_told_by_a_callback(world, shop, does):
    assert await shop.statuses() == ["pending"]
    await world.payer(does)
    assert await shop.statuses() == ["paid" if does == "paid" else "failed"]
    ((text, facts),) = await shop.sent()
    assert text == ("fee_paid" if does == "paid" else "unpaid")
    assert facts["paid"] == [20000, "KES"]


@pytest.mark.parametrize("does", list(RESULTS))
async def test_or_found_by_asking_when_the_callback_was_lost(world, shop, does):
    await world.payer(does, tells=False)
    assert await shop.statuses() == ["pending"]
    await shop.later(seconds=31)
    assert await shop.statuses() == ["paid" if does == "paid" else "failed"]


async def test_what_nobody_has_answered_is_pending_when_it_is_asked_after(shop):
    await shop.later(seconds=31)
    assert await shop.statuses() == ["pending"]


async def test_the_sandbox_runs_out_gives_back_and_never_asks_twice(records, clock):
    world = SandboxWorld(records, clock)
    shop = Shop(records, clock, world.wallet)
    world.hears(shop.payments.heard)
    await shop.payments.pay(fee(), "s:5")
    await shop.works()
    (prompt,) = await world.wallet.waiting(PAYER)
    await shop.later(minutes=3)
    assert await world.wallet.press(prompt.id, "4826") == "gone"
    assert await shop.statuses() == ["expired"]
    await shop.payments.pay(fee(), "s:9")
    await shop.works()
    prompt = await world.payer("paid")
    assert await world.wallet.press(prompt.id, "4826") == "gone"
    (_, row) = await shop.rows()
    back = Return("r1", row.key, PAYER, row.request, row.receipt, 15000, "KES")
    assert isinstance(await world.wallet.give_back(back), Returned)
    assert not isinstance(await world.wallet.give_back(back), Returned), "no more than there was"
    assert (await world.wallet.query(Asked("nobody's", "", PAYER, clock()))).outcome == "failed"
