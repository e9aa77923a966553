"""The acts on an account are read from an index without the looks at it, of which there can be thousands."""

from sqlalchemy import text

from db.tables import audit
from services.helpdesk import queries
from services.helpdesk.models import Citizen
from tests.support.services import RAHIMA
from tests.support.sql_plans import explain_plan

LOOKS = 3000
CHANGES = 30


async def test_looks_are_not_read(services):
    acts = ["account_viewed"] * LOOKS + ["account_frozen"] * CHANGES + ["identity_revealed"] * LOOKS
    rows = [
        {
            "at": services.clock(),
            "actor_kind": "staff",
            "actor": "hasan",
            "act": act,
            "subject_kind": "account",
            "subject": "7",
            "channel": "console",
            "details": {},
            "idempotency_key": str(number),
        }
        for number, act in enumerate(acts)
    ]
    async with services.database.transaction() as transaction:
        await transaction.execute(services.database.insert(audit), rows)
        if services.database.dialect != "sqlite":
            await transaction.execute(text("ANALYZE audit"))
    query = queries.list_acts(Citizen("number", RAHIMA, RAHIMA, 7)).select_newest(20)
    assert {row.act for row in await services.database.fetch(query)} == {"account_frozen"}
    assert "ix_audit_account_changes" in await explain_plan(services.database, query, {})
