"""An operator of India refuses the text of some messages: these wait until it is mended, and all others are sent."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from core.claim_worker import running_worker
from core.types import SmsText, Template
from db.tables import audit, messages, refused_templates
from services.messaging.dlt import DltRegistry
from services.messaging.models import DltIds, Message, OutgoingMessage
from services.messaging.outbox import Outbox
from services.messaging.outcomes import Accepted, SendOutcome, Suspended
from tests.support.staff import staff_act

ASHA, RAHIMA = "+919810000001", "+8801711000001"
ENTITY, CODE_ID, MOVED_ID, NEW_ID = (f"110716123456789012{digit}" for digit in "0123")
REGISTERED = {"code.hi": CODE_ID, "moved.hi": MOVED_ID}


@dataclass
class IndianProvider:
    """Accepts what comes with the ids that its operator knows."""

    refused: set[str] = field(default_factory=set)
    sent: list[OutgoingMessage] = field(default_factory=list)
    name: str = "exotel"

    async def send(self, message: OutgoingMessage) -> SendOutcome:
        if message.dlt and message.dlt.template in self.refused:
            return Suspended("DltScrubbing", template_only=True)
        self.sent.append(message)
        return Accepted(f"exotel/{len(self.sent)}")


def text(key="moved", form="hi", *values):
    template = Template(key, form, tuple(("number", value) for value in values or ("1234 5678 9012",)))
    return SmsText(f"{key}: {values}", f"{key}: {values}", template, template)


@pytest.fixture
def provider():
    return IndianProvider()


@pytest.fixture
def send(services):
    async def send(sms_text, key, to=ASHA, kind="status"):
        await services.messages.send(Message(to, sms_text, kind, key))

    return send


@pytest.fixture
def work(services, provider, clock):
    """Run an outbox with these registered texts for as long as it finds something to do; return it."""

    async def work(templates=REGISTERED, entity=ENTITY, **others):
        registry = DltRegistry(entity=entity, templates=templates, headers={"default": "EKDIAL"}, **others)
        clocks = {"clock": clock, "monotonic": clock.monotonic}
        outbox = Outbox(services.messages, provider, worker="w", dlt=registry, random_fraction=lambda: 0.0, **clocks)
        await services.messages.holds.release_mended(registry.find_id)
        while claimed := await outbox.claim(10):
            for one in claimed:
                await outbox.record(one, await outbox.process(one))
        return outbox

    return work


async def states(services):
    rows = await services.database.fetch(select(messages.c.status, messages.c.error).order_by(messages.c.id))
    return [tuple(row) for row in rows]


async def test_a_message_to_india_has_the_ids_of_its_text_and_the_header_of_its_kind(send, work, provider):
    await send(text(), "m1")
    await send(text(), "m2", RAHIMA)
    await work()
    india, elsewhere = provider.sent
    assert (india.dlt, india.sender, india.template.key) == (DltIds(ENTITY, MOVED_ID), "EKDIAL", "moved")
    assert (elsewhere.dlt, elsewhere.sender) == (None, "")


async def test_only_the_messages_of_a_refused_text_wait(send, work, provider, services):
    provider.refused = {MOVED_ID}
    for number in range(3):
        await send(text("moved"), f"m{number}")
        await send(text("code"), f"c{number}", kind="code")
    with capture_logs() as logs:
        outbox = await work()
    assert [one.template.key for one in provider.sent] == ["code"] * 3
    assert outbox.suspension_reason == "", "the account works"
    assert sorted(set(await states(services))) == [("queued", "DltScrubbing"), ("sent", None)]
    refusals = [
        (one["template"], one["reason"], one["log_level"]) for one in logs if one["event"] == "template_refused"
    ]
    assert refusals == [("moved.hi", "DltScrubbing", "critical")]


async def test_what_comes_later_is_not_even_tried(send, work, provider, services, clock):
    provider.refused = {MOVED_ID}
    await send(text(), "m1")
    await work()
    provider.refused = set()  # the operator has mended something, and nobody has told us
    await send(text(), "m2")
    clock.advance(hours=5)
    await work()
    assert provider.sent == []
    assert await states(services) == [("queued", "DltScrubbing")] * 2


async def test_they_go_by_themselves_when_the_id_is_another_one(send, work, provider, services):
    provider.refused = {MOVED_ID}
    for number in range(3):
        await send(text(), f"m{number}")
    await work()
    await work({**REGISTERED, "moved.hi": NEW_ID})
    assert [one.dlt for one in provider.sent] == [DltIds(ENTITY, NEW_ID)] * 3
    assert await services.count_rows(refused_templates) == 0
    assert [state for state, _ in await states(services)] == ["sent"] * 3


async def test_they_go_when_a_person_says_that_the_text_is_mended(send, work, provider, services):
    provider.refused = {MOVED_ID}
    await send(text(), "m1")
    await work()
    provider.refused = set()
    assert await services.messages.holds.release("moved.hi", staff_act("registered anew"))
    await work()
    assert len(provider.sent) == 1
    rows = await services.database.fetch(select(audit.c.act, audit.c.subject, audit.c.details))
    assert [tuple(row) for row in rows] == [("template_released", "moved.hi", {"reason": "registered anew"})]


async def test_a_text_that_is_still_refused_waits_again(send, work, provider, services):
    provider.refused = {MOVED_ID}
    await send(text(), "m1")
    await work()
    await services.messages.holds.release("moved.hi", staff_act("registered anew"))
    await work()
    (refused,) = await services.messages.holds.list_refused()
    assert (refused.name, refused.template_id, refused.reason, refused.waiting) == (
        "moved.hi",
        MOVED_ID,
        "DltScrubbing",
        1,
    )
    assert provider.sent == []


async def test_what_nobody_refuses_cannot_be_released(services):
    assert not await services.messages.holds.release("moved.hi", staff_act())
    assert await services.count_rows(audit) == 0


async def test_a_text_without_an_id_waits_and_is_not_sent_to_be_dropped(send, work, provider, services):
    await send(text("received"), "m1", kind="receipt")
    await work()
    assert (provider.sent, await states(services)) == ([], [("queued", "TemplateNotRegistered")])
    await work({**REGISTERED, "received.hi": NEW_ID})
    assert [one.dlt.template for one in provider.sent] == [NEW_ID]


async def test_without_the_entity_nothing_is_registered(send, work, provider):
    await send(text(), "m1")
    await work(entity="")
    assert provider.sent == []
    await work()
    assert len(provider.sent) == 1


async def test_each_variant_and_each_language_is_a_text_of_its_own(send, work, provider):
    provider.refused = {MOVED_ID}
    await send(text("moved"), "m1")
    await send(text("moved", "hi_Latn"), "m2")
    shorter = Template("moved", "hi", (("number", "1"),), ("note",))
    await send(SmsText("short", "short", shorter, shorter), "m3")
    await work({**REGISTERED, "moved.hi_Latn": CODE_ID, "moved-note.hi": NEW_ID})
    assert [one.template.name for one in provider.sent] == ["moved.hi_Latn", "moved-note.hi"]


async def test_a_waiting_message_is_kept_as_long_as_its_kind_and_then_dropped(send, work, provider, services, clock):
    provider.refused = {MOVED_ID}
    await send(text(), "m1")
    await work()
    (refused,) = await services.messages.holds.list_refused()
    assert refused.expires_at == clock() + timedelta(days=3)
    clock.advance(days=3)
    await services.messages.recover_abandoned(timedelta(minutes=5))
    assert await states(services) == [("failed", "TooLate")]
    (refused,) = await services.messages.holds.list_refused()
    assert (refused.waiting, refused.expires_at) == (0, None), "the next ones wait too"


async def test_a_clock_that_was_set_back_releases_nothing(send, work, provider, services, clock):
    provider.refused = {MOVED_ID}
    await send(text(), "m1")
    await work()
    clock.jump(hours=-2)
    await services.messages.make_future_due()
    await work()
    assert (provider.sent, await states(services)) == ([], [("queued", "DltScrubbing")])


async def test_a_text_of_no_template_fails_unless_menus_are_sent(send, work, provider, services):
    await send("1 Find a service", "m1", kind="reply")
    await work()
    assert (provider.sent, await states(services)) == ([], [("failed", "NoTemplate")])
    await send("1 Find a service", "m2", kind="reply")
    await work(sends_menus=True)
    assert [one.dlt for one in provider.sent] == [DltIds(ENTITY, "")]


async def test_a_refusal_is_recorded_once_for_many(send, work, provider, services):
    provider.refused = {MOVED_ID}
    for number in range(25):
        await send(text(), f"m{number}")
    await work()
    assert await services.count_rows(refused_templates) == 1
    (refused,) = await services.messages.holds.list_refused()
    assert refused.waiting == 25


async def test_a_release_beside_a_claim_leaves_no_message_behind(send, work, provider, services, clock):
    """The claim reads that the text is refused; the release comes before the claim is committed, or after it."""
    provider.refused = {MOVED_ID}
    await send(text(), "m1")
    await work()
    await send(text(), "m2")
    provider.refused = set()
    find_id = DltRegistry(entity=ENTITY, templates=REGISTERED).find_id
    claims = [services.messages.claim("w", 10, find_template_id=find_id) for _ in range(3)]
    release = services.messages.holds.release("moved.hi", staff_act())
    claimed = [one for some in (await asyncio.gather(*claims, release))[:3] for one in some]
    claimed += await services.messages.claim("w", 10, find_template_id=find_id)
    assert sorted(one.id for one in claimed) == [1, 2]


async def test_an_outbox_that_starts_with_another_id_sends_what_waits(send, work, provider, services, clock):
    provider.refused = {MOVED_ID}
    await send(text(), "m1")
    await work()
    registry = DltRegistry(entity=ENTITY, templates={**REGISTERED, "moved.hi": NEW_ID})
    clocks = {"clock": clock, "monotonic": clock.monotonic}
    outbox = Outbox(services.messages, provider, worker="w", dlt=registry, poll_interval=0.01, **clocks)
    async with running_worker(outbox), asyncio.timeout(20):
        while not provider.sent:  # noqa: ASYNC110 - the provider sets no event
            await asyncio.sleep(0.01)
    assert [one.dlt for one in provider.sent] == [DltIds(ENTITY, NEW_ID)]
