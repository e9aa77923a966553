"""The services of complaints and feedback over one database, with fake escalation policies."""

import json
from typing import ClassVar
from zoneinfo import ZoneInfo

from services.complaints.department_view import DepartmentComplaints
from services.complaints.digests import FeedbackDigests
from services.complaints.escalation import Escalation
from services.complaints.models import EscalationPolicy, NewComplaint, NewFeedback
from services.complaints.status import ComplaintStatusReader
from services.complaints.submission import ComplaintSubmission
from services.complaints.transitions import Transitions
from services.complaints.verdicts import Verdicts
from tests.support.services import RAHIMA, ServiceSet, render_text

DHAKA = ZoneInfo("Asia/Dhaka")
COMPLAINT_TEXT = "কেউ আসেনি, টাকা চেয়েছে"
CLERK, HEAD = {"en": "Clerk", "bn": "করণিক", "hi": "लिपिक"}, {"en": "Head clerk", "bn": "প্রধান", "hi": "प्रधान"}
FEEDBACK_EMAIL = "feedback@department.example"


class FakeEscalationPolicies:
    """Policies of known departments. An unknown department has 7 days for an answer and no e-mail address."""

    services: ClassVar = {
        "birth_certificate": "local_government",
        "trade_licence": "local_government",
        "pan": "income_tax",
    }

    def __init__(self, **offices: EscalationPolicy) -> None:
        self.offices = offices

    def department_for_service(self, service: str) -> str:
        return self.services.get(service, "")

    def policy_for(self, department: str) -> EscalationPolicy:
        return self.offices.get(department) or EscalationPolicy((7, 7, 15), (), "", "en", DHAKA)

    def departments_with_email(self) -> list[str]:
        return [department for department, office in self.offices.items() if office.email]

    def service_name(self, service: str, language: str) -> str:
        return service.replace("_", " ").capitalize()


LOCAL_GOVERNMENT = EscalationPolicy((5, 10), (CLERK, HEAD), FEEDBACK_EMAIL, "bn", DHAKA)


class ComplaintServiceSet:
    """All services of complaints and feedback over one database."""

    def __init__(
        self, services: ServiceSet, policies: FakeEscalationPolicies | None = None, *, digest_interval: str = "week"
    ) -> None:
        database, messages, cipher, clock = services.database, services.messages, services.cipher, services.clock
        self.services, self.clock, self.database = services, clock, database
        self.policies = policies or FakeEscalationPolicies(local_government=LOCAL_GOVERNMENT)
        moving = Transitions(database, messages, render_text, self.policies, clock=clock)
        self.complaints = ComplaintSubmission(database, messages, cipher, render_text, self.policies, clock=clock)
        self.status_reader = ComplaintStatusReader(database, self.policies, clock=clock)
        self.department_complaints = DepartmentComplaints(database, moving, cipher, clock=clock)
        self.verdicts = Verdicts(database, moving, self.policies)
        self.escalation = Escalation(database, messages, moving, self.policies, render_text, clock=clock)
        self.digests = FeedbackDigests(
            database, messages, cipher, self.policies, render_text, period=digest_interval, clock=clock
        )

    async def submit_complaint(self, idempotency_key="s1:9", **other) -> str:
        """Submit a complaint; its number."""
        filed = await self.complaints.submit_complaint(build_complaint(**other), idempotency_key)
        return filed.complaint_number

    async def claim_emails(self):
        """Claim the e-mails in the outbox, as (to, text, facts)."""
        claimed = await self.services.messages.claim("test", 100, "email")
        return [(one.to, *_text_and_facts(one.text)) for one in claimed]


def _text_and_facts(text):
    _, key, facts = json.loads(text)
    return key, facts


def build_complaint(**other) -> NewComplaint:
    given = {
        "msisdn": RAHIMA,
        "text": COMPLAINT_TEXT,
        "language": "bn",
        "channel": "ussd",
        "service": "birth_certificate",
    }
    return NewComplaint(**{**given, **other})


def build_feedback(**other) -> NewFeedback:
    given = {
        "msisdn": RAHIMA,
        "text": COMPLAINT_TEXT,
        "language": "bn",
        "channel": "ussd",
        "service": "birth_certificate",
    }
    return NewFeedback(**{**given, **other})
