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
from pathlib import Path
from typing import NamedTuple

from aiohttp import web
from sqlalchemy import Row, select

from services.messages import Delivery, Kind, Message, Messages, Report
from services.records.database import Records
from services.records.migrate import upgrade
from services.records.tables import messages
from tests.desk import SEAL
from tests.fakes import africastalking_server as at
from tests.fakes.africastalking_server import AfricasTalkingServer, Asked, Behaviour, Taken
from tests.sms.crash_worker import STEPS, Plan

ROOT = Path(__file__).parents[2]
HOW_MANY = 1500
SPEED = 60.0  # seconds of the workers' clock in one of ours: what a dead worker left is found after five
DIES_AT = (7, 60)  # the how many-th message past the step, in the first wave and in the second
LONGEST = 60.0  # seconds until the last message has an end, many times what it takes


class Manner(NamedTuple):
    """How the provider treats a message: what each request about it is answered, the last for all that follow."""

    behaviours: Sequence[Behaviour]
    reaches_a_phone: bool
    ends: frozenset[str]  # as it may stand where no worker dies over it


TAKEN, FAILED, UNKNOWN = frozenset({"sent"}), frozenset({"failed"}), frozenset({"unknown"})

MANNERS: Mapping[str, Manner] = {
    "taken": Manner([at.taken()], True, TAKEN),
    "taken, said late": Manner([at.late(0.3)], True, TAKEN),
    "taken, said twice": Manner([at.says_it_twice], True, TAKEN | UNKNOWN),
    "taken, said in rubbish": Manner([at.takes_and(at.says(b'{"SMSMessageData": ['))], True, UNKNOWN),
    "taken, said an octet a second": Manner([at.dripping(1.0)], True, UNKNOWN),
    "taken, then HTTP 500": Manner([at.takes_and(at.says_plainly(500, "Oops"))], True, UNKNOWN),
    "taken, then reset": Manner([at.takes_and(at.hangs_up)], True, UNKNOWN),
    "reset": Manner([at.hangs_up], False, UNKNOWN),
    "429, then taken": Manner([at.says_plainly(429, "Later"), at.taken()], True, TAKEN),
    "429 for a second, then taken": Manner(
        [at.says_plainly(429, "Later", **{"Retry-After": "1"}), at.taken()], True, TAKEN
    ),
    "gateway error, then taken": Manner([at.taken(501), at.taken(500), at.taken()], True, TAKEN),
    "no such number": Manner([at.taken(403)], False, FAILED),
    "on the black list": Manner([at.taken(406)], False, FAILED),
}
# Most are treated well, and one in three of the others each way in turn.
WAYS = [way for other in MANNERS for way in (other, "taken", "taken")]


def way_of(number: int) -> str:
    return WAYS[number % len(WAYS)]


def message_of(number: int) -> Message:
    """One SMS of its own number, so that who was told what, and how often, can be seen; one in five is secret."""
    kind: Kind = "pin" if number % 5 == 0 else "info"
    return Message(f"+88017{number:08}", f"message {number}", kind, f"crash:{number}")


def number_of(text: str) -> int:
    return int(text.removeprefix("message "))


class Provider:
    """Answers each message in its manner, whichever of its servers is asked."""

    def __init__(self) -> None:
        self.tries: Counter[int] = Counter()
        self.servers: list[AfricasTalkingServer] = []

    def server(self) -> AfricasTalkingServer:
        """One more, for the workers of its own; no two give the same id."""
        name = f"ATXid_{len(self.servers):02}{{:030x}}"
        self.servers.append(AfricasTalkingServer(ids=name.format, by=self.answers))
        return self.servers[-1]

    def on_phones(self) -> Mapping[int, Sequence[Taken]]:
        """What went out, by the number of the message."""
        out: dict[int, list[Taken]] = {}
        for taken in (taken for server in self.servers for taken in server.phones):
            out.setdefault(number_of(taken.text), []).append(taken)
        return out

    def answers(self, asked: Asked) -> Behaviour:
        number = number_of(asked.fields["message"])
        self.tries[number] += 1
        behaviours = MANNERS[way_of(number)].behaviours
        return behaviours[min(self.tries[number], len(behaviours)) - 1]


def killing(worker: "Worker", after: int, provider: Provider) -> Callable[[Asked], Behaviour]:
    """As the provider answers; with the last of so many requests it kills whoever asked, who never hears the answer."""
    requests = count(1)

    async def kill(_server: AfricasTalkingServer, _request: web.Request, _asked: Asked) -> web.StreamResponse:
        os.kill(worker.pid, signal.SIGKILL)
        return web.Response()

    def answers(asked: Asked) -> Behaviour:
        behaviour = provider.answers(asked)
        if next(requests) < after:
            return behaviour
        return at.takes_and(kill) if MANNERS[way_of(number_of(asked.fields["message"]))].reaches_a_phone else kill

    return answers


class Worker:
    """A worker process."""

    def __init__(self, plan: Plan, process: asyncio.subprocess.Process) -> None:
        self.plan = plan
        self._process = process
        assert process.stdin
        assert process.stdout
        self._stdin, self._stdout = process.stdin, process.stdout

    @property
    def pid(self) -> int:
        return self._process.pid

    @classmethod
    async def starts(cls, plan: Plan) -> "Worker":
        pipe = asyncio.subprocess.PIPE
        command = (sys.executable, "-m", "tests.sms.crash_worker", plan.written())
        return cls(plan, await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=pipe, stdout=pipe))

    async def begins(self) -> None:
        """Once it is ready: the others begin at the same moment."""
        assert await self._stdout.readline() == b"ready\n"
        self._stdin.write(b"go\n")

    async def ends(self) -> int:
        self._stdin.close()
        return await self.dies()

    async def dies(self) -> int:
        async with asyncio.timeout(LONGEST):
            await self._stdout.read()
            return await self._process.wait()


@asynccontextmanager
async def doomed(plan: Plan, provider: Provider) -> AsyncIterator[Worker]:
    """A worker that will be dead when this is left. One that dies while it waits for an answer has a server of its own."""
    if plan.step != "asked":
        worker = await Worker.starts(plan)
        yield worker
    else:
        async with provider.server() as server:
            worker = await Worker.starts(replace(plan, provider=server.url))
            server.by = killing(worker, plan.at, provider)
            yield worker
            assert await worker.dies() == -signal.SIGKILL
    assert await worker.dies() == -signal.SIGKILL, f"it was to die {plan.step}"


async def wave(plan: Plan, provider: Provider, at_message: int) -> int:
    """One worker for each step at once, each dying at its own; how many died."""
    async with AsyncExitStack() as stack:
        plans = [replace(plan, name=f"{step} {at_message}", step=step, at=at_message) for step in (*STEPS, "asked")]
        workers = [await stack.enter_async_context(doomed(one, provider)) for one in plans]
        for worker in workers:
            await worker.begins()
    return len(workers)


async def survivors(plan: Plan, rows: Messages) -> None:
    """Two workers that live until nothing is left to do, and then end in good order."""
    workers = [await Worker.starts(replace(plan, name=name)) for name in ("first", "second")]
    for worker in workers:
        await worker.begins()
    async with asyncio.timeout(LONGEST):
        while True:
            depth = await rows.depth()
            if depth.queued == depth.sending == 0:
                break
            await asyncio.sleep(0.05)
    assert [await worker.ends() for worker in workers] == [0, 0]


async def all_rows(records: Records) -> Mapping[int, Row]:
    found = await records.read(select(messages))
    return {int(row.effect.removeprefix("crash:")): row for row in found}


async def test_workers_die_at_every_step_and_every_message_is_accounted_for(database_url: str) -> None:
    provider, began = Provider(), time.time()
    await upgrade(database_url)
    async with Records(database_url) as records, provider.server() as server:
        plan = Plan(database_url, server.url, "", began, SPEED)
        rows = Messages(records, SEAL, clock=plan.clock)
        async with records.transaction() as transaction:
            for number in range(HOW_MANY):
                await rows.queue(transaction, message_of(number))
        killed = sum([await wave(plan, provider, at_message) for at_message in DIES_AT])
        await survivors(plan, rows)
        ended = await all_rows(records)
        nothing_is_lost_and_nothing_is_sent_twice(ended, provider)
        out = provider.on_phones()
        for taken in (taken for some in out.values() for taken in some):
            await rows.report(Report(taken.id, Delivery.DELIVERED, "Success", number=taken.to))
        reported = await all_rows(records)
    what_went_out_is_known_to_have_gone_out(reported, out)
    heading = f"{records.dialect}: {HOW_MANY} messages, {killed} workers killed, {provider.tries.total()} requests"
    tell(f"{heading}, {time.time() - began:.0f} s", ended, reported)


def nothing_is_lost_and_nothing_is_sent_twice(ended: Mapping[int, Row], provider: Provider) -> None:
    out = provider.on_phones()
    assert sorted(ended) == list(range(HOW_MANY))
    assert {len(taken) for taken in out.values()} == {1}, "what may have been sent was not sent again"
    for number, row in ended.items():
        manner, name = MANNERS[way_of(number)], way_of(number)
        cut_off = row.error == "WorkerGone"
        assert row.status in manner.ends or (cut_off and row.status == "unknown"), (name, row.status, row.error)
        assert row.status != "sent" or out[number][0].id == row.provider_id
        assert manner.reaches_a_phone or number not in out
        assert number in out or cut_off or not manner.reaches_a_phone, f"{name}: lost"
        if len(manner.behaviours) == 1 and manner.ends != TAKEN:
            assert provider.tries[number] <= 1, f"{name}: tried again"
        assert (row.text is None) == row.secret, "a PIN is not readable once it has left"


def what_went_out_is_known_to_have_gone_out(reported: Mapping[int, Row], out: Mapping[int, Sequence[Taken]]) -> None:
    for number, row in reported.items():
        assert (row.delivery == Delivery.DELIVERED) == (number in out), (way_of(number), row.status, row.error)
        assert number not in out or row.status == "sent"


def tell(heading: str, ended: Mapping[int, Row], reported: Mapping[int, Row]) -> None:
    """The counts, for whoever runs this with -s."""
    stood = Counter(row.status for row in ended.values())
    abandoned = sum(row.error == "WorkerGone" for row in ended.values())
    left = Counter(row.delivery or row.status for row in reported.values())
    sys.stdout.write(
        f"\n{heading}\n  when the last worker stopped: {dict(stood)}, {abandoned} of them abandoned by the dead\n"
        f"  when their delivery reports had come: {dict(left)}; sent twice: 0, lost: 0\n"
    )
