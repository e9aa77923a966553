"""What was stored under a former secret is found, read and verified; what is used is stored again under the current one."""

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from core.crypto import Cipher
from db.tables import accounts, document_holders, links, operators, profile_facts, security_answers
from services.assisted.operators import NewOperator, Operators
from services.citizens.emails import Emails
from services.citizens.one_time_codes import OneTimeCodes
from services.citizens.pins import SecretHasher
from services.citizens.profiles import Profiles
from services.documents.issuers.sandbox import SandboxIssuer
from services.documents.models import SignInRequest
from services.documents.sign_ins import DocumentSignIns
from services.messaging.inbound import InboundSms, InboundSmsRepository
from services.messaging.links import Links, ResolvedLink
from sessions.redis_store import open_session_store
from sessions.store import StoredSession
from tests.support.services import CIPHER, KARIM, RAHIMA, ServiceSet, render_text
from tests.support.staff import staff_act

FORMER_SECRET = b"a secret of the tests, 32 octets+"  # that of CIPHER
NEW_SECRET = b"the secret that takes its place, long enough"
BOTH, NEW_ALONE = Cipher(NEW_SECRET, [FORMER_SECRET]), Cipher(NEW_SECRET)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def after(database, clock):
    """All services of a gateway that has a new secret and the former one."""
    with closing(SecretHasher(BOTH)) as hasher:
        yield ServiceSet(database, clock, hasher, BOTH)


@pytest.fixture
def alone(database, clock):
    """All services of a gateway whose former secret was taken away."""
    with closing(SecretHasher(NEW_ALONE)) as hasher:
        yield ServiceSet(database, clock, hasher, NEW_ALONE)


async def test_a_pin_and_answers_sign_in_and_need_the_former_key_no_longer(services, after, alone):
    account = await services.register(pin="4821")
    first = await after.accounts.sign_in(RAHIMA, "4821", "s2:4", vouched=True)
    answers = await after.accounts.sign_in_by_answers(RAHIMA, ("Sonar Bangla School", "কুমিল্লা ৪"), "s3:4", vouched=True)
    assert (first.outcome, answers.outcome) == ("in", "in")
    hashes = [*await column_values(services, accounts.c.pin_hash)]
    hashes += await column_values(services, security_answers.c.answer_hash)
    assert [one[:10] for one in hashes] == [BOTH.key_id] * 3
    again = await alone.accounts.sign_in(RAHIMA, "4821", "s4:4", vouched=True)
    assert (again.outcome, again.account) == ("in", account)


async def test_a_wrong_pin_is_wrong_under_both_keys_and_changes_nothing(services, after):
    await services.register(pin="4821")
    before = await column_values(services, accounts.c.pin_hash)
    assert (await after.accounts.sign_in(RAHIMA, "9174", "s2:4", vouched=True)).outcome == "wrong"
    assert await column_values(services, accounts.c.pin_hash) == before


async def test_a_pin_from_before_key_ids_is_right_under_whichever_key_made_it(services, after):
    await services.register(pin="4821")
    async with services.database.transaction() as transaction:
        await transaction.execute(update(accounts).values(pin_hash=func.substr(accounts.c.pin_hash, 11)))
    assert (await after.accounts.sign_in(RAHIMA, "4821", "s2:4", vouched=True)).outcome == "in"
    assert (await column_values(services, accounts.c.pin_hash))[0].startswith(f"{BOTH.key_id}$argon2id$")


async def test_a_pin_of_a_key_that_is_not_given_any_more_signs_nobody_in(services, alone):
    await services.register(pin="4821")
    assert (await alone.accounts.sign_in(RAHIMA, "4821", "s2:4", vouched=True)).outcome == "wrong"


async def test_an_operators_pin_is_hashed_again(services, after):
    before = Operators(services.database, services.messages, services.pins, CIPHER, render_text, clock=services.clock)
    now = Operators(after.database, after.messages, after.pins, BOTH, render_text, clock=services.clock)
    _, pin = await before.add(NewOperator(KARIM, "Karim Mia", "mirpur", "bn"), staff_act())
    assert (await now.sign_in(KARIM, pin, "s1:4", vouched=True)).outcome == "first"
    assert (await column_values(services, operators.c.pin_hash))[0].startswith(BOTH.key_id)
    assert (await now.find_by_msisdn(KARIM)).name == "Karim Mia"


@pytest.mark.parametrize("digits", [slice(0, 32), slice(4, 36)], ids=["with a key id", "from before key ids"])
async def test_a_link_opens_until_its_uses_are_used_up(services, digits):
    before = Links(services.database, CIPHER, "https://ekdial.example", clock=services.clock)
    token = await before.create("app", "somewhere", DAY, 2, "s1:9/app")
    if digits.start:
        await store_as_before_key_ids(services, token)
    now = Links(services.database, BOTH, "https://ekdial.example", clock=services.clock)
    assert (await now.find(token)).state == "open"
    assert await now.resolve(token) == ResolvedLink("app", "somewhere")
    await now.restore_use(token)
    assert [await now.resolve(token) for _ in range(3)][1:] == [ResolvedLink("app", "somewhere"), None]
    gone = Links(services.database, NEW_ALONE, "https://ekdial.example", clock=services.clock)
    assert (await gone.find(token)).state == "unknown"


async def test_an_address_is_verified_by_the_link_of_before_and_by_a_new_one(services, after):
    account = await services.register()
    before, now = email_services(services, CIPHER), email_services(after, BOTH)
    await before.set_address(account, "rahima@example.org", "bn", "s1:5")
    assert await now.resend_link(account, "bn", "s2:5") == "sent"
    first, second = await linked_subjects(after)
    assert (await now.for_link(first)).address == "rahima@example.org"
    assert (await now.verify(second)).verified
    assert await now.set_address(account, "rahima@example.org", "bn", "s3:5") == "verified"


async def test_a_known_identity_number_is_known_and_stored_again(services, after):
    account = await services.register()
    before, now = (
        Profiles(one.database, one.accounts, one.status_reader, cipher, lambda _: (), clock=services.clock)
        for one, cipher in ((services, CIPHER), (after, BOTH))
    )
    async with services.database.transaction() as transaction:
        await before.add_missing_answers(transaction, account, {"nid": "1234567890"}, "s1:5")
    assert not await now.identity_matches(account, "nid", "1234567891")
    assert await now.identity_matches(account, "nid", "1234567890")
    assert (await column_values(services, profile_facts.c.digest))[0].startswith(BOTH.key_id[:4])


async def test_an_aadhaar_number_stays_that_of_the_phone_that_proved_it(services, after, redis):
    before, now = document_sign_ins(services, redis, CIPHER), document_sign_ins(after, redis, BOTH)
    challenge = await before.request_challenge(SignInRequest(RAHIMA, "234123412346", "bn"), "s1:3")
    code = await latest_code(services)
    assert await before.check_code(challenge.sign_in, code, "s1:9") == "right"
    await now.request_challenge(SignInRequest(KARIM, "234123412346", "bn"), "s2:3")
    assert [to for to, *_ in await after.claim_sms()] == [RAHIMA], "the code goes to the phone of before"
    assert len(await column_values(services, document_holders.c.holder)) == 1


async def test_the_same_text_sent_twice_around_the_change_is_one(services, after):
    before, now = (
        InboundSmsRepository(services.database, one.messages, cipher, clock=services.clock)
        for one, cipher in ((services, CIPHER), (after, BOTH))
    )
    await before.record(inbound_sms("a"))
    await before.finish(await before.claim(RAHIMA), "answer")
    await now.record(inbound_sms("b"))
    assert await now.is_repeat(await now.claim(RAHIMA))


async def test_a_code_of_before_is_right_once_and_its_number_is_counted(services, after, redis):
    before = OneTimeCodes(redis, services.messages, CIPHER, render_text, clock=services.clock)
    now = OneTimeCodes(redis, after.messages, BOTH, render_text, clock=services.clock)
    await before.send(RAHIMA, "bn", "register", "s1:3")
    code = await latest_code(services)
    assert await now.check(RAHIMA, "register", "000000" if code != "000000" else "111111") == "wrong"
    assert await now.check(RAHIMA, "register", code, "s1:9") == "right"
    assert await now.check(RAHIMA, "register", code, "s1:9") == "right", "a repeated key press gets the same result"
    assert await now.check(RAHIMA, "register", code) == "gone"
    assert await now.send(RAHIMA, "bn", "register", "s1:3") == "sent", "a repeat"
    assert await after.claim_sms() == []
    for place in range(4):
        assert await before.send(RAHIMA, "bn", "register", f"s2:{place}") == "sent"
    assert await now.send(RAHIMA, "bn", "register", "s3:3") == "too_many"


async def test_a_new_code_replaces_the_one_of_before(services, after, redis):
    before = OneTimeCodes(redis, services.messages, CIPHER, render_text, clock=services.clock)
    now = OneTimeCodes(redis, after.messages, BOTH, render_text, clock=services.clock)
    await before.send(RAHIMA, "bn", "register", "s1:3")
    old = await latest_code(services)
    await now.send(RAHIMA, "bn", "register", "s2:3")
    assert await now.check(RAHIMA, "register", await latest_code(after)) == "right"
    assert await now.check(RAHIMA, "register", old) == "gone"


async def test_a_session_of_before_is_carried_on(redis_url):
    async with open_session_store(redis_url, CIPHER) as former_store:
        former = former_store.sessions
        assert (await former.begin(RAHIMA, "s1", 600)).claim == "new"
        assert await former.save(RAHIMA, b"on the way", expected_version=0, ttl=600)
        client = former_store.client
        store = type(former)(former._execute, BOTH)
        begun = await store.begin(RAHIMA, "s1", 600)
        assert (begun.stored, begun.claim) == (StoredSession(1, b"on the way"), "ours")
        assert (await store.begin(KARIM, "s1", 600)).claim == "another"
        assert await store.save(RAHIMA, b"further", expected_version=1, ttl=600)
        assert await store.load(RAHIMA) == StoredSession(2, b"further")
        assert await former.load(RAHIMA) is None
        names = [name async for name in client.scan_iter("ek:s:*")]
        assert [0 < await client.ttl(name) <= 600 for name in names] == [True]


async def test_a_session_of_before_is_forgotten_with_todays(redis_url):
    async with open_session_store(redis_url, CIPHER) as former_store:
        former = former_store.sessions
        await former.save(RAHIMA, b"on the way", expected_version=0, ttl=600)
        store = type(former)(former._execute, BOTH)
        await store.forget(RAHIMA)
        assert await store.load(RAHIMA) is None


async def column_values(services, column):
    return (await services.database.fetch(select(column))).scalars().all()


async def store_as_before_key_ids(services, token):
    """Store the link as a gateway without key ids did: the whole hash as its name, and no label on its subject."""
    digest = CIPHER.unlabelled_hash("link", token, CIPHER.key_id)
    subject = CIPHER.encrypt(b"somewhere", f"link:{digest}")[6:]
    async with services.database.transaction() as transaction:
        await transaction.execute(update(links).values(digest=digest, subject=subject))


def email_services(services, cipher):
    address_links = Links(services.database, cipher, "https://ekdial.example", clock=services.clock)
    return Emails(
        services.database,
        services.messages,
        address_links,
        cipher,
        render_text,
        notices=services.accounts.notices,
        clock=services.clock,
    )


async def linked_subjects(services):
    """The subjects of the links in the e-mails that wait."""
    found = Links(services.database, BOTH, "https://ekdial.example", clock=services.clock)
    claimed = await services.messages.claim("test", 100, "email")
    tokens = [json.loads(one.text)[2]["link"].rpartition("/")[2] for one in claimed]
    return [(await found.resolve(token)).subject for token in tokens]


def document_sign_ins(services, redis, cipher):
    codes = OneTimeCodes(redis, services.messages, cipher, render_text, clock=services.clock)
    issuer = SandboxIssuer(services.database, clock=services.clock)
    return DocumentSignIns(services.database, issuer, codes, cipher, clock=services.clock)


async def latest_code(services):
    return [facts["code"] for _, _, text, facts in await services.claim_sms() if text == "code"][-1]


def inbound_sms(provider_id):
    return InboundSms(provider_id, RAHIMA, "16123", "STATUS", sent_at=datetime(2026, 11, 21, tzinfo=UTC))
