"""Queued e-mail: the outbox sends it to a real SMTP server, and records every outcome."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from email.headerregistry import Address

import pytest
from sqlalchemy import select

from core.claim_worker import running_worker
from db.tables import messages as messages_table
from mail.message import EmailTemplate
from mail.smtp import GREYLIST_DELAY, SmtpProvider, SmtpServer
from services.messaging.messages import Messages
from services.messaging.models import Message
from services.messaging.outbox import Outbox
from tests.support.servers import free_port
from tests.support.services import CIPHER, RAHIMA
from tests.support.smtp_server import HANG_UP, KEEP_SILENT, LOOPBACK, run_smtp_server

AMINA = "amina@example.org"
PARALLEL = 2
PAPER = EmailTemplate(Address("Ekdial", addr_spec="no-reply@ekdial.example"), "help@ekdial.example")

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rows are proved on both elsewhere


@pytest.fixture
def messages(database, clock):
    return Messages(database, CIPHER, clock=clock)


@asynccontextmanager
async def run_email_worker(rows, clock, port, **more):
    """The outbox, polling every hundredth of a second."""
    server = SmtpServer(LOOPBACK, port, "none", **{"deadline": 5.0, **more})
    async with SmtpProvider(server, PAPER, lambda text: CIPHER.keyed_hash("letter", text), clock) as smtp:
        outbox = Outbox(
            rows,
            smtp,
            worker="w1",
            medium="email",
            clock=clock,
            monotonic=clock.monotonic,
            random_fraction=lambda: 0.0,
            concurrency=PARALLEL,
            poll_interval=0.01,
            grace_period=1.0,
        )
        async with running_worker(outbox):
            yield outbox


def build_email(number=1, kind="receipt"):
    return Message(AMINA, f"Letter {number}\n\nYour application", kind, f"s1:{number}/email", "email")


async def message_states(database):
    """The status of every message, in order."""
    return (await database.fetch(select(messages_table).order_by(messages_table.c.id))).all()


async def wait_until(condition):
    """Wait a few seconds until `ready` returns true."""
    async with asyncio.timeout(10):
        while not await condition():  # noqa: ASYNC110 - the worker tells nobody what it has noted
            await asyncio.sleep(0.01)


async def wait_for_states(database, *statuses):
    """Wait until the messages have these statuses, each with its reason."""

    async def stand_so():
        return tuple(row.status for row in await message_states(database)) == statuses

    await wait_until(stand_so)
    return [row.error for row in await message_states(database)]


async def test_letters_go_out_and_sms_wait_for_their_own_worker(messages, database, clock):
    async with run_smtp_server() as smtp_server, run_email_worker(messages, clock, smtp_server.port):
        await messages.send(build_email(1))
        await messages.send(Message(RAHIMA, "Received", "receipt", "s1:2/received"))
        await messages.send(build_email(3))
        await wait_for_states(database, "sent", "queued", "sent")
    assert sorted(one["Subject"] for one in smtp_server.received_emails) == ["Letter 1", "Letter 3"]


async def test_a_greylisted_letter_comes_again_when_it_was_asked_to(messages, database, clock):
    async with run_smtp_server() as smtp_server, run_email_worker(messages, clock, smtp_server.port):
        smtp_server.answers["RCPT"] = "450 4.2.0 Greylisted"
        await messages.send(build_email())
        await smtp_server.wait_until(lambda: "RCPT" in smtp_server.received_commands)
        assert await wait_for_states(database, "queued") == ["RecipientNotNow"]
        smtp_server.answers.clear()
        clock.advance(seconds=GREYLIST_DELAY.total_seconds() - 1)
        await asyncio.sleep(0.05)  # several looks
        assert smtp_server.received_emails == []
        clock.advance(seconds=1)
        await wait_for_states(database, "sent")


async def test_a_refused_letter_is_not_tried_again(messages, database, clock):
    async with run_smtp_server() as smtp_server, run_email_worker(messages, clock, smtp_server.port):
        smtp_server.answers["RCPT"] = "550 5.1.1 No such user"
        await messages.send(build_email())
        assert await wait_for_states(database, "failed") == ["RecipientRefused"]


async def test_a_letter_that_may_have_been_taken_waits_and_a_receipt_then_goes_once_more_as_the_same(
    messages, database, clock
):
    async with run_smtp_server() as smtp_server, run_email_worker(messages, clock, smtp_server.port):
        smtp_server.answers["DATA"] = HANG_UP
        await messages.send(build_email(1, "receipt"))
        await messages.send(build_email(2, "link"))
        assert await wait_for_states(database, "unknown", "unknown") == ["NoAnswer", "NoAnswer"]
        smtp_server.answers.clear()
        clock.advance(minutes=16)
        await messages.recover_abandoned(timedelta(minutes=5))
        await wait_for_states(database, "sent", "unknown")
    [again] = smtp_server.received_emails
    assert (
        again["Message-ID"]
        == PAPER.build_message(AMINA, build_email(1).text, clock(), lambda it: CIPHER.keyed_hash("letter", it))[
            "Message-ID"
        ]
    )


async def test_where_no_server_answers_letters_wait_for_it(messages, database, clock):
    port = free_port()
    async with run_email_worker(messages, clock, port):
        for number in range(6):
            await messages.send(build_email(number))

        async def one_was_tried():
            return any(row.error for row in await message_states(database))

        await wait_until(one_was_tried)
        await asyncio.sleep(0.1)  # ten looks
        rows_now = await message_states(database)
    assert {row.status for row in rows_now} == {"queued"}
    assert sum(row.attempts for row in rows_now) <= PARALLEL, "the others were spared the try"


async def test_a_wrong_configuration_holds_all_letters_until_it_is_mended(messages, database, clock):
    async with run_smtp_server() as smtp_server, run_email_worker(messages, clock, smtp_server.port) as outbox:
        smtp_server.answers["RCPT"] = "554 5.7.1 Relay access denied"
        for number in range(3):
            await messages.send(build_email(number))
        await smtp_server.wait_until(lambda: smtp_server.received_commands.count("RCPT") >= 2)

        async def held():
            return outbox.suspension_reason == "RelayingDenied"

        await wait_until(held)
        smtp_server.answers.clear()
        for _ in range(4):
            clock.advance(minutes=2)
            await asyncio.sleep(0.05)
        await wait_for_states(database, "sent", "sent", "sent")
        assert outbox.suspension_reason == ""


async def test_a_letter_in_the_air_at_a_stop_is_unknown_and_not_lost(messages, database, clock):
    async with run_smtp_server() as smtp_server:
        async with run_email_worker(messages, clock, smtp_server.port) as outbox:
            outbox._grace_period = 0.05
            smtp_server.answers["DATA"] = KEEP_SILENT
            await messages.send(build_email())
            await smtp_server.silent.wait()
        assert await wait_for_states(database, "unknown") == ["CutShort"]
