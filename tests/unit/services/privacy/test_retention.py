"""Retention on each database: expired rows are deleted in batches, and no other row is."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select, text, true
from structlog.testing import capture_logs

from db.tables import (
    account_events,
    applications,
    callers,
    complaints,
    consents,
    email_events,
    inbound_sms,
    messages,
    operators,
    profile_facts,
)
from services.audit.audit import AuditLog
from services.citizens.models import ProfileChange
from services.citizens.profiles import Profiles
from services.messaging.inbound import InboundSms, InboundSmsRepository
from services.messaging.models import Message, SendResult
from services.privacy.metrics import RetentionMetrics
from services.privacy.retention import LEASE
from services.privacy.retention_rules import RETENTION_RULES
from tests.support.retention import DAYS, build_retention
from tests.support.sample_rows import insert_row
from tests.support.services import CIPHER, KARIM, RAHIMA

SMS_RETENTION, EVENT_RETENTION = timedelta(days=DAYS["inbound_sms"]), timedelta(days=DAYS["attempts"])


@pytest.fixture
def inbound(services, database, clock):
    return InboundSmsRepository(database, services.messages, CIPHER, clock=clock)


@pytest.fixture
def retention(database, clock):
    return build_retention(database, clock)


async def settle_inbound(inbound, key):
    await inbound.record(InboundSms(key, RAHIMA, "22384", "MENU"), "ignored")


async def ids(database):
    return (await database.fetch(select(inbound_sms.c.provider_id).order_by(inbound_sms.c.id))).scalars().all()


async def test_an_sms_that_was_answered_long_ago_is_forgotten(inbound, database, retention, clock):
    await settle_inbound(inbound, "old")
    clock.now += timedelta(days=1)
    await settle_inbound(inbound, "newer")
    clock.now += SMS_RETENTION - timedelta(days=1)
    assert await retention.delete_expired() == 0, "it is kept for as long as it says"
    clock.now += timedelta(seconds=1)
    assert await retention.delete_expired() == 1
    assert await ids(database) == ["newer"]


async def test_one_that_waits_for_its_answer_is_never_forgotten(inbound, database, retention, clock):
    await inbound.record(InboundSms("waiting", RAHIMA, "22384", "MENU"))
    clock.now += 2 * SMS_RETENTION
    assert await retention.delete_expired() == 0
    assert await ids(database) == ["waiting"]


async def test_a_few_at_a_time_the_oldest_first_and_by_two_at_once(inbound, database, clock):
    few = {"batch_size": 3, "max_pages": 1}
    for number in range(8):
        await settle_inbound(inbound, str(number))
        clock.now += timedelta(seconds=1)
    clock.now += SMS_RETENTION
    retention, other = build_retention(database, clock, **few), build_retention(database, clock, **few)
    assert await retention.delete_expired() == 3
    assert await ids(database) == list("34567")
    assert 2 <= sum(await asyncio.gather(retention.delete_expired(), other.delete_expired())) <= 5
    while await retention.delete_expired():
        pass
    assert await ids(database) == []


async def test_one_process_at_a_time_takes_a_rule_and_goes_on_where_the_other_stopped(inbound, database, clock):
    for number in range(5):
        await settle_inbound(inbound, str(number))
    clock.now += SMS_RETENTION + timedelta(seconds=1)
    options = {"batch_size": 2, "max_pages": 1, "interval": timedelta(minutes=5)}
    first, second = build_retention(database, clock, **options), build_retention(database, clock, **options)
    assert [await one.delete_expired() for one in (first, second)] == [2, 0], "it is not due again so soon"
    clock.advance(minutes=5)
    assert [await one.delete_expired() for one in (first, second)] == [2, 0]
    clock.advance(minutes=5)
    assert [await one.delete_expired() for one in (second, first)] == [1, 0]


async def test_a_rule_whose_process_died_is_taken_over(inbound, database, retention, clock):
    await settle_inbound(inbound, "old")
    clock.now += SMS_RETENTION + timedelta(seconds=1)
    await retention._add_missing_walks()
    assert await retention._claim("inbound_sms")
    assert await build_retention(database, clock).delete_expired() == 0
    clock.now += LEASE
    assert await build_retention(database, clock).delete_expired() == 1


async def test_a_row_that_cannot_be_deleted_keeps_no_other(database, clock):
    """Without the condition of the rule, an application with a complaint cannot be deleted."""
    keys = [await insert_row(database, applications, clock()) for _ in range(3)]
    await insert_row(database, complaints, clock(), application=keys[1][0])
    clock.advance(days=DAYS["applications"], seconds=1)
    rule = next(one for one in RETENTION_RULES if one.name == "applications")
    retention = build_retention(database, clock, rules=[replace(rule, condition=true())])
    assert await retention.delete_expired() == 2
    assert (await database.fetch(select(applications.c.id))).scalars().all() == [keys[1][0]]
    assert [await build_retention(database, clock).delete_expired() for _ in range(3)] == [1, 1, 0]


async def test_a_rule_that_fails_stops_no_other(inbound, database, clock, monkeypatch):
    await settle_inbound(inbound, "old")
    clock.now += SMS_RETENTION + timedelta(seconds=1)
    retention = build_retention(database, clock)
    monkeypatch.setattr(retention._queries["account_events"], "_first_page", text("SELECT nothing FROM nowhere"))
    with capture_logs() as logged:
        assert await retention.delete_expired() == 1
    assert [(one["event"], one.get("rule")) for one in logged] == [
        ("retention_rule_failed", "account_events"),
        ("expired_records_ended", None),
    ]


async def test_a_run_is_counted_by_rule_and_logged_in_one_line_without_a_number(inbound, database, clock):
    registry = CollectorRegistry()
    for key in ("old", "older"):
        await settle_inbound(inbound, key)
    clock.now += SMS_RETENTION
    await settle_inbound(inbound, "new")
    clock.advance(hours=1)
    with capture_logs() as logged:
        assert await build_retention(database, clock, metrics=RetentionMetrics(registry)).delete_expired() == 2
    assert logged == [{"event": "expired_records_ended", "log_level": "info", "inbound_sms": 2}]
    label = {"rule": "inbound_sms"}
    assert registry.get_sample_value("ekdial_retention_ended_total", label) == 2
    assert registry.get_sample_value("ekdial_retention_oldest_seconds", label) == 3600


async def test_tries_are_forgotten_and_how_an_account_was_made_is_not(services, database, retention, clock):
    account = await services.register()
    assert (await services.accounts.sign_in(RAHIMA, "0000", "s2:3", vouched=True)).outcome == "wrong"
    clock.now += EVENT_RETENTION
    assert await retention.delete_expired() == 0
    clock.now += timedelta(seconds=1)
    assert await retention.delete_expired() == 2, "the try, and when the questions were set"
    assert (await database.fetch(select(account_events.c.kind))).scalars().all() == ["registered"]
    assert await services.accounts.find_registration_key(RAHIMA) == "s1:9"
    assert account


async def test_a_message_that_has_left_is_forgotten_after_half_a_year_and_one_that_waits_is_not(
    services, retention, clock
):
    for idempotency_key in ("s1:4", "s1:5"):
        await services.messages.send(Message(RAHIMA, "text", "info", idempotency_key))
    (first, _) = await services.messages.claim("test", 2)
    await services.messages.record_result(first.id, SendResult("sent", "id"))
    clock.now += timedelta(days=180)
    assert await retention.delete_expired() == 0
    clock.now += timedelta(seconds=1)
    assert await retention.delete_expired() == 1
    (left,) = (await services.database.fetch(select(messages.c.status))).scalars()
    assert left == "sending"


async def test_what_was_overtaken_in_a_profile_is_forgotten_and_what_is_known_is_not(services, retention, clock):
    account = await services.register()
    profiles = Profiles(
        services.database, services.accounts, AuditLog(services.database), CIPHER, lambda _: (), clock=clock
    )
    for idempotency_key, district in (("s1:12", "Cumilla"), ("s1:14", "Dhaka")):
        await profiles.set_answer(ProfileChange(account, "ussd", idempotency_key), "district", district)
    clock.now += timedelta(days=91)
    await retention.delete_expired()
    assert await services.count_rows(profile_facts) == 1
    assert (await profiles.get_answers(account))["district"] == "Dhaka"


async def add_consents(database, clock, *ended):
    """Add an operator and a consent for each of `ended`, in this order; its operator's id."""
    given = {"name": b"", "centre": "c1", "pin_hash": "", "pin_chosen": True, "created_at": clock()}
    asked = {"newcomer": True, "purpose": "apply", "language": "bn", "channel": "ussd", "outcome": "sent"}
    async with database.transaction() as transaction:
        operator = (
            await transaction.execute(database.insert(operators).values(msisdn="+8801711000009", **given))
        ).inserted_primary_key[0]
        for number, is_ended in enumerate(ended, 1):
            row = {
                "operator": operator,
                "msisdn": RAHIMA,
                "idempotency_key": f"s{number}:4",
                "requested_at": clock(),
                "given_at": clock(),
                "ended_at": clock() if is_ended else None,
            }
            await transaction.execute(database.insert(consents), {**asked, **row})
    return operator


async def test_a_consent_is_forgotten_after_400_days_and_an_open_one_is_not(database, retention, clock):
    await add_consents(database, clock, True, False)
    clock.now += timedelta(days=400)
    assert await retention.delete_expired() == 0
    clock.now += timedelta(seconds=1)
    assert await retention.delete_expired() == 1
    assert (await database.fetch(select(consents.c.idempotency_key))).scalars().all() == ["s2:4"]


async def test_the_newest_consent_stays_so_that_its_id_is_not_used_again(database, retention, clock):
    await add_consents(database, clock, True, True)
    clock.now += timedelta(days=401)
    assert await retention.delete_expired() == 1
    assert (await database.fetch(select(consents.c.id))).scalars().all() == [2]


async def test_an_unknown_message_ends_too(services, retention, clock):
    await services.messages.send(Message(RAHIMA, "text", "info", "s1:4"))
    (message,) = await services.messages.claim("test", 1)
    await services.messages.record_result(message.id, SendResult("unknown", error="Timeout"))
    clock.now += timedelta(days=DAYS["unknown_messages"], seconds=1)
    assert await retention.delete_expired() == 1
    assert await services.count_rows(messages) == 0


async def test_the_language_of_a_number_ends_unless_it_has_an_account(services, database, retention, clock):
    await services.register()
    for number in (RAHIMA, KARIM):
        await insert_row(database, callers, clock(), msisdn=number)
    clock.now += timedelta(days=DAYS["callers"], seconds=1)
    await retention.delete_expired()
    assert (await database.fetch(select(callers.c.msisdn))).scalars().all() == [RAHIMA]


async def test_the_last_change_of_an_address_stays_with_the_account(services, database, retention, clock):
    """A replayed path asks what address the account had (`Emails.get_as_of`)."""
    account = await services.register()
    changes = (("given", "sent"), ("again", "sent"), ("given", "sent"), ("again", "too_many"))
    async with database.transaction() as transaction:
        for place, (kind, outcome) in enumerate(changes):
            row = {"account": account, "digest": "d", "kind": kind, "outcome": outcome, "created_at": clock()}
            await transaction.execute(database.insert(email_events), {**row, "idempotency_key": f"s1:{place}"})
    clock.now += EVENT_RETENTION + timedelta(seconds=1)
    await retention.delete_expired()
    assert (await database.fetch(select(email_events.c.idempotency_key))).scalars().all() == ["s1:2"]
