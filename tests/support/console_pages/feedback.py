"""Feedback on the services of the department of the officer."""

from app.keys import open_cipher
from tests.support.case_rows import CaseRows
from tests.support.console_pages import HOSTILE, Sample

SAMPLES = {
    "feedback.view": [Sample("GET", "/console/feedback"), Sample("GET", "/console/feedback?department=none")],
}


async def seed(scene):
    rows = CaseRows(scene.room.database, await open_cipher(scene.settings))
    return {"feedback": await rows.add_feedback(text=HOSTILE)}
