"""The wall clock is set an hour forward or back: nothing waits for that hour, and nothing that is being done is done again."""

import asyncio
from datetime import timedelta

import pytest

from core.clock_watch import ClockWatch
from services.departments.base import BusyError
from services.departments.circuit_breaker import DepartmentCircuit
from services.departments.delivery_supervisor import ABANDONED_AFTER as DELIVERY_ABANDONED_AFTER
from services.departments.delivery_supervisor import DeliverySupervisor
from services.messaging.inbound import CLAIM_DURATION, InboundSms, InboundSmsRepository
from services.messaging.models import Message
from services.messaging.outbox import ABANDONED_AFTER, RECOVERY_INTERVAL, Outbox
from services.messaging.provider import Accepted, Retry
from services.payments.worker import PaymentWorker
from tests.fakes.department_server import DepartmentServer
from tests.support.department_deliveries import CODE, DeliveryServiceSet
from tests.support.payments import PaymentServiceSet, fee_request
from tests.support.services import CIPHER, RAHIMA

JUMPS = pytest.mark.parametrize("hours", [1, -1], ids=["forward", "back"])
PATIENCE = 20.0  # seconds after which something hangs


class Provider:
    """Answers each message with the next outcome, and then takes all."""

    name = "line"

    def __init__(self, *outcomes):
        self._outcomes = list(outcomes)
        self.received = []

    async def send(self, message):
        self.received.append(message.text)
        return self._outcomes.pop(0) if self._outcomes else Accepted(f"id-{len(self.received)}")


@pytest.fixture
def queue_sms(services):
    async def queue_sms(key):
        await services.messages.send(Message(RAHIMA, key, "info", key))

    return queue_sms


def build_outbox(services, clock, *outcomes):
    provider = Provider(*outcomes)
    outbox = Outbox(
        services.messages,
        provider,
        worker="w1",
        clock=clock,
        monotonic=clock.monotonic,
        random_fraction=lambda: 0.0,
        poll_interval=0.01,
    )
    return outbox, provider


async def run_until(outbox, condition):
    running = asyncio.create_task(outbox.run())
    try:
        async with asyncio.timeout(PATIENCE):
            while not condition():  # noqa: ASYNC110 (objects without an event)
                await asyncio.sleep(0.005)
    finally:
        outbox.stop()
        await running


@JUMPS
async def test_a_pause_of_the_outbox_lasts_as_long_as_it_was_meant(services, clock, queue_sms, hours):
    outbox, provider = build_outbox(services, clock, Retry("Busy", None, pauses_all=True))
    await queue_sms("a")
    await run_until(outbox, lambda: provider.received)
    clock.jump(hours=hours)
    assert outbox.free_slots() == 0
    clock.advance(seconds=2)
    assert outbox.free_slots() > 0


@JUMPS
async def test_what_was_queued_before_the_jump_is_sent_at_once(services, clock, queue_sms, hours):
    outbox, provider = build_outbox(services, clock)
    await outbox.may_claim()
    await queue_sms("a")
    clock.jump(hours=hours)
    await run_until(outbox, lambda: provider.received == ["a"])


@JUMPS
async def test_what_another_worker_is_sending_is_not_taken_for_abandoned(services, clock, queue_sms, hours):
    outbox, _ = build_outbox(services, clock)
    await queue_sms("a")
    (message,) = await services.messages.claim("w2", 1)
    clock.jump(hours=hours)
    await outbox.may_claim()
    await outbox.tasks.finish(PATIENCE)
    assert (await services.messages.state(message.id)).stage == "sending"

    clock.advance(seconds=ABANDONED_AFTER.total_seconds() + RECOVERY_INTERVAL + max(0, -hours) * 3600)
    await outbox.may_claim()
    await outbox.tasks.finish(PATIENCE)
    assert (await services.messages.state(message.id)).stage == "unknown", "the other worker is dead after all"


@JUMPS
async def test_a_department_that_asked_for_a_pause_gets_that_pause(clock, hours):
    circuit = DepartmentCircuit(CODE, None, set(), monotonic=clock.monotonic)

    async def refuse():
        raise BusyError("busy", timedelta(seconds=30))

    with pytest.raises(BusyError):
        await circuit.call(refuse())
    clock.jump(hours=hours)
    assert circuit.is_paused
    clock.advance(seconds=30)
    assert not circuit.is_paused


@JUMPS
async def test_deliveries_go_on_and_none_that_is_under_way_is_taken_away(services, clock, hours):
    async with DepartmentServer() as server, DeliveryServiceSet(services, server) as deliveries:
        await services.register()
        repository = deliveries.deliveries_repository
        watch = ClockWatch(clock=clock, monotonic=clock.monotonic)
        watch.take_jump_back()
        supervisor = DeliverySupervisor(repository, [], clock_watch=watch)
        await deliveries.submit_application("s:1")
        under_way = await deliveries.claim_one()
        await deliveries.submit_application("s:2")
        clock.jump(hours=hours)
        await supervisor._recover()
        next_one = await deliveries.claim_one()
        assert next_one.id != under_way.id

        clock.advance(seconds=DELIVERY_ABANDONED_AFTER.total_seconds() + max(0, -hours) * 3600 + 1)
        await supervisor._recover()
        again = await repository.claim(CODE, "test", 10)
        assert {one.id for one in again} == {under_way.id, next_one.id}


@JUMPS
@pytest.mark.parametrize("is_claimed", [True, False])
async def test_an_sms_whose_worker_died_with_the_jump_is_handled(services, database, clock, hours, is_claimed):
    inbound = InboundSmsRepository(database, services.messages, CIPHER, clock=clock)
    await inbound.record(InboundSms("a", RAHIMA, "22384", "MENU"))
    if is_claimed:
        assert await inbound.claim(RAHIMA)
    clock.jump(hours=hours)
    clock.advance(seconds=CLAIM_DURATION.total_seconds())
    assert await inbound.list_waiting(timedelta(seconds=5)) == (RAHIMA,)
    assert (await inbound.claim(RAHIMA)).provider_id == "a"
    assert await inbound.claim(RAHIMA) is None


@JUMPS
async def test_a_payment_that_was_requested_before_the_jump_is_asked_for(database, clock, hours):
    payment_services = PaymentServiceSet(database, clock)
    watch = ClockWatch(clock=clock, monotonic=clock.monotonic)
    watch.take_jump_back()
    worker = PaymentWorker(
        payment_services.payments, payment_services.refunds, payment_services.wallet, clock_watch=watch
    )
    await payment_services.payments.request_payment(fee_request(), "s:5")
    clock.jump(hours=hours)
    await worker._run_due()
    assert len(payment_services.wallet.push_requests) == 1
