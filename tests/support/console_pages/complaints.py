"""Complaints about the department of the officer."""

from app.keys import open_cipher
from tests.support.case_rows import CaseRows
from tests.support.console_pages import HOSTILE, Sample

ONE = "/console/complaints/{complaint}"
SAMPLES = {
    "complaints.view": [
        Sample("GET", "/console/complaints"),
        Sample("GET", "/console/complaints?department=none&status=received"),
        Sample("GET", ONE),
        Sample("POST", "/console/complaints/find", {"number": "{complaint}"}),
    ],
    "complaints.move": [
        Sample("POST", ONE + "/preview", {"status": "answered", "note_bn": "এখন তৈরি"}),
        Sample("POST", ONE + "/move", {"status": "answered", "note_en": "It is ready", "reason": "ticket 4711"}),
    ],
    "complaints.reveal": [Sample("POST", ONE + "/reveal", {"reason": "ticket 4711"})],
}


async def seed(scene):
    rows = CaseRows(scene.room.database, await open_cipher(scene.settings))
    return {"complaint": await rows.add_complaint(text=HOSTILE, note={"en": HOSTILE})}
