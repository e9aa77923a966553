"""Applications of the department of the officer."""

from app.keys import open_cipher
from tests.support.case_rows import CaseRows
from tests.support.console_pages import HOSTILE, Sample

ONE = "/console/applications/{application}"
SAMPLES = {
    "applications.view": [
        Sample("GET", "/console/applications"),
        Sample("GET", "/console/applications?department=dncc&status=received&office=mirpur&service=birth_certificate"),
        Sample("GET", ONE),
        Sample("POST", "/console/applications/find", {"number": "{application}"}),
    ],
    "applications.move": [
        Sample("POST", ONE + "/preview", {"status": "under_review", "note_en": HOSTILE.replace("{{7*7}}", "")}),
        Sample("POST", ONE + "/move", {"status": "under_review", "reason": "ticket 4711"}),
    ],
    "applications.reveal": [Sample("POST", ONE + "/reveal", {"reason": "ticket 4711"})],
}


async def seed(scene):
    rows = CaseRows(scene.room.database, await open_cipher(scene.settings))
    number = await rows.add_application(
        note=HOSTILE, answer=HOSTILE, name=HOSTILE, form={"holder": HOSTILE, "born": "2025-11-21"}
    )
    return {"application": number}
