"""Messages of several providers: each outbox takes its own, and a suspended one's go to the fallback."""

import asyncio
import signal
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from core.claim_worker import running_worker
from core.used_code import using_code
from db.database import Database
from db.migrate import upgrade
from db.tables import messages as table
from services.messaging import queries
from services.messaging.kinds import PRIORITIES
from services.messaging.messages import Messages
from services.messaging.models import Message, SendResult
from services.messaging.outbox import Outbox
from services.messaging.outcomes import Accepted, Suspended
from services.messaging.routing import Route, SmsRoutes
from tests.support.crash_plan import CrashPlan
from tests.support.forked_worker import ForkedWorker
from tests.support.routed_crash_worker import ROUTES, STEPS, run_worker
from tests.support.services import CIPHER
from tests.support.sql_plans import explain_plan

RAHIMA, AMINA = "+8801711000001", "+254711000001"
BY_NETWORK = SmsRoutes(
    Route(provider="other"),
    (
        Route(provider="robi", networks=frozenset({"47002"}), sender="16216"),
        Route(provider="app", used_codes=frozenset({"*213#"})),
        *ROUTES.routes,
    ),
)


@pytest.fixture
def queue(database, clock):
    return Messages(database, CIPHER, clock=clock, routes=BY_NETWORK)


async def send(queue, text, to=RAHIMA, kind="info", medium="sms"):
    await queue.send(Message(to, text, kind, f"key of {text}", medium))


async def claim(queue, provider, limit=10):
    return [one.text for one in await queue.claim("w1", limit, provider=provider)]


async def list_providers(database):
    rows = await database.fetch(select(table.c.provider, table.c.moved_from).order_by(table.c.id))
    return [(row.provider, row.moved_from or "") for row in rows]


async def test_each_outbox_takes_the_messages_of_its_provider(queue):
    await send(queue, "by the first route")
    await send(queue, "by the default", AMINA)
    with using_code("*213#"):
        await send(queue, "by the code that was dialled")
    await send(queue, "by e-mail", "amina@example.org", medium="email")

    assert await claim(queue, "first") == ["by the first route"]
    assert await claim(queue, "app") == ["by the code that was dialled"]
    assert await claim(queue, None) == ["by the default"]
    assert [one.text for one in await queue.claim("w1", 10, "email")] == ["by e-mail"]
    assert await claim(queue, "robi") == []


async def test_the_network_that_a_report_named_chooses_the_route_and_the_sender(queue, database):
    await send(queue, "before")
    async with database.transaction() as transaction:
        await transaction.execute(update(table).values(network="47002"))
    await send(queue, "after")

    (after,) = await queue.claim("w1", 10, provider="robi")
    assert (after.text, after.sender) == ("after", "16216")
    (before,) = await queue.claim("w1", 10, provider="first")
    assert (before.text, before.sender) == ("before", "")


async def test_a_wake_up_reaches_the_outbox_of_the_provider(queue):
    waiting = {name: asyncio.create_task(queue.wait_for_queued(60, provider=name)) for name in ("first", "robi")}
    await asyncio.sleep(0)
    await send(queue, "hello")
    await waiting["first"]

    assert not waiting["robi"].done()
    waiting["robi"].cancel()


async def test_what_was_surely_not_sent_moves_to_the_fallback(queue, database, clock):
    for name in ("queued", "tried and suspended", "unknown", "repeated"):
        await send(queue, name)
    await send(queue, "of the default", AMINA)
    _, tried, unknown, repeated = await queue.claim("w1", 4, provider="first")
    await queue.record_result(1, SendResult("queued"))
    later = clock() + timedelta(minutes=1)
    await queue.record_result(tried.id, SendResult("queued", error="Empty", not_before=later, suspended=True))
    await queue.record_result(unknown.id, SendResult("unknown", error="Timeout"))
    async with database.transaction() as transaction:
        await transaction.execute(
            update(table).where(table.c.id == repeated.id).values(status="queued", repeats=1, worker=None)
        )

    assert await queue.move_to_fallback("first") == 2
    assert await list_providers(database) == [
        ("second", "first"),
        ("second", "first"),
        ("first", ""),
        ("first", ""),
        ("other", ""),
    ]
    assert await claim(queue, "second") == ["queued", "tried and suspended"]
    assert await queue.move_to_fallback("second") == 0, "nothing moves back"
    assert await queue.move_to_fallback("other") == 0, "without a fallback it waits"


async def test_a_message_that_was_tried_moves_at_once(queue, clock):
    first, second = Account("first", is_empty=True), Account("second")
    async with running_worker(build_outbox(queue, first, clock)), running_worker(build_outbox(queue, second, clock)):
        await send(queue, "your code", kind="code")
        await wait_until(lambda: second.sent == ["your code"])


async def test_nothing_moves_back_where_the_routes_were_turned_round(queue, database, clock):
    await send(queue, "there")
    await queue.move_to_fallback("first")
    (route,) = ROUTES.routes
    turned = replace(ROUTES, routes=(replace(route, provider="second", fallback="first"),))

    assert await Messages(database, CIPHER, clock=clock, routes=turned).move_to_fallback("second") == 0


async def test_a_fallback_that_was_added_takes_what_waits_already(database, clock):
    (route,) = ROUTES.routes
    without = replace(ROUTES, routes=(replace(route, fallback=""),))
    before = Messages(database, CIPHER, clock=clock, routes=without)
    await send(before, "waits")
    assert await before.move_to_fallback("first") == 0

    assert await Messages(database, CIPHER, clock=clock, routes=ROUTES).move_to_fallback("first") == 1


async def test_many_messages_move_in_batches(queue, database, monkeypatch):
    monkeypatch.setattr(queries, "RECOVERY_BATCH", 3)
    monkeypatch.setattr(queries, "MOVABLE", queries._build_movable())
    for number in range(7):
        await send(queue, str(number))

    assert await queue.move_to_fallback("first") == 7
    assert set(await list_providers(database)) == {("second", "first")}


async def test_the_default_provider_adopts_what_names_none_or_one_that_is_gone(queue, database, clock):
    for name in ("of an earlier version", "of a provider that is gone", "of one that is there"):
        await send(queue, name)
    await send(queue, "a letter", "amina@example.org", medium="email")
    async with database.transaction() as transaction:
        for message, provider in ((1, ""), (2, "gone")):
            await transaction.execute(update(table).where(table.c.id == message).values(provider=provider))

    assert await queue.adopt_orphans() == 1, "another process may have queued the second one by newer settings"
    clock.advance(minutes=6)
    assert await queue.adopt_orphans() == 1
    assert [name for name, _ in await list_providers(database)] == ["other", "other", "first", ""]


class Account:
    """A provider whose account is empty until somebody pays."""

    def __init__(self, name: str, *, is_empty: bool = False) -> None:
        self.name, self.is_empty, self.sent = name, is_empty, []

    async def send(self, message):
        if self.is_empty:
            return Suspended("InsufficientBalance")
        self.sent.append(message.text)
        return Accepted(f"{self.name}/{message.reference}")


async def wait_until(condition, pass_time=lambda: None):
    async with asyncio.timeout(60):
        while True:
            if condition():
                return
            pass_time()
            await asyncio.sleep(0.01)


def build_outbox(queue, provider, clock):
    return Outbox(
        queue, provider, queue=provider.name, worker=provider.name, clock=clock, monotonic=clock.monotonic,
        poll_interval=0.02,
    )  # fmt: skip


async def test_a_suspended_provider_hands_over_and_takes_new_messages_once_it_is_mended(queue, clock):
    first, second = Account("first", is_empty=True), Account("second")
    for number in range(3):
        await send(queue, str(number))
    async with running_worker(build_outbox(queue, first, clock)), running_worker(build_outbox(queue, second, clock)):
        await wait_until(lambda: sorted(second.sent) == ["0", "1", "2"], lambda: clock.advance(seconds=0.1))
        first.is_empty = False
        clock.advance(seconds=61)
        await send(queue, "the probe")
        await wait_until(lambda: first.sent == ["the probe"])
        await send(queue, "the next")
        await wait_until(lambda: first.sent == ["the probe", "the next"])

    assert sorted(second.sent) == ["0", "1", "2"]


@pytest.mark.parametrize("step", STEPS)
async def test_a_process_that_dies_over_the_move_loses_and_doubles_nothing(step, empty_database_url, tmp_path):
    await upgrade(empty_database_url)
    sent, started_at = tmp_path / "sent", time.time()
    plan = CrashPlan(empty_database_url, str(sent), "w1", started_at, speed=20.0, step=step)
    async with Database(empty_database_url) as database:
        queue = Messages(database, CIPHER, clock=plan.clock, routes=ROUTES)
        for number in range(20):
            await send(queue, str(number))
        dying = await ForkedWorker.start(run_worker, plan)
        await dying.begin()
        assert await dying.wait_for_crash(60) == -signal.SIGKILL

        working = await ForkedWorker.start(run_worker, replace(plan, name="w2", step=""))
        await working.begin()
        async with asyncio.timeout(60):
            while (rows := await list_rows(database)) and not all(map(has_ended, rows)):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert await working.wait_for_exit(60) == 0

        rows = await list_rows(database)
    carried = [row.idempotency_key.removeprefix("key of ") for row in rows if row.status == "sent"]
    assert sorted(sent.read_text().splitlines()) == sorted(carried), "each once"
    assert len(carried) >= 16
    unclear = [row for row in rows if row.status != "sent"]
    assert {(row.status in ("sending", "unknown"), row.moved_from) for row in unclear} <= {(True, None)}


def has_ended(row):
    return row.status == "sent" or (row.status != "queued" and row.provider == "first")


async def list_rows(database):
    return (await database.fetch(select(table).order_by(table.c.id))).all()


async def test_the_claim_of_one_provider_walks_along_an_index(empty_database_url, clock):
    """With many messages that wait for a suspended provider."""
    await upgrade(empty_database_url)
    async with Database(empty_database_url) as database:
        queue = Messages(database, CIPHER, clock=clock, routes=ROUTES)
        common = {"text": b"", "kind": "info", "secret": False, "recipient": RAHIMA, "status": "queued"}
        times = dict.fromkeys(("created_at", "updated_at", "due_at", "not_after"), clock())
        waiting = [{**common, **times, "provider": "first", "idempotency_key": f"old:{n}"} for n in range(5000)]
        async with database.transaction() as transaction:
            await transaction.execute(database.insert(table), waiting)
        if not empty_database_url.startswith("sqlite"):
            async with database.transaction() as transaction:
                await transaction.execute(text("ANALYZE messages"))
        asked = {"now": clock(), "claimer": "w1", "most": 16, "carried_by": "sms", "by": "second", "budget": 100}
        plan = await explain_plan(database, queries.CLAIM, asked)
        assert await claim(queue, "second") == []

    assert plan.count("ix_messages_queued") == len(PRIORITIES), plan
