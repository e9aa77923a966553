"""E-mail addresses: given, verified by a link, written to only then, changed, taken back; each thing done once."""

import asyncio
import json

import pytest
from sqlalchemy import select, text

from db.tables import applications, email_events, emails
from services.applications.submission import ApplicationSubmission
from services.citizens.emails import MAX_LINKS, Emails
from services.citizens.models import Email
from services.messaging.links import Links
from tests.support.services import CIPHER, KARIM, RAHIMA, birth_certificate_submission, render_text

HER_ADDRESS, HIS_ADDRESS = "rahima@example.org", "karim.uddin@example.org"


@pytest.fixture
def links(services):
    return Links(services.database, CIPHER, "https://ekdial.example", clock=services.clock)


@pytest.fixture
def addresses(services, links):
    notices = services.accounts.notices
    return Emails(
        services.database, services.messages, links, CIPHER, render_text, notices=notices, clock=services.clock
    )


@pytest.fixture
async def account(services):
    account = await services.register()
    await services.claim_sms()
    return account


async def claim_emails(services):
    """The letters that wait, as (to, language, text, facts), claimed and settled."""
    claimed = await services.messages.claim("test", 100, "email")
    return [(one.to, *json.loads(one.text)) for one in claimed]


async def link_token(services):
    """The token of the one link that waits to be sent."""
    [(_, _, _, facts)] = await claim_emails(services)
    return facts["link"].removeprefix("https://ekdial.example/d/")


async def verify_address(services, links, addresses):
    """Follow the link that was sent, and press its button."""
    followed = await links.resolve(await link_token(services))
    assert followed.purpose == "email"
    return await addresses.verify(followed.subject)


async def test_an_address_is_kept_and_gets_a_link_in_its_owners_language(services, addresses, account):
    assert await addresses.get(account) is None
    assert await addresses.set_address(account, HER_ADDRESS, "bn", "s1:9") == "sent"
    assert await addresses.get(account) == Email(HER_ADDRESS, "bn", verified=False)
    [(to, language, what, facts)] = await claim_emails(services)
    assert (to, language, what) == (HER_ADDRESS, "bn", "verify")
    assert facts["link"].startswith("https://ekdial.example/d/")
    assert [text for _, _, text, _ in await services.claim_sms()] == ["email_set"], "the address is not in an SMS"


async def test_opening_the_link_shows_the_address_and_the_button_verifies_it(services, links, addresses, account):
    await addresses.set_address(account, HER_ADDRESS, "bn", "s1:9")
    token = await link_token(services)
    for _ in range(3):
        followed = await links.resolve(token)
        assert await addresses.for_link(followed.subject) == Email(HER_ADDRESS, "bn", verified=False)
    assert await addresses.get(account) == Email(HER_ADDRESS, "bn", verified=False), (
        "who only looks has verified nothing"
    )
    assert await addresses.verify(followed.subject) == Email(HER_ADDRESS, "bn", verified=True)
    assert await addresses.get(account) == Email(HER_ADDRESS, "bn", verified=True)


async def test_pressing_the_button_again_changes_nothing(services, links, addresses, account, clock):
    await addresses.set_address(account, HER_ADDRESS, "bn", "s1:9")
    followed = await links.resolve(await link_token(services))
    await asyncio.gather(*(addresses.verify(followed.subject) for _ in range(4)))
    when = (await services.database.fetch(select(emails.c.verified_at))).scalar_one()
    clock.advance(minutes=5)
    await addresses.verify(followed.subject)
    assert (
        (await services.database.fetch(select(emails.c.verified_at))).scalar_one()
        == when
        == clock.now.replace(minute=0)
    )


async def test_a_link_expires(services, links, addresses, account, clock):
    await addresses.set_address(account, HER_ADDRESS, "bn", "s1:9")
    token = await link_token(services)
    clock.advance(days=3)
    assert await links.resolve(token) is None


async def test_a_link_to_a_changed_or_removed_address_verifies_nothing(services, links, addresses, account):
    await addresses.set_address(account, HER_ADDRESS, "bn", "s1:9")
    old = await links.resolve(await link_token(services))
    await addresses.set_address(account, HIS_ADDRESS, "bn", "s1:12")
    assert await addresses.verify(old.subject) is None
    assert await addresses.for_link(old.subject) is None
    assert await addresses.get(account) == Email(HIS_ADDRESS, "bn", verified=False)
    new = await links.resolve(await link_token(services))
    await addresses.remove(account, "s1:14")
    assert await addresses.verify(new.subject) is None
    assert await addresses.get(account) is None


async def test_a_new_address_has_to_be_verified(services, links, addresses, account):
    await addresses.set_address(account, HER_ADDRESS, "bn", "s1:9")
    await verify_address(services, links, addresses)
    assert await addresses.set_address(account, HIS_ADDRESS, "hi", "s1:12") == "sent"
    assert await addresses.get(account) == Email(HIS_ADDRESS, "hi", verified=False)


async def test_an_address_that_is_verified_needs_no_link(services, links, addresses, account):
    await addresses.set_address(account, HER_ADDRESS, "bn", "s1:9")
    await verify_address(services, links, addresses)
    assert await addresses.set_address(account, HER_ADDRESS, "bn", "s1:12") == "verified"
    assert await addresses.resend_link(account, "bn", "s1:13") == "verified"
    assert await claim_emails(services) == []
    assert await addresses.get(account) == Email(HER_ADDRESS, "bn", verified=True)


async def test_a_repeated_key_sends_one_link_and_gets_the_same_outcome(services, addresses, account):
    answers = await asyncio.gather(*(addresses.set_address(account, HER_ADDRESS, "bn", "s1:9") for _ in range(5)))
    assert answers == ["sent"] * 5
    assert len(await claim_emails(services)) == 1
    await addresses.remove(account, "s1:12")
    await addresses.remove(account, "s1:12")
    assert await addresses.set_address(account, HER_ADDRESS, "bn", "s1:9") == "sent", "a replayed path"
    assert await addresses.get(account) is None, "does not bring back what was taken back later"
    assert await claim_emails(services) == []


async def test_another_link_is_sent_when_it_is_asked_for(services, addresses, account):
    assert await addresses.resend_link(account, "bn", "s1:8") == "none"
    await addresses.set_address(account, HER_ADDRESS, "bn", "s1:9")
    assert await addresses.resend_link(account, "hi", "s1:10") == "sent"
    [(_, first, _, one), (_, second, _, other)] = await claim_emails(services)
    assert (first, second) == ("bn", "hi")
    assert one["link"] != other["link"]


async def test_a_repeated_resend_gets_the_same_outcome_after_the_address_is_removed(services, addresses, account):
    await addresses.set_address(account, HER_ADDRESS, "bn", "s1:9")
    assert await addresses.resend_link(account, "bn", "s1:10") == "sent"
    await addresses.remove(account, "s1:11")
    assert await addresses.resend_link(account, "bn", "s1:10") == "sent"
    assert await addresses.resend_link(account, "bn", "s1:12") == "none"
    assert len(await claim_emails(services)) == 2
    assert await addresses.get(account) is None


async def test_an_account_gets_five_links_a_day(services, addresses, account, clock):
    for number in range(MAX_LINKS):
        assert await addresses.set_address(account, f"amina{number}@example.org", "bn", f"s1:{number}") == "sent"
    assert await addresses.set_address(account, HER_ADDRESS, "bn", "s1:9") == "too_many"
    assert await addresses.resend_link(account, "bn", "s1:10") == "too_many"
    assert await addresses.get(account) == Email("amina4@example.org", "bn", verified=False), "it keeps what it had"
    assert len(await claim_emails(services)) == MAX_LINKS
    clock.advance(days=1)
    assert await addresses.set_address(account, HER_ADDRESS, "bn", "s1:9") == "too_many", "a repeated key"
    assert await addresses.set_address(account, HER_ADDRESS, "bn", "s1:11") == "sent"


async def test_concurrent_requests_do_not_exceed_the_limit(services, addresses, account):
    asked = (addresses.set_address(account, f"amina{number}@example.org", "bn", f"s1:{number}") for number in range(8))
    assert sorted(await asyncio.gather(*asked)) == ["sent"] * 5 + ["too_many"] * 3


async def test_one_address_gets_five_links_a_day_whoever_asks(services, addresses):
    accounts = [
        await services.register(f"+88017110000{number:02}", idempotency_key=f"r{number}:9") for number in range(7)
    ]
    answers = [await addresses.set_address(one, HER_ADDRESS, "bn", f"s{one}:20") for one in accounts]
    assert answers == ["sent"] * MAX_LINKS + ["too_many"] * 2


async def test_a_family_may_share_an_address(services, links, addresses):
    one, other = (
        await services.register(RAHIMA, idempotency_key="r1:9"),
        await services.register(KARIM, idempotency_key="r2:9"),
    )
    await addresses.set_address(one, HER_ADDRESS, "bn", "s1:20")
    await verify_address(services, links, addresses)
    await addresses.set_address(other, HER_ADDRESS, "bn", "s2:20")
    assert await addresses.get(one) == Email(HER_ADDRESS, "bn", verified=True)
    assert await addresses.get(other) == Email(HER_ADDRESS, "bn", verified=False), "each shows that it is theirs"


async def test_a_replayed_path_finds_the_address_as_it_was(services, addresses, account):
    def by(*keys):
        return lambda key: key.partition("/")[0] in keys  # the key of an address has a suffix

    await addresses.set_address(account, HER_ADDRESS, "bn", "s1:9")
    await addresses.resend_link(account, "bn", "s1:10")
    await addresses.set_address(account, HIS_ADDRESS, "bn", "s1:11")
    assert await addresses.get_as_of(account, by()) is None
    assert (await addresses.get_as_of(account, by("s1:9"))).address == HIS_ADDRESS, (
        "there was one; which, no longer matters"
    )
    await addresses.remove(account, "s1:12")
    assert await addresses.get_as_of(account, by("s1:9", "s1:11")) == Email("", "en", verified=False)
    assert await addresses.get_as_of(account, by("s1:9", "s1:11", "s1:12")) is None


# Receipts ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def notifying_services(services, addresses):
    """Applications that tell a verified address too."""
    zone_of = services.applications._find_zone
    return ApplicationSubmission(
        services.database,
        services.messages,
        CIPHER,
        render_text,
        zone_of,
        queue_receipt=addresses.queue_receipt,
        clock=services.clock,
    )


async def test_a_receipt_goes_to_a_verified_address_and_by_sms(services, links, addresses, account, notifying_services):
    await addresses.set_address(account, HER_ADDRESS, "bn", "s1:9")
    await verify_address(services, links, addresses)
    receipt = await notifying_services.submit(birth_certificate_submission(account), "s1:20")
    [(to, language, what, facts)] = await claim_emails(services)
    assert (to, language, what) == (HER_ADDRESS, "bn", "received")
    assert facts["number"] == receipt.tracking_number
    assert [(to, text) for to, _, text, _ in await services.claim_sms()] == [
        (RAHIMA, "email_set"),
        (RAHIMA, "received"),
    ]


async def test_a_repeated_application_queues_one_email(services, links, addresses, account, notifying_services):
    await addresses.set_address(account, HER_ADDRESS, "bn", "s1:9")
    await verify_address(services, links, addresses)
    await asyncio.gather(*(notifying_services.submit(birth_certificate_submission(account), "s1:20") for _ in range(4)))
    assert len(await claim_emails(services)) == 1


async def test_an_unverified_address_gets_no_receipt(services, addresses, account, notifying_services):
    await addresses.set_address(account, HER_ADDRESS, "bn", "s1:9")
    await claim_emails(services)
    await notifying_services.submit(birth_certificate_submission(account), "s1:20")
    assert await claim_emails(services) == []


async def test_an_application_that_is_rolled_back_queues_no_email(services, links, addresses, account):
    async def fails(transaction, *receipt):
        await addresses.queue_receipt(transaction, *receipt)
        raise ConnectionResetError

    await addresses.set_address(account, HER_ADDRESS, "bn", "s1:9")
    await verify_address(services, links, addresses)
    zone_of = services.applications._find_zone
    failing = ApplicationSubmission(
        services.database, services.messages, CIPHER, render_text, zone_of, queue_receipt=fails, clock=services.clock
    )
    with pytest.raises(ConnectionResetError):
        await failing.submit(birth_certificate_submission(account), "s1:20")
    assert await claim_emails(services) == []
    assert await services.count_rows(applications) == 0


# What is stored --------------------------------------------------------------------------------------------------------


async def test_no_address_can_be_read_in_the_tables(services, addresses, account):
    await addresses.set_address(account, HER_ADDRESS, "bn", "s1:9")
    await addresses.set_address(account, HIS_ADDRESS, "bn", "s1:10")
    for table in (emails, email_events):
        rows = (await services.database.fetch(select(table))).all()
        assert rows
        for address in (HER_ADDRESS, HIS_ADDRESS):
            assert address.encode() not in b"".join(one for row in rows for one in row if isinstance(one, bytes))
            assert address not in str(rows)


async def test_deleting_an_account_deletes_its_address(services, addresses, account):
    await addresses.set_address(account, HER_ADDRESS, "bn", "s1:9")
    async with services.database.transaction() as transaction:
        for table in ("application_events", "applications", "accounts"):
            await transaction.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - our own names
    assert (await services.count_rows(emails), await services.count_rows(email_events)) == (0, 0)


def test_an_address_in_a_log_is_not_shown():
    assert HER_ADDRESS not in repr(Email(HER_ADDRESS, "bn", verified=True))
