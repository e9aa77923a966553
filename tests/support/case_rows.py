"""Add cases to the database of a running gateway, with what citizens typed, for the pages of staff."""

import json
from dataclasses import dataclass, field
from datetime import datetime

from core.crypto import Cipher
from core.reference_numbers import generate_tracking_number
from core.types import utc_now
from db.database import Database
from db.tables import accounts, application_answers, application_events, applications, complaint_events, complaints
from db.tables import feedback as feedback_table
from services.applications.models import answer_associated_data, form_associated_data
from services.citizens.pending_registrations import account_associated_data
from services.complaints.models import complaint_associated_data, feedback_associated_data
from tests.support.sample_rows import insert_row

APPLICANT = "+8801711000001"
BENEFICIARY = "+8801711000002"


@dataclass
class CaseRows:
    """Adds cases; each method returns the number of the case."""

    database: Database
    cipher: Cipher
    accounts: dict[str, int] = field(default_factory=dict)

    async def add_account(self, msisdn: str = APPLICANT, name: str = "Rahima Begum") -> int:
        """Add the account of a number once; its id."""
        if msisdn not in self.accounts:
            sealed = self.cipher.encrypt(name.encode(), account_associated_data(msisdn))
            row = await insert_row(self.database, accounts, utc_now(), msisdn=msisdn, name=sealed, language="bn")
            self.accounts[msisdn] = row[0]
        return self.accounts[msisdn]

    async def add_application(
        self,
        department: str = "dncc",
        *,
        name: str = "Rahima Begum",
        note: str = "",
        answer: str = "",
        **values: object,
    ) -> str:
        """Add an application with its first event, and an answer of the applicant where given."""
        number = generate_tracking_number()
        form = values.pop("form", {"holder": "Rahim Uddin", "born": "2025-11-21"})
        sealed = self.cipher.encrypt(json.dumps(form).encode(), form_associated_data(number))
        row = {
            "tracking_number": number,
            "account": await self.add_account(name=name),
            "msisdn": APPLICANT,
            "service": "birth_certificate",
            "office": "mirpur",
            "department": department,
            "form": sealed,
            "fee_minor": 5000,
            "currency": "BDT",
            "promised": utc_now().date(),
            "language": "bn",
            "channel": "ussd",
            "status": "received",
            "note": {"en": note} if note else {},
            "idempotency_key": number,
            "on_file": [],
        } | values
        application = await self._insert(applications, row)
        event = {"application": application, "status": row["status"], "note": row["note"], "idempotency_key": number}
        await self._insert(application_events, event)
        if answer:
            sealed = self.cipher.encrypt(answer.encode(), answer_associated_data(number))
            row = {"application": application, "text": sealed, "channel": "sms", "idempotency_key": number}
            await self._insert(application_answers, row)
        return number

    async def add_complaint(self, department: str = "dncc", text: str = "কেউ আসেনি", **values: object) -> str:
        """Add a complaint with its first event."""
        number = generate_tracking_number()
        row = {
            "complaint_number": number,
            "msisdn": APPLICANT,
            "service": "birth_certificate" if department else "",
            "department": department,
            "reason": "late",
            "text": self.cipher.encrypt(text.encode(), complaint_associated_data(number)),
            "status": "received",
            "level": 0,
            "note": {},
            "language": "bn",
            "channel": "ussd",
            "idempotency_key": number,
        } | values
        complaint = await self._insert(complaints, row)
        await self.add_complaint_event(complaint, status=row["status"], note=row["note"], actor_kind="citizen")
        return number

    async def add_complaint_event(self, complaint: int, **values: object) -> None:
        """Add an event to the complaint with this id."""
        row = {"complaint": complaint, "level": 0, "note": {}} | values
        await self._insert(complaint_events, row)

    async def add_feedback(self, department: str = "dncc", text: str = "ভালো সেবা", **values: object) -> str:
        """Add a feedback."""
        number = generate_tracking_number()
        row = {
            "feedback_number": number,
            "msisdn": APPLICANT,
            "service": "birth_certificate" if department else "",
            "department": department,
            "rating": 4,
            "text": self.cipher.encrypt(text.encode(), feedback_associated_data(number)),
            "language": "bn",
            "channel": "ussd",
            "idempotency_key": number,
        } | values
        await self._insert(feedback_table, row)
        return number

    async def _insert(self, table, values: dict[str, object]) -> int:
        now = values.pop("at", None) or utc_now()
        assert isinstance(now, datetime)
        return (await insert_row(self.database, table, now, **values))[0]
