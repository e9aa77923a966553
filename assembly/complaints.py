"""Complaints and feedback put together: who answers for what, what works beside the routes, what the journeys may ask."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from assembly.now_and_then import Chore, now_and_then
from services.catalogue.model import say as named
from services.catalogue.shelf import Shelf
from services.complaints import (
    Cases,
    Complaints,
    Digests,
    Escalation,
    Following,
    Moving,
    Office,
    Verdicts,
)
from services.complaints.escalating import STEP
from services.complaints.values import NOBODY
from services.given import Clock, Say, Sealing, utc_now
from services.messages import Messages
from services.records.database import Records
from settings import Settings

EVERY: Final = 60.0  # seconds between two looks at what is late or to be passed on


class Offices:
    """Who answers for what, by the catalogue in force; see `services.complaints.Offices`."""

    def __init__(self, shelf: Shelf, settings: Settings, zone_of: Callable[[str], ZoneInfo]) -> None:
        """`zone_of`: a department's code to where its days begin and end."""
        self._shelf = shelf
        self._complaints = settings.complaints
        self._languages = settings.languages
        self._zone_of = zone_of

    def of(self, service: str) -> str:
        """The department of a service."""
        known = self._shelf.now.services.get(service)
        return known.department if known else ""

    def office(self, department: str) -> Office:
        """Who answers there."""
        known, zone = self._shelf.now.departments.get(department), self._zone_of(department)
        if known is None:
            return Office(self._complaints.answer_days, (), self._complaints.email, self._languages.default, zone)
        officers = known.officers
        days = tuple(officer.days for officer in officers) or self._complaints.answer_days
        language = self._languages.by_country.get(known.country, self._languages.default)
        return Office(days, tuple(officer.names for officer in officers), known.email, language, zone)

    def readers(self) -> Sequence[str]:
        """Who has an address."""
        known = [department.code for department in self._shelf.now.departments.values() if department.email]
        return [*known, NOBODY] if self._complaints.email else known

    def named(self, service: str, language: str) -> str:
        """What a service is called."""
        known = self._shelf.now.services.get(service)
        return named(known.names, language) if known else ""


@dataclass(frozen=True, slots=True)
class Grievances:
    """Everything that is done with complaints and feedback."""

    complaints: Complaints
    following: Following
    cases: Cases
    verdicts: Verdicts
    escalation: Escalation
    digests: Digests | None


@dataclass(frozen=True, slots=True)
class Beneath:
    """What they stand on; `write` is None where no mail is sent."""

    records: Records
    messages: Messages
    seal: Sealing
    say: Say
    write: Say | None
    clock: Clock = utc_now


def grievances_of(settings: Settings, beneath: Beneath, offices: Offices) -> Grievances:
    """All of it."""
    records, messages, seal, clock = beneath.records, beneath.messages, beneath.seal, beneath.clock
    moving = Moving(records, messages, beneath.say, offices, clock=clock)
    return Grievances(
        complaints=Complaints(records, messages, seal, beneath.say, offices, clock=clock),
        following=Following(records, offices, clock=clock),
        cases=Cases(records, moving, seal, clock=clock),
        verdicts=Verdicts(records, moving, offices),
        escalation=Escalation(records, messages, moving, offices, beneath.write, clock=clock),
        digests=_digests(settings, beneath, offices),
    )


def _digests(settings: Settings, beneath: Beneath, offices: Offices) -> Digests | None:
    every, write = settings.complaints.digest, beneath.write
    if write is None or every == "off":
        return None
    stands_on = (beneath.records, beneath.messages, beneath.seal)
    return Digests(*stands_on, offices, write, every=every, clock=beneath.clock)


@asynccontextmanager
async def pursued(grievances: Grievances) -> AsyncIterator[None]:
    """Late complaints are raised and feedback is passed on, for as long as the block lasts."""
    chores = [Chore(partial(_raise_all, grievances.escalation), "late complaints could not be raised")]
    if grievances.digests:
        chores.append(Chore(grievances.digests.step, "feedback could not be passed on"))
    async with now_and_then(EVERY, *chores):
        yield


async def _raise_all(escalation: Escalation) -> None:
    raised = STEP
    while raised == STEP:
        raised = await escalation.step()
