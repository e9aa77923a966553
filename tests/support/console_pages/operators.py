"""Operators of village centres: one who is active, one who is suspended."""

from collections.abc import Mapping
from contextlib import closing

from app.cli import build_operator_commands, open_command_context
from services.assisted.models import NewOperator
from services.citizens.pins import SecretHasher
from tests.support.console_pages import HOSTILE, Sample, Scene
from tests.support.staff import staff_act

NUMBERS = ("+8801700000011", "+8801700000012")

SAMPLES = {
    "operators.view": [
        Sample("GET", "/console/operators"),
        Sample("GET", "/console/operators/{operator}"),
        Sample("GET", "/console/operators/{suspended_operator}"),
        Sample("GET", "/console/operators/report"),
        Sample("POST", "/console/operators/find", {"what": NUMBERS[0]}),
    ],
    "operators.add": [
        Sample(
            "POST",
            "/console/operators/add",
            {"number": "+8801700000013", "centre": "mirpur", "name": "Karim Mia", "reason": "ticket 4711"},
        )
    ],
    "operators.suspend": [Sample("POST", "/console/operators/{operator}/suspend", {"reason": "ticket 4712"})],
    "operators.resume": [Sample("POST", "/console/operators/{suspended_operator}/resume", {"reason": "ticket 4713"})],
    "operators.reset_pin": [Sample("POST", "/console/operators/{operator}/pin", {"reason": "ticket 4714"})],
}


async def seed(scene: Scene) -> Mapping[str, str]:
    """Enrol the two operators; their names are hostile."""
    async with open_command_context(scene.settings) as context:
        with closing(SecretHasher(context.cipher)) as hasher:
            operators = build_operator_commands(scene.settings, context, hasher).operators
            active, suspended = [
                (await operators.add(NewOperator(number, HOSTILE, "mirpur", "en"), staff_act()))[0]
                for number in NUMBERS
            ]
            await operators.suspend(suspended, staff_act())
    return {"operator": str(active), "suspended_operator": str(suspended)}
