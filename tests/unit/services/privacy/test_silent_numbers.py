"""Silent numbers are released by themselves, on each database; released accounts that nobody claims are deleted."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from core.verified_caller import unverified_caller
from db.tables import accounts, audit, callers, consents, missed_calls, payments
from services.audit.models import Actor
from services.audit.staff_acts import StaffAct
from services.citizens.caller_activity import CallerActivity
from services.citizens.number_release import NumberReleases
from services.privacy import silent_numbers as silent
from services.privacy.silent_numbers import SilentNumbers
from tests.support.sample_rows import insert_row
from tests.support.services import CIPHER, KARIM, RAHIMA

YEAR = timedelta(days=365)


@pytest.fixture
def deleted():
    return []


@pytest.fixture
def releases(database, clock):
    return NumberReleases(database, CIPHER, clock=clock)


@pytest.fixture
def silent_numbers(database, releases, clock, deleted):
    async def delete(request):
        deleted.append(request)
        async with database.transaction() as transaction:
            await transaction.execute(
                update(accounts).where(accounts.c.id == request.account).values(closed_at=clock.now)
            )

    return SilentNumbers(
        database=database,
        releases=releases,
        delete_account=delete,
        release_after=YEAR,
        delete_after=2 * YEAR,
        clock=clock,
    )


async def read_number(database, account):
    return (await database.fetch(select(accounts.c.msisdn).where(accounts.c.id == account))).scalar_one()


async def test_a_number_that_nobody_used_for_a_year_is_released_and_audited(services, database, silent_numbers, clock):
    account = await services.register(RAHIMA)
    clock.advance(days=364)
    assert await silent_numbers.release_due() == 0
    clock.advance(days=2)
    assert await silent_numbers.release_due() == 1
    assert await silent_numbers.release_due() == 0
    assert await read_number(database, account) == f"#{account}"
    act = (await database.fetch(select(audit).where(audit.c.act == "number_released"))).one()
    assert (act.actor_kind, act.subject, act.details) == ("gateway", str(account), {"source": "silence"})


async def test_a_sign_in_keeps_the_number(services, database, silent_numbers, clock):
    account = await services.register(RAHIMA)
    clock.advance(days=300)
    assert (await services.accounts.sign_in(RAHIMA, "4821", "s2:4", vouched=True)).account == account
    clock.advance(days=300)
    assert await silent_numbers.release_due() == 0


CONTACTS = {
    "a call": (callers, {"msisdn": RAHIMA, "seen_on": True}),
    "a language": (callers, {"msisdn": RAHIMA}),
    "a missed call": (missed_calls, {"msisdn": RAHIMA}),
    "a consent": (consents, {"msisdn": RAHIMA, "given_at": True}),
    "a payment": (payments, {"payer": RAHIMA, "status": "paid", "ended_at": True}),
}


@pytest.mark.parametrize("contact", CONTACTS.values(), ids=CONTACTS.keys())
async def test_whoever_was_in_contact_without_a_sign_in_keeps_the_number(
    services, database, silent_numbers, clock, contact
):
    table, values = contact
    await services.register(RAHIMA)
    clock.advance(days=300)
    times = {"seen_on": clock.now.date(), "given_at": clock.now, "ended_at": clock.now}
    await insert_row(database, table, clock.now, **{name: times.get(name, value) for name, value in values.items()})
    clock.advance(days=100)
    assert await silent_numbers.release_due() == 0
    clock.advance(days=300)
    assert await silent_numbers.release_due() == 1


async def test_the_longest_silent_go_first_and_a_few_at_a_time(services, database, silent_numbers, clock, monkeypatch):
    monkeypatch.setattr(silent, "BATCH_SIZE", 1)
    first = await services.register(RAHIMA)
    clock.advance(days=1)
    later = await services.register(KARIM, idempotency_key="s2:9")
    clock.advance(days=400)
    assert await silent_numbers.release_due() == 1
    assert (await read_number(database, first), await read_number(database, later)) == (f"#{first}", KARIM)
    assert await silent_numbers.release_due() == 1
    assert await silent_numbers.release_due() == 0


async def test_without_a_period_nothing_is_released(services, database, releases, clock):
    await services.register(RAHIMA)
    clock.advance(days=4000)
    off = SilentNumbers(
        database=database,
        releases=releases,
        delete_account=None,
        release_after=None,
        delete_after=YEAR,
        clock=clock,
    )
    assert await off.release_due() == 0


async def test_a_released_account_that_nobody_claims_is_deleted_and_a_claimed_one_is_not(
    services, releases, silent_numbers, clock, deleted
):
    lost = await services.register(RAHIMA)
    claimed = await services.register(KARIM, idempotency_key="s2:9")
    clock.advance(days=400)
    assert await silent_numbers.release_due() == 2
    act = StaffAct(Actor("staff", "nadia", "terminal"), "ticket 1", "k1")
    assert await releases.attach(claimed, KARIM, act) == "attached"
    clock.advance(days=729)
    assert await silent_numbers.delete_unclaimed() == 0
    clock.advance(days=2)
    assert await silent_numbers.delete_unclaimed() == 1
    assert await silent_numbers.delete_unclaimed() == 0
    assert [(one.account, one.msisdn, one.by.kind) for one in deleted] == [(lost, f"#{lost}", "gateway")]


async def test_a_call_is_written_once_a_month_and_only_where_the_network_vouches(services, database, clock):
    activity = CallerActivity(database, services.accounts.find_language_choice, clock=clock)

    async def seen():
        await activity.write_pending()
        return (await database.fetch(select(callers.c.seen_on))).scalar_one_or_none()

    assert await activity.find_language_choice(RAHIMA) is None
    assert await seen() is None, "who never chose a language is not a caller yet"
    await services.accounts.choose_language(RAHIMA, "bn", "s1")
    with unverified_caller():
        assert (await activity.find_language_choice(RAHIMA)).language == "bn"
    assert await seen() is None
    first = clock.now.date()
    await activity.find_language_choice(RAHIMA)
    assert await seen() == first
    clock.advance(days=30)
    await activity.find_language_choice(RAHIMA)
    assert await seen() == first
    clock.advance(days=1)
    await activity.find_language_choice(RAHIMA)
    assert await seen() == clock.now.date()
    await services.accounts.choose_language(RAHIMA, "hi", "s2")
    assert (await activity.find_language_choice(RAHIMA)).language == "hi"
    assert await seen() == clock.now.date(), "a choice of a language keeps it"
