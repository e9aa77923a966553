"""The outbox between the messages, the worker and a scripted provider."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import select
from structlog.testing import capture_logs

from core.claim_worker import running_worker
from db.database import Database
from db.migrate import upgrade
from db.tables import messages as messages_table
from providers.africastalking.sms import AfricasTalkingSms
from services.messaging.message_status import QueueDepth
from services.messaging.messages import Messages
from services.messaging.metrics import OutboxMetrics
from services.messaging.models import ClaimedMessage, Message, OutgoingMessage, SendResult
from services.messaging.outbox import (
    ABANDONED_AFTER,
    BACKOFF,
    MAX_UNSETTLED_FACTOR,
    SUSPENSION_RETRY_INTERVAL,
    Outbox,
    build_send_result,
)
from services.messaging.provider import Accepted, Rejected, Retry, SendOutcome, Suspended, Unknown
from services.messaging.throttle import Throttle
from sms.segments import fold_to_gsm7
from tests.fakes import africastalking_server as at
from tests.fakes.africastalking_server import AfricasTalkingServer
from tests.support.servers import new_database
from tests.support.services import CIPHER, ManualClock

AMINA = "+8801700000001"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
FAR_FUTURE = 3600.0  # seconds until the next look: longer than any test


@dataclass
class FakeSms:
    """One SMS in the fake table."""

    id: int
    text: str
    due: datetime
    status: str = "queued"
    attempts: int = 0
    is_suspended: int = 0
    since: datetime = NOON
    outcome: SendResult | None = None


class FakeMessages:
    """A strict table in memory: only claimed messages get a result, and final results stay."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._all: list[FakeSms] = []
        self._queued = asyncio.Event()

    async def enqueue_text(self, text: str) -> None:
        await self.enqueue_elsewhere(text)
        self._queued.set()

    async def enqueue_elsewhere(self, text: str) -> None:
        """Enqueue as another process does, without a wakeup here."""
        self._all.append(FakeSms(len(self._all) + 1, text, self._clock()))

    async def all_messages(self) -> list[tuple[str, str, str]]:
        return [
            (one.status, *((one.outcome.provider_id, one.outcome.error) if one.outcome else ("", "")))
            for one in self._all
        ]

    async def wait_for_queued(self, timeout: float, medium: str = "sms", provider: str | None = None) -> None:
        try:
            await asyncio.wait_for(self._queued.wait(), timeout)
        except TimeoutError:
            return
        self._queued.clear()

    async def claim(
        self, worker: str, limit: int, medium: str = "sms", segments: int | None = None, *_: object, **__: object
    ) -> Sequence[ClaimedMessage]:
        assert worker
        assert limit > 0, "nobody asks for nothing"
        await asyncio.sleep(0)
        due = [one for one in self._all if one.status == "queued" and one.due <= self._clock()]
        ready = sorted(due, key=lambda one: (one.due, one.id))[:limit]
        ready = [one for place, one in enumerate(ready) if segments is None or place < segments]
        for one in ready:
            one.status, one.attempts, one.since = "sending", one.attempts + 1, self._clock()
        return [ClaimedMessage(one.id, AMINA, one.text, "info", one.attempts, one.is_suspended) for one in ready]

    async def record_result(self, message: int, result: SendResult) -> bool:
        await asyncio.sleep(0)
        one = self._all[message - 1]
        assert one.status != "queued", "what was not claimed has no end"
        if one.status in {"sent", "failed"}:
            return False
        one.status, one.outcome, one.due = result.status, result, result.not_before or one.due
        one.attempts, one.is_suspended = one.attempts - result.suspended, one.is_suspended + result.suspended
        return True

    async def adopt_orphans(self) -> int:
        return 0

    async def depth(self) -> QueueDepth:
        count = Counter(one.status for one in self._all)
        return QueueDepth(count["queued"], count["sending"], count["unknown"], timedelta())

    async def recover_abandoned(self, older_than: timedelta) -> int:
        before = self._clock() - older_than
        gone = [one for one in self._all if one.status == "sending" and one.since < before]
        for one in gone:
            one.status, one.outcome = "unknown", SendResult("unknown", error="WorkerGone")
        return len(gone)

    async def make_future_due(self) -> int:
        early = [one for one in self._all if one.status == "queued" and one.due > self._clock()]
        for one in early:
            one.due = self._clock()
        return len(early)


class DatabaseMessages(Messages):
    """The real table, with helpers for tests."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        super().__init__(database, CIPHER, clock=clock)

    async def enqueue_text(self, text: str) -> None:
        await self.send(Message(AMINA, text, "info", f"s1:{text}"))

    async def enqueue_elsewhere(self, text: str) -> None:
        """Enqueue as another process does, without a wakeup here."""
        await DatabaseMessages(self._database, self._clock).enqueue_text(text)

    async def all_messages(self) -> list[tuple[str, str, str]]:
        asked = select(messages_table.c.status, messages_table.c.provider_id, messages_table.c.error).order_by(
            messages_table.c.id
        )
        return [(status, of or "", error or "") for status, of, error in await self._database.fetch(asked)]


@pytest.fixture
def clock():
    return ManualClock(NOON)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def messages(request, clock, tmp_path) -> AsyncIterator[FakeMessages | DatabaseMessages]:
    """The fake table, and the real one on both databases."""
    if request.param == "memory":
        yield FakeMessages(clock)
        return
    with empty_database_url(request, tmp_path) as url:
        await upgrade(url)
        async with Database(url) as database:
            yield DatabaseMessages(database, clock)


def empty_database_url(request, tmp_path) -> AbstractContextManager[str]:
    if request.param == "sqlite":
        return nullcontext(f"sqlite+aiosqlite:///{tmp_path}/ekdial.db")
    return new_database(request.getfixturevalue("postgres_server"))


@pytest.fixture
def fake_messages(clock):
    return FakeMessages(clock)


class ScriptedProvider:
    """A provider that returns the scripted outcomes in order, and then accepts everything."""

    name = "line"

    def __init__(self, *outcomes: SendOutcome | Exception, gate: asyncio.Event | None = None) -> None:
        self.received: list[str] = []
        self.most_at_once = 0
        self._outcomes = list(outcomes)
        self._gate = gate
        self._now = 0

    async def send(self, message: OutgoingMessage) -> SendOutcome:
        assert message.to == AMINA
        text = message.text
        self.received.append(text)
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            return await self._answer(text)
        finally:
            self._now -= 1

    async def _answer(self, text: str) -> SendOutcome:
        await (self._gate.wait() if self._gate else asyncio.sleep(0))
        outcome = self._outcomes.pop(0) if self._outcomes else Accepted(f"id of {text}", "KES 0.8000")
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def run_outbox(
    queue: FakeMessages | DatabaseMessages,
    provider: ScriptedProvider | AfricasTalkingSms,
    clock: ManualClock,
    **options: object,
) -> Outbox:
    clocks = {"clock": clock, "monotonic": clock.monotonic}
    chosen = {"worker": "w1", **clocks, "random_fraction": lambda: 0.0, "poll_interval": 0.01, **options}
    return Outbox(queue, provider, **chosen)


async def wait_until(condition: Callable[[], Awaitable[bool] | bool]) -> None:
    """Return once the condition holds; fail after far more time than a working machine needs."""
    async with asyncio.timeout(20):
        while True:
            held = condition()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(0.005)


async def statuses(queue: FakeMessages | DatabaseMessages) -> Counter[str]:
    return Counter(status for status, _, _ in await queue.all_messages())


async def settled_statuses(queue: FakeMessages | DatabaseMessages, **counts: int) -> None:
    async def so() -> bool:
        return await statuses(queue) == Counter(counts)

    await wait_until(so)


async def test_what_is_queued_is_sent_and_settled_with_the_providers_id(messages, clock):
    provider = ScriptedProvider()
    await messages.enqueue_text("Your tracking number is 1234 5678 9012")
    async with running_worker(run_outbox(messages, provider, clock)):
        await settled_statuses(messages, sent=1)
    assert await messages.all_messages() == [("sent", "id of Your tracking number is 1234 5678 9012", "")]
    assert len(provider.received) == 1


async def test_what_is_queued_while_ends_cannot_be_noted_is_sent_as_soon_as_they_are(clock):
    noting = asyncio.Event()

    class Late(FakeMessages):
        async def record_result(self, message: int, result: SendResult) -> bool:
            await noting.wait()
            return await super().record_result(message, result)

    queue, provider, most = Late(clock), ScriptedProvider(), 2 * MAX_UNSETTLED_FACTOR
    async with running_worker(run_outbox(queue, provider, clock, concurrency=2, poll_interval=FAR_FUTURE)):
        for number in range(most):
            await queue.enqueue_text(f"{number}")
            await wait_until(lambda sent=number + 1: len(provider.received) == sent)
        await queue.enqueue_text("one more")
        for _ in range(20):  # turns of the loop, in which the outbox is stirred and finds no place
            await asyncio.sleep(0)
        noting.set()
        await settled_statuses(queue, sent=most + 1)
    assert provider.received[-1] == "one more"


async def test_it_wakes_when_something_is_queued_and_fills_free_places_without_waiting_to_look(messages, clock):
    provider = ScriptedProvider()
    async with running_worker(run_outbox(messages, provider, clock, concurrency=3, poll_interval=FAR_FUTURE)):
        for number in range(20):
            await messages.enqueue_text(f"{number}")
        await settled_statuses(messages, sent=20)
    assert sorted(provider.received, key=int) == [str(number) for number in range(20)]
    assert provider.most_at_once <= 3


async def test_what_another_process_queued_is_found_by_looking(messages, clock):
    provider = ScriptedProvider()
    async with running_worker(run_outbox(messages, provider, clock)):
        await settled_statuses(messages)
        await messages.enqueue_elsewhere("from elsewhere")
        await settled_statuses(messages, sent=1)


async def test_no_more_are_in_the_air_at_once_than_are_allowed(messages, clock):
    gate = asyncio.Event()
    provider = ScriptedProvider(gate=gate)
    for number in range(10):
        await messages.enqueue_text(str(number))
    async with running_worker(run_outbox(messages, provider, clock, concurrency=4)):
        await wait_until(lambda: len(provider.received) == 4)
        assert await statuses(messages) == {"sending": 4, "queued": 6}, "marked before they are sent, and no others"
        gate.set()
        await settled_statuses(messages, sent=10)
    assert provider.most_at_once == 4


async def test_two_workers_share_the_work_and_nothing_is_sent_twice(messages, clock):
    provider = ScriptedProvider()
    for number in range(60):
        await messages.enqueue_text(str(number))
    async with (
        running_worker(run_outbox(messages, provider, clock)),
        running_worker(run_outbox(messages, provider, clock, worker="w2")),
    ):
        await settled_statuses(messages, sent=60)
    assert Counter(provider.received) == Counter(map(str, range(60)))


@pytest.mark.parametrize(
    ("outcome", "status", "error"),
    [
        (Rejected("UserInBlacklist"), "failed", "UserInBlacklist"),
        (Unknown("NoAnswerInTime"), "unknown", "NoAnswerInTime"),
        (RuntimeError(f"could not reach {AMINA}"), "unknown", "ProviderRaised"),
    ],
)
async def test_what_failed_for_good_and_what_may_have_been_sent_are_never_sent_again(
    messages, clock, outcome, status, error
):
    provider = ScriptedProvider(outcome)
    await messages.enqueue_text("first")
    async with running_worker(run_outbox(messages, provider, clock)):
        await settled_statuses(messages, **{status: 1})
        clock.advance(days=1)
        await messages.enqueue_text("second")
        await settled_statuses(messages, **{status: 1, "sent": 1})
    assert provider.received == ["first", "second"]
    assert (await messages.all_messages())[0] == (status, "", error)


async def test_a_provider_that_raises_is_logged_without_a_word_of_whom_or_what(fake_messages, clock):
    provider = ScriptedProvider(RuntimeError(f"could not tell {AMINA} that her PIN is 4821"))
    await fake_messages.enqueue_text("Your PIN is 4821")
    with capture_logs() as lines:
        async with running_worker(run_outbox(fake_messages, provider, clock)):
            await settled_statuses(fake_messages, unknown=1)
    (raised,) = [line for line in lines if line["event"] == "provider_raised"]
    assert (raised["error"], raised["message"]) == ("RuntimeError", 1)
    assert raised["at"].startswith("test_outbox.py:")
    assert AMINA not in str(lines)
    assert "4821" not in str(lines)


async def test_what_was_not_sent_is_tried_again_when_its_time_has_come(messages, clock):
    provider = ScriptedProvider(Retry("NotConnected"), Retry("TooManyRequests", NOON + timedelta(minutes=5)))
    await messages.enqueue_text("patience")
    async with running_worker(run_outbox(messages, provider, clock)):
        await wait_until(lambda: len(provider.received) == 1)
        await settled_statuses(messages, queued=1)
        clock.advance(seconds=2)
        await wait_until(lambda: len(provider.received) == 2)
        await settled_statuses(messages, queued=1)
        clock.advance(minutes=4)
        await messages.enqueue_text("meanwhile")
        await settled_statuses(messages, queued=1, sent=1)
        clock.advance(minutes=1)
        await settled_statuses(messages, sent=2)
    assert provider.received == ["patience", "patience", "meanwhile", "patience"]


async def test_what_may_be_tried_only_so_often_fails_in_the_end(messages, clock):
    provider = ScriptedProvider(*[Retry("GatewayError", max_attempts=3)] * 3)
    await messages.enqueue_text("three times")
    async with running_worker(run_outbox(messages, provider, clock)):
        for tries in (1, 2):
            await wait_until(lambda tries=tries: len(provider.received) == tries)
            await settled_statuses(messages, queued=1)
            clock.advance(hours=1)
        await settled_statuses(messages, failed=1)
    assert provider.received == ["three times"] * 3


@pytest.mark.parametrize(
    ("outcome", "attempts", "ended"),
    [
        (Accepted("ATXid_1", "KES 0.8000"), 1, SendResult("sent", "ATXid_1", "KES 0.8000")),
        (Rejected("InvalidPhoneNumber"), 1, SendResult("failed", error="InvalidPhoneNumber")),
        (Unknown("RiskHold"), 1, SendResult("unknown", error="RiskHold")),
        (Retry("NotConnected"), 1, SendResult("queued", error="NotConnected", not_before=NOON + timedelta(seconds=2))),
        (Retry("NotConnected"), 3, SendResult("queued", error="NotConnected", not_before=NOON + timedelta(seconds=8))),
        (Retry("NotConnected"), 9999, SendResult("queued", error="NotConnected", not_before=NOON + timedelta(hours=1))),
        (
            Retry("AtNight", NOON + SUSPENSION_RETRY_INTERVAL),
            5,
            SendResult("queued", error="AtNight", not_before=NOON + SUSPENSION_RETRY_INTERVAL),
        ),
        (
            Retry("GatewayError", max_attempts=4),
            3,
            SendResult("queued", error="GatewayError", not_before=NOON + timedelta(seconds=8)),
        ),
        (Retry("GatewayError", max_attempts=4), 4, SendResult("failed", error="GatewayError")),
    ],
)
def test_every_outcome_has_its_ending(outcome, attempts, ended):
    assert build_send_result(outcome, ClaimedMessage(1, AMINA, "x", "info", attempts), NOON, 0.0) == ended


@pytest.mark.parametrize(("holds", "minutes"), [(0, 1), (8, 9), (9, 10), (98, 10)])
def test_one_that_is_held_looks_ever_more_rarely_and_it_counts_for_none_of_its_tries(holds, minutes):
    held = build_send_result(
        Suspended("InsufficientBalance"), ClaimedMessage(1, AMINA, "x", "info", 1, holds), NOON, 0.0
    )
    assert held == SendResult(
        "queued", error="InsufficientBalance", not_before=NOON + minutes * SUSPENSION_RETRY_INTERVAL, suspended=True
    )


async def test_being_held_uses_up_none_of_the_tries_that_a_message_has(messages, clock):
    """Four may be made where the provider says that it failed; before the first of them the account was empty ten times."""
    provider = ScriptedProvider(*[Suspended("InsufficientBalance")] * 10, *[Retry("GatewayError", max_attempts=4)] * 4)
    await messages.enqueue_text("patience")
    async with running_worker(run_outbox(messages, provider, clock)):

        async def done() -> bool:
            clock.advance(minutes=10)
            return await statuses(messages) == {"failed": 1}

        await wait_until(done)
    assert len(provider.received) == 14


def test_waits_double_up_to_an_hour_and_chance_shortens_them_by_up_to_a_half():
    assert [BACKOFF.delay(attempts, 0.0).total_seconds() for attempts in (1, 2, 3, 11, 12, 400)] == [
        2,
        4,
        8,
        2048,
        3600,
        3600,
    ]
    assert [BACKOFF.delay(1, chance).total_seconds() for chance in (0.0, 0.5, 1.0)] == [2, 1.5, 1]


async def test_while_nothing_can_be_sent_one_sms_a_minute_looks_whether_it_can(messages, clock):
    broke = Suspended("InsufficientBalance")
    provider = ScriptedProvider(broke, broke, broke)
    for number in range(6):
        await messages.enqueue_text(str(number))
    with capture_logs() as lines:
        async with running_worker(worker := run_outbox(messages, provider, clock, concurrency=2)):
            await wait_until(lambda: worker.suspension_reason == "InsufficientBalance")
            await settled_statuses(messages, queued=6)
            assert len(provider.received) == 2
            clock.advance(minutes=1)
            await wait_until(lambda: len(provider.received) == 3)
            await settled_statuses(messages, queued=6)
            assert worker.suspension_reason == "InsufficientBalance"
            clock.advance(minutes=1)
            await settled_statuses(messages, sent=6)
            assert worker.suspension_reason == ""
    assert provider.most_at_once == 2
    alarms = [line["event"] for line in lines if line["log_level"] == "critical"]
    assert alarms == ["outbox_suspended"], "one alarm for one cause"
    assert "outbox_resumed" in [line["event"] for line in lines]


async def test_one_sms_that_is_held_for_its_own_networks_sake_holds_up_nobody_else(messages, clock):
    provider = ScriptedProvider(Suspended("InvalidSenderId"))
    for number in range(8):
        await messages.enqueue_text(str(number))
    with capture_logs() as lines:
        async with running_worker(worker := run_outbox(messages, provider, clock, concurrency=1)):
            await settled_statuses(messages, sent=7, queued=1)
            assert worker.suspension_reason == ""
    assert (await messages.all_messages())[0] == ("queued", "", "InvalidSenderId")
    assert [line for line in lines if line["log_level"] == "critical"] == []


async def test_at_a_stop_what_is_in_the_air_comes_to_its_end_and_nothing_new_is_claimed(messages, clock):
    gate = asyncio.Event()
    provider = ScriptedProvider(gate=gate)
    for number in range(5):
        await messages.enqueue_text(str(number))
    worker = run_outbox(messages, provider, clock, concurrency=2)
    running = asyncio.create_task(worker.run())
    await wait_until(lambda: len(provider.received) == 2)
    worker.stop()
    gate.set()
    await running
    assert await statuses(messages) == {"sent": 2, "queued": 3}
    assert len(provider.received) == 2


async def test_a_worker_that_is_cancelled_midway_does_the_same(messages, clock):
    gate = asyncio.Event()
    provider = ScriptedProvider(gate=gate)
    for number in range(5):
        await messages.enqueue_text(str(number))
    running = asyncio.create_task(run_outbox(messages, provider, clock, concurrency=2).run())
    await wait_until(lambda: len(provider.received) == 2)
    running.cancel()
    await asyncio.sleep(0.01)
    assert not running.done(), "it waits for the provider"
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await statuses(messages) == {"sent": 2, "queued": 3}


async def test_what_a_cancelled_worker_was_claiming_is_not_lost(fake_messages, clock):
    gate, claiming = asyncio.Event(), asyncio.Event()

    class Slow(FakeMessages):
        async def claim(
            self, worker: str, limit: int, medium: str = "sms", segments: int | None = None, *_: object, **__: object
        ) -> Sequence[ClaimedMessage]:
            claimed = await super().claim(worker, limit)
            claiming.set()
            await gate.wait()  # committed, and the answer is on its way
            return claimed

    slow, provider = Slow(clock), ScriptedProvider()
    await slow.enqueue_text("in between")
    running = asyncio.create_task(run_outbox(slow, provider, clock).run())
    await claiming.wait()
    running.cancel()
    await asyncio.sleep(0)
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await slow.all_messages() == [("sent", "id of in between", "")]


async def test_what_takes_longer_than_a_stop_can_wait_is_cut_short_and_nobody_knows(messages, clock):
    provider = ScriptedProvider(gate=asyncio.Event())
    await messages.enqueue_text("into the void")
    async with running_worker(run_outbox(messages, provider, clock, grace_period=0.05)):
        await wait_until(lambda: len(provider.received) == 1)
    assert await messages.all_messages() == [("unknown", "", "CutShort")]


class UnreliableMessages(FakeMessages):
    """A table that is away at times: `fails` names the calls that fail, one for each entry."""

    def __init__(self, clock: ManualClock, *fails: str) -> None:
        super().__init__(clock)
        self.fails = list(fails)

    def _fail_if_due(self, call: str) -> None:
        if call in self.fails:
            self.fails.remove(call)
            raise ConnectionError(f"while {AMINA} was looked up")

    async def claim(
        self, worker: str, limit: int, medium: str = "sms", segments: int | None = None, *_: object, **__: object
    ) -> Sequence[ClaimedMessage]:
        self._fail_if_due("claim")
        return await super().claim(worker, limit)

    async def record_result(self, message: int, result: SendResult) -> bool:
        self._fail_if_due("settle")
        return await super().record_result(message, result)

    async def recover_abandoned(self, older_than: timedelta) -> int:
        self._fail_if_due("sweep")
        return await super().recover_abandoned(older_than)


async def test_while_the_database_is_away_nothing_is_lost_and_nothing_is_sent_twice(clock):
    queue, provider = UnreliableMessages(clock, "sweep", "claim", "claim", "settle", "settle"), ScriptedProvider()
    await queue.enqueue_text("through thick and thin")
    with capture_logs() as lines:
        async with running_worker(run_outbox(queue, provider, clock)):
            await settled_statuses(queue, sent=1)
    assert provider.received == ["through thick and thin"]
    complaints = Counter(line["event"] for line in lines if line["log_level"] == "error")
    assert complaints == {
        "message_recovery_failed": 1,
        "message_claim_failed": 2,
        "message_result_not_recorded": 2,
    }
    assert AMINA not in str(lines)


async def test_what_a_dead_worker_left_behind_is_called_unknown_and_not_sent_again(messages, clock):
    provider = ScriptedProvider()
    await messages.enqueue_text("half sent")
    await messages.claim("a worker that is killed now", 1)
    with capture_logs() as lines:
        async with running_worker(run_outbox(messages, provider, clock)):
            await messages.enqueue_text("another")
            await settled_statuses(messages, sending=1, sent=1)
            clock.advance(seconds=ABANDONED_AFTER.total_seconds() + 60)
            await settled_statuses(messages, unknown=1, sent=1)
    assert (await messages.all_messages())[0] == ("unknown", "", "WorkerGone")
    assert provider.received == ["another"]
    assert "abandoned_messages_recovered" in [line["event"] for line in lines]


async def test_a_provider_that_answers_in_every_way_loses_nothing_and_repeats_nothing_it_took(messages, clock):
    """The real provider on its fake server: 120 messages, every fifth answered otherwise than it should be."""
    odd = [
        at.drop_connection,
        at.accept(501),
        at.reject("NoSuchThing"),
        at.respond_json(b"{"),
        at.respond_text(429, "Later"),
        at.redirect(),
    ]
    async with AfricasTalkingServer() as server, aiohttp.ClientSession() as http:
        for number in range(120):
            server.respond_with(odd[number // 5 % len(odd)] if number % 5 == 0 else at.accept())
            await messages.enqueue_text(str(number))
        provider = AfricasTalkingSms(http, at.USERNAME, at.API_KEY, base_url=server.url, clock=clock)

        async def done() -> bool:
            clock.advance(minutes=1)
            return not {"queued", "sending"} & set(await statuses(messages))

        async with running_worker(run_outbox(messages, provider, clock, poll_interval=0.01)):
            await wait_until(done)
    assert await statuses(messages) == {"sent": 108, "failed": 4, "unknown": 8}, (
        "4 were refused, 4 cut off, 4 unreadable"
    )
    assert len({provider_id for status, provider_id, _ in await messages.all_messages() if status == "sent"}) == 108
    assert len({asked.fields["message"] for asked in server.requests}) == 120
    assert len(server.requests) == 132, "asked again only after 501, 429 and a redirect, 4 times each"


@pytest.mark.parametrize(
    ("due", "pause"), [(None, timedelta(seconds=2)), (NOON + timedelta(seconds=30), timedelta(seconds=30))]
)
async def test_a_provider_that_wants_fewer_requests_gets_none_for_a_while(messages, clock, due, pause):
    provider = ScriptedProvider(Retry("TooManyRequests", due, pauses_all=True))
    for number in range(3):
        await messages.enqueue_text(str(number))
    async with running_worker(run_outbox(messages, provider, clock, concurrency=1)):
        await wait_until(lambda: len(provider.received) == 1)
        clock.advance(seconds=pause.total_seconds() - 1)
        await messages.enqueue_text("more")
        await asyncio.sleep(0.05)
        assert len(provider.received) == 1, "nobody else is sent either"
        clock.advance(seconds=1)
        await settled_statuses(messages, sent=4)


async def test_while_it_goes_on_wanting_fewer_the_pauses_grow_and_the_next_that_is_taken_ends_them(
    fake_messages, clock
):
    busy = Retry("TooManyRequests", NOON, pauses_all=True)  # each message is due at once
    provider, pauses = ScriptedProvider(*[replace(busy, not_before=None)] * 4), []
    await fake_messages.enqueue_text("only one")
    async with running_worker(worker := run_outbox(fake_messages, provider, clock)):
        for tries in range(1, 5):
            await wait_until(lambda tries=tries: len(provider.received) == tries)
            await settled_statuses(fake_messages, queued=1)
            pauses.append(worker._paused_until - clock.monotonic())
            clock.advance(seconds=worker._paused_until - clock.monotonic() + 0.001)
        await settled_statuses(fake_messages, sent=1)
    assert pauses == pytest.approx([2, 4, 8, 16])
    assert worker._pause_count == 0


async def test_a_provider_that_keeps_messages_for_a_look_at_the_account_rings_one_alarm(messages, clock):
    risky = Unknown("RiskHold", needs_attention=True)
    provider = ScriptedProvider(risky, risky, Accepted("ATXid_1"), risky)
    for number in range(4):
        await messages.enqueue_text(str(number))
    with capture_logs() as lines:
        async with running_worker(run_outbox(messages, provider, clock, concurrency=1)):
            await settled_statuses(messages, unknown=3, sent=1)
    alarms = [(line["event"], line["reason"]) for line in lines if line["log_level"] == "critical"]
    assert alarms == [("provider_holds_messages", "RiskHold")] * 2, "once, and once again after it had been well"


async def test_no_more_segments_are_sent_a_second_than_the_sender_may(fake_messages, clock):
    now = 0.0
    throttle, provider = Throttle(8, lambda: now), ScriptedProvider()
    for number in range(7):
        await fake_messages.enqueue_text(str(number))
    async with running_worker(run_outbox(fake_messages, provider, clock, throttle=throttle)):
        await settled_statuses(fake_messages, sent=3, queued=4)
        now = 0.125
        await settled_statuses(fake_messages, sent=4, queued=3)
        now = 60.0
        await settled_statuses(fake_messages, sent=7)


async def test_the_last_hand_on_a_text_is_before_it_is_sent(fake_messages, clock):
    provider = ScriptedProvider()
    await fake_messages.enqueue_text("a “quoted” word " * 8)
    async with running_worker(run_outbox(fake_messages, provider, clock, prepare_text=fold_to_gsm7)):
        await settled_statuses(fake_messages, sent=1)
    assert provider.received == ['a "quoted" word ' * 8], "in one segment instead of two"


async def test_what_is_counted_tells_how_many_and_never_whom(messages, clock):
    registry = CollectorRegistry()
    provider = ScriptedProvider(
        Rejected("UserInBlacklist"), Unknown("NoAnswerInTime"), Retry("NotConnected", NOON + SUSPENSION_RETRY_INTERVAL)
    )
    for number in range(6):
        await messages.enqueue_text(f"PIN 482{number}")
    async with running_worker(run_outbox(messages, provider, clock, concurrency=1, metrics=OutboxMetrics(registry))):
        await settled_statuses(messages, failed=1, unknown=1, queued=1, sent=3)
        clock.advance(seconds=20)
        await wait_until(lambda: registry.get_sample_value("ekdial_messages", {"stage": "unknown"}) == 1)
    said = generate_latest(registry).decode()
    for line_of_it in (
        'ekdial_sms_sends_total{kind="info",outcome="failed",provider="line"} 1.0',
        'ekdial_sms_sends_total{kind="info",outcome="queued",provider="line"} 1.0',
        'ekdial_sms_sends_total{kind="info",outcome="sent",provider="line"} 3.0',
        'ekdial_sms_segments_total{kind="info",provider="line"} 3.0',
        'ekdial_messages{stage="queued"} 1.0',
        'ekdial_sms_held{provider="line"} 0.0',
    ):
        assert line_of_it in said
    assert AMINA[1:] not in said
    assert "PIN" not in said


async def test_that_nothing_goes_out_can_be_seen_from_outside(fake_messages, clock):
    registry = CollectorRegistry()
    broke = Suspended("InsufficientBalance")
    provider = ScriptedProvider(broke, broke)
    for number in range(3):
        await fake_messages.enqueue_text(str(number))
    async with running_worker(
        run_outbox(fake_messages, provider, clock, concurrency=1, metrics=OutboxMetrics(registry))
    ):
        await wait_until(lambda: registry.get_sample_value("ekdial_sms_held", {"provider": "line"}) == 1)
        clock.advance(minutes=1)
        await settled_statuses(fake_messages, sent=3)
    assert registry.get_sample_value("ekdial_sms_held", {"provider": "line"}) == 0


async def test_an_outbox_for_emails_sends_emails_alone(clock, tmp_path):
    await upgrade(url := f"sqlite+aiosqlite:///{tmp_path}/ekdial.db")
    async with Database(url) as database:
        queue, provider = DatabaseMessages(database, clock), ScriptedProvider()
        await queue.enqueue_text("an sms")
        await queue.send(Message(AMINA, "an e-mail", "info", "s2", "email"))
        async with running_worker(run_outbox(queue, provider, clock, medium="email")):
            await settled_statuses(queue, sent=1, queued=1)
    assert provider.received == ["an e-mail"]


async def test_while_ends_cannot_be_noted_only_so_many_more_are_sent(clock):
    gate = asyncio.Event()

    class Stuck(FakeMessages):
        async def record_result(self, message: int, result: SendResult) -> bool:
            await gate.wait()
            return await super().record_result(message, result)

    queue, provider = Stuck(clock), ScriptedProvider()
    for number in range(30):
        await queue.enqueue_text(str(number))
    async with running_worker(run_outbox(queue, provider, clock, concurrency=2)):
        await wait_until(lambda: len(provider.received) == 2 * MAX_UNSETTLED_FACTOR)
        await asyncio.sleep(0.05)
        assert len(provider.received) <= 2 * MAX_UNSETTLED_FACTOR + 1, "a crash now leaves no more than these unknown"
        gate.set()
        await settled_statuses(queue, sent=30)
    assert provider.most_at_once == 2
