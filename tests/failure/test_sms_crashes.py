"""Workers are killed at every step of a send while the provider does its worst, and every message is accounted for."""

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from aiohttp import web
from sqlalchemy import Row, select

from db.database import Database
from db.migrate import upgrade
from db.tables import messages
from services.messaging.delivery_status import DeliveryReport, DeliveryStatus
from services.messaging.messages import Messages
from services.messaging.models import Message
from tests.fakes import africastalking_server as at
from tests.fakes.africastalking_server import AcceptedSms, AfricasTalkingServer, Behaviour, RecordedRequest
from tests.support.crash_plan import CrashPlan
from tests.support.forked_worker import ForkedWorker
from tests.support.services import CIPHER
from tests.support.sms_crash_worker import STEPS, run_worker

if TYPE_CHECKING:
    from services.messaging.kinds import MessageKind

MESSAGE_COUNT = 1500
SPEED = 60.0  # seconds of the workers' clock in one of ours: what a dead worker left is found after five
CRASH_COUNTS = (7, 60)  # the how many-th message past the step, in the first wave and in the second
TIMEOUT = 60.0  # seconds until the last message has an end, many times what it takes


class ProviderBehaviour(NamedTuple):
    """How the provider treats a message: what each request about it is answered, the last for all that follow."""

    behaviours: Sequence[Behaviour]
    reaches_a_phone: bool
    outcomes: frozenset[str]  # as it may stand where no worker dies over it


TAKEN, FAILED, UNKNOWN = frozenset({"sent"}), frozenset({"failed"}), frozenset({"unknown"})

BEHAVIOURS: Mapping[str, ProviderBehaviour] = {
    "taken": ProviderBehaviour([at.accept()], True, TAKEN),
    "taken, said late": ProviderBehaviour([at.accept_after(0.1)], True, TAKEN),  # a twentieth of the deadline
    "taken, said twice": ProviderBehaviour([at.respond_twice], True, TAKEN | UNKNOWN),
    "taken, said in rubbish": ProviderBehaviour(
        [at.accept_then(at.respond_json(b'{"SMSMessageData": ['))], True, UNKNOWN
    ),
    "taken, said an octet a second": ProviderBehaviour([at.drip(1.0)], True, UNKNOWN),
    "taken, then HTTP 500": ProviderBehaviour([at.accept_then(at.respond_text(500, "Oops"))], True, UNKNOWN),
    "taken, then reset": ProviderBehaviour([at.accept_then(at.drop_connection)], True, UNKNOWN),
    "reset": ProviderBehaviour([at.drop_connection], False, UNKNOWN),
    "429, then taken": ProviderBehaviour([at.respond_text(429, "Later"), at.accept()], True, TAKEN),
    "429 for a second, then taken": ProviderBehaviour(
        [at.respond_text(429, "Later", **{"Retry-After": "1"}), at.accept()], True, TAKEN
    ),
    "gateway error, then taken": ProviderBehaviour([at.accept(501), at.accept(500), at.accept()], True, TAKEN),
    "no such number": ProviderBehaviour([at.accept(403)], False, FAILED),
    "on the black list": ProviderBehaviour([at.accept(406)], False, FAILED),
}
# Most are treated well, and one in three of the others each way in turn.
BEHAVIOUR_WEIGHTS = [way for other in BEHAVIOURS for way in (other, "taken", "taken")]


def behaviour_for(number: int) -> str:
    return BEHAVIOUR_WEIGHTS[number % len(BEHAVIOUR_WEIGHTS)]


def build_message(number: int) -> Message:
    """One SMS of its own number, so that who was told what, and how often, can be seen; one in five is secret."""
    kind: MessageKind = "pin" if number % 5 == 0 else "info"
    return Message(f"+88017{number:08}", f"message {number}", kind, f"crash:{number}")


def message_number(text: str) -> int:
    return int(text.removeprefix("message "))


class FakeProvider:
    """Answers each message in its manner, whichever of its servers is asked."""

    def __init__(self) -> None:
        self.tries: Counter[int] = Counter()
        self.servers: list[AfricasTalkingServer] = []

    def server(self) -> AfricasTalkingServer:
        """One more, for the workers of its own; no two give the same id."""
        name = f"ATXid_{len(self.servers):02}{{:030x}}"
        self.servers.append(AfricasTalkingServer(format_id=name.format, default_behaviour=self.respond))
        return self.servers[-1]

    def on_phones(self) -> Mapping[int, Sequence[AcceptedSms]]:
        """What went out, by the number of the message."""
        out: dict[int, list[AcceptedSms]] = {}
        for taken in (taken for server in self.servers for taken in server.accepted):
            out.setdefault(message_number(taken.text), []).append(taken)
        return out

    def respond(self, request: RecordedRequest) -> Behaviour:
        number = message_number(request.fields["message"])
        self.tries[number] += 1
        behaviours = BEHAVIOURS[behaviour_for(number)].behaviours
        return behaviours[min(self.tries[number], len(behaviours)) - 1]


def kill_after(worker, after: int, provider: FakeProvider) -> Callable[[RecordedRequest], Behaviour]:
    """As the provider answers; with the last of so many requests it kills whoever asked, who never hears the answer."""
    requests = count(1)

    async def kill(
        _server: AfricasTalkingServer, _request: web.Request, _http_request: RecordedRequest
    ) -> web.StreamResponse:
        os.kill(worker.pid, signal.SIGKILL)
        return web.Response()

    def answers(request: RecordedRequest) -> Behaviour:
        behaviour = provider.respond(request)
        if next(requests) < after:
            return behaviour
        return (
            at.accept_then(kill)
            if BEHAVIOURS[behaviour_for(message_number(request.fields["message"]))].reaches_a_phone
            else kill
        )

    return answers


@asynccontextmanager
async def run_crashing_worker(plan: CrashPlan, provider: FakeProvider) -> AsyncIterator[ForkedWorker]:
    """A worker that will be dead when this is left. One that dies while it waits for an answer has a server of its own."""
    if plan.step != "asked":
        worker = await ForkedWorker.start(run_worker, plan)
        yield worker
    else:
        async with provider.server() as server:
            worker = await ForkedWorker.start(run_worker, replace(plan, server=server.url))
            server.default_behaviour = kill_after(worker, plan.count, provider)
            yield worker
            assert await worker.wait_for_crash(TIMEOUT) == -signal.SIGKILL
    assert await worker.wait_for_crash(TIMEOUT) == -signal.SIGKILL, f"it was to die {plan.step}"


async def run_wave(plan: CrashPlan, provider: FakeProvider, at_message: int) -> int:
    """One worker for each step at once, each dying at its own; how many died."""
    async with AsyncExitStack() as stack:
        plans = [replace(plan, name=f"{step} {at_message}", step=step, count=at_message) for step in (*STEPS, "asked")]
        workers = [await stack.enter_async_context(run_crashing_worker(one, provider)) for one in plans]
        for worker in workers:
            await worker.begin()
    return len(workers)


async def run_surviving_workers(plan: CrashPlan, rows: Messages) -> None:
    """Two workers that live until nothing is left to do, and then end in good order."""
    workers = [await ForkedWorker.start(run_worker, replace(plan, name=name)) for name in ("first", "second")]
    for worker in workers:
        await worker.begin()
    async with asyncio.timeout(TIMEOUT):
        while True:
            depth = await rows.depth()
            if depth.queued == depth.sending == 0:
                break
            await asyncio.sleep(0.05)
    assert [await worker.wait_for_exit(TIMEOUT) for worker in workers] == [0, 0]


async def all_rows(database: Database) -> Mapping[int, Row]:
    found = await database.fetch(select(messages))
    return {int(row.idempotency_key.removeprefix("crash:")): row for row in found}


async def test_workers_die_at_every_step_and_every_message_is_accounted_for(database_url: str) -> None:
    provider, began = FakeProvider(), time.time()
    await upgrade(database_url)
    async with Database(database_url) as database, provider.server() as server:
        plan = CrashPlan(database_url, server.url, "", began, SPEED)
        rows = Messages(database, CIPHER, clock=plan.clock)
        async with database.transaction() as transaction:
            for number in range(MESSAGE_COUNT):
                await rows.enqueue(transaction, build_message(number))
        killed = sum([await run_wave(plan, provider, at_message) for at_message in CRASH_COUNTS])
        await run_surviving_workers(plan, rows)
        ended = await all_rows(database)
        assert_each_sent_at_most_once(ended, provider)
        out = provider.on_phones()
        for taken in (taken for some in out.values() for taken in some):
            await rows.record_report(DeliveryReport(taken.id, DeliveryStatus.DELIVERED, "Success", msisdn=taken.to))
        reported = await all_rows(database)
    assert_reports_match(reported, out)
    heading = (
        f"{database.dialect}: {MESSAGE_COUNT} messages, {killed} workers killed, {provider.tries.total()} requests"
    )
    print_summary(f"{heading}, {time.time() - began:.0f} s", ended, reported)


def assert_each_sent_at_most_once(ended: Mapping[int, Row], provider: FakeProvider) -> None:
    out = provider.on_phones()
    assert sorted(ended) == list(range(MESSAGE_COUNT))
    assert {len(taken) for taken in out.values()} == {1}, "what may have been sent was not sent again"
    for number, row in ended.items():
        manner, name = BEHAVIOURS[behaviour_for(number)], behaviour_for(number)
        cut_off = row.error == "WorkerGone"
        assert row.status in manner.outcomes or (cut_off and row.status == "unknown"), (name, row.status, row.error)
        assert row.status != "sent" or out[number][0].id == row.provider_id
        assert manner.reaches_a_phone or number not in out
        assert number in out or cut_off or not manner.reaches_a_phone, f"{name}: lost"
        if len(manner.behaviours) == 1 and manner.outcomes != TAKEN:
            assert provider.tries[number] <= 1, f"{name}: tried again"
        assert (row.text is None) == row.secret, "a PIN is not readable once it has left"


def assert_reports_match(reported: Mapping[int, Row], out: Mapping[int, Sequence[AcceptedSms]]) -> None:
    for number, row in reported.items():
        assert (row.delivery == DeliveryStatus.DELIVERED) == (number in out), (
            behaviour_for(number),
            row.status,
            row.error,
        )
        assert number not in out or row.status == "sent"


def print_summary(heading: str, ended: Mapping[int, Row], reported: Mapping[int, Row]) -> None:
    """The counts, for whoever runs this with -s."""
    stood = Counter(row.status for row in ended.values())
    abandoned = sum(row.error == "WorkerGone" for row in ended.values())
    left = Counter(row.delivery or row.status for row in reported.values())
    sys.stdout.write(
        f"\n{heading}\n  when the last worker stopped: {dict(stood)}, {abandoned} of them abandoned by the dead\n"
        f"  when their delivery reports had come: {dict(left)}; sent twice: 0, lost: 0\n"
    )
