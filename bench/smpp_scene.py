"""What `bench.smpp --fire` plays: SMS both ways over one bind while everything ends at random, and what must hold after it.

The SMSC is here, and lives; the gateway's process is killed. The SMSC ends the connection, is busy, and repeats what it
saw no answer to.
"""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

from sqlalchemy import func, select

from core.crypto import Cipher
from db.database import Database
from db.migrate import upgrade
from db.tables import inbound_sms, messages
from providers.smpp.sms_inbound import SmppInbound
from providers.smpp.text import TextRules, encode_text
from services.messaging.inbound import InboundSms, InboundSmsRepository
from services.messaging.inbound_parts import InboundParts
from services.messaging.messages import Messages
from services.messaging.models import Message
from services.messaging.unparsed_webhooks import UnparsedWebhooks
from tests.fakes.smsc import RMSGQFUL, RTHROTTLED, Smsc, run_smsc
from tests.support.smpp import build_bind

CIPHER = Cipher(b"a secret of the benchmark, 32 octets")
ROOT = Path(__file__).resolve().parents[1]
LONG_EVERY = 10  # one SMS in ten that is delivered has two parts
AT_A_TIME = 10  # SMS that the SMSC delivers at the same time
REPEAT_AFTER = 0.2  # seconds until it delivers again
REPORT_TIMEOUT = 900.0  # seconds for the rest of the messages after the last kill


@dataclass(frozen=True, slots=True)
class FirePlan:
    """How many SMS go each way, and the seconds between two kills, between these."""

    messages: int
    kill_after: tuple[float, float] = (0.8, 4.0)
    seed: int = 1
    busy_every: int = 400  # submits between two answers that the SMSC is busy


@dataclass(frozen=True, slots=True)
class FireResult:
    """What became of the SMS of a run."""

    seconds: float
    kills: int
    drops: int
    inbound_once: int
    inbound_lost: int
    inbound_twice: int
    sent_once: int
    sent_twice: int
    lost_and_not_unknown: int
    unknown: int
    problems: Sequence[str]

    @property
    def holds(self) -> bool:
        """Whether nothing was lost and nothing sent twice."""
        return not (
            self.inbound_lost or self.inbound_twice or self.sent_twice or self.lost_and_not_unknown or self.problems
        )


def build_inbound(database: Database, messages_: Messages) -> SmppInbound:
    """Return what takes deliveries: it records them, and nobody answers."""
    repository = InboundSmsRepository(database, messages_, CIPHER)

    async def receive(sms: InboundSms) -> None:
        await repository.record(sms)

    return SmppInbound(
        name="robi",
        bind=build_bind(1),
        receive=receive,
        record_report=messages_.record_report,
        repository=repository,
        parts=InboundParts(database, CIPHER),
        unparsed=UnparsedWebhooks(database, CIPHER),
    )


async def play_fire(plan: FirePlan, url: str) -> FireResult:
    """Send and deliver `plan.messages` SMS each way while the worker is killed at random; return what became of them.

    `url` is that of an empty database, of SQLite or PostgreSQL.
    """
    random = Random(plan.seed)  # nosec B311 # when a process is killed is no secret
    began = time.perf_counter()
    await upgrade(url)
    async with run_smsc(window=20, strict=False) as smsc, Database(url) as database:
        service = Messages(database, CIPHER)
        await _enqueue(database, service, plan.messages)
        _make_busy(smsc, plan)
        killer = _Killer(smsc, url, plan, random)
        async with asyncio.TaskGroup() as group:
            killing = group.create_task(killer.run())
            await _deliver_all(smsc, plan.messages)
            await _wait_until_processed(database)
            killer.ends = True
            await killing
        await service.recover_abandoned(timedelta(0))
        return await _judge(plan, database, smsc, killer, time.perf_counter() - began)


async def _enqueue(database: Database, service: Messages, count: int) -> None:
    for first in range(0, count, 500):
        async with database.transaction() as transaction:
            for number in range(first, min(first + 500, count)):
                message = Message(f"+88017{number:08}", f"out {number}", "info", f"fire:{number}")
                await service.enqueue(transaction, message)


def _make_busy(smsc: Smsc, plan: FirePlan) -> None:
    for number in range(plan.messages // plan.busy_every):
        smsc.submit_statuses.extend([0] * (plan.busy_every - 1) + [RMSGQFUL if number % 2 else RTHROTTLED])


class _Killer:
    """Starts the worker, and kills it or its connection at random until `ends`."""

    def __init__(self, smsc: Smsc, url: str, plan: FirePlan, random: Random) -> None:
        self._smsc, self._url, self._plan, self._random = smsc, url, plan, random
        self.ends = False
        self.kills = self.drops = 0

    async def run(self) -> None:
        """Kill until `ends`; the last worker is killed too."""
        while not self.ends:
            command = [sys.executable, "-m", "bench.smpp_worker", self._url, str(self._smsc.port)]
            process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
            try:
                await self._smsc.wait_for(lambda: any(esme.mode for esme in self._smsc.esmes) or self.ends)
                await self._let_live()
            finally:
                process.kill()
                await process.wait()
            self.kills += 1

    async def _let_live(self) -> None:
        """Return when it is time to kill; end the connection now and then before."""
        until = time.monotonic() + self._random.uniform(*self._plan.kill_after)
        while not self.ends and time.monotonic() < until:
            await asyncio.sleep(0.05)
            if self._random.random() < 0.03:
                self.drops += 1
                self._smsc.kill()


async def _deliver_all(smsc: Smsc, count: int) -> None:
    waiting = iter(range(count))

    async def deliver_each() -> None:
        for number in waiting:
            for part in _build_parts(number):
                await _deliver_until_answered(smsc, number, part)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_A_TIME):
            group.create_task(deliver_each())


def _build_parts(number: int) -> Sequence[tuple[bytes, int]]:
    text = f"in {number} " + ("x" * 160 if number % LONG_EVERY == 0 else "")
    encoded = encode_text(text, TextRules(), number % 256)
    return [(segment, 0x40 if encoded.has_header else 0) for segment in encoded.segments]


async def _deliver_until_answered(smsc: Smsc, number: int, part: tuple[bytes, int]) -> None:
    """Deliver one part until its answer says that it was taken. An SMSC waits ten seconds or more; here it waits less."""
    while True:
        with suppress(ConnectionError, TimeoutError, StopIteration, RuntimeError):
            async with asyncio.timeout(10):
                if await smsc.deliver(f"88018{number:08}", part[0], esm_class=part[1]) == 0:
                    return
        await asyncio.sleep(REPEAT_AFTER)


async def _wait_until_processed(database: Database) -> None:
    """Return when no message is queued any more."""
    queued = select(func.count()).select_from(messages).where(messages.c.status == "queued")
    async with asyncio.timeout(REPORT_TIMEOUT):
        while (await database.fetch(queued)).scalar_one():  # noqa: ASYNC110 - another process works
            await asyncio.sleep(0.1)


async def _judge(plan: FirePlan, database: Database, smsc: Smsc, killer: _Killer, seconds: float) -> FireResult:
    received = Counter((await database.fetch(select(inbound_sms.c.msisdn))).scalars())
    expected = [f"+88018{number:08}" for number in range(plan.messages)]
    submitted = Counter(f"+{one.pdu.destination_addr}" for one in smsc.submitted if one.message_id)
    rows = (await database.fetch(select(messages.c.recipient, messages.c.status))).all()
    return FireResult(
        seconds=seconds,
        kills=killer.kills,
        drops=killer.drops,
        inbound_once=sum(received[number] == 1 for number in expected),
        inbound_lost=sum(received[number] == 0 for number in expected),
        inbound_twice=sum(received[number] > 1 for number in expected) + len(received.keys() - set(expected)),
        sent_once=sum(submitted[row.recipient] == 1 for row in rows),
        sent_twice=sum(submitted[row.recipient] > 1 for row in rows),
        lost_and_not_unknown=sum(not submitted[row.recipient] and row.status != "unknown" for row in rows),
        unknown=sum(row.status == "unknown" for row in rows),
        problems=sorted(set(smsc.problems) - {"an answer to no request"}),
    )
