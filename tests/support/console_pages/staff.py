"""Members of staff: one with an app, one who is disabled."""

from collections.abc import Mapping

from sqlalchemy import update

from app.keys import open_cipher
from app.staff import open_staff_commands
from db.tables import staff
from services.staff.models import NewMember
from tests.support.console_pages import HOSTILE, Sample, Scene
from tests.support.staff import staff_act

REASON = {"reason": "ticket 4711"}

SAMPLES = {
    "staff.view": [
        Sample("GET", "/console/staff"),
        Sample("GET", "/console/staff?after=m"),
        Sample("GET", "/console/staff/{member}"),
        Sample("GET", "/console/staff/{disabled_member}"),
    ],
    "staff.change": [
        Sample(
            "POST",
            "/console/staff/add",
            {"login": "rina", "name": "Rina", "role": "officer", "department": "dncc", "language": "bn", **REASON},
        ),
        Sample("POST", "/console/staff/{member}/role", {"role": "auditor", **REASON}),
        Sample("POST", "/console/staff/{member}/code", REASON),
        Sample("POST", "/console/staff/{member}/password", REASON),
        Sample("POST", "/console/staff/{member}/sign-out", REASON),
        Sample("POST", "/console/staff/{disabled_member}/enable", REASON),
        Sample("POST", "/console/staff/{member}/disable", REASON),
    ],
}


async def seed(scene: Scene) -> Mapping[str, str]:
    """Add the two members; their names are hostile."""
    cipher = await open_cipher(scene.settings)
    async with open_staff_commands(scene.settings) as commands:
        ids = [
            (await commands.members.add(NewMember(login=login, name=HOSTILE[:120], role="helpdesk"), staff_act()))[0]
            for login in ("nadia", "tania")
        ]
        await commands.changes.disable(ids[1], staff_act())
    secret = cipher.encrypt(b"A" * 32, "staff-code:nadia")
    async with scene.room.database.transaction() as transaction:
        await transaction.execute(update(staff).where(staff.c.id == ids[0]).values(code_secret=secret))
    return {"member": str(ids[0]), "disabled_member": str(ids[1])}
