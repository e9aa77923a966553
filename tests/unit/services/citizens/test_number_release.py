"""A released number leads to nothing of its former holder, in no table; a released account can get a new number."""

import asyncio
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from db.tables import accounts, audit, inbound_sms, messages, metadata, operators, opt_outs, payments
from db.tables.columns import Msisdn
from services.audit.models import Actor
from services.audit.staff_acts import StaffAct
from services.citizens.models import AccountClosedError
from services.citizens.number_columns import NUMBER_COLUMNS
from services.citizens.number_release import NumberReleases, ReleaseConflictError, ReleaseRequest
from services.messaging.models import Message
from tests.support.sample_rows import insert_row
from tests.support.services import CIPHER, KARIM, RAHIMA, birth_certificate_submission
from tests.support.text_search import find_text

STAFF = Actor("staff", "nadia", "terminal")
OPERATOR_AND_ACCOUNT = {"accounts.msisdn", "operators.msisdn"}


@pytest.fixture
def releases(database, clock):
    return NumberReleases(database, CIPHER, clock=clock)


def request(msisdn=RAHIMA, key="k1", **other):
    return ReleaseRequest(msisdn, "staff", STAFF, key, "ticket 12", **other)


def by_staff(reason, key):
    return StaffAct(STAFF, reason, key)


async def fill_every_column(database, now, number):
    """A row with this number in every column that may have one, beside an account and an operator."""
    owner = CIPHER.encrypt(b"Rahima Begum", f"account:{number}")
    (account,) = await insert_row(database, accounts, now, msisdn=number, name=owner)
    operator = CIPHER.encrypt(b"Rahima", f"operator:{number}")
    await insert_row(database, operators, now, msisdn=number, name=operator)
    by_table = {rule.column.table.name: rule.column.table for rule in NUMBER_COLUMNS}
    for table in by_table.values():
        columns = {rule.column.name for rule in NUMBER_COLUMNS if rule.column.table is table}
        answered = {"state": "done"} if table is inbound_sms else {}
        owned = {"account": account} if "account" in table.c else {}
        await insert_row(database, table, now, **dict.fromkeys(columns, number), **answered, **owned)


def test_every_column_with_a_number_has_a_rule():
    typed = {column for table in metadata.sorted_tables for column in table.columns if column.type is Msisdn}
    named = {f"{column.table.name}.{column.name}" for column in {*typed, messages.c.recipient}}
    assert named == {f"{rule.column.table.name}.{rule.column.name}" for rule in NUMBER_COLUMNS} | OPERATOR_AND_ACCOUNT


async def test_after_a_release_the_number_is_in_no_column_of_any_table(database, releases, clock):
    await fill_every_column(database, clock.now, RAHIMA)
    assert len(await find_text(database, RAHIMA)) == len({rule.column for rule in NUMBER_COLUMNS}) + 2
    result = await releases.release(request())
    assert result.outcome == "released"
    assert await find_text(database, RAHIMA) == set()


async def test_a_new_number_gets_back_what_was_not_deleted(database, releases, clock):
    await fill_every_column(database, clock.now, RAHIMA)
    account = (await releases.release(request())).account
    assert await releases.attach(account, KARIM, by_staff("ticket 13", "k2")) == "attached"
    kept = {f"{rule.column.table.name}.{rule.column.name}" for rule in NUMBER_COLUMNS if rule.fate == "detached"} | {
        "accounts.msisdn"
    }
    assert await find_text(database, KARIM) == kept
    assert await find_text(database, f"#{account}") == set()


async def test_rows_of_another_number_stay(database, releases, clock):
    await fill_every_column(database, clock.now, RAHIMA)
    await fill_every_column(database, clock.now, KARIM)
    before = await find_text(database, KARIM)
    await releases.release(request())
    assert await find_text(database, KARIM) == before


async def test_the_next_holder_registers_and_both_accounts_have_their_names(services, releases):
    former = await services.register(RAHIMA)
    await releases.release(request())
    assert not await services.accounts.has_account(RAHIMA)
    assert await services.accounts.get_questions(RAHIMA) == ()
    later = await services.register(RAHIMA, idempotency_key="s9:9")
    assert later not in {0, former}
    assert await services.accounts.holder_name(former) == "Rahima Begum"
    assert await releases.attach(former, KARIM, by_staff("ticket 13", "k2")) == "attached"
    assert await services.accounts.holder_name(former) == "Rahima Begum"
    assert (await services.accounts.find_holder(former)).msisdn == KARIM


async def test_nothing_is_queued_for_a_released_number(services, database, releases, clock):
    account = await services.register(RAHIMA)
    await services.applications.submit(birth_certificate_submission(account), "s1:30")
    await services.messages.send(Message(RAHIMA, "A proactive one", "status", "m1"))
    await releases.release(request())
    assert await services.claim_sms() == []
    tracking = (await database.fetch(select(metadata.tables["applications"].c.tracking_number))).scalar_one()
    department = Actor("department", "local_government", "api")
    await services.department_applications.move("local_government", tracking, "ready", {}, "h1", by=department)
    with pytest.raises(AccountClosedError):
        await services.accounts.change_pin(account, "hash", "s1:60", vouched=True)
    await services.status_reader.send_latest(RAHIMA, "bn", "missed:1")
    assert [(to, text) for to, _, text, _ in await services.claim_sms()] == [(RAHIMA, "no_application")]


async def test_a_message_that_is_being_sent_is_not_sent_again(services, database, releases, clock):
    from services.messaging.models import SendResult

    await services.messages.send(Message(RAHIMA, "Being sent", "status", "m1"))
    (claimed,) = await services.messages.claim("test", 1)
    await releases.release(request())
    await services.messages.record_result(claimed.id, SendResult("queued", error="CouldNotRoute"))
    clock.advance(hours=2)
    assert [one.to for one in await services.messages.claim("test", 9)] in ([], ["#0"])
    assert RAHIMA not in {row.recipient for row in await database.fetch(select(messages.c.recipient))}


async def test_a_payment_that_waits_is_not_asked_of_the_next_holder(database, releases, clock):
    await insert_row(database, payments, clock.now, payer=RAHIMA, status="requested")
    await insert_row(database, payments, clock.now, payer=RAHIMA, status="paid")
    await releases.release(request())
    rows = (await database.fetch(select(payments.c.status, payments.c.reason).order_by(payments.c.id))).all()
    assert rows == [("failed", "NumberReleased"), ("paid", None)]


async def test_a_session_of_the_former_holder_writes_nothing_any_more(services, database, releases):
    from services.citizens.closed_accounts import ensure_account_open

    account = await services.register(RAHIMA)
    await releases.release(request())
    with pytest.raises(AccountClosedError):
        async with database.transaction() as transaction:
            await ensure_account_open(transaction, account, "s1:80")


async def test_what_began_after_the_day_of_the_notice_belongs_to_the_next_holder(services, database, releases, clock):
    await insert_row(database, opt_outs, clock.now, msisdn=RAHIMA, opted_out_at=clock.now)
    clock.advance(days=30)
    account = await services.register(RAHIMA)
    await insert_row(database, messages, clock.now, recipient=RAHIMA, created_at=clock.now)
    result = await releases.release(request(taken_on=date(2026, 11, 25)))
    assert result == ("released", 0, False)
    assert (await services.accounts.find_holder(account)).msisdn == RAHIMA
    assert await find_text(database, RAHIMA) == {"accounts.msisdn", "messages.recipient"}


async def test_a_number_that_nobody_knows_leaves_no_trace(database, releases):
    assert (await releases.release(request())).outcome == "nothing"
    assert (await database.fetch(select(audit.c.id))).all() == []
    assert await releases.find_released(RAHIMA) == []


async def test_a_repeated_key_releases_once_and_another_request_under_it_conflicts(services, releases):
    account = await services.register(RAHIMA)
    results = await asyncio.gather(*(releases.release(request()) for _ in range(3)))
    assert sorted(result.is_repeat for result in results) == [False, True, True]
    assert {result.account for result in results} == {account}
    later = await services.register(RAHIMA, idempotency_key="s9:9")
    assert (await releases.release(request())).is_repeat
    assert (await services.accounts.find_holder(later)).msisdn == RAHIMA
    with pytest.raises(ReleaseConflictError):
        await releases.release(request(msisdn=KARIM))


async def test_a_released_account_is_found_by_its_former_number(services, releases, clock):
    account = await services.register(RAHIMA)
    assert await releases.find_released(RAHIMA) == []
    await releases.release(request())
    (found,) = await releases.find_released(RAHIMA)
    assert (found.account, found.released_at, found.source) == (account, clock.now, "staff")
    await releases.attach(account, KARIM, by_staff("ticket 13", "k2"))
    assert await releases.find_released(RAHIMA) == []


async def test_only_a_released_account_gets_a_number_and_only_a_free_one(services, releases):
    account = await services.register(RAHIMA)
    assert await releases.attach(account, KARIM, by_staff("t", "k2")) == "not_released"
    assert await releases.attach(999, KARIM, by_staff("t", "k3")) == "not_released"
    await releases.release(request())
    await services.register(KARIM, idempotency_key="s2:9")
    assert await releases.attach(account, KARIM, by_staff("t", "k4")) == "taken"


async def test_release_and_attachment_are_in_the_audit_log_without_a_number(services, database, releases):
    account = await services.register(RAHIMA)
    await releases.release(request())
    await releases.attach(account, KARIM, by_staff("ticket 13", "k2"))
    rows = (await database.fetch(select(audit).where(audit.c.actor_kind == "staff").order_by(audit.c.id))).all()
    assert [(row.act, row.actor, row.subject, row.details) for row in rows] == [
        ("number_released", "nadia", str(account), {"source": "staff", "reason": "ticket 12"}),
        ("number_attached", "nadia", str(account), {"reason": "ticket 13"}),
    ]


async def test_applications_of_a_closed_account_leave_its_number_too(services, database, releases):
    applications = metadata.tables["applications"]
    closed = await services.register(RAHIMA)
    await services.applications.submit(birth_certificate_submission(closed), "s1:30")
    await database_close(services, database, closed)
    later = await services.register(RAHIMA, idempotency_key="s9:9")
    await releases.release(request())
    assert (await database.fetch(select(applications.c.msisdn))).scalar_one() == f"#{closed}"
    await releases.attach(later, KARIM, by_staff("t", "k2"))
    assert (await database.fetch(select(applications.c.msisdn))).scalar_one() == f"#{closed}", "not the later one's"


async def database_close(services, database, account):
    async with database.transaction() as transaction:
        await services.accounts.close(transaction, account, "s1:90")


async def test_the_form_of_time_is_that_of_the_database(services, database, releases, clock):
    await services.register(RAHIMA)
    async with database.transaction() as transaction:
        await transaction.execute(update(accounts).values(created_at=clock.now - timedelta(days=900)))
    assert (await releases.release(request(taken_on=date(2026, 11, 1)))).account
