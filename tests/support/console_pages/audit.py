"""The audit log, with an entry whose reason and details are hostile."""

from collections.abc import Mapping

from services.audit.audit import AuditLog, build_staff_entry
from tests.support.console_pages import HOSTILE, Sample, Scene
from tests.support.staff import staff_act

SAMPLES = {
    "audit.view": [
        Sample("GET", "/console/audit"),
        Sample("GET", "/console/audit?kind=staff&actor=nadia"),
        Sample("POST", "/console/audit", {"act": "key_revoked"}),
    ],
    "audit.export": [Sample("POST", "/console/audit/export", {"format": "jsonl", "reason": "ticket 4711"})],
}


async def seed(scene: Scene) -> Mapping[str, str]:
    """Add an entry."""
    database = scene.room.database
    async with database.transaction() as transaction:
        entry = build_staff_entry(staff_act(reason=HOSTILE), HOSTILE[:40], "staff", HOSTILE[:60], note=HOSTILE)
        await AuditLog(database).record(transaction, entry)
    return {}
