"""Every list of the audit log reads one index from where it begins."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from core.pagination import PagePosition
from db.tables import audit
from services.audit.entries import select_entries
from services.audit.export import AuditFilter
from tests.support.sql_plans import explain_plan

ROWS = 5000
FILTERS = {
    "all": ({}, "ix_audit_at"),
    "kind": ({"actor_kind": "staff"}, "ix_audit_actor_kind"),
    "actor": ({"actor_kind": "citizen", "actor": "7"}, "ix_audit_actor_kind_actor"),
    "act": ({"act": "rare"}, "ix_audit_act"),
    "kind and act": ({"actor_kind": "citizen", "act": "rare"}, "ix_audit_kind_act"),
    "actor and act": ({"actor_kind": "citizen", "actor": "7", "act": "act_3"}, "ix_audit_actor_act"),
    "subject": ({"subject": "9"}, "ix_audit_subject_at"),
}


@pytest.mark.parametrize("name", FILTERS)
async def test_a_page_reads_one_index_and_sorts_nothing(services, name):
    given, index = FILTERS[name]
    now = services.clock()
    rows = [
        {
            "at": now - timedelta(seconds=number),
            "actor_kind": "citizen",
            "actor": str(number % 50),
            "act": f"act_{number % 7}",
            "subject_kind": "application",
            "subject": str(number),
            "channel": "ussd",
            "details": {},
            "idempotency_key": str(number),
        }
        for number in range(ROWS)
    ]
    async with services.database.transaction() as transaction:
        await transaction.execute(services.database.insert(audit), rows)
        if services.database.dialect != "sqlite":
            await transaction.execute(text("ANALYZE audit"))
    query = select_entries(AuditFilter(since=now - timedelta(days=300), **given), PagePosition(now, ROWS))
    plan = await explain_plan(services.database, query, {})
    assert index in plan, plan
    assert not re.search(r"(?<!Incremental )Sort  ", plan), plan
    assert "TEMP B-TREE" not in plan, plan
    assert "Seq Scan" not in plan, plan
