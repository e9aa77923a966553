"""The helpdesk sends a message again only where its text still is true, and to whoever may get it."""

from typing import get_args

import pytest
from sqlalchemy import select, update

from core.types import SmsText, Template
from db.tables import audit, messages
from services.audit.models import Actor
from services.citizens.number_release import ReleaseRequest
from services.helpdesk.explanations import BY_STAGE, explain_message
from services.helpdesk.resends import DEPARTMENT_KINDS, MAX_RESENDS, RESENDABLE_KINDS
from services.messaging.kinds import RULES, MessageKind
from services.messaging.message_status import Stage
from services.messaging.models import Message, SendResult
from tests.support.complaints import ComplaintServiceSet
from tests.support.services import RAHIMA, birth_certificate_submission

DEPARTMENT = Actor("department", "local_government", "api")


@pytest.fixture
def queue_message(services, database):
    """Queue a message, and settle it; its id."""

    async def queue(kind="receipt", key="m1", status="sent", error="", **other):
        await services.messages.send(Message(RAHIMA, "the text", kind, key))
        query = select(messages.c.id).where(messages.c.idempotency_key == key)
        message = (await database.fetch(query)).scalar_one()
        if status != "queued":
            await services.messages.claim("test", 10)
            await services.messages.record_result(message, SendResult(status, error=error))
        return message

    return queue


async def rows(database):
    return (await database.fetch(select(messages).order_by(messages.c.id))).all()


async def test_a_receipt_is_sent_again_as_a_new_message_with_the_same_text(
    services, database, resends, act, queue_message
):
    former = await queue_message(status="failed", error="NotConnected")
    result = await resends.resend(former, act())
    assert (result.outcome, result.former.reason, result.message) == ("sent", "NotConnected", former + 1)
    (claimed,) = await services.messages.claim("test", 10)
    assert (claimed.id, claimed.to, claimed.text, claimed.kind) == (result.message, RAHIMA, "the text", "receipt")
    query = select(audit.c.act, audit.c.actor, audit.c.subject, audit.c.details)
    assert [tuple(row) for row in await database.fetch(query)] == [
        ("message_resent", "nadia", str(former), {"reason": "ticket 4711", "new": str(result.message)})
    ]


async def test_the_new_message_has_the_template_of_the_former(services, resends, act):
    template = Template("received", "en", (("number", "1234 5678 9012"),))
    await services.messages.send(Message(RAHIMA, SmsText("the text", "the text", template), "receipt", "m1"))
    await services.messages.claim("test", 10)
    await services.messages.record_result(1, SendResult("failed"))
    await resends.resend(1, act())
    (claimed,) = await services.messages.claim("test", 10)
    assert (claimed.text, claimed.template) == ("the text", template)


async def test_a_repeated_act_sends_once(database, resends, act, queue_message):
    former = await queue_message()
    first, second = [await resends.resend(former, act()) for _ in range(2)]
    assert first.message == second.message
    assert len(await rows(database)) == 2


@pytest.mark.parametrize("kind", get_args(MessageKind))
async def test_every_kind_is_sent_again_or_refused_by_what_its_text_is(resends, act, queue_message, kind):
    result = await resends.resend(await queue_message(kind), act())
    expected = (
        "not_citizens"
        if kind in DEPARTMENT_KINDS
        else "confidential"
        if RULES[kind].secret
        else "sent"
        if kind in RESENDABLE_KINDS
        else "outdated"
    )
    assert result.outcome == expected
    assert expected != "sent" or not RULES[kind].secret


@pytest.mark.parametrize("status", ["failed", "unknown", "sent"])
async def test_what_failed_or_is_unknown_is_sent_again(resends, act, queue_message, status):
    assert (await resends.resend(await queue_message(status=status), act())).outcome == "sent"


async def test_what_is_on_its_way_is_not_sent_again(resends, act, queue_message):
    assert (await resends.resend(await queue_message(status="queued"), act())).outcome == "on_its_way"


async def test_an_unknown_id_is_no_message(resends, act):
    assert (await resends.resend(4711, act())).outcome == "no_message"


async def test_who_sent_stop_gets_no_news_again_but_receipts(services, resends, act, queue_message):
    news, receipt = await queue_message("status", "m1"), await queue_message("receipt", "m2")
    await services.opt_outs.opt_out(RAHIMA, "keyword")
    assert (await resends.resend(news, act("t1"))).outcome == "opted_out"
    assert (await resends.resend(receipt, act("t2"))).outcome == "sent"


async def test_a_number_that_was_taken_away_gets_nothing(resends, releases, act, queue_message):
    message = await queue_message()
    await releases.release(ReleaseRequest(RAHIMA, "staff", Actor("staff", "nadia", "terminal"), "k1"))
    assert (await resends.resend(message, act())).outcome == "no_number"


async def test_a_text_that_is_deleted_cannot_be_sent(database, resends, act, queue_message):
    message = await queue_message()
    async with database.transaction() as transaction:
        await transaction.execute(update(messages).values(text=None))
    assert (await resends.resend(message, act())).outcome == "no_text"


async def test_one_number_gets_a_few_a_day(clock, resends, act, queue_message):
    message = await queue_message()
    for number in range(MAX_RESENDS):
        assert (await resends.resend(message, act(f"t{number}"))).outcome == "sent"
    assert (await resends.resend(message, act("more"))).outcome == "too_many"
    clock.advance(days=1, seconds=1)
    assert (await resends.resend(message, act("tomorrow"))).outcome == "sent"


async def test_the_latest_news_about_an_application_are_sent_again_and_older_ones_are_not(
    services, database, resends, act
):
    account = await services.register(RAHIMA)
    number = (await services.applications.submit(birth_certificate_submission(account), "s1:30")).tracking_number
    move = services.department_applications.move
    for key, status in (("h1", "under_review"), ("h2", "ready")):
        await move("local_government", number, status, {}, key, by=DEPARTMENT)
    await services.claim_sms()
    async with database.transaction() as transaction:
        await transaction.execute(update(messages).values(status="sent"))
    older, latest = [row.id for row in await rows(database) if row.kind == "status"]
    assert (await resends.resend(older, act("t1"))).outcome == "outdated"
    assert (await resends.resend(latest, act("t2"))).outcome == "sent"


async def test_the_latest_news_about_a_complaint_are_sent_again_and_older_ones_are_not(
    services, database, resends, act
):
    account = await services.register(RAHIMA)
    about = (await services.applications.submit(birth_certificate_submission(account), "s1:30")).tracking_number
    complaints = ComplaintServiceSet(services)
    number = await complaints.submit_complaint("s1:40", about=about)
    move = complaints.department_complaints.move
    await move("local_government", number, "under_review", {}, "h1", by=DEPARTMENT)
    await move("local_government", number, "answered", {"en": "Done"}, "h2", by=DEPARTMENT)
    await services.claim_sms()
    async with database.transaction() as transaction:
        await transaction.execute(update(messages).values(status="sent"))
    older, latest = [row.id for row in await rows(database) if row.kind == "status"]
    assert (await resends.resend(older, act("t1"))).outcome == "outdated"
    assert (await resends.resend(latest, act("t2"))).outcome == "sent"


def test_every_stage_is_explained():
    assert set(BY_STAGE) == set(get_args(Stage))


async def test_a_reason_of_the_provider_that_we_do_not_know_is_shown_as_it_is(resends, act, queue_message):
    result = await resends.resend(await queue_message(status="failed", error="Gremlins"), act())
    assert explain_message(result.former) == "it was not sent, or did not arrive (Gremlins)"
