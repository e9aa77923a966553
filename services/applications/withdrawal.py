"""Withdrawal of an application, by the applicant, or by the beneficiary who refuses it.

It needs the tracking number together with the right account or MSISDN; for anyone else there is no such application.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, select, update

from core.types import TextRenderer, UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import accounts, application_events, applications
from services.applications.models import (
    FINAL_STATUSES,
    WithdrawalResult,
    status_facts,
)
from services.audit.audit import AuditLog, build_audit_entry
from services.audit.models import Actor
from services.cases.models import change_digest
from services.citizens.closed_accounts import ensure_account_open
from services.messaging.messages import Messages
from services.messaging.models import Message

WITHDRAWN: Final = "withdrawn"
BENEFICIARY_ACTOR: Final = "beneficiary"
"""The actor in the audit log for a beneficiary without an account."""


class Withdrawals:
    """Withdraws applications and notifies the other party. `find_language` gives the language of an MSISDN."""

    def __init__(
        self,
        database: Database,
        messages: Messages,
        render_text: TextRenderer,
        find_language: Callable[[str], Awaitable[str]],
        *,
        clock: UtcClock = utc_now,
    ) -> None:
        self._database = database
        self._messages = messages
        self._render_text = render_text
        self._find_language = find_language
        self._clock = clock
        self._audit = AuditLog(database, clock=clock)

    async def withdraw(
        self, account: int, tracking_number: str, channel: str, idempotency_key: str
    ) -> WithdrawalResult:
        """Withdraw an application of this account, and notify the applicant and the beneficiary.

        Raises:
            AccountClosedError: the account was deleted in another session.
        """
        async with self._database.transaction() as transaction:
            row = await _lock_application(transaction, tracking_number, applications.c.account == account)
            result = await self._withdraw_row(transaction, row, idempotency_key)
            if row is not None and result.outcome == WITHDRAWN:
                if row.status != WITHDRAWN:
                    await ensure_account_open(transaction, account, idempotency_key)
                actor = Actor("citizen", str(account), channel)
                await self._record_audit(transaction, row, actor, WITHDRAWN, idempotency_key)
                await self._messages.enqueue(
                    transaction, _status_message(row.msisdn, self._render_change(row, row.language), idempotency_key)
                )
                if row.beneficiary:
                    text = self._render_change(row, await self._find_language(row.beneficiary))
                    await self._messages.enqueue(
                        transaction, _status_message(row.beneficiary, text, f"{idempotency_key}/other")
                    )
        return result

    async def refuse(self, msisdn: str, tracking_number: str, channel: str, idempotency_key: str) -> WithdrawalResult:
        """Withdraw an application whose beneficiary has this MSISDN, and notify the applicant."""
        async with self._database.transaction() as transaction:
            row = await _lock_application(transaction, tracking_number, applications.c.beneficiary == msisdn)
            result = await self._withdraw_row(transaction, row, idempotency_key)
            if row is not None and result.outcome == WITHDRAWN:
                query = select(accounts.c.id).where(accounts.c.msisdn == msisdn)
                account = (await transaction.execute(query)).scalar_one_or_none()
                actor = Actor("citizen", str(account) if account else BENEFICIARY_ACTOR, channel)
                await self._record_audit(transaction, row, actor, "refused", idempotency_key)
                text = self._render_text(row.language, "refused_for", _withdrawal_facts(row))
                await self._messages.enqueue(transaction, _status_message(row.msisdn, text, idempotency_key))
        return result

    async def _withdraw_row(
        self, transaction: Transaction, row: Row[Any] | None, idempotency_key: str
    ) -> WithdrawalResult:
        if row is None:
            return WithdrawalResult("unknown")
        event = {
            "application": row.id,
            "status": WITHDRAWN,
            "note": {},
            "idempotency_key": f"{idempotency_key}/{WITHDRAWN}",
        }
        if await _is_repeated(transaction, row.id, event["idempotency_key"]):
            return WithdrawalResult("withdrawn", row.service, WITHDRAWN)
        if row.status in FINAL_STATUSES:
            return WithdrawalResult("final", row.service, row.status)
        now = self._clock()
        event |= {"digest": change_digest(row.tracking_number, WITHDRAWN, {}), "created_at": now}
        await transaction.execute(self._database.insert(application_events), event)
        values: dict[str, Any] = {"status": WITHDRAWN, "note": {}, "answered_at": None, "changed_at": now}
        await transaction.execute(update(applications).where(applications.c.id == row.id).values(values))
        return WithdrawalResult("withdrawn", row.service, WITHDRAWN)

    def _render_change(self, row: Row[Any], language: str) -> str:
        return self._render_text(language, "moved", _withdrawal_facts(row))

    async def _record_audit(
        self, transaction: Transaction, row: Row[Any], actor: Actor, act: str, idempotency_key: str
    ) -> None:
        entry = build_audit_entry(actor, act, "application", row.tracking_number, idempotency_key)
        await self._audit.record(transaction, entry)


def _withdrawal_facts(row: Row[Any]) -> Mapping[str, object]:
    return status_facts(row.tracking_number, row.service, WITHDRAWN, {})


def _status_message(recipient: str, text: str, idempotency_key: str) -> Message:
    return Message(recipient, text, "status", f"{idempotency_key}/{WITHDRAWN}")


async def _lock_application(
    transaction: Transaction, tracking_number: str, condition: ColumnElement[bool]
) -> Row[Any] | None:
    """The application, locked; None where there is none that meets the condition."""
    query = select(applications).where(applications.c.tracking_number == tracking_number, condition)
    return (await transaction.execute(query.with_for_update())).one_or_none()


async def _is_repeated(transaction: Transaction, application: int, idempotency_key: str) -> bool:
    """Whether the same key withdrew this application before."""
    query = select(application_events.c.id).where(application_events.c.idempotency_key == idempotency_key)
    result = await transaction.execute(query.where(application_events.c.application == application))
    return result.scalar_one_or_none() is not None
