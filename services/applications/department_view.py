"""Applications as their department sees them: list, read, change the status."""

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

from sqlalchemy import Row, Select, select, update

from core.crypto import Cipher
from core.idempotency import build_request_key
from core.pagination import Page, PageRequest, build_page, select_page
from core.types import TextRenderer, Translations, UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import application_answers, application_events, applications
from services.applications.models import (
    ASKING_STATUS,
    FINAL_STATUSES,
    STATUS_ORDER,
    STATUSES,
    ApplicantAnswer,
    ApplicationDetail,
    ApplicationOperator,
    ApplicationSummary,
    FeeState,
    StatusEvent,
    answer_associated_data,
    form_associated_data,
    status_facts,
)
from services.applications.people import PeopleNames
from services.applications.submission import LanguageLookup
from services.audit.audit import AuditLog, build_audit_entry
from services.audit.models import Actor
from services.cases.models import StatusChanged, StatusRejected, change_digest, repeat_of_change
from services.messaging.messages import Messages
from services.messaging.models import Message

FeeStateLookup: TypeAlias = Callable[[str], Awaitable[FeeState]]
"""From a tracking number to the state of the application's fee."""

_SUMMARY_COLUMNS: Final = (
    "tracking_number",
    "service",
    "office",
    "status",
    "promised",
    "created_at",
    "changed_at",
    "answered_at",
)


class DepartmentApplications:
    """Gives every department its own applications and no others."""

    def __init__(
        self,
        database: Database,
        messages: Messages,
        cipher: Cipher,
        render_text: TextRenderer,
        *,
        find_language: LanguageLookup | None = None,
        find_fee_state: FeeStateLookup | None = None,
        clock: UtcClock = utc_now,
    ) -> None:
        """Without `find_language` only the applicant is notified; without `find_fee_state` no fee is paid by phone."""
        self._database = database
        self._messages = messages
        self._cipher = cipher
        self._render_text = render_text
        self._find_language = find_language
        self._find_fee_state = find_fee_state
        self._clock = clock
        self._people = PeopleNames(database, cipher)
        self._audit = AuditLog(database, clock=clock)

    async def list_page(
        self, department: str, page_request: PageRequest, *, service: str = "", status: str = ""
    ) -> Page[ApplicationSummary]:
        """A page of the department's applications, of one service or status where given, by the time of their last change.

        An application that changes while pages are read appears again at the end, so that no change is missed.
        """
        filters = {"department": department, "service": service, "status": status}
        conditions = [applications.c[name] == value for name, value in filters.items() if value]
        query = select(applications.c.id, *(applications.c[name] for name in _SUMMARY_COLUMNS)).where(*conditions)
        page_query = select_page(query, applications.c.changed_at, applications.c.id, page_request)
        rows = (await self._database.fetch(page_query)).all()
        return build_page(rows, "changed_at", page_request, _summary_from_row)

    async def get(self, department: str, tracking_number: str, *, by: Actor | None = None) -> ApplicationDetail | None:
        """The application; None where it is not the department's. The audit log records the reading."""
        async with self._database.transaction() as transaction:
            row = (await transaction.execute(_select_for_department(department, tracking_number))).one_or_none()
            if row is None:
                return None
            query = select(application_events).where(application_events.c.application == row.id)
            events = (await transaction.execute(query.order_by(application_events.c.id))).all()
            query = select(application_answers).where(application_answers.c.application == row.id)
            answers = (await transaction.execute(query.order_by(application_answers.c.id))).all()
            await self._record_audit(transaction, "application_read", row, by, f"read:{secrets.token_hex(12)}")
        fee_state, name = await self._get_fee_state(row), await self._people.find_applicants([row.account])
        operators = await self._people.find_operators([row.operator, *(answer.operator for answer in answers)])
        return replace(
            self._detail_from_row(row, events, fee_state),
            name=name.get(row.account, ""),
            operator=operators.get(row.operator),
            answers=tuple(self._answer_from_row(answer, operators) for answer in answers),
        )

    async def move(
        self,
        department: str,
        tracking_number: str,
        status: str,
        note: Translations,
        key: str,
        *,
        by: Actor | None = None,
    ) -> StatusChanged | StatusRejected:
        """Change the status of a department's application, and notify the citizen by SMS in their language.

        `key` is chosen by the department: the same key with the same change gets the first answer and changes nothing. The
        status that the application has, without a note, changes nothing either; one that it has left needs a note. The
        audit log names `by`, by default the department.
        """
        if status not in STATUSES:
            return StatusRejected("no_such_status")
        digest = change_digest(tracking_number, status, note)
        idempotency_key = build_request_key("application", department, key)
        async with self._database.transaction() as transaction:
            query = _select_for_department(department, tracking_number).with_for_update()
            row = (await transaction.execute(query)).one_or_none()
            if row is None:
                return StatusRejected("unknown")
            if event := await _find_event(transaction, idempotency_key):
                return repeat_of_change(event, tracking_number, digest)
            if result := _result_without_change(row, status, note):
                return result
            event_row = {
                "application": row.id,
                "status": status,
                "note": dict(note),
                "digest": digest,
                "idempotency_key": idempotency_key,
                "created_at": self._clock(),
            }
            insert = self._database.insert_or_ignore(application_events).returning(application_events.c.id)
            if (await transaction.execute(insert, event_row)).scalar_one_or_none() is None:
                return StatusRejected("conflict")  # a concurrent request used the key for another application
            values = {
                "status": status,
                "note": dict(note),
                "answered_at": None,
                "changed_at": event_row["created_at"],
            }
            await transaction.execute(update(applications).where(applications.c.id == row.id).values(values))
            await self._notify(transaction, row, status, note, idempotency_key)
            await self._record_audit(transaction, "application_moved", row, by, idempotency_key, status=status)
        return StatusChanged(tracking_number, status, dict(note), values["changed_at"])

    async def _get_fee_state(self, row: Row[Any]) -> FeeState:
        if not row.fee_minor:
            return "none"
        return await self._find_fee_state(row.tracking_number) if self._find_fee_state else "due"

    async def _notify(
        self, transaction: Transaction, row: Row[Any], status: str, note: Translations, idempotency_key: str
    ) -> None:
        """Notify the applicant and the beneficiary, each in their language."""
        recipients = {row.msisdn: (row.language, f"{idempotency_key}/moved")}
        if row.beneficiary and self._find_language:
            language = await self._find_language(row.beneficiary)
            recipients[row.beneficiary] = (language, f"{idempotency_key}/moved/other")
        facts = status_facts(row.tracking_number, row.service, status, note)
        for msisdn, (language, message_key) in recipients.items():
            may_answer = status == ASKING_STATUS and msisdn == row.msisdn
            text = self._render_text(language, "moved_asking" if may_answer else "moved", facts)
            await self._messages.enqueue(transaction, Message(msisdn, text, "status", message_key))

    async def _record_audit(
        self, transaction: Transaction, act: str, row: Row[Any], by: Actor | None, idempotency_key: str, **details: str
    ) -> None:
        actor = by or Actor("department", row.department, "api")
        entry = build_audit_entry(actor, act, "application", row.tracking_number, idempotency_key, **details)
        await self._audit.record(transaction, entry)

    def _detail_from_row(self, row: Row[Any], events: Sequence[Row[Any]], fee_state: FeeState) -> ApplicationDetail:
        return ApplicationDetail(
            tracking_number=row.tracking_number,
            msisdn=row.msisdn,
            service=row.service,
            office=row.office,
            form=json.loads(self._cipher.decrypt(row.form, form_associated_data(row.tracking_number))),
            language=row.language,
            channel=row.channel,
            status=row.status,
            note=row.note,
            promised=row.promised,
            received=row.created_at,
            changed=row.changed_at,
            events=tuple(StatusEvent(event.status, event.note, event.created_at) for event in events),
            beneficiary=row.beneficiary or "",
            applied_for=row.applied_for,
            on_file=tuple(row.on_file),
            fee_minor=row.fee_minor,
            currency=row.currency,
            fee_state=fee_state,
            answered=row.answered_at,
        )

    def _answer_from_row(self, row: Row[Any], operators: Mapping[int, ApplicationOperator]) -> ApplicantAnswer:
        text = self._cipher.decrypt(row.text, answer_associated_data(row.idempotency_key)).decode()
        return ApplicantAnswer(text, row.created_at, row.channel, operators.get(row.operator))


def _summary_from_row(row: Row[Any]) -> ApplicationSummary:
    return ApplicationSummary(*(getattr(row, name) for name in _SUMMARY_COLUMNS))


def _select_for_department(department: str, tracking_number: str) -> Select[Any]:
    return select(applications).where(
        applications.c.tracking_number == tracking_number, applications.c.department == department
    )


def _result_without_change(row: Row[Any], status: str, note: Translations) -> StatusChanged | StatusRejected | None:
    """The answer to a request for a status that changes nothing; None where the status changes."""
    if row.status in FINAL_STATUSES:
        return StatusRejected("final")
    return STATUS_ORDER.result_without_change(row.tracking_number, row, status, note)


async def _find_event(transaction: Transaction, idempotency_key: str) -> Row[Any] | None:
    query = select(application_events).where(application_events.c.idempotency_key == idempotency_key)
    return (await transaction.execute(query)).one_or_none()
