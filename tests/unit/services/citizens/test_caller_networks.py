"""The network of a number: learned from calls, reports and SMS, written when it changes, and used by routes."""

import pytest
from sqlalchemy import event, select, update

from db.tables import callers
from db.tables import messages as messages_table
from services.citizens.caller_activity import CallerActivity
from services.messaging.inbound import InboundSms, InboundSmsRepository
from services.messaging.messages import Messages
from services.messaging.models import Message
from services.messaging.routing import Route, SmsRoutes
from tests.support.sample_rows import insert_row
from tests.support.services import CIPHER, KARIM, RAHIMA

ROUTES = SmsRoutes(Route(provider="other"), (Route(provider="robi", networks=frozenset({"47002"})),))


@pytest.fixture
def activity(database, services, clock):
    return CallerActivity(database, services.accounts.find_language_choice, clock=clock)


@pytest.fixture
def queue(database, clock):
    return Messages(database, CIPHER, clock=clock, routes=ROUTES)


async def know_caller(database, clock, msisdn=RAHIMA):
    await insert_row(database, callers, clock(), msisdn=msisdn, language="bn", session="s1")


async def find_network(database, msisdn=RAHIMA):
    return (await database.fetch(select(callers.c.network).where(callers.c.msisdn == msisdn))).scalar()


async def find_provider(queue):
    return (await queue.find_route(RAHIMA, "status")).provider


async def test_a_call_tells_the_network_and_a_route_uses_it(database, clock, activity, queue):
    await know_caller(database, clock)
    assert await find_provider(queue) == "other"
    activity.note_network(RAHIMA, "47002")
    await activity.write_pending()

    assert await find_network(database) == "47002"
    assert await find_provider(queue) == "robi"


async def test_a_network_is_written_once_until_it_changes(database, clock, activity):
    await know_caller(database, clock)
    written = []
    event.listen(database._write_engine.sync_engine, "before_cursor_execute", lambda *call: written.append(call[2]))
    for network in ("47002", "47002", "47003"):
        activity.note_network(RAHIMA, network)
        await activity.write_pending()

    assert len([sql for sql in written if sql.startswith("UPDATE callers SET network")]) == 2
    assert await find_network(database) == "47003"


async def test_a_first_call_is_heard_again_once_there_is_a_caller(database, clock, activity):
    activity.note_network(RAHIMA, "47002")
    await activity.write_pending()
    await know_caller(database, clock)
    activity.note_network(RAHIMA, "47002")
    await activity.write_pending()

    assert await find_network(database) == "47002"


async def test_many_callers_are_written_in_batches(database, clock, activity, monkeypatch):
    monkeypatch.setattr("services.citizens.caller_activity.BATCH_SIZE", 1)
    for msisdn, network in ((RAHIMA, "47002"), (KARIM, "47002"), ("+8801711000003", "47001")):
        await know_caller(database, clock, msisdn)
        activity.note_network(msisdn, network)
    activity.note_network(RAHIMA, "x" * 17)
    await activity.write_pending()

    found = [await find_network(database, msisdn) for msisdn in (RAHIMA, KARIM, "+8801711000003")]
    assert found == ["47002", "47002", "47001"]


async def test_an_sms_tells_the_network_and_a_report_or_a_call_tells_it_better(database, clock, activity, queue):
    inbound = InboundSmsRepository(database, queue, CIPHER, clock=clock)
    await inbound.record(InboundSms("p1", RAHIMA, "16216", "HELP", network="47002"))
    assert await find_provider(queue) == "robi"

    await queue.send(Message(RAHIMA, "hello", "info", "k1"))
    async with database.transaction() as transaction:
        await transaction.execute(update(messages_table).values(network="47001"))
    assert await find_provider(queue) == "other"

    await know_caller(database, clock)
    activity.note_network(RAHIMA, "47002")
    await activity.write_pending()
    assert await find_provider(queue) == "robi"
