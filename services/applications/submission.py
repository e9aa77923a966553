"""Submission of an application: record it once with its first event, and notify the citizen."""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from sqlalchemy import select

from core.crypto import Cipher
from core.reference_numbers import record_with_new_number
from core.types import CHANNEL_SMS, TextRenderer, UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import application_events, applications
from services.applications.beneficiary_limits import BeneficiaryGuard
from services.applications.drafts import Drafts
from services.applications.models import ApplicationReceipt, NewApplication, form_associated_data
from services.audit.audit import AuditLog, find_acting_operator
from services.audit.models import AuditEntry
from services.cases.models import ZoneLookup, change_digest
from services.citizens.closed_accounts import ensure_account_open
from services.messaging.messages import Messages
from services.messaging.models import Message

if TYPE_CHECKING:
    from services.messaging.kinds import MessageKind

QueueReceipt: TypeAlias = Callable[[Transaction, int, str, Mapping[str, object], str], Awaitable[None]]
"""Queues the receipt by e-mail: transaction, account, language, facts, idempotency key."""
EnqueueDelivery: TypeAlias = Callable[[Transaction, int, NewApplication, str], Awaitable[None]]
"""Queues the delivery to the department: transaction, the application's id, the application, tracking number."""
LearnProfile: TypeAlias = Callable[[Transaction, int, Mapping[str, str], str], Awaitable[None]]
"""Adds answers to the applicant's profile: transaction, account, answers by profile key, idempotency key."""
LanguageLookup: TypeAlias = Callable[[str], Awaitable[str]]
"""From an MSISDN to the language of messages to it."""

_COPIED_COLUMNS: Final = (
    *("account", "msisdn", "service", "office", "department"),
    *("fee_minor", "currency", "language", "channel", "applied_for"),
)


class _Recorded(NamedTuple):
    """An application that this call recorded."""

    id: int
    tracking_number: str
    promised: date
    recorded_at: datetime


class ApplicationSubmission:
    """Records applications. `find_zone` gives the time zone in which a department's days are counted."""

    def __init__(
        self,
        database: Database,
        messages: Messages,
        cipher: Cipher,
        render_text: TextRenderer,
        find_zone: ZoneLookup,
        *,
        queue_receipt: QueueReceipt | None = None,
        enqueue_delivery: EnqueueDelivery | None = None,
        learn_profile: LearnProfile | None = None,
        drafts: Drafts | None = None,
        find_language: LanguageLookup | None = None,
        beneficiary_guard: BeneficiaryGuard | None = None,
        clock: UtcClock = utc_now,
    ) -> None:
        self._database = database
        self._audit = AuditLog(database, clock=clock)
        self._queue_receipt = queue_receipt
        self._enqueue_delivery = enqueue_delivery
        self._learn_profile = learn_profile
        self._drafts = drafts
        self._find_language = find_language
        self._beneficiary_guard = beneficiary_guard or BeneficiaryGuard(database, clock=clock)
        self._messages = messages
        self._cipher = cipher
        self._render_text = render_text
        self._find_zone = find_zone
        self._clock = clock

    async def submit(
        self, application: NewApplication, idempotency_key: str, submit_key: str = ""
    ) -> ApplicationReceipt:
        """Record the application with its first event and notify everyone; a repeated key gets the same receipt.

        `idempotency_key` is the key under which the form was opened, `submit_key` that of the input that submits it.

        Raises:
            AccountClosedError: the account was deleted in another session.
            BeneficiaryLimitError: the account may not apply for this beneficiary now.
            NumbersExhaustedError: no free tracking number was drawn.
        """
        # Before the transaction, which has one connection.
        language = await self._find_beneficiary_language(application)
        async with self._database.transaction() as transaction:

            async def record(tracking_number: str) -> ApplicationReceipt | None:
                recorded = await self._insert(transaction, application, tracking_number, idempotency_key)
                if recorded is None:  # the key is repeated, or the number is in use
                    return await _find_earlier_receipt(transaction, idempotency_key)
                if application.beneficiary:
                    await self._beneficiary_guard.ensure_allowed(
                        transaction, application.account, application.beneficiary
                    )
                await ensure_account_open(transaction, application.account, submit_key or idempotency_key)
                await self._insert_first_event(transaction, recorded, idempotency_key)
                await self._notify(transaction, recorded, application, idempotency_key, language)
                await self._run_follow_ups(transaction, recorded, application, idempotency_key, submit_key)
                return ApplicationReceipt(recorded.tracking_number, recorded.promised)

            return await record_with_new_number(record)

    async def _insert(
        self, transaction: Transaction, application: NewApplication, tracking_number: str, idempotency_key: str
    ) -> _Recorded | None:
        now = self._clock()
        today = now.astimezone(self._find_zone(application.department)).date()
        promised = today + timedelta(days=application.promised_days)
        form = json.dumps(dict(application.form)).encode()
        row = {
            **{name: getattr(application, name) for name in _COPIED_COLUMNS},
            "tracking_number": tracking_number,
            "beneficiary": application.beneficiary or None,
            "on_file": list(application.on_file),
            "form": self._cipher.encrypt(form, form_associated_data(tracking_number)),
            "operator": find_acting_operator(),
            "promised": promised,
            "status": "received",
            "note": {},
            "idempotency_key": idempotency_key,
            "created_at": now,
            "changed_at": now,
        }
        insert = self._database.insert_or_ignore(applications).returning(applications.c.id)
        application_id = (await transaction.execute(insert, row)).scalar_one_or_none()
        return None if application_id is None else _Recorded(application_id, tracking_number, promised, now)

    async def _insert_first_event(self, transaction: Transaction, recorded: _Recorded, idempotency_key: str) -> None:
        row = {
            "application": recorded.id,
            "status": "received",
            "note": {},
            "digest": change_digest(recorded.tracking_number, "received", {}),
            "idempotency_key": idempotency_key,
            "created_at": recorded.recorded_at,
        }
        await transaction.execute(self._database.insert(application_events), row)

    async def _notify(
        self,
        transaction: Transaction,
        recorded: _Recorded,
        application: NewApplication,
        idempotency_key: str,
        beneficiary_language: str,
    ) -> None:
        facts, key = self._receipt_facts(recorded, application), f"{idempotency_key}/received"
        text = self._render_text(application.language, "received", facts)
        # The receipt is the reply to an SMS: it does not wait for the end of the quiet hours.
        kind: MessageKind = "receipt_reply" if application.channel == CHANNEL_SMS else "receipt"
        await self._messages.enqueue(transaction, Message(application.msisdn, text, kind, key))
        if self._queue_receipt:
            await self._queue_receipt(transaction, application.account, application.language, facts, key)
        if application.beneficiary:
            await self._notify_beneficiary(transaction, recorded, application, f"{key}/other", beneficiary_language)

    async def _find_beneficiary_language(self, application: NewApplication) -> str:
        if self._find_language and application.beneficiary:
            return await self._find_language(application.beneficiary)
        return application.language

    async def _notify_beneficiary(
        self,
        transaction: Transaction,
        recorded: _Recorded,
        application: NewApplication,
        message_key: str,
        language: str,
    ) -> None:
        """Notify the other person in their language; the text says how to refuse the application."""
        facts = {"service": application.service, "number": recorded.tracking_number}
        text = self._render_text(language, "applied_for_you", facts)
        await self._messages.enqueue(transaction, Message(application.beneficiary, text, "status", message_key))

    async def _run_follow_ups(
        self,
        transaction: Transaction,
        recorded: _Recorded,
        application: NewApplication,
        idempotency_key: str,
        submit_key: str,
    ) -> None:
        """Write the audit entry, the profile, the end of the draft and the delivery in the same transaction."""
        input_key = submit_key or idempotency_key
        await self._audit.record(transaction, _build_audit_entry(recorded, application, idempotency_key))
        if self._learn_profile and application.profile:
            await self._learn_profile(transaction, application.account, application.profile, input_key)
        if self._drafts:
            await self._drafts.finish(transaction, application.account, idempotency_key, input_key)
        if self._enqueue_delivery:
            await self._enqueue_delivery(transaction, recorded.id, application, recorded.tracking_number)

    def _receipt_facts(self, recorded: _Recorded, application: NewApplication) -> dict[str, Any]:
        fee = [application.fee_minor, application.currency]
        return {
            "service": application.service,
            "number": recorded.tracking_number,
            "promised": recorded.promised,
            "date": recorded.recorded_at.astimezone(self._find_zone(application.department)).date(),
            "bring": list(application.documents_to_bring),
            "bring_to": application.office if application.documents_to_bring else "",
            "due": fee if application.to_pay_at else None,
            "to_pay_at": application.to_pay_at,
            "to_pay_here": fee if application.fee_minor and not application.to_pay_at else None,
        }


def _build_audit_entry(recorded: _Recorded, application: NewApplication, idempotency_key: str) -> AuditEntry:
    return AuditEntry(
        actor_kind="citizen",
        actor=str(application.account),
        act="handed_in",
        subject_kind="application",
        subject=recorded.tracking_number,
        channel=application.channel,
        idempotency_key=idempotency_key,
        details={"service": application.service, "for": application.applied_for},
    )


async def _find_earlier_receipt(transaction: Transaction, idempotency_key: str) -> ApplicationReceipt | None:
    columns = (applications.c.tracking_number, applications.c.promised)
    query = select(*columns).where(applications.c.idempotency_key == idempotency_key)
    row = (await transaction.execute(query)).one_or_none()
    return ApplicationReceipt(row.tracking_number, row.promised, is_repeat=True) if row else None
