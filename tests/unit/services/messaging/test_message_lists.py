"""The lists of messages for people: newest first, a page at a time, each from an index; and what waits for each provider."""

import re
from datetime import timedelta
from typing import get_args

import pytest
from sqlalchemy import text, update

from db.tables import messages
from services.messaging.kinds import PRIORITIES
from services.messaging.message_status import BY_STATUS, DUE, MAX_COUNTED, Status
from services.messaging.messages import Messages
from services.messaging.models import Message
from services.messaging.routing import Route, SmsRoutes
from tests.support.services import CIPHER, RAHIMA
from tests.support.sql_plans import explain_plan

ROUTES = SmsRoutes(Route(provider="first"), (Route(provider="second", kinds=frozenset({"status"})),))


@pytest.fixture
def queue(database, clock):
    return Messages(database, CIPHER, clock=clock, routes=ROUTES)


async def send(queue, kind, count=1, medium="sms"):
    for number in range(count):
        to = RAHIMA if medium == "sms" else "a@example.org"
        await queue.send(Message(to, "a text", kind, f"{kind}{number}{medium}", medium))


async def set_all(database, **values):
    async with database.transaction() as transaction:
        await transaction.execute(update(messages).values(**values))


@pytest.mark.parametrize("status", sorted(get_args(Status)))
async def test_a_status_is_listed_newest_first_and_in_pages(queue, database, status):
    await send(queue, "receipt", 5)
    await set_all(database, status=status)
    await send(queue, "menu" if status != "queued" else "receipt")
    first = await queue.list_by_status(status, 3)
    assert [one.id for one in first] == [5, 4, 3]
    assert [one.id for one in await queue.list_by_status(status, 3, before=3)] == [2, 1]


async def test_each_provider_has_its_queue_with_the_age_of_its_oldest(queue, clock):
    await send(queue, "receipt", 2)
    clock.advance(minutes=5)
    await send(queue, "status")
    await send(queue, "receipt", medium="email")
    first, second, email = await queue.list_queues()
    assert (first.provider, first.due, first.oldest_age) == ("first", 2, timedelta(minutes=5))
    assert (second.provider, second.due, second.oldest_age) == ("second", 1, timedelta())
    assert (email.provider, email.due) == ("", 1)


async def test_what_is_due_later_waits_for_no_provider(queue, database, clock):
    await send(queue, "receipt")
    await set_all(database, due_at=clock.now + timedelta(hours=1))
    assert [(one.due, one.oldest_age) for one in await queue.list_queues()] == [(0, timedelta())] * 3


async def test_the_number_of_a_message_is_found_unless_it_is_nobodys(queue, database):
    await send(queue, "receipt")
    await send(queue, "receipt", medium="email")
    assert [await queue.find_msisdn(one) for one in (1, 2, 3)] == [RAHIMA, "", ""]
    await set_all(database, recipient="#1")
    assert await queue.find_msisdn(1) == ""


async def test_every_list_walks_along_an_index_in_its_order(queue, database, clock, database_url):
    """With many messages that have been sent, and some of every other status."""
    now = clock.now
    row = {"text": b"", "kind": "info", "secret": False, "recipient": RAHIMA, "created_at": now, "updated_at": now}
    row |= {"due_at": now, "not_after": now, "provider": "first"}
    statuses = ["sent"] * 20_000 + ["failed"] * 2000 + ["queued", "sending", "unknown"] * 500 + ["queued"] * 8000
    rows = [{**row, "status": status, "idempotency_key": f"m{n}"} for n, status in enumerate(statuses)]
    async with database.transaction() as transaction:
        await transaction.execute(database.insert(messages), rows)
    if not database_url.startswith("sqlite"):
        async with database.transaction() as transaction:
            await transaction.execute(text("ANALYZE messages"))
    for status, query in BY_STATUS.items():
        plan = await explain_plan(database, query, {"before": 15_000, "most": 51})
        assert not re.search(r"Seq Scan|SCAN messages(?! USING)", plan), (status, plan)
        assert status == "sending" or not re.search(r"Sort|TEMP B-TREE", plan), (status, plan)
    asked = {"carried_by": "sms", "by": "first", "now": now}
    plan = await explain_plan(database, DUE, asked)
    assert plan.count("ix_messages_queued") == len(PRIORITIES), plan
    (first, *_) = await queue.list_queues()
    assert first.due == MAX_COUNTED
