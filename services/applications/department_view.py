"""Applications as their department sees them, and staff: list, read, change the status."""

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import Row, Select, select, update

from core.crypto import Cipher
from core.idempotency import build_request_key
from core.pagination import Page, PageRequest, build_page, select_newest_page, select_page
from core.types import TextRenderer, Translations, UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import ALL_APPLICATIONS, application_answers, application_events, applications
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
from services.audit.staff_acts import StaffAct
from services.cases.models import (
    DepartmentScope,
    Notice,
    StatusChanged,
    StatusPreview,
    StatusRejected,
    change_digest,
    repeat_of_change,
)
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
    """Gives every department its own applications and no others; the scope None gives those of all departments."""

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

    async def list_newest(
        self,
        scope: DepartmentScope,
        page_request: PageRequest,
        *,
        status: str = "",
        service: str = "",
        office: str = "",
    ) -> Page[ApplicationSummary]:
        """A page of the applications in a scope, those that changed last first; of one status, service or office where given.

        A service or an office is one of a department, so it needs a department as scope.

        Raises:
            ValueError: a service or an office is given without a department.
        """
        if scope is None and (service or office):
            raise ValueError("a service or an office needs its department as scope")
        filters = {"office": office, "service": service}
        conditions = [applications.c[name] == value for name, value in filters.items() if value]
        conditions.append(ALL_APPLICATIONS if scope is None else applications.c.department == scope)
        query = select(applications.c.id, *(applications.c[name] for name in _SUMMARY_COLUMNS)).where(*conditions)
        has_index_without_status = scope is not None and not office
        statuses = (status,) if status else STATUSES
        branches = [query.where(applications.c.status == one) for one in statuses]
        if has_index_without_status and not status:
            branches = [query]
        page_query = select_newest_page(branches, applications.c.changed_at, applications.c.id, page_request)
        rows = (await self._database.fetch(page_query)).all()
        return build_page(rows, "changed_at", page_request, _summary_from_row)

    async def has(self, scope: DepartmentScope, tracking_number: str) -> bool:
        """Whether the scope has an application with this tracking number."""
        query = _select_in_scope(scope, tracking_number).with_only_columns(applications.c.id)
        return (await self._database.fetch(query)).one_or_none() is not None

    async def get(
        self, scope: DepartmentScope, tracking_number: str, *, by: Actor | None = None
    ) -> ApplicationDetail | None:
        """The application; None where it is not in the scope. The audit log records the reading."""
        return await self._read(scope, tracking_number, "application_read", by, f"read:{secrets.token_hex(12)}")

    async def reveal(self, scope: DepartmentScope, tracking_number: str, act: StaffAct) -> ApplicationDetail | None:
        """The application, whose applicant staff will see unmasked; None where it is not in the scope.

        The audit log records who reveals the applicant, and why.
        """
        actor, key = act.actor_with_reason, act.idempotency_key
        return await self._read(scope, tracking_number, "identity_revealed", actor, key)

    async def _read(
        self, scope: DepartmentScope, tracking_number: str, act: str, by: Actor | None, audit_key: str
    ) -> ApplicationDetail | None:
        async with self._database.transaction() as transaction:
            row = (await transaction.execute(_select_in_scope(scope, tracking_number))).one_or_none()
            if row is None:
                return None
            query = select(application_events).where(application_events.c.application == row.id)
            events = (await transaction.execute(query.order_by(application_events.c.id))).all()
            query = select(application_answers).where(application_answers.c.application == row.id)
            answers = (await transaction.execute(query.order_by(application_answers.c.id))).all()
            await self._record_audit(transaction, act, row, by, audit_key)
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
        scope: DepartmentScope,
        tracking_number: str,
        status: str,
        note: Translations,
        key: str,
        *,
        by: Actor | None = None,
        seen: datetime | None = None,
    ) -> StatusChanged | StatusRejected:
        """Change the status of an application in the scope, and notify the citizen by SMS in their language.

        `key` is chosen by the department, or by the form of staff: the same key with the same change gets the first answer and changes nothing. The
        status that the application has, without a note, changes nothing either; one that it has left needs a note. The
        audit log names `by`, by default the department. An application that has changed since `seen`, the time of the last
        change that somebody saw, stays as it is.
        """
        if status not in STATUSES:
            return StatusRejected("no_such_status")
        digest = change_digest(tracking_number, status, note)
        async with self._database.transaction() as transaction:
            query = _select_in_scope(scope, tracking_number).with_for_update()
            row = (await transaction.execute(query)).one_or_none()
            if row is None:
                return StatusRejected("unknown")
            idempotency_key = build_request_key("application", row.department, key)
            if event := await _find_event(transaction, idempotency_key):
                return repeat_of_change(event, tracking_number, digest)
            if result := _result_without_change(row, status, note, seen):
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
            for _, message in await self._build_notices(row, status, note, idempotency_key):
                await self._messages.enqueue(transaction, message)
            await self._record_audit(transaction, "application_moved", row, by, idempotency_key, status=status)
        return StatusChanged(tracking_number, status, dict(note), values["changed_at"])

    async def preview_move(
        self, scope: DepartmentScope, tracking_number: str, status: str, note: Translations
    ) -> StatusPreview | StatusRejected:
        """What `move` would send now, and why it would not. Nothing changes."""
        if status not in STATUSES:
            return StatusRejected("no_such_status")
        async with self._database.transaction() as transaction:
            row = (await transaction.execute(_select_in_scope(scope, tracking_number))).one_or_none()
            if row is None:
                return StatusRejected("unknown")
            if result := _result_without_change(row, status, note):
                return result if isinstance(result, StatusRejected) else StatusPreview()
            notices = await self._build_notices(row, status, note, "preview")
            texts = [(recipient, await self._messages.preview(transaction, one)) for recipient, one in notices]
        return StatusPreview(tuple(Notice(recipient, text) for recipient, text in texts if text is not None))

    async def _get_fee_state(self, row: Row[Any]) -> FeeState:
        if not row.fee_minor:
            return "none"
        return await self._find_fee_state(row.tracking_number) if self._find_fee_state else "due"

    async def _build_notices(
        self, row: Row[Any], status: str, note: Translations, idempotency_key: str
    ) -> Sequence[tuple[Literal["applicant", "beneficiary"], Message]]:
        """The SMS to the applicant and to the beneficiary, each in their language."""
        facts = status_facts(row.tracking_number, row.service, status, note)
        text = self._render_text(row.language, "moved_asking" if status == ASKING_STATUS else "moved", facts)
        notices: list[tuple[Literal["applicant", "beneficiary"], Message]] = [
            ("applicant", Message(row.msisdn, text, "status", f"{idempotency_key}/moved"))
        ]
        if row.beneficiary and row.beneficiary != row.msisdn and self._find_language:
            text = self._render_text(await self._find_language(row.beneficiary), "moved", facts)
            notices.append(("beneficiary", Message(row.beneficiary, text, "status", f"{idempotency_key}/moved/other")))
        return notices

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
            department=row.department,
        )

    def _answer_from_row(self, row: Row[Any], operators: Mapping[int, ApplicationOperator]) -> ApplicantAnswer:
        text = self._cipher.decrypt(row.text, answer_associated_data(row.idempotency_key)).decode()
        return ApplicantAnswer(text, row.created_at, row.channel, operators.get(row.operator))


def _summary_from_row(row: Row[Any]) -> ApplicationSummary:
    return ApplicationSummary(*(getattr(row, name) for name in _SUMMARY_COLUMNS))


def _select_in_scope(scope: DepartmentScope, tracking_number: str) -> Select[Any]:
    query = select(applications).where(applications.c.tracking_number == tracking_number)
    return query if scope is None else query.where(applications.c.department == scope)


def _result_without_change(
    row: Row[Any], status: str, note: Translations, seen: datetime | None = None
) -> StatusChanged | StatusRejected | None:
    """The answer to a request for a status that changes nothing; None where the status changes."""
    if row.status in FINAL_STATUSES:
        return StatusRejected("final")
    if seen and row.changed_at != seen:
        return StatusRejected("changed")
    return STATUS_ORDER.result_without_change(row.tracking_number, row, status, note)


async def _find_event(transaction: Transaction, idempotency_key: str) -> Row[Any] | None:
    query = select(application_events).where(application_events.c.idempotency_key == idempotency_key)
    return (await transaction.execute(query)).one_or_none()
