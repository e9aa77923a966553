"""A department that has something of everything: applications, complaints and feedback, in several states."""

from services.complaints import Opinion
from tests.desk import RAHIMA, Desk, birth_certificate
from tests.grievances import House
from tests.web.office import OURS

SERVICE = "birth_certificate"


class Ours:
    """Offices of which ours has every service."""

    def __init__(self, inner):
        self._inner = inner

    def of(self, service):
        return OURS if service else ""

    def office(self, department):
        return self._inner.office(department)

    def named(self, service, language):
        return self._inner.named(service, language)


async def furnish(desk: Desk, many: int = 5) -> tuple[list[str], list[str]]:
    """Tracking numbers and complaint numbers of our department."""
    account = await desk.registers()
    house = House(desk)
    house = House(desk, Ours(house.offices))
    applied, complained = [], []
    for place in range(many):
        new = birth_certificate(account, department=OURS, form={"holder": "Rahim Uddin", "born": "2025-11-21"})
        applied.append((await desk.applications.submit(new, f"a{place}:1")).tracking_number)
        complained.append(await house.complains(f"c{place}:1", about=applied[-1] if place % 2 else ""))
        rating = place % 5 + 1 if place % 2 else None
        await house.complaints.suggest(Opinion(RAHIMA, f"Words {place}", "en", "sms", SERVICE, rating), f"f{place}:1")
        desk.clock.moves(minutes=1)
    await desk.filings.move(OURS, applied[0], "delivered", {"en": "Done"}, "furnished")
    return applied, complained
