"""Messages of every state, and a text that an operator refuses."""

from collections.abc import Mapping

from app.keys import open_cipher
from core.types import utc_now
from db.tables import messages, refused_templates
from tests.support.console_pages import HOSTILE, Sample, Scene
from tests.support.sample_rows import insert_row

RECIPIENT = "+8801700000031"
REASON = {"reason": "ticket 4711"}

SAMPLES = {
    "messages.view": [
        Sample("GET", "/console/messages"),
        *(
            Sample("GET", f"/console/messages?state={one}")
            for one in ("unknown", "held", "queued", "sending", "failed", "sent")
        ),
        Sample("GET", "/console/messages/texts.csv"),
        Sample("GET", "/console/messages/{unknown_message}"),
        Sample("GET", "/console/messages/{resendable_message}"),
    ],
    "messages.settle": [
        Sample("POST", "/console/messages/{unknown_message}/settle", {**REASON, "resolution": "sent"}),
    ],
    "messages.resend": [
        Sample("POST", "/console/messages/{resendable_message}/resend", REASON),
        Sample("POST", "/console/citizens/{open_citizen}/resend", {**REASON, "message": "{failed_message}"}),
    ],
    "messages.release": [Sample("POST", "/console/messages/release", {**REASON, "text": "received.hi"})],
}


async def seed(scene: Scene) -> Mapping[str, str]:
    """Add a message of each state; what a provider says of one is hostile."""
    database, cipher, now = scene.room.database, await open_cipher(scene.settings), utc_now()

    async def add(status: str) -> int:
        row = await insert_row(
            database,
            messages,
            now,
            recipient=RECIPIENT,
            kind="receipt",
            status=status,
            error=HOSTILE,
            provider="other",  # no outbox of the gateway sends it
            provider_id=f"<b>{status}</b>",
            text=cipher.encrypt(b"a text", f"message:messages-page-{status}"),
            idempotency_key=f"messages-page-{status}",
        )
        return int(row[0])

    added = {status: await add(status) for status in ("unknown", "sending", "failed", "sent")}
    await insert_row(database, refused_templates, now, name="received.hi", template_id="", reason=HOSTILE)
    return {"unknown_message": str(added["unknown"]), "resendable_message": str(added["failed"])}


async def add_failed(scene: Scene, count: int) -> None:
    """Add messages that failed."""
    for number in range(count):
        row = {"status": "failed", "kind": "status", "recipient": RECIPIENT, "idempotency_key": f"failed-{number}"}
        await insert_row(scene.room.database, messages, utc_now(), **row)
