"""Acts of staff for tests, each with an idempotency key of its own."""

from itertools import count

from services.audit.models import Actor
from services.audit.staff_acts import StaffAct

_KEYS = count(1)


def staff_act(reason="ticket 4711", name="nadia") -> StaffAct:
    return StaffAct(Actor("staff", name, "terminal"), reason, f"terminal:{next(_KEYS)}")
