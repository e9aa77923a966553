"""M5: rows that do not end stood at the head of a table, and the deletion never came past them. Some tables had no end."""

from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select

from config.settings import Settings
from db.tables import bills, messages, metadata
from db.tables.columns import Msisdn
from services.privacy.retention import BATCH_SIZE
from services.privacy.retention_rules import DELETED_WITH, ENDED_BY_DELETION, RETENTION_RULES
from tests.support.retention import DAYS, build_retention
from tests.support.sample_rows import insert_row
from tests.support.services import RAHIMA

# Rows at the head that no rule ends: a value that does not meet the condition. Other rules get rows that are too young.
UNSETTLED = {
    "account_events": {"kind": "registered"},
    "email_events": {"kind": "given", "outcome": "done"},
    "inbound_sms": {"state": "new"},
    "messages": {"status": "unknown"},
    "paid_bills": {"posting": None},
    "payments": {"payer": ""},
    "unpaid_bills": {"posting": "posted"},
}
EXPIRED = {
    "document_access": {"granted": b"sealed"},
    "inbound_sms": {"state": "done"},
    "messages": {"status": "sent"},
    "paid_bills": {"posting": "posted"},
    "unknown_messages": {"status": "unknown"},
}
HEAD, BEHIND = 12, 3


def message_rows(status, count, at):
    row = {"recipient": RAHIMA, "kind": "info", "secret": False, "status": status, "due_at": at, "not_after": at}
    return [
        {**row, "idempotency_key": f"{status}:{number}", "created_at": at, "updated_at": at} for number in range(count)
    ]


async def test_m5_five_hundred_unknown_messages_do_not_keep_the_sent_ones(database, clock):
    async with database.transaction() as transaction:
        for status, count in (("unknown", BATCH_SIZE), ("sent", 50)):
            await transaction.execute(insert(messages), message_rows(status, count, clock()))
    clock.advance(days=400)
    retention = build_retention(database, clock, days={"unknown_messages": 1000})
    assert await retention.delete_expired() == 50
    assert (await database.fetch(select(messages.c.status).distinct())).scalars().all() == ["unknown"]
    assert await build_retention(database, clock).delete_expired() == BATCH_SIZE, "they have an end as well"


@pytest.mark.parametrize("rule", RETENTION_RULES, ids=lambda rule: rule.name)
async def test_m5_no_rule_stops_at_rows_that_do_not_end(database, clock, rule):
    """More rows than a page are at the head, and stay; those behind them end, a page a run."""
    began = clock()
    head = {rule.timestamp.name: began + timedelta(days=30_000), **UNSETTLED.get(rule.name, {})}
    for _ in range(HEAD):
        await insert_row(database, rule.table, began, **head)
    for _ in range(BEHIND):
        row = {rule.timestamp.name: began, **EXPIRED.get(rule.name, {})}
        await insert_row(database, rule.table, began, **row)
    await insert_row(database, rule.table, began + timedelta(days=30_000), **head)  # the newest of its table
    clock.advance(days=DAYS.get(rule.period, 0), seconds=1)
    retention = build_retention(database, clock, rules=[rule], batch_size=5, max_pages=1)
    ended = [await retention.delete_expired() for _ in range(2 * (HEAD + BEHIND + 1) // 5)]
    assert sum(ended) == BEHIND


def test_m5_every_table_with_a_number_has_an_end():
    with_number = {table.name for table in metadata.sorted_tables for column in table.columns if column.type is Msisdn}
    ended = {rule.table.name for rule in RETENTION_RULES} | DELETED_WITH.keys() | set(ENDED_BY_DELETION)
    assert len(with_number) >= 15
    assert with_number <= ended


def test_m5_the_periods_are_settings_with_lower_bounds():
    days = Settings().retention.days()
    assert {rule.period for rule in RETENTION_RULES if rule.period} <= days.keys()
    for name in days:
        with pytest.raises(ValueError, match=name):
            Settings.model_validate({"retention": {name: 0}})


async def test_m5_what_was_never_deleted_is(database, clock):
    """The tables that had no end at all: the language, the missed calls and the reports of people without an account."""
    unended = ("callers", "contacts", "missed_calls", "email_events", "document_holders", "payment_reports")
    for name in unended:
        table = metadata.tables[name]
        await insert_row(database, table, clock(), **({"kind": "again"} if name == "email_events" else {}))
    await insert_row(database, bills, clock(), posting="posted")
    clock.advance(days=max(DAYS.values()), seconds=1)
    await build_retention(database, clock).delete_expired()
    for name in unended:
        assert not (await database.fetch(select(metadata.tables[name]))).all(), name
    assert (await database.fetch(select(func.max(bills.c.msisdn)))).scalar_one() == ""
