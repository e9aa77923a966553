"""What the databases do for the queries of each request: an index, however many members and sign-ins there are."""

import pytest
from sqlalchemy import insert, select

from db.tables import staff, staff_sessions
from tests.support.sql_plans import explain_plan

MEMBERS = 1000


@pytest.fixture
async def full_database(database, clock):
    """A database with many members, each with sign-ins."""
    async with database.transaction() as transaction:
        now = clock()
        rows = [
            {
                "login": f"member{number}",
                "name": b"",
                "role": "helpdesk",
                "language": "en",
                "password_hash": "",
                "password_chosen": True,
                "created_at": now,
            }
            for number in range(MEMBERS)
        ]
        await transaction.execute(insert(staff), rows)
        ids = (await transaction.execute(select(staff.c.id))).scalars().all()
        times = dict.fromkeys(("created_at", "seen_at", "expires_at", "proved_at"), now)
        sign_ins = [
            {"digest": f"{member} {number}".encode(), "staff": member, **times} for member in ids for number in range(5)
        ]
        await transaction.execute(insert(staff_sessions), sign_ins)
    return database


QUERIES = {
    "the sign-in of a token": select(staff_sessions.c.id)
    .join(staff, staff.c.id == staff_sessions.c.staff)
    .where(staff_sessions.c.digest == b"1 1"),
    "the member of a login": select(staff.c.id).where(staff.c.login == "member7"),
    "a page of members": select(staff.c.id, staff.c.name)
    .where(staff.c.login > "member1")
    .order_by(staff.c.login)
    .limit(51),
    "the sign-ins of a member": select(staff_sessions.c.id).where(staff_sessions.c.staff == 7),
}


@pytest.mark.parametrize("name", QUERIES)
async def test_no_query_reads_the_whole_table(full_database, name):
    if full_database.dialect == "postgresql":
        async with full_database.transaction() as transaction:
            await transaction._connection.exec_driver_sql("ANALYZE staff")
            await transaction._connection.exec_driver_sql("ANALYZE staff_sessions")
    plan = await explain_plan(full_database, QUERIES[name], {})
    assert "Seq Scan" not in plan, plan
    assert "SCAN" not in plan, plan
