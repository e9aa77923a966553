"""The sandbox: simulated inboxes, bounded, with live listeners."""

import asyncio
from datetime import UTC, datetime

import pytest

from providers.sandbox.sms import SandboxSms, SandboxSmsProvider
from services.messaging.models import OutgoingMessage
from services.messaging.provider import Accepted, Rejected

AMINA, KARIM = "+8801700000001", "+8801700000002"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def sandbox():
    return SandboxSmsProvider(clock=lambda: NOON)


async def texts(queue: asyncio.Queue[SandboxSms], number: int) -> list[str]:
    return [(await queue.get()).text for _ in range(number)]


async def test_what_is_sent_is_in_the_inbox_of_its_number(sandbox):
    outcome = await sandbox.send(OutgoingMessage(AMINA, "আপনার পিন ৪৮২১"))
    (sms,) = sandbox.messages_to(AMINA)
    assert outcome == Accepted(sms.id)
    assert sms == SandboxSms(sms.id, AMINA, "আপনার পিন ৪৮২১", NOON, "EKDIAL")
    assert sandbox.messages_to(KARIM) == ()


async def test_the_same_text_twice_is_two_messages(sandbox):
    assert await sandbox.send(OutgoingMessage(AMINA, "x")) != await sandbox.send(OutgoingMessage(AMINA, "x"))


@pytest.mark.parametrize("to", ["", "01700000001", "EKDIAL", "+1234", f"{AMINA}\n"])
async def test_a_number_that_a_real_provider_refuses_is_refused(sandbox, to):
    assert await sandbox.send(OutgoingMessage(to, "x")) == Rejected("InvalidPhoneNumber")
    assert sandbox.messages_to(to) == ()


async def test_an_inbox_keeps_the_newest():
    sandbox = SandboxSmsProvider(max_messages=3)
    for number in range(5):
        await sandbox.send(OutgoingMessage(AMINA, str(number)))
    assert [sms.text for sms in sandbox.messages_to(AMINA)] == ["2", "3", "4"]


async def test_the_numbers_that_were_last_sent_something_keep_their_inbox():
    sandbox = SandboxSmsProvider(max_inboxes=2)
    for to in (AMINA, KARIM, AMINA, "+8801700000003"):
        await sandbox.send(OutgoingMessage(to, "x"))
    assert [len(sandbox.messages_to(to)) for to in (AMINA, KARIM, "+8801700000003")] == [2, 0, 1]


async def test_who_listens_hears_what_arrives_for_that_number_from_then_on(sandbox):
    await sandbox.send(OutgoingMessage(AMINA, "before"))
    async with sandbox.listen(AMINA) as hers, sandbox.listen(AMINA) as hers_too, sandbox.listen(KARIM) as his:
        await sandbox.send(OutgoingMessage(AMINA, "one"))
        await sandbox.send(OutgoingMessage(KARIM, "for Karim"))
        await sandbox.send(OutgoingMessage(AMINA, "two"))
        assert await texts(hers, 2) == await texts(hers_too, 2) == ["one", "two"]
        assert await texts(his, 1) == ["for Karim"]
        assert hers.empty()


async def test_a_listener_who_does_not_read_loses_the_oldest_and_hinders_nobody():
    sandbox = SandboxSmsProvider(max_messages=2)
    async with sandbox.listen(AMINA) as asleep:
        for number in range(5):
            assert isinstance(await sandbox.send(OutgoingMessage(AMINA, str(number))), Accepted)
        assert await texts(asleep, 2) == ["3", "4"]


async def test_who_has_gone_is_told_nothing_more(sandbox):
    async with sandbox.listen(AMINA) as stays:
        async with sandbox.listen(AMINA) as goes:
            pass
        await sandbox.send(OutgoingMessage(AMINA, "x"))
        assert goes.empty()
        assert await texts(stays, 1) == ["x"]
    assert sandbox._listeners == {}, "nothing is kept of those who have gone"
