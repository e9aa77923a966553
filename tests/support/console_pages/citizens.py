"""Citizens whose accounts are open, frozen and released, with names that are hostile."""

from collections.abc import Mapping

from app.keys import open_cipher
from core.types import utc_now
from db.tables import accounts, messages, number_releases, payments
from services.helpdesk.models import Reference
from services.helpdesk.sealed_references import SealedReferences
from tests.support.console_pages import HOSTILE, Sample, Scene
from tests.support.sample_rows import insert_row

OPEN, FROZEN, FORMER, NEW = (f"+88017000000{end}" for end in (21, 22, 23, 24))
REASON = {"reason": "ticket 4711"}


def act_on(citizen: str, name: str, **fields: str) -> Sample:
    """The request for an act on a citizen."""
    return Sample("POST", f"/console/citizens/{{{citizen}}}/{name}", {**REASON, **fields})


SAMPLES = {
    "citizens.view": [
        Sample("GET", "/console/citizens"),
        Sample("GET", "/console/citizens/{open_citizen}"),
        Sample("GET", "/console/citizens/{frozen_citizen}"),
        Sample("GET", "/console/citizens/{former_citizen}"),
        Sample("GET", "/console/citizens/{open_citizen}/messages?before=1000000"),
        Sample("POST", "/console/citizens", {"what": OPEN}),
        Sample("POST", "/console/citizens", {"what": HOSTILE}),
    ],
    "citizens.reveal": [act_on("open_citizen", "reveal")],
    "citizens.sign_out": [act_on("open_citizen", "sign_out")],
    "citizens.reset_pin": [act_on("open_citizen", "reset_pin")],
    "citizens.reset_questions": [act_on("open_citizen", "reset_questions")],
    "citizens.freeze": [act_on("open_citizen", "freeze")],
    "citizens.unfreeze": [act_on("frozen_citizen", "unfreeze")],
    "citizens.attach": [act_on("former_citizen", "attach", account="{former_account}", number=NEW)],
    "citizens.release": [
        act_on("frozen_citizen", "release"),
        Sample("GET", "/console/citizens/notices"),
        Sample("POST", "/console/citizens/notices", REASON),
    ],
}


async def seed(scene: Scene) -> Mapping[str, str]:
    """Add the citizens, a message and a payment of the first one."""
    database, cipher, now = scene.room.database, await open_cipher(scene.settings), utc_now()
    references = SealedReferences(cipher)

    async def add(msisdn: str, **values: object) -> int:
        name = cipher.encrypt(HOSTILE.encode(), f"account:{msisdn}")
        row = {"msisdn": msisdn, "name": name, "language": "en", **values}
        return int((await insert_row(database, accounts, now, **row))[0])

    account = await add(OPEN)
    await add(FROZEN, frozen_at=now)
    former = await add("#former", released_at=now)
    found_again = cipher.keyed_hash("released number", FORMER)
    await insert_row(database, number_releases, now, account=former, number_hash=found_again, source="staff")
    (message,) = await insert_row(
        database,
        messages,
        now,
        recipient=OPEN,
        kind="receipt",
        status="failed",
        error=HOSTILE,
        text=cipher.encrypt(b"a text", "message:citizens-page"),
        idempotency_key="citizens-page",
    )
    paid = {"payer": OPEN, "account": account, "purpose": "bill", "status": "paid", "reason": HOSTILE[:40]}
    await insert_row(database, payments, now, currency="BDT", **paid)
    return {
        "open_citizen": references.seal(Reference("number", OPEN)),
        "frozen_citizen": references.seal(Reference("number", FROZEN)),
        "former_citizen": references.seal(Reference("number", FORMER)),
        "former_account": str(former),
        "failed_message": str(message),
    }
