"""Who has opted out gets nothing unasked, and everything else."""

import asyncio
from datetime import timedelta

import pytest

from services.messages import Message
from services.optouts import OptOuts
from services.records.tables import messages, optouts
from tests.desk import KARIM, RAHIMA


@pytest.fixture
def out(records, clock):
    return OptOuts(records, clock=clock)


async def rows(desk):
    return [tuple(row) for row in await desk.records.read(optouts.select().order_by(optouts.c.number))]


async def claimed(desk):
    return [one.text for one in await desk.messages.claim("w1", 10)]


async def fates(desk):
    asked = messages.select().order_by(messages.c.id)
    return [(row.text is not None, row.status, row.error) for row in await desk.records.read(asked)]


async def test_who_is_out_is_out_until_they_come_back(out):
    assert not await out.is_out(RAHIMA)
    await out.out(RAHIMA, "keyword")
    assert await out.is_out(RAHIMA)
    assert not await out.is_out(KARIM)
    await out.back(RAHIMA)
    assert not await out.is_out(RAHIMA)


async def test_said_twice_and_by_two_at_once_it_counts_from_the_first_time(out, desk, clock):
    began = clock.now
    await out.out(RAHIMA, "keyword")
    clock.moves(hours=1)
    await asyncio.gather(*(out.out(RAHIMA, "provider") for _ in range(5)))
    assert await rows(desk) == [(RAHIMA, "keyword", began, None)]


async def test_who_goes_again_after_coming_back_is_out_from_then_on(out, desk, clock):
    began = clock.now
    await out.out(RAHIMA, "keyword")
    clock.moves(hours=1)
    await out.back(RAHIMA)
    assert await rows(desk) == [(RAHIMA, "keyword", began, began + timedelta(hours=1))]
    clock.moves(hours=1)
    await out.out(RAHIMA, "provider")
    assert await rows(desk) == [(RAHIMA, "provider", began + timedelta(hours=2), None)]


async def test_coming_back_without_having_gone_is_nothing(out, desk):
    await out.back(RAHIMA)
    assert await rows(desk) == []


async def test_who_is_out_gets_what_they_asked_for_and_nothing_else(out, desk):
    await out.out(RAHIMA, "keyword")
    for kind in ("code", "pin", "reply", "receipt", "status", "info", "link"):
        await desk.messages.send(Message(RAHIMA, kind, kind, f"s1:{kind}"))
    await desk.messages.send(Message(KARIM, "status to another", "status", "s2:status"))
    assert await claimed(desk) == ["code", "pin", "reply", "receipt", "info", "link", "status to another"]
    assert (await fates(desk))[4] == (True, "failed", "OptedOut")
    assert (await desk.messages.state(5)).stage == "dropped"


async def test_it_is_decided_when_it_is_claimed_and_who_is_back_gets_what_is_new(out, desk):
    await desk.messages.send(Message(RAHIMA, "before", "status", "s1:1"))
    await out.out(RAHIMA, "provider")
    assert await claimed(desk) == []
    await out.back(RAHIMA)
    await desk.messages.send(Message(RAHIMA, "after", "status", "s1:2"))
    assert await claimed(desk) == ["after"]


async def test_an_email_address_is_no_number(out, desk):
    await out.out(RAHIMA, "keyword")
    await desk.messages.send(Message("rahima@example.org", "Moved\nIt moved.", "status", "s1:1", "email"))
    (mail,) = await desk.messages.claim("w1", 10, "email")
    assert mail.to == "rahima@example.org"
