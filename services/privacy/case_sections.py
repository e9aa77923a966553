"""Sections about a citizen's cases: applications, drafts, complaints, feedback, payments and consents."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy import Row, delete, or_, select, update

from core.crypto import Cipher
from core.types import UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import (
    application_answers,
    applications,
    bills,
    complaints,
    consents,
    drafts,
    feedback,
    operators,
    payments,
    sandbox_prompts,
)
from services.applications.models import answer_associated_data, form_associated_data
from services.assisted.models import list_purposes
from services.assisted.operators import decrypt_operator_name
from services.privacy.models import DataItem, DataRecord, DataSubject

FormatAnswers: TypeAlias = Callable[
    [str, Mapping[str, str]], Sequence[tuple[Mapping[str, str], str | Mapping[str, str]]]
]
"""Formats the answers of a service's form: the service and the answers, to pairs of a question and its readable answer."""


class ApplicationsSection:
    """Applications. They stay: a department works on them, and their numbers can still be tracked."""

    name: Final = "applications"

    def __init__(self, database: Database, cipher: Cipher, format_answers: FormatAnswers) -> None:
        self._database = database
        self._cipher = cipher
        self._format_answers = format_answers

    async def read(self, subject: DataSubject) -> Sequence[DataRecord]:
        """The applications with their status, the answers of their forms, and those to what the department asked."""
        query = select(applications).where(applications.c.account == subject.account)
        rows = await self._database.fetch(query.order_by(applications.c.id.desc()))
        answers = await self._read_answers(subject.account)
        return [
            [
                DataItem("application", row.tracking_number, "tracking"),
                DataItem("service", row.service, "service"),
                DataItem("applied_for", row.applied_for, "applied_for"),
                DataItem("status", row.status, "status"),
                DataItem("received", row.created_at, "moment"),
                DataItem("promised", row.promised, "date"),
                DataItem("fee", [row.fee_minor, row.currency] if row.fee_minor else None, "money"),
                *self._form_items(row.tracking_number, row.service, row.form),
                *(DataItem("text", text) for text in answers.get(row.id, ())),
            ]
            for row in rows
        ]

    async def forget(self, transaction: Transaction, subject: DataSubject) -> None:
        """Delete nothing."""

    async def _read_answers(self, account: int) -> Mapping[int, Sequence[str]]:
        """The answers to departments, oldest first, by application."""
        query = select(application_answers).join(applications).where(applications.c.account == account)
        answers: dict[int, list[str]] = {}
        for row in await self._database.fetch(query.order_by(application_answers.c.id)):
            text = self._cipher.decrypt(row.text, answer_associated_data(row.idempotency_key)).decode()
            answers.setdefault(row.application, []).append(text)
        return answers

    def _form_items(self, tracking_number: str, service: str, sealed: bytes) -> Sequence[DataItem]:
        form = json.loads(self._cipher.decrypt(sealed, form_associated_data(tracking_number)))
        return [
            DataItem(question, answer, "texts", "texts") for question, answer in self._format_answers(service, form)
        ]


class DraftsSection:
    """Unfinished forms."""

    name: Final = "drafts"

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, subject: DataSubject) -> Sequence[DataRecord]:
        """The service and the day of each draft."""
        query = select(drafts).where(drafts.c.account == subject.account, drafts.c.ended_by.is_(None))
        rows = await self._database.fetch(query)
        return [[DataItem("service", row.service, "service"), DataItem("received", row.begun, "date")] for row in rows]

    async def forget(self, transaction: Transaction, subject: DataSubject) -> None:
        """Delete every draft."""
        await transaction.execute(delete(drafts).where(drafts.c.account == subject.account))


class ComplaintsSection:
    """Complaints. They stay, with the MSISDN, which gets an SMS about every change."""

    name: Final = "complaints"

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher

    async def read(self, subject: DataSubject) -> Sequence[DataRecord]:
        """The complaints with their text and their status."""
        query = select(complaints).where(complaints.c.msisdn == subject.msisdn)
        rows = await self._database.fetch(query.order_by(complaints.c.id.desc()))
        return [
            [
                DataItem("complaint", row.complaint_number, "tracking"),
                DataItem("status", row.status, "status"),
                DataItem("received", row.created_at, "moment"),
                DataItem("text", self._cipher.decrypt(row.text, f"complaint:{row.complaint_number}").decode()),
            ]
            for row in rows
        ]

    async def forget(self, transaction: Transaction, subject: DataSubject) -> None:
        """Delete nothing."""


class FeedbackSection:
    """Feedback."""

    name: Final = "feedback"

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher

    async def read(self, subject: DataSubject) -> Sequence[DataRecord]:
        """The feedback with its text."""
        query = select(feedback).where(feedback.c.msisdn == subject.msisdn)
        rows = await self._database.fetch(query.order_by(feedback.c.id.desc()))
        return [
            [
                DataItem("number", row.feedback_number, "tracking"),
                DataItem("received", row.created_at, "moment"),
                DataItem("text", self._cipher.decrypt(row.text, f"feedback:{row.idempotency_key}").decode()),
            ]
            for row in rows
        ]

    async def forget(self, transaction: Transaction, subject: DataSubject) -> None:
        """Remove the MSISDN; the text stays for the department that it is about."""
        await transaction.execute(update(feedback).where(feedback.c.msisdn == subject.msisdn).values(msisdn=""))


class PaymentsSection:
    """Payments. They stay, as accounting requires; a bill that was looked up and not paid does not."""

    name: Final = "payments"

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, subject: DataSubject) -> Sequence[DataRecord]:
        """The payments with amount, purpose and status."""
        condition = or_(payments.c.account == subject.account, payments.c.payer == subject.msisdn)
        rows = await self._database.fetch(select(payments).where(condition).order_by(payments.c.id.desc()))
        return [
            [
                DataItem("amount", [row.amount_minor, row.currency], "money"),
                DataItem("service", row.subject, "service" if row.purpose == "fee" else "biller"),
                DataItem("status", row.status, "payment"),
                DataItem("asked", row.created_at, "moment"),
            ]
            for row in rows
        ]

    async def forget(self, transaction: Transaction, subject: DataSubject) -> None:
        """Delete unpaid bills, and remove the MSISDN from finished prompts of the sandbox wallet."""
        paid = select(payments.c.bill).where(payments.c.bill.is_not(None))
        condition = or_(bills.c.account == subject.account, bills.c.msisdn == subject.msisdn)
        await transaction.execute(delete(bills).where(condition, bills.c.id.not_in(paid)))
        prompts = (sandbox_prompts.c.payer == subject.msisdn, sandbox_prompts.c.status != "pending")
        await transaction.execute(update(sandbox_prompts).where(*prompts).values(payer=""))


class ConsentsSection:
    """Consents to operators."""

    name: Final = "consents"

    def __init__(self, database: Database, cipher: Cipher, *, clock: UtcClock = utc_now) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock

    async def read(self, subject: DataSubject) -> Sequence[DataRecord]:
        """The consents with the operator's name, id and centre, the purposes, and when each was given and ends."""
        operator = (operators.c.name, operators.c.msisdn.label("operator_msisdn"), operators.c.centre)
        query = select(consents, *operator).join(operators, operators.c.id == consents.c.operator)
        rows = await self._database.fetch(
            query.where(consents.c.msisdn == subject.msisdn).order_by(consents.c.id.desc())
        )
        return [self._build_record(row) for row in rows]

    def _build_record(self, row: Row[Any]) -> DataRecord:
        until = row.ended_at or row.lapses_at
        return [
            DataItem("operator", f"{decrypt_operator_name(self._cipher, row)} ({row.operator})"),
            DataItem("centre", row.centre, "centre"),
            DataItem("purpose", list_purposes(row), "purpose"),
            DataItem("asked", row.requested_at, "moment"),
            DataItem("given", row.given_at, "moment"),
            DataItem("ends" if until and until > self._clock() else "ended", until, "moment"),
        ]

    async def forget(self, transaction: Transaction, subject: DataSubject) -> None:
        """End every active consent, and remove the citizen from all of them; the audit log keeps what an operator did."""
        condition = consents.c.msisdn == subject.msisdn
        now = self._clock()
        alive = update(consents).where(condition, consents.c.ended_at.is_(None))
        await transaction.execute(alive.values(ended_at=now, ended_by="citizen"))
        await transaction.execute(update(consents).where(condition).values(msisdn="", account=None))
