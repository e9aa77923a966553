"""Access to an account: whether a sign-in is still valid, and the acts that end sign-ins or bar the account.

Staff freeze an account whose phone is lost or used by another person: nobody signs in or recovers it until it is unfrozen.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, update

from core.types import UtcClock
from db.database import Database, Transaction
from db.tables import accounts, security_answers
from services.audit.audit import AuditLog, build_audit_entry
from services.audit.staff_acts import StaffAct
from services.citizens.account_notices import AccountNotices
from services.citizens.models import SessionEnd
from services.citizens.pending_pin import NO_PENDING_PIN, is_pin_due
from services.citizens.session_epoch import find_epoch_end, raised_epoch_columns


class AccountAccess:
    """Ends sign-ins, freezes and unfreezes accounts."""

    def __init__(self, database: Database, audit: AuditLog, notices: AccountNotices, *, clock: UtcClock) -> None:
        self._database = database
        self._audit = audit
        self._notices = notices
        self._clock = clock
        self._find_row = database.fast_lookup(accounts.c.id, _SESSION_COLUMNS, lambda row: row)

    async def find_session_end(self, account: int, epoch: int, session: str, *, vouched: bool) -> SessionEnd:
        """Why a sign-in is over, on a channel that vouches for the number or not; "" while it is valid.

        The session that closed the account goes on: its path is replayed and writes nothing.

        Raises:
            ReadError: the database did not answer; nobody knows whether the sign-in is valid.
        """
        row = await self._find_row(account)
        if row is None:
            return "closed"
        if row.closed_at:
            return "" if session and row.epoch_session == session else "closed"
        if row.frozen_at:
            return "frozen"
        if is_pin_due(row.pending_pin_at, self._clock()):  # the recovered PIN works; whoever had the other one is out
            return "changed"
        return find_epoch_end(row, epoch, session, row.lockouts if vouched else row.unvouched_lockouts)

    async def freeze(self, account: int, act: StaffAct) -> bool:
        """Freeze the account, end its sign-ins and tell the citizen; False where it is frozen or closed already, or unknown."""
        values = {"frozen_at": self._clock(), **NO_PENDING_PIN, **raised_epoch_columns(accounts, "")}
        is_not_frozen = accounts.c.frozen_at.is_(None)
        async with self._database.transaction() as transaction:
            if not await self._apply(transaction, account, "account_frozen", act, values, is_not_frozen):
                return False
            await self._notices.queue(transaction, account, "account_frozen", act.idempotency_key)
        return True

    async def unfreeze(self, account: int, act: StaffAct) -> bool:
        """Let the holder of a frozen account sign in again; False where it is not frozen."""
        return await self._change(
            account, "account_unfrozen", act, {"frozen_at": None}, accounts.c.frozen_at.is_not(None)
        )

    async def sign_out_everywhere(self, account: int, act: StaffAct) -> bool:
        """End every sign-in to the account; False where it is closed or unknown."""
        return await self._change(account, "signed_out", act, raised_epoch_columns(accounts, ""))

    async def reset_questions(self, account: int, act: StaffAct) -> bool:
        """Delete the security answers and end every sign-in; the next sign-in asks for new ones. False: closed or unknown."""
        async with self._database.transaction() as transaction:
            values = raised_epoch_columns(accounts, "")
            if not await self._apply(transaction, account, "questions_reset", act, values):
                return False
            await transaction.execute(delete(security_answers).where(security_answers.c.account == account))
        return True

    async def _change(
        self, account: int, name: str, act: StaffAct, values: Mapping[str, Any], *conditions: ColumnElement[bool]
    ) -> bool:
        async with self._database.transaction() as transaction:
            return await self._apply(transaction, account, name, act, values, *conditions)

    async def _apply(
        self,
        transaction: Transaction,
        account: int,
        name: str,
        act: StaffAct,
        values: Mapping[str, Any],
        *conditions: ColumnElement[bool],
    ) -> bool:
        """Update an open account that meets the conditions, and record the act; False where there is none."""
        change = update(accounts).where(accounts.c.id == account, accounts.c.closed_at.is_(None), *conditions)
        if not (await transaction.execute(change.values(values))).rowcount:
            return False
        entry = build_audit_entry(act.actor, name, "account", str(account), act.idempotency_key, reason=act.reason)
        await self._audit.record(transaction, entry)
        return True


_SESSION_COLUMNS: Final[Sequence[ColumnElement[Any]]] = tuple(
    accounts.c[name]
    for name in (
        *("epoch", "epoch_session", "epoch_session_from", "lockouts", "unvouched_lockouts"),
        *("frozen_at", "closed_at", "pending_pin_at"),
    )
)
