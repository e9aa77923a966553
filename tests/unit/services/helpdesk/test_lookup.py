"""What the helpdesk sees of a citizen (finding 8.3 of the field report): everything, masked, bounded, and on the record."""

import json
from dataclasses import asdict
from datetime import timedelta

import pytest
from sqlalchemy import select

from db.tables import audit, messages
from services.helpdesk.lookup import NEWEST
from services.helpdesk.models import Reference
from services.helpdesk.queries import MAX_COUNTED
from services.messaging.models import Message, SendResult
from tests.support.assisted_services import AssistedServiceSet
from tests.support.complaints import ComplaintServiceSet
from tests.support.payments import PaymentServiceSet, fee_request
from tests.support.sample_rows import insert_row
from tests.support.services import KARIM, RAHIMA, birth_certificate_submission

OPERATOR = "+8801711000003"
BY_NUMBER = Reference("number", RAHIMA)


@pytest.fixture
async def account(services):
    return await services.register(RAHIMA)


async def audit_rows(database):
    columns = (audit.c.act, audit.c.actor, audit.c.subject_kind, audit.c.subject, audit.c.details)
    rows = await database.fetch(select(*columns).where(audit.c.actor_kind == "staff").order_by(audit.c.id))
    return [tuple(row) for row in rows]


async def send_messages(services, count, to=RAHIMA, kind="receipt"):
    for number in range(count):
        await services.messages.send(Message(to, f"text {number}", kind, f"m{number}"))


@pytest.fixture
def assisted(services, redis, clock):
    return AssistedServiceSet(services, redis, clock)


@pytest.mark.parametrize("redis_url", ["fakeredis"], indirect=True)
async def test_8_3_one_look_shows_every_part_of_a_citizen(services, assisted, lookup, act, account):
    database, clock = services.database, services.clock
    number = (await services.applications.submit(birth_certificate_submission(account), "s1:30")).tracking_number
    other = await services.register(KARIM, idempotency_key="s2:9")
    for_rahima = birth_certificate_submission(other, KARIM, beneficiary=RAHIMA)
    by_other = (await services.applications.submit(for_rahima, "s2:30")).tracking_number
    complaint = await ComplaintServiceSet(services).submit_complaint("s1:40", about=number)
    payments = PaymentServiceSet(database, clock)
    await payments.payments.request_payment(fee_request(number, RAHIMA, account=account), "s1:50")
    operator = await assisted.enrol(OPERATOR)
    await assisted.give_consent(operator, "s3")
    await services.accounts.sign_in(RAHIMA, "0000", "sms/x:2", vouched=False)
    await services.opt_outs.opt_out(RAHIMA, "keyword")
    record = await lookup.show(BY_NUMBER, act())
    assert (record.account.account, record.account.state, record.account.questions) == (account, "open", 2)
    (application,) = record.applications.items
    assert (application.tracking_number, application.status, application.fee) == (number, "received", "pending")
    assert [one.tracking_number for one in record.applications_by_others.items] == [by_other]
    assert [one.complaint_number for one in record.complaints.items] == [complaint]
    assert {one.kind for one in record.messages.items} >= {"receipt", "code"}
    assert [one.reference for one in record.payments.items] == [number]
    (consent,) = record.consents.items
    assert (consent.operator, list(consent.purposes), consent.ended_by) == (operator, ["apply"], "")
    assert consent.until - consent.given_at == timedelta(minutes=30)
    assert [(one.channel, one.outcome) for one in record.sign_ins.items] == [("sms", "wrong")]
    assert "registered" in {one.act for one in record.acts.items}
    assert record.opted_out_at == clock.now


@pytest.mark.parametrize("redis_url", ["fakeredis"], indirect=True)
async def test_a_look_shows_no_whole_number_no_name_and_no_text(services, assisted, lookup, act, account):
    await services.applications.submit(birth_certificate_submission(account), "s1:30")
    await ComplaintServiceSet(services).submit_complaint("s1:40")
    await assisted.give_consent(await assisted.enrol(OPERATOR), "s3")
    shown = json.dumps(asdict(await lookup.show(BY_NUMBER, act())), default=str, ensure_ascii=False)
    for secret in (RAHIMA, RAHIMA[4:], OPERATOR[4:], "Rahima", "Begum", "আয়েশা", "টাকা"):
        assert secret not in shown


async def test_a_number_without_an_account_shows_what_there_is(services, lookup, act):
    await send_messages(services, 1, KARIM)
    await services.contacts.choose_language(KARIM, "hi")
    record = await lookup.show(Reference("number", KARIM), act())
    assert (record.account, record.language, len(record.messages.items)) == (None, "hi", 1)
    assert not record.is_empty


async def test_a_number_of_which_nothing_is_known_is_empty(lookup, act):
    assert (await lookup.show(Reference("number", KARIM), act())).is_empty


async def test_lock_outs_are_told_by_class_of_channel(services, lookup, act, account):
    for number in range(5):
        await services.accounts.sign_in(RAHIMA, "0000", f"sms/x:{number}", vouched=False)
    (lock_out,) = (await lookup.show(BY_NUMBER, act())).account.lock_outs
    assert (lock_out.channels, lock_out.secret) == ("sms", "pin")


async def test_a_lock_out_that_is_over_is_not_shown(services, clock, lookup, act, account):
    for number in range(5):
        await services.accounts.sign_in(RAHIMA, "0000", f"s9:{number}", vouched=True)
    assert (await lookup.show(BY_NUMBER, act())).account.lock_outs
    clock.advance(hours=1)
    assert not (await lookup.show(BY_NUMBER, act("t2"))).account.lock_outs


async def test_each_look_is_on_the_record_with_who_and_how(services, database, lookup, act, account):
    number = (await services.applications.submit(birth_certificate_submission(account), "s1:30")).tracking_number
    await lookup.show(Reference("case", number), act("t1", ""))
    await lookup.list_messages(BY_NUMBER, act("t2", ""))
    await lookup.show(Reference("number", KARIM), act("t3", ""))
    assert await audit_rows(database) == [
        ("account_viewed", "nadia", "account", str(account), {"found_by": f"application {number}"}),
        ("account_viewed", "nadia", "account", str(account), {}),
        ("account_viewed", "nadia", "number", "…002", {}),
    ]


async def test_who_is_revealed_is_on_the_record_with_the_reason(database, lookup, act, account):
    identity = await lookup.reveal(BY_NUMBER, act())
    assert (identity.msisdn, identity.name, identity.email) == (RAHIMA, "Rahima Begum", "")
    assert RAHIMA not in repr(identity)
    assert await audit_rows(database) == [
        ("identity_revealed", "nadia", "account", str(account), {"reason": "ticket 4711"})
    ]


async def test_lists_are_bounded_and_say_how_many_more_there_are(services, lookup, act):
    await send_messages(services, NEWEST + 5)
    record = await lookup.show(BY_NUMBER, act())
    assert (len(record.messages.items), record.messages.more) == (NEWEST, 5)


async def test_messages_are_paged_by_the_id_of_the_last_one(services, lookup, act):
    await send_messages(services, 25)
    seen, before = [], 0
    for page in range(3):
        found = await lookup.list_messages(BY_NUMBER, act(f"t{page}"), before=before, count=10)
        seen += [one.id for one in found.items]
        before = seen[-1]
        assert found.more == 25 - len(seen)
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 25


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_more_than_a_thousand_are_not_counted(database, clock, lookup, act):
    for number in range(MAX_COUNTED + 30):
        await insert_row(database, messages, clock.now, recipient=RAHIMA, idempotency_key=f"m{number}")
    record = await lookup.show(BY_NUMBER, act())
    assert record.messages.more == MAX_COUNTED - NEWEST


async def test_a_message_says_what_became_of_it(services, lookup, act):
    await send_messages(services, 1)
    (claimed,) = await services.messages.claim("test", 10)
    await services.messages.record_result(claimed.id, SendResult("failed", error="UserInBlacklist"))
    (message,) = (await lookup.show(BY_NUMBER, act())).messages.items
    assert (message.stage, message.reason, message.attempts, message.segments) == ("failed", "UserInBlacklist", 1, 1)


async def test_a_released_and_a_closed_account_are_still_found_by_their_cases(services, releases, lookup, act, account):
    number = (await services.applications.submit(birth_certificate_submission(account), "s1:30")).tracking_number
    by_case = Reference("case", number)
    async with services.database.transaction() as transaction:
        await services.accounts.close(transaction, account, "s1:60")
    summary = (await lookup.show(by_case, act())).account
    assert (summary.state, summary.number, summary.name) == ("closed", "none", "")
    assert (await lookup.reveal(by_case, act("t2"))).name == ""


async def test_a_message_is_that_of_its_recipient(services, lookup, account):
    await send_messages(services, 1, KARIM)
    (karims,) = (await services.database.fetch(select(messages.c.id).where(messages.c.recipient == KARIM))).scalars()
    assert await lookup.has_message(await lookup.find(Reference("number", KARIM)), karims)
    assert not await lookup.has_message(await lookup.find(BY_NUMBER), karims)
    assert not await lookup.has_message(await lookup.find(BY_NUMBER), 0)
    assert await lookup.find(Reference("case", "123456789018")) is None
