"""A number that opted out gets no unsolicited messages, and all others."""

import asyncio
from datetime import timedelta

import pytest

from db.tables import messages
from db.tables import opt_outs as opt_outs_table
from services.messaging.models import Message
from services.messaging.opt_outs import OptOuts
from tests.support.services import KARIM, RAHIMA


@pytest.fixture
def opt_outs(database, clock):
    return OptOuts(database, clock=clock)


async def rows(services):
    return [
        tuple(row) for row in await services.database.fetch(opt_outs_table.select().order_by(opt_outs_table.c.msisdn))
    ]


async def claim_all(services):
    return [one.text for one in await services.messages.claim("w1", 10)]


async def message_outcomes(services):
    asked = messages.select().order_by(messages.c.id)
    return [(row.text is not None, row.status, row.error) for row in await services.database.fetch(asked)]


async def test_who_is_out_is_out_until_they_come_back(opt_outs):
    assert not await opt_outs.is_opted_out(RAHIMA)
    await opt_outs.opt_out(RAHIMA, "keyword")
    assert await opt_outs.is_opted_out(RAHIMA)
    assert not await opt_outs.is_opted_out(KARIM)
    await opt_outs.opt_in(RAHIMA)
    assert not await opt_outs.is_opted_out(RAHIMA)


async def test_said_twice_and_by_two_at_once_it_counts_from_the_first_time(opt_outs, services, clock):
    began = clock.now
    await opt_outs.opt_out(RAHIMA, "keyword")
    clock.advance(hours=1)
    await asyncio.gather(*(opt_outs.opt_out(RAHIMA, "provider") for _ in range(5)))
    assert await rows(services) == [(RAHIMA, "keyword", began, None)]


async def test_who_goes_again_after_coming_back_is_out_from_then_on(opt_outs, services, clock):
    began = clock.now
    await opt_outs.opt_out(RAHIMA, "keyword")
    clock.advance(hours=1)
    await opt_outs.opt_in(RAHIMA)
    assert await rows(services) == [(RAHIMA, "keyword", began, began + timedelta(hours=1))]
    clock.advance(hours=1)
    await opt_outs.opt_out(RAHIMA, "provider")
    assert await rows(services) == [(RAHIMA, "provider", began + timedelta(hours=2), None)]


async def test_coming_back_without_having_gone_is_nothing(opt_outs, services):
    await opt_outs.opt_in(RAHIMA)
    assert await rows(services) == []


async def test_who_is_out_gets_what_they_asked_for_and_nothing_else(opt_outs, services):
    await opt_outs.opt_out(RAHIMA, "keyword")
    for kind in ("code", "pin", "reply", "receipt", "status", "info", "link"):
        await services.messages.send(Message(RAHIMA, kind, kind, f"s1:{kind}"))
    await services.messages.send(Message(KARIM, "status to another", "status", "s2:status"))
    assert await claim_all(services) == ["code", "pin", "reply", "receipt", "info", "link", "status to another"]
    assert (await message_outcomes(services))[4] == (True, "failed", "OptedOut")
    assert (await services.messages.state(5)).stage == "dropped"


async def test_it_is_decided_when_it_is_claimed_and_who_is_back_gets_what_is_new(opt_outs, services):
    await services.messages.send(Message(RAHIMA, "before", "status", "s1:1"))
    await opt_outs.opt_out(RAHIMA, "provider")
    assert await claim_all(services) == []
    await opt_outs.opt_in(RAHIMA)
    await services.messages.send(Message(RAHIMA, "after", "status", "s1:2"))
    assert await claim_all(services) == ["after"]


async def test_an_email_address_is_no_number(opt_outs, services):
    await opt_outs.opt_out(RAHIMA, "keyword")
    await services.messages.send(Message("rahima@example.org", "Moved\nIt moved.", "status", "s1:1", "email"))
    (mail,) = await services.messages.claim("w1", 10, "email")
    assert mail.to == "rahima@example.org"
