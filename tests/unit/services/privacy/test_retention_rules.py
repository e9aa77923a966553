"""Every table is named in the retention rules, and every rule ends its rows at its time and not before."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from db.tables import bills, metadata, payments, staff
from db.tables.columns import Encrypted, EncryptedBase64, Msisdn
from services.privacy.retention_rules import DELETED_WITH, ENDED_BY_DELETION, KEPT, RETENTION_RULES
from tests.support.retention import DAYS, build_retention
from tests.support.sample_rows import insert_row

RULED = {rule.table.name for rule in RETENTION_RULES}
# Values that make a row meet the condition of its rule, where the made-up ones do not.
MATCHING = {
    "inbound_sms": {"state": "done"},
    "messages": {"status": "sent"},
    "unknown_messages": {"status": "unknown"},
    "opt_ins": {},
    "document_access": {"granted": b"sealed"},
    "paid_bills": {"posting": "posted", "content": b"sealed"},
    "email_events": {"kind": "again"},
}
NEEDS_NEWER = ("consents", "operators", "staff")  # the newest row stays


def personal_tables():
    """The tables with a phone number, or with an encrypted column."""
    return {table.name for table in metadata.sorted_tables for column in table.columns if is_personal(column)}


def is_personal(column):
    """Whether the column has phone numbers or encrypted values."""
    return column.type is Msisdn or (isinstance(column.type, Encrypted | EncryptedBase64) and not column.type.fixed)


def test_every_table_is_named():
    named = RULED | DELETED_WITH.keys() | set(ENDED_BY_DELETION) | KEPT.keys()
    unnamed = {table.name for table in metadata.sorted_tables} - named
    assert not unnamed, f"add a rule for {sorted(unnamed)} to services/privacy/retention_rules.py"
    assert named == {table.name for table in metadata.sorted_tables}


def test_every_table_with_a_number_or_a_sealed_column_has_an_end():
    found = personal_tables()
    assert len(found) >= 20
    endless = found - RULED - DELETED_WITH.keys() - set(ENDED_BY_DELETION)
    assert not endless, f"the rows of {sorted(endless)} stay for ever"


@pytest.mark.parametrize("name", sorted(DELETED_WITH))
def test_what_goes_with_another_table_is_deleted_by_the_database(name):
    keys = [key for key in metadata.tables[name].foreign_keys if key.column.table.name == DELETED_WITH[name]]
    assert [key.ondelete for key in keys] == ["CASCADE"]
    assert DELETED_WITH[name] in RULED


def test_every_setting_has_a_rule_and_every_rule_a_setting():
    assert {rule.period for rule in RETENTION_RULES if rule.period} | {"drafts"} == set(DAYS)
    assert len({rule.name for rule in RETENTION_RULES}) == len(RETENTION_RULES)


@pytest.mark.parametrize("rule", RETENTION_RULES, ids=lambda rule: rule.name)
async def test_a_rule_ends_its_rows_at_its_time_and_not_before(database, clock, rule):
    # The row is older than its timestamp by a day, as one that was changed later.
    values = {rule.timestamp.name: clock(), **MATCHING.get(rule.name, {})}
    key = await insert_row(database, rule.table, clock() - timedelta(days=1), **values)
    if rule.name in NEEDS_NEWER:
        await insert_row(database, rule.table, clock() + timedelta(days=5000))
    retention = build_retention(database, clock, rules=[rule])
    clock.now += timedelta(days=DAYS.get(rule.period, 0))
    assert await retention.delete_expired() == 0
    clock.now += timedelta(seconds=1)
    assert await retention.delete_expired() == 1
    assert await retention.delete_expired() == 0, "a row ends once"
    left = (await database.fetch(select(rule.table).where(*map(_equals, rule.table.primary_key, key)))).all()
    assert len(left) == (rule.values is not None)


def _equals(column, value):
    return column == value


async def test_all_rules_together_leave_no_number(database, clock):
    """One row in each table with a rule: in the end, no number and no encrypted value is left but in the newest rows."""
    for rule in RETENTION_RULES:
        await insert_row(database, rule.table, clock(), **{rule.timestamp.name: clock()}, **MATCHING.get(rule.name, {}))
    async with database.transaction() as transaction:  # the member of the sign-in goes too
        await transaction.execute(update(staff).values(disabled_at=clock()))
    clock.now += timedelta(days=2 * max(DAYS.values()))
    for _ in range(3):  # an operator goes after their consents, an application after its complaints
        await build_retention(database, clock).delete_expired()
    ended = personal_tables() - set(ENDED_BY_DELETION) - set(NEEDS_NEWER)
    for name in sorted(ended):
        table = metadata.tables[name]
        personal = [column for column in table.columns if is_personal(column)]
        for row in await database.fetch(select(*personal)):
            assert not any(row), name


async def test_a_paid_bill_loses_its_payer_and_its_content_and_keeps_the_amounts(database, clock):
    bill = await insert_row(database, bills, clock(), posting="due", due_at=clock(), amount_minor=7000)
    await insert_row(database, payments, clock(), bill=bill[0], paid_minor=7000)
    clock.now += timedelta(days=DAYS["payments"], seconds=1)
    await build_retention(database, clock).delete_expired()
    (row,) = await database.fetch(select(bills))
    assert (row.msisdn, row.account, row.content, row.posting, row.due_at) == ("", None, b"", "refused", None)
    assert row.amount_minor == 7000
    (row,) = await database.fetch(select(payments))
    assert (row.payer, row.account, row.paid_minor) == ("", None, 7000)
