"""Ten thousand SMS wait while the provider fails in every way: few are tried, none twice that may have been sent, and the rest drain."""

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import func, select

from core.claim_worker import running_worker
from db.database import Database
from db.tables import messages
from providers.africastalking.sms import AfricasTalkingSms
from services.messaging.messages import Messages
from services.messaging.models import Message
from services.messaging.outbox import MAX_UNCLEAR, Outbox
from tests.fakes import africastalking_server as at
from tests.fakes.africastalking_server import AfricasTalkingServer, Behaviour
from tests.support.databases import migrated_sqlite_url
from tests.support.services import CIPHER, ManualClock

WAITING = 10_000
CONCURRENCY = 16
PROBES = 5  # of an outage that goes on
DRAINED = 200  # SMS that are sent again soon after the outage
SHORT_DEADLINE, DEADLINE = (
    0.1,
    30.0,
)  # seconds for one send: of a provider that is slow, and of one that answers at once
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)

MAY_HAVE_BEEN_SENT: dict[str, Behaviour] = {
    "no answer": at.hang,
    "an answer that is too slow": at.drip(0.05),
    "a reset": at.drop_connection,
    "taken, then a reset": at.accept_then(at.drop_connection),
    "half an answer": at.drop_connection_midway,
    "500": at.respond_text(500, "Oops"),
    "an answer that cannot be read": at.respond_json(b'{"SMSMessageData": ['),
    "an answer about others": at.respond_json({"SMSMessageData": {"Recipients": [{"statusCode": 101}] * 2}}),
}
SLOW = {"no answer", "an answer that is too slow"}
NOT_SENT: dict[str, Behaviour] = {
    "429": at.respond_text(429, "Later"),
    "429 for a minute": at.respond_text(429, "Later", **{"Retry-After": "60"}),
    "402": at.respond_text(402, "Pay"),
}


@pytest.fixture(scope="module")
def full_queue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database in which the SMS wait."""
    file = tmp_path_factory.mktemp("queue") / "ekdial.db"

    async def fill(url: str) -> None:
        async with Database(url) as database, database.transaction() as transaction:
            queue = Messages(database, CIPHER, clock=lambda: NOON)
            texts = {n: f"message {n}" for n in range(WAITING)}
            rows = [
                queue._row(Message(f"+88017{n:08}", text, "info", f"k:{n}"), text, None, "")
                for n, text in texts.items()
            ]
            await transaction.execute(messages.insert(), rows)

    asyncio.run(fill(migrated_sqlite_url(file)))
    return file


class Outage:
    """An outbox over the queue, and a provider that fails until `end`."""

    def __init__(
        self, database: Database, server: AfricasTalkingServer, http: aiohttp.ClientSession, deadline: float
    ) -> None:
        self.clock = ManualClock(NOON)
        self.database, self.server = database, server
        provider = AfricasTalkingSms(
            http, at.USERNAME, at.API_KEY, base_url=server.url, deadline=deadline, clock=self.clock
        )
        self.outbox = Outbox(
            Messages(database, CIPHER, clock=self.clock),
            provider,
            worker="w1",
            clock=self.clock,
            monotonic=self.clock.monotonic,
            random_fraction=lambda: 0.0,
            concurrency=CONCURRENCY,
            poll_interval=0.01,
        )
        self.most_tasks = 0

    async def wait_for_pause(self) -> None:
        """Return when the outbox has stopped to send, after everything in flight has its result."""
        async with asyncio.timeout(20):
            while self.outbox.free_slots() or self.outbox.in_flight or self.outbox.tasks:
                self.most_tasks = max(self.most_tasks, len(self.outbox.tasks))
                await asyncio.sleep(0.002)

    async def statuses(self) -> Counter[str]:
        query = select(messages.c.status, func.count()).group_by(messages.c.status)
        return Counter(dict((await self.database.fetch(query)).all()))

    def end(self) -> None:
        """Let the provider accept everything."""
        self.server.default_behaviour = lambda _: at.accept()


@pytest.fixture
async def outage(full_queue: Path, tmp_path: Path, fault: str) -> AsyncIterator[Outage]:
    shutil.copyfile(full_queue, tmp_path / "ekdial.db")
    async with (
        Database(f"sqlite+aiosqlite:///{tmp_path}/ekdial.db") as database,
        AfricasTalkingServer() as server,
        aiohttp.ClientSession() as http,
    ):
        yield Outage(database, server, http, SHORT_DEADLINE if fault in SLOW else DEADLINE)


@pytest.mark.parametrize("fault", [*MAY_HAVE_BEEN_SENT, *NOT_SENT])
async def test_an_outage_uses_up_few_messages_and_the_others_drain_after_it(outage, fault):
    may_have_been_sent = fault in MAY_HAVE_BEEN_SENT
    behaviour = (MAY_HAVE_BEEN_SENT | NOT_SENT)[fault]
    outage.server.default_behaviour = lambda _: behaviour
    async with running_worker(outage.outbox):
        for _ in range(PROBES):
            await outage.wait_for_pause()
            outage.clock.advance(minutes=2)
        await outage.wait_for_pause()
        failed = await outage.statuses()
        outage.end()
        async with asyncio.timeout(20):
            while len(outage.server.accepted) < DRAINED:
                outage.clock.advance(minutes=1)  # a machine that is slow meets the short deadline, and another pause
                await asyncio.sleep(0.01)
    assert failed["unknown"] <= (CONCURRENCY + MAX_UNCLEAR + PROBES if may_have_been_sent else 0)
    assert failed["queued"] == WAITING - failed["unknown"], "nothing else was claimed"
    assert outage.most_tasks <= 4 * CONCURRENCY
    asked = Counter(request.fields["message"] for request in outage.server.requests)
    if may_have_been_sent:
        assert set(asked.values()) == {1}
    assert len(outage.server.requests) <= len(outage.server.accepted) + CONCURRENCY * (PROBES + 2)
