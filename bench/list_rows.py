"""Fills a table of a throwaway PostgreSQL with millions of rows, for `bench.lists`. `i` is the number of a row, from 1.

Foreign keys, logging and secondary indexes are left out while rows are written; the indexes are created afterwards.
"""

from collections.abc import Mapping
from typing import Any, Final

from asyncpg import Connection
from sqlalchemy import BigInteger, Boolean, Date, Integer, LargeBinary, SmallInteger, Table
from sqlalchemy.types import JSON

from db.tables import (
    applications,
    audit,
    complaints,
    consents,
    feedback,
    messages,
    metadata,
    payment_refunds,
    payments,
)
from db.tables.columns import UtcDateTime

STATEMENT_TIMEOUT: Final = 3600.0  # seconds; writing millions of rows takes minutes
PEOPLE: Final = 2_000_000
BUSY: Final = 500  # each of so many rows is of person 0, who has thousands of them
BILLS: Final = 100_000

PERSON: Final = f"CASE WHEN i % {BUSY} = 0 THEN 0 ELSE i % {PEOPLE} END"
NUMBER: Final = f"'+88017' || lpad(({PERSON})::text, 8, '0')"
AT: Final = "'2026-01-01T00:00:00Z'::timestamptz + i * interval '3 seconds'"
CASE_NUMBER: Final = "lpad(i::text, 12, '0')"
DEPARTMENT: Final = "'department_' || i % 20"
SERVICE: Final = "'service_' || i % 200"
PAYMENT_STATUS: Final = (
    "CASE WHEN i % 5000 = 0 THEN 'unknown' WHEN i % 5000 = 1 THEN 'amount_mismatch' WHEN i % 5000 = 2 THEN "
    "'duplicate_payment' WHEN i % 100 = 3 THEN 'refunded' WHEN i % 100 < 15 THEN 'failed' WHEN i % 100 = 15 THEN 'expired' "
    "ELSE 'paid' END"
)
IS_PAID: Final = f"({PAYMENT_STATUS}) NOT IN ('unknown', 'failed', 'expired')"
VALUES: Final[Mapping[str, Mapping[str, str]]] = {
    "payments": {
        "key": "md5(i::text)",
        "purpose": "CASE WHEN i % 5 = 0 THEN 'bill' ELSE 'fee' END",
        "reference": f"CASE WHEN i % 5 = 0 THEN md5('bill' || i) ELSE {CASE_NUMBER} END",
        "subject": f"CASE WHEN i % 5 = 0 THEN 'biller_' || i % 25 ELSE {SERVICE} END",
        "department": f"CASE WHEN i % 5 = 0 THEN NULL ELSE {DEPARTMENT} END",
        "bill": f"CASE WHEN i % 5 = 0 THEN i / 5 % {BILLS} + 1 END",
        "payer": NUMBER,
        "account": PERSON,
        "amount_minor": "5000",
        "currency": "'BDT'",
        "paid_minor": f"CASE WHEN {IS_PAID} THEN 5000 END",
        "status": PAYMENT_STATUS,
        "wallet": "CASE WHEN i % 50 = 7 THEN 'cash' ELSE 'daraja' END",
        "receipt": f"CASE WHEN {IS_PAID} THEN 'R' || i END",
        "ended_at": f"{AT} + interval '1 minute'",
        "created_at": AT,
    },
    "payment_refunds": {
        "payment": "i * 50",
        "amount_minor": "1000",
        "status": "CASE WHEN i % 1000 = 0 THEN 'by_hand' ELSE 'returned' END",
        "receipt": "'B' || i",
        "updated_at": AT,
    },
    "applications": {
        "tracking_number": CASE_NUMBER,
        "account": PERSON,
        "msisdn": NUMBER,
        "beneficiary": f"CASE WHEN i % 10 = 0 THEN {NUMBER} END",
        "service": SERVICE,
        "office": "'office_' || i % 100",
        "department": DEPARTMENT,
        "fee_minor": "5000",
        "status": "(ARRAY['received', 'under_review', 'approved', 'ready', 'delivered', 'rejected'])[i / 20 % 6 + 1]",
        "changed_at": AT,
        "created_at": AT,
    },
    "messages": {
        "recipient": NUMBER,
        "status": "CASE WHEN i % 100000 = 0 THEN 'unknown' WHEN i % 50 = 1 THEN 'failed' ELSE 'sent' END",
        "provider_id": "'P' || i",
        "updated_at": AT,
        "created_at": AT,
    },
    "complaints": {
        "complaint_number": CASE_NUMBER,
        "msisdn": NUMBER,
        "department": DEPARTMENT,
        "status": "(ARRAY['received', 'answered', 'closed', 'escalated'])[i / 20 % 4 + 1]",
        "changed_at": AT,
    },
    "feedback": {
        "feedback_number": CASE_NUMBER,
        "msisdn": NUMBER,
        "department": DEPARTMENT,
        "created_at": AT,
    },
    "audit": {
        "at": AT,
        "actor_kind": "CASE WHEN i % 10 = 0 THEN 'operator' ELSE 'citizen' END",
        "actor": f"({PERSON})::text",
        "act": "(ARRAY['account_viewed', 'signed_in', 'profile_changed', 'application_submitted'])[i % 4 + 1]",
        "subject_kind": "CASE WHEN i % 2 = 0 THEN 'account' ELSE 'payment' END",
        "subject": f"CASE WHEN i % 2 = 0 THEN ({PERSON})::text ELSE i::text END",
    },
    "consents": {
        "operator": "i % 10000",
        "msisdn": NUMBER,
        "outcome": "'given'",
        "requested_at": AT,
        "given_at": AT,
        "ended_at": AT,
    },
}
"""By table and column: the SQL of a value. The other columns have a value of their type, or their default."""
FILLED: Final = (payments, payment_refunds, applications, messages, complaints, feedback, audit, consents)
_INDEXES: Final = """
SELECT indexname AS name, indexdef AS made FROM pg_indexes WHERE tablename = $1
AND NOT EXISTS (SELECT FROM pg_constraint WHERE conname = indexname)
"""
_CONSTRAINTS: Final = """
SELECT conname AS name, pg_get_constraintdef(oid) AS made FROM pg_constraint WHERE conrelid = $1::regclass AND contype = 'u'
"""
_FOREIGN_KEYS: Final = (
    "SELECT conname AS name, conrelid::regclass::text AS table FROM pg_constraint WHERE contype = 'f'"
)


async def prepare(driver: Connection) -> None:
    """Drop the foreign keys of all tables, and the triggers of the audit: each table is filled without the others."""
    for one in await driver.fetch(_FOREIGN_KEYS):
        await driver.execute(f'ALTER TABLE {one["table"]} DROP CONSTRAINT "{one["name"]}"')
    await driver.execute("ALTER TABLE audit DISABLE TRIGGER USER")  # it is append-only, and is emptied here
    await driver.execute("SET maintenance_work_mem = '1GB'")


async def fill(driver: Connection, table: Table, count: int) -> None:
    """Write `count` rows, create the indexes again, and analyze the table."""
    name = table.name
    indexes = await driver.fetch(_INDEXES, name)
    constraints = await driver.fetch(_CONSTRAINTS, name)
    for one in constraints:
        await driver.execute(f'ALTER TABLE {name} DROP CONSTRAINT "{one["name"]}"')
    for one in indexes:
        await driver.execute(f'DROP INDEX "{one["name"]}"')
    await driver.execute(f"ALTER TABLE {name} SET UNLOGGED")
    await driver.execute(_build_insert(table, count), timeout=STATEMENT_TIMEOUT)
    for one in constraints:
        made = f'ALTER TABLE {name} ADD CONSTRAINT "{one["name"]}" {one["made"]}'
        await driver.execute(made, timeout=STATEMENT_TIMEOUT)
    for one in indexes:
        await driver.execute(one["made"], timeout=STATEMENT_TIMEOUT)
    await driver.execute(f"VACUUM ANALYZE {name}", timeout=STATEMENT_TIMEOUT)


async def empty(driver: Connection, table: Table) -> None:
    """Drop the rows of a table at once."""
    assert table.name in metadata.tables
    await driver.execute(f"TRUNCATE {table.name}", timeout=STATEMENT_TIMEOUT)


def _build_insert(table: Table, count: int) -> str:
    given = VALUES[table.name]
    columns = {column.name: given.get(column.name) or _default_value(column) for column in table.columns}
    written = {name: value for name, value in columns.items() if value}
    names, values = ", ".join(f'"{name}"' for name in written), ", ".join(written.values())
    return f"INSERT INTO {table.name} ({names}) SELECT {values} FROM generate_series(1, {count}) AS i"  # noqa: S608  # nosec B608  # every part of it is of this file


def _default_value(column: Any) -> str:
    """The SQL of a value where the table needs one."""
    if column.name == "id":
        return "i"
    if column.nullable or column.server_default is not None:
        return ""
    by_type: Mapping[type, str] = {
        UtcDateTime: AT,
        LargeBinary: "'\\x5e5e5e5e'::bytea",
        JSON: "'{}'::json",
        Boolean: "false",
        Date: "'2026-12-31'::date",
        SmallInteger: "1",
        BigInteger: "1",
        Integer: "1",
    }
    for kind, value in by_type.items():
        if isinstance(column.type, kind):
            return value
    if getattr(column.type, "impl", None) is not None and isinstance(column.type.impl, LargeBinary):
        return by_type[LargeBinary]
    length = getattr(column.type, "length", None) or 32
    return "'k' || i" if column.unique else f"left('{column.name}', {length})"
