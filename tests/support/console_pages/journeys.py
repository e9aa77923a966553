"""The ways of callers. A channel and a screen are names of ours; a network is what a provider said."""

from datetime import UTC, datetime

from sqlalchemy import insert

from db.tables import screen_moves
from tests.support.console_pages import HOSTILE, Sample, Scene

SAMPLES = {
    "journeys.view": [
        Sample("GET", "/console/journeys"),
        Sample("GET", "/console/journeys?journey=main&network=-"),
    ]
}


async def seed(scene: Scene):
    day = datetime.now(UTC)
    row = {"day": day.date().isoformat(), "channel": "ussd", "language": "en", "times": 7, "begins_at": day}
    moves = [("", "main"), ("main", "sectors"), ("sectors", HOSTILE[:64])]
    rows = [{**row, "source": source, "target": target, "network": HOSTILE[:16]} for source, target in moves]
    async with scene.room.database.transaction() as transaction:
        await transaction.execute(insert(screen_moves), rows)
    return {}
