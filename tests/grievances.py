"""Complaints and feedback as one process has them, for tests: offices that stand in a test, a clock that is moved by hand."""

import json
from typing import ClassVar
from zoneinfo import ZoneInfo

from services.complaints import (
    Cases,
    Complaint,
    Complaints,
    Digests,
    Escalation,
    Following,
    Moving,
    Office,
    Opinion,
    Verdicts,
)
from tests.desk import RAHIMA, Desk, say

DHAKA = ZoneInfo("Asia/Dhaka")
WORDS = "কেউ আসেনি, টাকা চেয়েছে"
CLERK, HEAD = {"en": "Clerk", "bn": "করণিক", "hi": "लिपिक"}, {"en": "Head clerk", "bn": "প্রধান", "hi": "प्रधान"}
TELLS = "feedback@department.example"


class Offices:
    """The departments that a test knows; those it does not know answer within a week, and read no mail."""

    services: ClassVar = {
        "birth_certificate": "local_government",
        "trade_licence": "local_government",
        "pan": "income_tax",
    }

    def __init__(self, **offices: Office) -> None:
        self.offices = offices

    def of(self, service: str) -> str:
        return self.services.get(service, "")

    def office(self, department: str) -> Office:
        return self.offices.get(department) or Office((7, 7, 15), (), "", "en", DHAKA)

    def readers(self) -> list[str]:
        return [department for department, office in self.offices.items() if office.email]

    def named(self, service: str, language: str) -> str:
        return service.replace("_", " ").capitalize()


LOCAL_GOVERNMENT = Office((5, 10), (CLERK, HEAD), TELLS, "bn", DHAKA)


class House:
    """All that is done with complaints over one database."""

    def __init__(self, desk: Desk, offices: Offices | None = None, *, every: str = "week") -> None:
        records, messages, seal, clock = desk.records, desk.messages, desk.seal, desk.clock
        self.desk, self.clock, self.records = desk, clock, records
        self.offices = offices or Offices(local_government=LOCAL_GOVERNMENT)
        moving = Moving(records, messages, say, self.offices, clock=clock)
        self.complaints = Complaints(records, messages, seal, say, self.offices, clock=clock)
        self.following = Following(records, self.offices, clock=clock)
        self.cases = Cases(records, moving, seal, clock=clock)
        self.verdicts = Verdicts(records, moving, self.offices)
        self.escalation = Escalation(records, messages, moving, self.offices, say, clock=clock)
        self.digests = Digests(records, messages, seal, self.offices, say, every=every, clock=clock)

    async def complains(self, effect="s1:9", **other) -> str:
        """A complaint's number."""
        filed = await self.complaints.complain(complaint(**other), effect)
        return filed.complaint_number

    async def letters(self):
        """The e-mails that are waiting, as (to, text, facts)."""
        claimed = await self.desk.messages.claim("test", 100, "email")
        return [(one.to, *_said(one.text)) for one in claimed]


def _said(text):
    _, key, facts = json.loads(text)
    return key, facts


def complaint(**other) -> Complaint:
    given = {"number": RAHIMA, "text": WORDS, "language": "bn", "channel": "ussd", "service": "birth_certificate"}
    return Complaint(**{**given, **other})


def opinion(**other) -> Opinion:
    given = {"number": RAHIMA, "text": WORDS, "language": "bn", "channel": "ussd", "service": "birth_certificate"}
    return Opinion(**{**given, **other})
