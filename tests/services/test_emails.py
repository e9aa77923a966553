"""E-mail addresses: given, verified by a link, written to only then, changed, taken back; each thing done once."""

import asyncio
import json

import pytest
from sqlalchemy import select, text

from services.applications import Applications
from services.emails import LINKS, Email, Emails
from services.links import Links
from services.records.tables import applications, email_events, emails
from tests.desk import KARIM, RAHIMA, SEAL, birth_certificate, say

HERS, HIS = "rahima@example.org", "karim.uddin@example.org"


@pytest.fixture
def links(desk):
    return Links(desk.records, SEAL, "https://ekdial.example", clock=desk.clock)


@pytest.fixture
def addresses(desk, links):
    return Emails(desk.records, desk.messages, links, SEAL, say, clock=desk.clock)


@pytest.fixture
async def account(desk):
    account = await desk.registers()
    await desk.sent()
    return account


async def letters(desk):
    """The letters that wait, as (to, language, text, facts), claimed and settled."""
    claimed = await desk.messages.claim("test", 100, "email")
    return [(one.to, *json.loads(one.text)) for one in claimed]


async def link_in(desk):
    """The token of the one link that waits to be sent."""
    [(_, _, _, facts)] = await letters(desk)
    return facts["link"].removeprefix("https://ekdial.example/d/")


async def verifies(desk, links, addresses):
    """Follow the link that was sent, and press its button."""
    followed = await links.follow(await link_in(desk))
    assert followed.purpose == "email"
    return await addresses.verify(followed.subject)


async def test_an_address_is_kept_and_gets_a_link_in_its_owners_language(desk, addresses, account):
    assert await addresses.of(account) is None
    assert await addresses.give(account, HERS, "bn", "s1:9") == "sent"
    assert await addresses.of(account) == Email(HERS, "bn", verified=False)
    [(to, language, what, facts)] = await letters(desk)
    assert (to, language, what) == (HERS, "bn", "verify")
    assert facts["link"].startswith("https://ekdial.example/d/")
    assert await desk.sent() == [], "nothing of it goes by SMS"


async def test_following_the_link_shows_and_pressing_verifies(desk, links, addresses, account):
    await addresses.give(account, HERS, "bn", "s1:9")
    token = await link_in(desk)
    for _ in range(3):
        followed = await links.follow(token)
        assert await addresses.asked_about(followed.subject) == Email(HERS, "bn", verified=False)
    assert await addresses.of(account) == Email(HERS, "bn", verified=False), "who only looks has verified nothing"
    assert await addresses.verify(followed.subject) == Email(HERS, "bn", verified=True)
    assert await addresses.of(account) == Email(HERS, "bn", verified=True)


async def test_pressing_again_changes_nothing(desk, links, addresses, account, clock):
    await addresses.give(account, HERS, "bn", "s1:9")
    followed = await links.follow(await link_in(desk))
    await asyncio.gather(*(addresses.verify(followed.subject) for _ in range(4)))
    when = (await desk.records.read(select(emails.c.verified_at))).scalar_one()
    clock.moves(minutes=5)
    await addresses.verify(followed.subject)
    assert (await desk.records.read(select(emails.c.verified_at))).scalar_one() == when == clock.now.replace(minute=0)


async def test_a_link_expires(desk, links, addresses, account, clock):
    await addresses.give(account, HERS, "bn", "s1:9")
    token = await link_in(desk)
    clock.moves(days=3)
    assert await links.follow(token) is None


async def test_a_link_to_an_address_that_was_changed_or_taken_back_verifies_nothing(desk, links, addresses, account):
    await addresses.give(account, HERS, "bn", "s1:9")
    old = await links.follow(await link_in(desk))
    await addresses.give(account, HIS, "bn", "s1:12")
    assert await addresses.verify(old.subject) is None
    assert await addresses.asked_about(old.subject) is None
    assert await addresses.of(account) == Email(HIS, "bn", verified=False)
    new = await links.follow(await link_in(desk))
    await addresses.remove(account, "s1:14")
    assert await addresses.verify(new.subject) is None
    assert await addresses.of(account) is None


async def test_a_new_address_is_to_be_verified_anew(desk, links, addresses, account):
    await addresses.give(account, HERS, "bn", "s1:9")
    await verifies(desk, links, addresses)
    assert await addresses.give(account, HIS, "hi", "s1:12") == "sent"
    assert await addresses.of(account) == Email(HIS, "hi", verified=False)


async def test_an_address_that_is_verified_needs_no_link(desk, links, addresses, account):
    await addresses.give(account, HERS, "bn", "s1:9")
    await verifies(desk, links, addresses)
    assert await addresses.give(account, HERS, "bn", "s1:12") == "verified"
    assert await addresses.again(account, "bn", "s1:13") == "verified"
    assert await letters(desk) == []
    assert await addresses.of(account) == Email(HERS, "bn", verified=True)


async def test_the_same_effect_is_done_once_and_answered_alike(desk, addresses, account):
    answers = await asyncio.gather(*(addresses.give(account, HERS, "bn", "s1:9") for _ in range(5)))
    assert answers == ["sent"] * 5
    assert len(await letters(desk)) == 1
    await addresses.remove(account, "s1:12")
    await addresses.remove(account, "s1:12")
    assert await addresses.give(account, HERS, "bn", "s1:9") == "sent", "a path that is heard again"
    assert await addresses.of(account) is None, "does not bring back what was taken back later"
    assert await letters(desk) == []


async def test_another_link_is_sent_when_it_is_asked_for(desk, addresses, account):
    assert await addresses.again(account, "bn", "s1:8") == "none"
    await addresses.give(account, HERS, "bn", "s1:9")
    assert await addresses.again(account, "hi", "s1:10") == "sent"
    [(_, first, _, one), (_, second, _, other)] = await letters(desk)
    assert (first, second) == ("bn", "hi")
    assert one["link"] != other["link"]


async def test_asking_again_is_answered_as_before_though_the_address_is_gone(desk, addresses, account):
    await addresses.give(account, HERS, "bn", "s1:9")
    assert await addresses.again(account, "bn", "s1:10") == "sent"
    await addresses.remove(account, "s1:11")
    assert await addresses.again(account, "bn", "s1:10") == "sent"
    assert await addresses.again(account, "bn", "s1:12") == "none"
    assert len(await letters(desk)) == 2
    assert await addresses.of(account) is None


async def test_an_account_gets_five_links_a_day(desk, addresses, account, clock):
    for number in range(LINKS):
        assert await addresses.give(account, f"amina{number}@example.org", "bn", f"s1:{number}") == "sent"
    assert await addresses.give(account, HERS, "bn", "s1:9") == "too_many"
    assert await addresses.again(account, "bn", "s1:10") == "too_many"
    assert await addresses.of(account) == Email("amina4@example.org", "bn", verified=False), "it keeps what it had"
    assert len(await letters(desk)) == LINKS
    clock.moves(days=1)
    assert await addresses.give(account, HERS, "bn", "s1:9") == "too_many", "the same effect again"
    assert await addresses.give(account, HERS, "bn", "s1:11") == "sent"


async def test_five_at_once_are_five(desk, addresses, account):
    asked = (addresses.give(account, f"amina{number}@example.org", "bn", f"s1:{number}") for number in range(8))
    assert sorted(await asyncio.gather(*asked)) == ["sent"] * 5 + ["too_many"] * 3


async def test_one_address_gets_five_links_a_day_whoever_asks(desk, addresses):
    accounts = [await desk.registers(f"+88017110000{number:02}", effect=f"r{number}:9") for number in range(7)]
    answers = [await addresses.give(one, HERS, "bn", f"s{one}:20") for one in accounts]
    assert answers == ["sent"] * LINKS + ["too_many"] * 2


async def test_a_family_may_share_an_address(desk, links, addresses):
    one, other = await desk.registers(RAHIMA, effect="r1:9"), await desk.registers(KARIM, effect="r2:9")
    await addresses.give(one, HERS, "bn", "s1:20")
    await verifies(desk, links, addresses)
    await addresses.give(other, HERS, "bn", "s2:20")
    assert await addresses.of(one) == Email(HERS, "bn", verified=True)
    assert await addresses.of(other) == Email(HERS, "bn", verified=False), "each shows that it is theirs"


async def test_a_path_that_is_heard_again_finds_the_address_as_it_was(desk, addresses, account):
    def by(*effects):
        return lambda effect: effect in effects

    await addresses.give(account, HERS, "bn", "s1:9")
    await addresses.again(account, "bn", "s1:10")
    await addresses.give(account, HIS, "bn", "s1:11")
    assert await addresses.before(account, by()) is None
    assert (await addresses.before(account, by("s1:9"))).address == HIS, "there was one; which, no longer matters"
    await addresses.remove(account, "s1:12")
    assert await addresses.before(account, by("s1:9", "s1:11")) == Email("", "en", verified=False)
    assert await addresses.before(account, by("s1:9", "s1:11", "s1:12")) is None


# Receipts ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def telling(desk, addresses):
    """Applications that tell a verified address too."""
    zone_of = desk.applications._zone_of
    return Applications(
        desk.records, desk.messages, SEAL, say, zone_of, tell_elsewhere=addresses.receipt, clock=desk.clock
    )


async def test_a_receipt_goes_to_a_verified_address_and_by_sms(desk, links, addresses, account, telling):
    await addresses.give(account, HERS, "bn", "s1:9")
    await verifies(desk, links, addresses)
    receipt = await telling.submit(birth_certificate(account), "s1:20")
    [(to, language, what, facts)] = await letters(desk)
    assert (to, language, what) == (HERS, "bn", "received")
    assert facts["number"] == receipt.tracking_number
    assert [to for to, *_ in await desk.sent()] == [RAHIMA]


async def test_the_same_application_again_is_one_letter(desk, links, addresses, account, telling):
    await addresses.give(account, HERS, "bn", "s1:9")
    await verifies(desk, links, addresses)
    await asyncio.gather(*(telling.submit(birth_certificate(account), "s1:20") for _ in range(4)))
    assert len(await letters(desk)) == 1


async def test_an_address_that_is_not_verified_gets_none(desk, addresses, account, telling):
    await addresses.give(account, HERS, "bn", "s1:9")
    await letters(desk)
    await telling.submit(birth_certificate(account), "s1:20")
    assert await letters(desk) == []


async def test_an_application_that_is_not_recorded_tells_nobody(desk, links, addresses, account):
    async def fails(transaction, *receipt):
        await addresses.receipt(transaction, *receipt)
        raise ConnectionResetError

    await addresses.give(account, HERS, "bn", "s1:9")
    await verifies(desk, links, addresses)
    zone_of = desk.applications._zone_of
    failing = Applications(desk.records, desk.messages, SEAL, say, zone_of, tell_elsewhere=fails, clock=desk.clock)
    with pytest.raises(ConnectionResetError):
        await failing.submit(birth_certificate(account), "s1:20")
    assert await letters(desk) == []
    assert await desk.count(applications) == 0


# What is kept --------------------------------------------------------------------------------------------------------


async def test_no_address_can_be_read_in_the_tables(desk, addresses, account):
    await addresses.give(account, HERS, "bn", "s1:9")
    await addresses.give(account, HIS, "bn", "s1:10")
    for table in (emails, email_events):
        rows = (await desk.records.read(select(table))).all()
        assert rows
        for address in (HERS, HIS):
            assert address.encode() not in b"".join(one for row in rows for one in row if isinstance(one, bytes))
            assert address not in str(rows)


async def test_an_account_that_goes_takes_its_address_along(desk, addresses, account):
    await addresses.give(account, HERS, "bn", "s1:9")
    async with desk.records.transaction() as transaction:
        for table in ("application_events", "applications", "accounts"):
            await transaction.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - our own names
    assert (await desk.count(emails), await desk.count(email_events)) == (0, 0)


def test_an_address_in_a_log_is_not_shown():
    assert HERS not in repr(Email(HERS, "bn", verified=True))
