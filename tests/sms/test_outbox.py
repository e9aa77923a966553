"""The outbox as conversations between the records, the worker and a provider that does what providers do."""

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

from services.messages import Claimed, Depth, Ending, Message, Messages
from services.records.database import Records
from services.records.migrate import upgrade
from services.records.tables import messages
from sms.meters import Meters
from sms.outbox import ABANDONED, HOLD, MOST_UNSETTLED, Outbox, Rows, at_work, ending, wait_after
from sms.provider import Accepted, Held, Outcome, Refused, Retry, Unclear
from sms.providers.africastalking import AfricasTalking
from sms.segments import folded
from sms.throttle import Throttle
from tests.desk import SEAL, Clock
from tests.fakes import africastalking_server as at
from tests.fakes.africastalking_server import AfricasTalkingServer
from tests.servers import new_database

AMINA = "+8801700000001"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
NEVER = 3600.0  # seconds until the next look: longer than any test


@dataclass
class Sms:
    """What the fake records know of one SMS."""

    id: int
    text: str
    due: datetime
    status: str = "queued"
    attempts: int = 0
    holds: int = 0
    since: datetime = NOON
    ended: Ending | None = None


class Shelf:
    """Records in memory, strict: what is not in the air cannot be settled, what is settled stays so."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._all: list[Sms] = []
        self._queued = asyncio.Event()

    async def queues(self, text: str) -> None:
        await self.queues_elsewhere(text)
        self._queued.set()

    async def queues_elsewhere(self, text: str) -> None:
        """As another process does: nobody here is woken."""
        self._all.append(Sms(len(self._all) + 1, text, self._clock()))

    async def known(self) -> list[tuple[str, str, str]]:
        return [
            (one.status, *((one.ended.provider_id, one.ended.error) if one.ended else ("", ""))) for one in self._all
        ]

    async def until_queued(self, seconds: float, medium: str = "sms") -> None:
        try:
            await asyncio.wait_for(self._queued.wait(), seconds)
        except TimeoutError:
            return
        self._queued.clear()

    async def claim(
        self, worker: str, most: int, medium: str = "sms", segments: int | None = None
    ) -> Sequence[Claimed]:
        assert worker
        assert most > 0, "nobody asks for nothing"
        await asyncio.sleep(0)
        due = [one for one in self._all if one.status == "queued" and one.due <= self._clock()]
        ready = sorted(due, key=lambda one: (one.due, one.id))[:most]
        ready = [one for place, one in enumerate(ready) if segments is None or place < segments]
        for one in ready:
            one.status, one.attempts, one.since = "sending", one.attempts + 1, self._clock()
        return [Claimed(one.id, AMINA, one.text, "info", one.attempts, one.holds) for one in ready]

    async def settle(self, message: int, outcome: Ending) -> bool:
        await asyncio.sleep(0)
        one = self._all[message - 1]
        assert one.status != "queued", "what was not claimed has no end"
        if one.status in {"sent", "failed"}:
            return False
        one.status, one.ended, one.due = outcome.status, outcome, outcome.due or one.due
        one.attempts, one.holds = one.attempts - outcome.held, one.holds + outcome.held
        return True

    async def depth(self) -> Depth:
        count = Counter(one.status for one in self._all)
        return Depth(count["queued"], count["sending"], count["unknown"], timedelta())

    async def sweep(self, older_than: timedelta) -> int:
        before = self._clock() - older_than
        gone = [one for one in self._all if one.status == "sending" and one.since < before]
        for one in gone:
            one.status, one.ended = "unknown", Ending("unknown", error="WorkerGone")
        return len(gone)


class Table(Messages):
    """The real records, with what a test asks of them."""

    def __init__(self, records: Records, clock: Clock) -> None:
        super().__init__(records, SEAL, clock=clock)

    async def queues(self, text: str) -> None:
        await self.send(Message(AMINA, text, "info", f"s1:{text}"))

    async def queues_elsewhere(self, text: str) -> None:
        """As another process does: nobody here is woken."""
        await Table(self._records, self._clock).queues(text)

    async def known(self) -> list[tuple[str, str, str]]:
        asked = select(messages.c.status, messages.c.provider_id, messages.c.error).order_by(messages.c.id)
        return [(status, of or "", error or "") for status, of, error in await self._records.read(asked)]


@pytest.fixture
def clock():
    return Clock(NOON)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def rows(request, clock, tmp_path) -> AsyncIterator[Shelf | Table]:
    """What the outbox works on: the fake, and the real records on both databases."""
    if request.param == "memory":
        yield Shelf(clock)
        return
    with empty_database(request, tmp_path) as url:
        await upgrade(url)
        async with Records(url) as records:
            yield Table(records, clock)


def empty_database(request, tmp_path) -> AbstractContextManager[str]:
    if request.param == "sqlite":
        return nullcontext(f"sqlite+aiosqlite:///{tmp_path}/ekdial.db")
    return new_database(request.getfixturevalue("postgres_server"))


@pytest.fixture
def shelf(clock):
    return Shelf(clock)


class Line:
    """A provider that answers with what is laid down for it, one after the other, and then accepts everything."""

    name = "line"

    def __init__(self, *outcomes: Outcome | Exception, gate: asyncio.Event | None = None) -> None:
        self.heard: list[str] = []
        self.most_at_once = 0
        self._outcomes = list(outcomes)
        self._gate = gate
        self._now = 0

    async def send(self, to: str, text: str) -> Outcome:
        assert to == AMINA
        self.heard.append(text)
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            return await self._answer(text)
        finally:
            self._now -= 1

    async def _answer(self, text: str) -> Outcome:
        await (self._gate.wait() if self._gate else asyncio.sleep(0))
        outcome = self._outcomes.pop(0) if self._outcomes else Accepted(f"id of {text}", "KES 0.8000")
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def outbox(rows: Rows, line: Line | AfricasTalking, clock: Clock, **options: object) -> Outbox:
    chosen = {"worker": "w1", "clock": clock, "chance": lambda: 0.0, "idle": 0.01, **options}
    return Outbox(rows, line, **chosen)


async def until(holds: Callable[[], Awaitable[bool] | bool]) -> None:
    """Return once it holds; fails where it does not within a time that no working machine needs."""
    async with asyncio.timeout(20):
        while True:
            held = holds()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(0.005)


async def statuses(rows: Shelf | Table) -> Counter[str]:
    return Counter(status for status, _, _ in await rows.known())


async def settled(rows: Shelf | Table, **counts: int) -> None:
    async def so() -> bool:
        return await statuses(rows) == Counter(counts)

    await until(so)


async def test_what_is_queued_is_sent_and_settled_with_the_providers_id(rows, clock):
    line = Line()
    await rows.queues("Your tracking number is 1234 5678 9012")
    async with at_work(outbox(rows, line, clock)):
        await settled(rows, sent=1)
    assert await rows.known() == [("sent", "id of Your tracking number is 1234 5678 9012", "")]
    assert len(line.heard) == 1


async def test_what_is_queued_while_ends_cannot_be_noted_is_sent_as_soon_as_they_are(clock):
    noting = asyncio.Event()

    class Late(Shelf):
        async def settle(self, message: int, outcome: Ending) -> bool:
            await noting.wait()
            return await super().settle(message, outcome)

    rows, line, most = Late(clock), Line(), 2 * MOST_UNSETTLED
    async with at_work(outbox(rows, line, clock, parallel=2, idle=NEVER)):
        for number in range(most):
            await rows.queues(f"{number}")
            await until(lambda sent=number + 1: len(line.heard) == sent)
        await rows.queues("one more")
        for _ in range(20):  # turns of the loop, in which the outbox is stirred and finds no place
            await asyncio.sleep(0)
        noting.set()
        await settled(rows, sent=most + 1)
    assert line.heard[-1] == "one more"


async def test_it_wakes_when_something_is_queued_and_fills_free_places_without_waiting_to_look(rows, clock):
    line = Line()
    async with at_work(outbox(rows, line, clock, parallel=3, idle=NEVER)):
        for number in range(20):
            await rows.queues(f"{number}")
        await settled(rows, sent=20)
    assert sorted(line.heard, key=int) == [str(number) for number in range(20)]
    assert line.most_at_once <= 3


async def test_what_another_process_queued_is_found_by_looking(rows, clock):
    line = Line()
    async with at_work(outbox(rows, line, clock)):
        await settled(rows)
        await rows.queues_elsewhere("from elsewhere")
        await settled(rows, sent=1)


async def test_no_more_are_in_the_air_at_once_than_are_allowed(rows, clock):
    gate = asyncio.Event()
    line = Line(gate=gate)
    for number in range(10):
        await rows.queues(str(number))
    async with at_work(outbox(rows, line, clock, parallel=4)):
        await until(lambda: len(line.heard) == 4)
        assert await statuses(rows) == {"sending": 4, "queued": 6}, "marked before they are sent, and no others"
        gate.set()
        await settled(rows, sent=10)
    assert line.most_at_once == 4


async def test_two_workers_share_the_work_and_nothing_is_sent_twice(rows, clock):
    line = Line()
    for number in range(60):
        await rows.queues(str(number))
    async with at_work(outbox(rows, line, clock)), at_work(outbox(rows, line, clock, worker="w2")):
        await settled(rows, sent=60)
    assert Counter(line.heard) == Counter(map(str, range(60)))


@pytest.mark.parametrize(
    ("outcome", "status", "error"),
    [
        (Refused("UserInBlacklist"), "failed", "UserInBlacklist"),
        (Unclear("NoAnswerInTime"), "unknown", "NoAnswerInTime"),
        (RuntimeError(f"could not reach {AMINA}"), "unknown", "ProviderRaised"),
    ],
)
async def test_what_failed_for_good_and_what_may_have_been_sent_are_never_sent_again(
    rows, clock, outcome, status, error
):
    line = Line(outcome)
    await rows.queues("first")
    async with at_work(outbox(rows, line, clock)):
        await settled(rows, **{status: 1})
        clock.moves(days=1)
        await rows.queues("second")
        await settled(rows, **{status: 1, "sent": 1})
    assert line.heard == ["first", "second"]
    assert (await rows.known())[0] == (status, "", error)


async def test_a_provider_that_raises_is_logged_without_a_word_of_whom_or_what(shelf, clock):
    line = Line(RuntimeError(f"could not tell {AMINA} that her PIN is 4821"))
    await shelf.queues("Your PIN is 4821")
    with capture_logs() as lines:
        async with at_work(outbox(shelf, line, clock)):
            await settled(shelf, unknown=1)
    (raised,) = [line for line in lines if line["event"] == "provider raised"]
    assert (raised["error"], raised["message"]) == ("RuntimeError", 1)
    assert raised["at"].startswith("test_outbox.py:")
    assert AMINA not in str(lines)
    assert "4821" not in str(lines)


async def test_what_was_not_sent_is_tried_again_when_its_time_has_come(rows, clock):
    line = Line(Retry("NotConnected"), Retry("TooManyRequests", NOON + timedelta(minutes=5)))
    await rows.queues("patience")
    async with at_work(outbox(rows, line, clock)):
        await until(lambda: len(line.heard) == 1)
        await settled(rows, queued=1)
        clock.moves(seconds=2)
        await until(lambda: len(line.heard) == 2)
        await settled(rows, queued=1)
        clock.moves(minutes=4)
        await rows.queues("meanwhile")
        await settled(rows, queued=1, sent=1)
        clock.moves(minutes=1)
        await settled(rows, sent=2)
    assert line.heard == ["patience", "patience", "meanwhile", "patience"]


async def test_what_may_be_tried_only_so_often_fails_in_the_end(rows, clock):
    line = Line(*[Retry("GatewayError", tries=3)] * 3)
    await rows.queues("three times")
    async with at_work(outbox(rows, line, clock)):
        for tries in (1, 2):
            await until(lambda tries=tries: len(line.heard) == tries)
            await settled(rows, queued=1)
            clock.moves(hours=1)
        await settled(rows, failed=1)
    assert line.heard == ["three times"] * 3


@pytest.mark.parametrize(
    ("outcome", "attempts", "ended"),
    [
        (Accepted("ATXid_1", "KES 0.8000"), 1, Ending("sent", "ATXid_1", "KES 0.8000")),
        (Refused("InvalidPhoneNumber"), 1, Ending("failed", error="InvalidPhoneNumber")),
        (Unclear("RiskHold"), 1, Ending("unknown", error="RiskHold")),
        (Retry("NotConnected"), 1, Ending("queued", error="NotConnected", due=NOON + timedelta(seconds=2))),
        (Retry("NotConnected"), 3, Ending("queued", error="NotConnected", due=NOON + timedelta(seconds=8))),
        (Retry("NotConnected"), 9999, Ending("queued", error="NotConnected", due=NOON + timedelta(hours=1))),
        (Retry("AtNight", NOON + HOLD), 5, Ending("queued", error="AtNight", due=NOON + HOLD)),
        (Retry("GatewayError", tries=4), 3, Ending("queued", error="GatewayError", due=NOON + timedelta(seconds=8))),
        (Retry("GatewayError", tries=4), 4, Ending("failed", error="GatewayError")),
    ],
)
def test_every_outcome_has_its_ending(outcome, attempts, ended):
    assert ending(outcome, Claimed(1, AMINA, "x", "info", attempts), NOON, 0.0) == ended


@pytest.mark.parametrize(("holds", "minutes"), [(0, 1), (8, 9), (9, 10), (98, 10)])
def test_one_that_is_held_looks_ever_more_rarely_and_it_counts_for_none_of_its_tries(holds, minutes):
    held = ending(Held("InsufficientBalance"), Claimed(1, AMINA, "x", "info", 1, holds), NOON, 0.0)
    assert held == Ending("queued", error="InsufficientBalance", due=NOON + minutes * HOLD, held=True)


async def test_being_held_uses_up_none_of_the_tries_that_a_message_has(rows, clock):
    """Four may be made where the provider says that it failed; before the first of them the account was empty ten times."""
    line = Line(*[Held("InsufficientBalance")] * 10, *[Retry("GatewayError", tries=4)] * 4)
    await rows.queues("patience")
    async with at_work(outbox(rows, line, clock)):

        async def done() -> bool:
            clock.moves(minutes=10)
            return await statuses(rows) == {"failed": 1}

        await until(done)
    assert len(line.heard) == 14


def test_waits_double_up_to_an_hour_and_chance_shortens_them_by_up_to_a_half():
    assert [wait_after(attempts, 0.0).total_seconds() for attempts in (1, 2, 3, 11, 12, 400)] == [
        2,
        4,
        8,
        2048,
        3600,
        3600,
    ]
    assert [wait_after(1, chance).total_seconds() for chance in (0.0, 0.5, 1.0)] == [2, 1.5, 1]


async def test_while_nothing_can_be_sent_one_sms_a_minute_looks_whether_it_can(rows, clock):
    broke = Held("InsufficientBalance")
    line = Line(broke, broke, broke)
    for number in range(6):
        await rows.queues(str(number))
    with capture_logs() as lines:
        async with at_work(worker := outbox(rows, line, clock, parallel=2)):
            await until(lambda: worker.held == "InsufficientBalance")
            await settled(rows, queued=6)
            assert len(line.heard) == 2
            clock.moves(minutes=1)
            await until(lambda: len(line.heard) == 3)
            await settled(rows, queued=6)
            assert worker.held == "InsufficientBalance"
            clock.moves(minutes=1)
            await settled(rows, sent=6)
            assert worker.held == ""
    assert line.most_at_once == 2
    alarms = [line["event"] for line in lines if line["log_level"] == "critical"]
    assert alarms == ["messages are held"], "one alarm for one cause"
    assert "messages are held no more" in [line["event"] for line in lines]


async def test_one_sms_that_is_held_for_its_own_networks_sake_holds_up_nobody_else(rows, clock):
    line = Line(Held("InvalidSenderId"))
    for number in range(8):
        await rows.queues(str(number))
    with capture_logs() as lines:
        async with at_work(worker := outbox(rows, line, clock, parallel=1)):
            await settled(rows, sent=7, queued=1)
            assert worker.held == ""
    assert (await rows.known())[0] == ("queued", "", "InvalidSenderId")
    assert [line for line in lines if line["log_level"] == "critical"] == []


async def test_at_a_stop_what_is_in_the_air_comes_to_its_end_and_nothing_new_is_claimed(rows, clock):
    gate = asyncio.Event()
    line = Line(gate=gate)
    for number in range(5):
        await rows.queues(str(number))
    worker = outbox(rows, line, clock, parallel=2)
    running = asyncio.create_task(worker.run())
    await until(lambda: len(line.heard) == 2)
    worker.stop()
    gate.set()
    await running
    assert await statuses(rows) == {"sent": 2, "queued": 3}
    assert len(line.heard) == 2


async def test_a_worker_that_is_cancelled_midway_does_the_same(rows, clock):
    gate = asyncio.Event()
    line = Line(gate=gate)
    for number in range(5):
        await rows.queues(str(number))
    running = asyncio.create_task(outbox(rows, line, clock, parallel=2).run())
    await until(lambda: len(line.heard) == 2)
    running.cancel()
    await asyncio.sleep(0.01)
    assert not running.done(), "it waits for the provider"
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await statuses(rows) == {"sent": 2, "queued": 3}


async def test_what_a_cancelled_worker_was_claiming_is_not_lost(shelf, clock):
    gate, claiming = asyncio.Event(), asyncio.Event()

    class Slow(Shelf):
        async def claim(
            self, worker: str, most: int, medium: str = "sms", segments: int | None = None
        ) -> Sequence[Claimed]:
            claimed = await super().claim(worker, most)
            claiming.set()
            await gate.wait()  # committed, and the answer is on its way
            return claimed

    slow, line = Slow(clock), Line()
    await slow.queues("in between")
    running = asyncio.create_task(outbox(slow, line, clock).run())
    await claiming.wait()
    running.cancel()
    await asyncio.sleep(0)
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await slow.known() == [("sent", "id of in between", "")]


async def test_what_takes_longer_than_a_stop_can_wait_is_cut_short_and_nobody_knows(rows, clock):
    line = Line(gate=asyncio.Event())
    await rows.queues("into the void")
    async with at_work(outbox(rows, line, clock, grace=0.05)):
        await until(lambda: len(line.heard) == 1)
    assert await rows.known() == [("unknown", "", "CutShort")]


class Moody(Shelf):
    """Records that are away at times: `fails` names the calls that fail, one for each entry."""

    def __init__(self, clock: Clock, *fails: str) -> None:
        super().__init__(clock)
        self.fails = list(fails)

    def _perhaps(self, call: str) -> None:
        if call in self.fails:
            self.fails.remove(call)
            raise ConnectionError(f"while {AMINA} was looked up")

    async def claim(
        self, worker: str, most: int, medium: str = "sms", segments: int | None = None
    ) -> Sequence[Claimed]:
        self._perhaps("claim")
        return await super().claim(worker, most)

    async def settle(self, message: int, outcome: Ending) -> bool:
        self._perhaps("settle")
        return await super().settle(message, outcome)

    async def sweep(self, older_than: timedelta) -> int:
        self._perhaps("sweep")
        return await super().sweep(older_than)


async def test_while_the_database_is_away_nothing_is_lost_and_nothing_is_sent_twice(clock):
    rows, line = Moody(clock, "sweep", "claim", "claim", "settle", "settle"), Line()
    await rows.queues("through thick and thin")
    with capture_logs() as lines:
        async with at_work(outbox(rows, line, clock)):
            await settled(rows, sent=1)
    assert line.heard == ["through thick and thin"]
    complaints = Counter(line["event"] for line in lines if line["log_level"] == "error")
    assert complaints == {
        "abandoned messages could not be looked for": 1,
        "no message could be claimed": 2,
        "the end of a message could not be noted": 2,
    }
    assert AMINA not in str(lines)


async def test_what_a_dead_worker_left_behind_is_called_unknown_and_not_sent_again(rows, clock):
    line = Line()
    await rows.queues("half sent")
    await rows.claim("a worker that is killed now", 1)
    with capture_logs() as lines:
        async with at_work(outbox(rows, line, clock)):
            await rows.queues("another")
            await settled(rows, sending=1, sent=1)
            clock.moves(seconds=ABANDONED.total_seconds() + 60)
            await settled(rows, unknown=1, sent=1)
    assert (await rows.known())[0] == ("unknown", "", "WorkerGone")
    assert line.heard == ["another"]
    assert "messages were left unsettled by a worker that is gone" in [line["event"] for line in lines]


async def test_a_provider_that_answers_in_every_way_loses_nothing_and_repeats_nothing_it_took(rows, clock):
    """The real provider on its fake server: 120 messages, every fifth answered otherwise than it should be."""
    odd = [
        at.hangs_up,
        at.taken(501),
        at.refused("NoSuchThing"),
        at.says(b"{"),
        at.says_plainly(429, "Later"),
        at.redirects(),
    ]
    async with AfricasTalkingServer() as server, aiohttp.ClientSession() as http:
        for number in range(120):
            server.then(odd[number // 5 % len(odd)] if number % 5 == 0 else at.taken())
            await rows.queues(str(number))
        line = AfricasTalking(http, at.USERNAME, at.API_KEY, base_url=server.url, clock=clock)

        async def done() -> bool:
            clock.moves(minutes=1)
            return not {"queued", "sending"} & set(await statuses(rows))

        async with at_work(outbox(rows, line, clock, idle=0.01)):
            await until(done)
    assert await statuses(rows) == {"sent": 108, "failed": 4, "unknown": 8}, "4 were refused, 4 cut off, 4 unreadable"
    assert len({provider_id for status, provider_id, _ in await rows.known() if status == "sent"}) == 108
    assert len({asked.fields["message"] for asked in server.asked}) == 120
    assert len(server.asked) == 132, "asked again only after 501, 429 and a redirect, 4 times each"


@pytest.mark.parametrize(
    ("due", "pause"), [(None, timedelta(seconds=2)), (NOON + timedelta(seconds=30), timedelta(seconds=30))]
)
async def test_a_provider_that_wants_fewer_requests_gets_none_for_a_while(rows, clock, due, pause):
    line = Line(Retry("TooManyRequests", due, everybody=True))
    for number in range(3):
        await rows.queues(str(number))
    async with at_work(outbox(rows, line, clock, parallel=1)):
        await until(lambda: len(line.heard) == 1)
        clock.now = NOON + pause - timedelta(seconds=1)
        await rows.queues("more")
        await asyncio.sleep(0.05)
        assert len(line.heard) == 1, "nobody else is sent either"
        clock.now = NOON + pause
        await settled(rows, sent=4)


async def test_while_it_goes_on_wanting_fewer_the_pauses_grow_and_the_next_that_is_taken_ends_them(shelf, clock):
    busy = Retry("TooManyRequests", NOON, everybody=True)  # each message is due at once
    line, pauses = Line(*[replace(busy, due=None)] * 4), []
    await shelf.queues("only one")
    async with at_work(worker := outbox(shelf, line, clock)):
        for tries in range(1, 5):
            await until(lambda tries=tries: len(line.heard) == tries)
            await settled(shelf, queued=1)
            pauses.append((worker._next_look - clock()).total_seconds())
            clock.now = worker._next_look
        await settled(shelf, sent=1)
    assert pauses == [2, 4, 8, 16]
    assert worker._pauses == 0


async def test_a_provider_that_keeps_messages_for_a_look_at_the_account_rings_one_alarm(rows, clock):
    risky = Unclear("RiskHold", alarm=True)
    line = Line(risky, risky, Accepted("ATXid_1"), risky)
    for number in range(4):
        await rows.queues(str(number))
    with capture_logs() as lines:
        async with at_work(outbox(rows, line, clock, parallel=1)):
            await settled(rows, unknown=3, sent=1)
    alarms = [(line["event"], line["reason"]) for line in lines if line["log_level"] == "critical"]
    assert alarms == [("provider holds messages", "RiskHold")] * 2, "once, and once again after it had been well"


async def test_no_more_segments_are_sent_a_second_than_the_sender_may(shelf, clock):
    now = 0.0
    throttle, line = Throttle(8, lambda: now), Line()
    for number in range(7):
        await shelf.queues(str(number))
    async with at_work(outbox(shelf, line, clock, throttle=throttle)):
        await settled(shelf, sent=3, queued=4)
        now = 0.125
        await settled(shelf, sent=4, queued=3)
        now = 60.0
        await settled(shelf, sent=7)


async def test_the_last_hand_on_a_text_is_before_it_is_sent(shelf, clock):
    line = Line()
    await shelf.queues("a “quoted” word " * 8)
    async with at_work(outbox(shelf, line, clock, spelled=folded)):
        await settled(shelf, sent=1)
    assert line.heard == ['a "quoted" word ' * 8], "in one segment instead of two"


async def test_what_is_counted_tells_how_many_and_never_whom(rows, clock):
    registry = CollectorRegistry()
    line = Line(Refused("UserInBlacklist"), Unclear("NoAnswerInTime"), Retry("NotConnected", NOON + HOLD))
    for number in range(6):
        await rows.queues(f"PIN 482{number}")
    async with at_work(outbox(rows, line, clock, parallel=1, meters=Meters(registry))):
        await settled(rows, failed=1, unknown=1, queued=1, sent=3)
        clock.moves(seconds=20)
        await until(lambda: registry.get_sample_value("ekdial_messages", {"stage": "unknown"}) == 1)
    said = generate_latest(registry).decode()
    for line_of_it in (
        'ekdial_sms_sends_total{end="failed",kind="info"} 1.0',
        'ekdial_sms_sends_total{end="queued",kind="info"} 1.0',
        'ekdial_sms_sends_total{end="sent",kind="info"} 3.0',
        'ekdial_sms_segments_total{kind="info"} 3.0',
        'ekdial_messages{stage="queued"} 1.0',
        "ekdial_sms_held 0.0",
    ):
        assert line_of_it in said
    assert AMINA[1:] not in said
    assert "PIN" not in said


async def test_that_nothing_goes_out_can_be_seen_from_outside(shelf, clock):
    registry = CollectorRegistry()
    broke = Held("InsufficientBalance")
    line = Line(broke, broke)
    for number in range(3):
        await shelf.queues(str(number))
    async with at_work(outbox(shelf, line, clock, parallel=1, meters=Meters(registry))):
        await until(lambda: registry.get_sample_value("ekdial_sms_held") == 1)
        clock.moves(minutes=1)
        await settled(shelf, sent=3)
    assert registry.get_sample_value("ekdial_sms_held") == 0


async def test_an_outbox_for_emails_sends_emails_alone(clock, tmp_path):
    await upgrade(url := f"sqlite+aiosqlite:///{tmp_path}/ekdial.db")
    async with Records(url) as records:
        rows, line = Table(records, clock), Line()
        await rows.queues("an sms")
        await rows.send(Message(AMINA, "an e-mail", "info", "s2", "email"))
        async with at_work(outbox(rows, line, clock, medium="email")):
            await settled(rows, sent=1, queued=1)
    assert line.heard == ["an e-mail"]


async def test_while_ends_cannot_be_noted_only_so_many_more_are_sent(clock):
    gate = asyncio.Event()

    class Stuck(Shelf):
        async def settle(self, message: int, outcome: Ending) -> bool:
            await gate.wait()
            return await super().settle(message, outcome)

    rows, line = Stuck(clock), Line()
    for number in range(30):
        await rows.queues(str(number))
    async with at_work(outbox(rows, line, clock, parallel=2)):
        await until(lambda: len(line.heard) == 2 * MOST_UNSETTLED)
        await asyncio.sleep(0.05)
        assert len(line.heard) <= 2 * MOST_UNSETTLED + 1, "a crash now leaves no more than these unknown"
        gate.set()
        await settled(rows, sent=30)
    assert line.most_at_once == 2
