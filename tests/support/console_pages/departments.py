"""A department with a key, and an application that its system rejected; a network with a key."""

from collections.abc import Mapping

from app.keys import open_cipher
from core.types import utc_now
from db.tables import applications, deliveries
from services.departments.api_keys import ApiKeys
from tests.support.console_pages import HOSTILE, Sample, Scene
from tests.support.sample_rows import insert_row
from tests.support.staff import staff_act

REASON = {"reason": "ticket 4711"}
REJECTED_NUMBER = "910000000017"
DELIVERY_KEY = "console:rejected"

SAMPLES = {
    "departments.view": [
        Sample("GET", "/console/departments"),
        Sample("GET", "/console/departments/dncc"),
        Sample("GET", "/console/departments/networks"),
        Sample("POST", "/console/departments/dncc/ask"),
    ],
    "departments.keys": [
        Sample("POST", "/console/departments/dncc/keys", {"label": "licence system", **REASON}),
        Sample("POST", "/console/departments/networks/keys", {"network": "gp", **REASON}),
        Sample("POST", "/console/departments/keys/{api_key}/revoke", REASON),
        Sample("POST", "/console/departments/dncc/trial", REASON),
    ],
    "departments.retry": [Sample("POST", "/console/departments/dncc/retry", {"number": REJECTED_NUMBER, **REASON})],
}


async def seed(scene: Scene) -> Mapping[str, str]:
    """Add the keys and the rejected application; the label of a key and the answer of the department are hostile."""
    database, now, cipher = scene.room.database, utc_now(), await open_cipher(scene.settings)
    keys = ApiKeys(database)
    api_key = await keys.create("dncc", staff_act(), label=HOSTILE[:64])
    await keys.create("gp", staff_act(), label=HOSTILE[:64], kind="network")
    application = await insert_row(
        database, applications, now, tracking_number=REJECTED_NUMBER, department="dncc", status="submitted"
    )
    await insert_row(
        database,
        deliveries,
        now,
        application=application[0],
        department="dncc",
        state="refused",
        error="Rejected",
        answer=cipher.encrypt(HOSTILE.encode(), f"delivery:{DELIVERY_KEY}"),
        idempotency_key=DELIVERY_KEY,
    )
    return {"api_key": api_key.split("_")[1]}
