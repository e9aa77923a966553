"""Letters out of the records: the same worker as for SMS, a real SMTP server, and whatever that makes of them."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from email.headerregistry import Address

import pytest
from sqlalchemy import select

from mail.letter import Paper
from mail.smtp import GREYLISTED, Server, Smtp
from services.messages import Message, Messages
from services.records.tables import messages
from sms.outbox import Outbox, at_work
from tests.desk import RAHIMA, SEAL
from tests.mail.post_office import HANGS_UP, HERE, KEEPS_SILENT, open_office
from tests.servers import free_port

AMINA = "amina@example.org"
PARALLEL = 2
PAPER = Paper(Address("Ekdial", addr_spec="no-reply@ekdial.example"), "help@ekdial.example")

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rows are proved on both elsewhere


@pytest.fixture
def rows(records, clock):
    return Messages(records, SEAL, clock=clock)


@asynccontextmanager
async def posting(rows, clock, port, **more):
    """The worker, looking every hundredth of a second."""
    server = Server(HERE, port, "none", **{"deadline": 5.0, **more})
    async with Smtp(server, PAPER, lambda text: SEAL.name("letter", text), clock) as smtp:
        outbox = Outbox(
            rows,
            smtp,
            worker="w1",
            medium="email",
            clock=clock,
            chance=lambda: 0.0,
            parallel=PARALLEL,
            idle=0.01,
            grace=1.0,
        )
        async with at_work(outbox):
            yield outbox


def letter(number=1, kind="receipt"):
    return Message(AMINA, f"Letter {number}\n\nYour application", kind, f"s1:{number}/email", "email")


async def standing(records):
    """How every message stands, in their order."""
    return (await records.read(select(messages).order_by(messages.c.id))).all()


async def until(ready):
    """Return when the coroutine function `ready` says yes; a few seconds at most."""
    async with asyncio.timeout(10):
        while not await ready():  # noqa: ASYNC110 - the worker tells nobody what it has noted
            await asyncio.sleep(0.01)


async def ends(records, *statuses):
    """Return when the messages stand so; each with its reason."""

    async def stand_so():
        return tuple(row.status for row in await standing(records)) == statuses

    await until(stand_so)
    return [row.error for row in await standing(records)]


async def test_letters_go_out_and_sms_wait_for_their_own_worker(rows, records, clock):
    async with open_office() as post, posting(rows, clock, post.port):
        await rows.send(letter(1))
        await rows.send(Message(RAHIMA, "Received", "receipt", "s1:2/received"))
        await rows.send(letter(3))
        await ends(records, "sent", "queued", "sent")
    assert sorted(one["Subject"] for one in post.letters) == ["Letter 1", "Letter 3"]


async def test_a_greylisted_letter_comes_again_when_it_was_asked_to(rows, records, clock):
    async with open_office() as post, posting(rows, clock, post.port):
        post.answers["RCPT"] = "450 4.2.0 Greylisted"
        await rows.send(letter())
        await post.until(lambda: "RCPT" in post.heard)
        assert await ends(records, "queued") == ["RecipientNotNow"]
        post.answers.clear()
        clock.moves(seconds=GREYLISTED.total_seconds() - 1)
        await asyncio.sleep(0.05)  # several looks
        assert post.letters == []
        clock.moves(seconds=1)
        await ends(records, "sent")


async def test_a_refused_letter_is_not_tried_again(rows, records, clock):
    async with open_office() as post, posting(rows, clock, post.port):
        post.answers["RCPT"] = "550 5.1.1 No such user"
        await rows.send(letter())
        assert await ends(records, "failed") == ["RecipientRefused"]


async def test_a_letter_that_may_have_been_taken_waits_and_a_receipt_then_goes_once_more_as_the_same(
    rows, records, clock
):
    async with open_office() as post, posting(rows, clock, post.port):
        post.answers["DATA"] = HANGS_UP
        await rows.send(letter(1, "receipt"))
        await rows.send(letter(2, "link"))
        assert await ends(records, "unknown", "unknown") == ["NoAnswer", "NoAnswer"]
        post.answers.clear()
        clock.moves(minutes=16)
        await rows.sweep(timedelta(minutes=5))
        await ends(records, "sent", "unknown")
    [again] = post.letters
    assert (
        again["Message-ID"]
        == PAPER.letter(AMINA, letter(1).text, clock(), lambda it: SEAL.name("letter", it))["Message-ID"]
    )


async def test_where_no_server_answers_letters_wait_for_it(rows, records, clock):
    port = free_port()
    async with posting(rows, clock, port):
        for number in range(6):
            await rows.send(letter(number))

        async def one_was_tried():
            return any(row.error for row in await standing(records))

        await until(one_was_tried)
        await asyncio.sleep(0.1)  # ten looks
        rows_now = await standing(records)
    assert {row.status for row in rows_now} == {"queued"}
    assert sum(row.attempts for row in rows_now) <= PARALLEL, "the others were spared the try"


async def test_a_wrong_configuration_holds_all_letters_until_it_is_mended(rows, records, clock):
    async with open_office() as post, posting(rows, clock, post.port) as outbox:
        post.answers["RCPT"] = "554 5.7.1 Relay access denied"
        for number in range(3):
            await rows.send(letter(number))
        await post.until(lambda: post.heard.count("RCPT") >= 2)

        async def held():
            return outbox.held == "RelayingDenied"

        await until(held)
        post.answers.clear()
        for _ in range(4):
            clock.moves(minutes=2)
            await asyncio.sleep(0.05)
        await ends(records, "sent", "sent", "sent")
        assert outbox.held == ""


async def test_a_letter_in_the_air_at_a_stop_is_unknown_and_not_lost(rows, records, clock):
    async with open_office() as post:
        async with posting(rows, clock, post.port) as outbox:
            outbox._grace = 0.05
            post.answers["DATA"] = KEEPS_SILENT
            await rows.send(letter())
            await post.silent.wait()
        assert await ends(records, "unknown") == ["CutShort"]
