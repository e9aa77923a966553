"""New PINs: changed by who is signed in, recovered by the one-time code and the security answers, or reset by the helpdesk.

Where the account was not used for long, somebody else may have the number by now: a recovered PIN works after a notice. Until
then the citizen keeps the PIN by replying STOP, or by signing in with it over a channel that vouches for the number.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import Row, select, update

from core.idempotency import session_of_key
from core.types import UtcClock
from db.database import Database, Transaction
from db.tables import account_events, accounts
from services.audit.audit import AuditLog, build_audit_entry, citizen_actor
from services.audit.staff_acts import StaffAct
from services.citizens.account_notices import AccountNotices
from services.citizens.closed_accounts import ensure_account_open
from services.citizens.models import RecoveryResult
from services.citizens.pending_pin import NO_PENDING_PIN, RecoveryPolicy
from services.citizens.session_epoch import SessionEpoch, raised_epoch_columns
from services.citizens.sign_in import unlocked_columns


class PinChanges:
    """Replaces PINs. Each change ends every other sign-in, and is told by SMS."""

    def __init__(
        self, database: Database, audit: AuditLog, notices: AccountNotices, policy: RecoveryPolicy, *, clock: UtcClock
    ) -> None:
        self._database = database
        self._audit = audit
        self._notices = notices
        self._policy = policy
        self._clock = clock

    async def change(self, account: int, pin_hash: str, idempotency_key: str, *, vouched: bool) -> int:
        """Replace the PIN now; see `Accounts.change_pin`."""
        async with self._database.transaction() as transaction:
            if (earlier := await self._find_earlier(transaction, account, idempotency_key)) is not None:
                return earlier.epoch
            if not await ensure_account_open(transaction, account, idempotency_key):
                return 0
            return await self._change(transaction, account, pin_hash, idempotency_key, vouched=vouched)

    async def recover(
        self, account: int, pin_hash: str, idempotency_key: str, *, vouched: bool, pin: str = ""
    ) -> RecoveryResult:
        """Replace a forgotten PIN; see `Accounts.recover_pin`. `pin` is sent to the citizen; empty: they chose it."""
        async with self._database.transaction() as transaction:
            row = await _lock_account(transaction, account)
            if (earlier := await self._find_earlier(transaction, account, idempotency_key)) is not None:
                return earlier
            if not await ensure_account_open(transaction, account, idempotency_key):
                return RecoveryResult("changed")
            if row.frozen_at:
                return RecoveryResult("frozen")
            if pin:
                await self._notices.send_pin(transaction, account, pin, idempotency_key)
            if self._is_in_use(row):
                epoch = await self._change(transaction, account, pin_hash, idempotency_key, vouched=vouched)
                return RecoveryResult("changed", epoch)
            await self._postpone(transaction, account, pin_hash, idempotency_key)
            await self._record_audit(transaction, "pin_pending", account, idempotency_key)
            return self._pending_result()

    async def reset(self, account: int, pin_hash: str, pin: str, act: StaffAct) -> RecoveryResult | None:
        """Replace the PIN for a citizen whom the helpdesk has identified, and end every sign-in.

        `pin` is sent to the number of the account. None where the account is closed, or its number was released. As with
        `recover`, the PIN of an account that was not used for long works after a notice.
        """
        key = act.idempotency_key
        async with self._database.transaction() as transaction:
            if (earlier := await self._find_earlier(transaction, account, key)) is not None:
                return earlier
            row = await _lock_account(transaction, account)
            if row.closed_at or row.released_at:
                return None
            if row.frozen_at:
                return RecoveryResult("frozen")
            await self._notices.send_pin(transaction, account, pin, key, text="support_pin")
            entry = build_audit_entry(act.actor, "pin_reset", "account", str(account), key, reason=act.reason)
            await self._audit.record(transaction, entry)
            if self._is_in_use(row):
                await self._replace(transaction, account, pin_hash, session="")
                await self._insert_event(transaction, "pin_changed", account, key)
                return RecoveryResult("changed")
            await self._postpone(transaction, account, pin_hash, key)
            return self._pending_result()

    async def cancel_pending(self, msisdn: str, idempotency_key: str) -> bool:
        """Drop the recovered PIN of this number that does not work yet; True as well for a repeated key."""
        async with self._database.transaction() as transaction:
            query = select(accounts).where(accounts.c.msisdn == msisdn).with_for_update()
            row = (await transaction.execute(query)).one_or_none()
            if row is None:
                return False
            if row.pending_pin_at is None or row.pending_pin_at <= self._clock():
                return await self._has_event(transaction, "pin_kept", row.id, idempotency_key)
            await transaction.execute(update(accounts).where(accounts.c.id == row.id).values(NO_PENDING_PIN))
            await self._insert_event(transaction, "pin_kept", row.id, idempotency_key)
            await self._record_audit(transaction, "pin_kept", row.id, idempotency_key)
            return True

    def _is_in_use(self, row: Row[Any]) -> bool:
        """Whether the account was used lately, so that a new PIN works at once."""
        return bool((row.last_used_at or row.created_at) > self._clock() - self._policy.notice_after)

    async def _change(
        self, transaction: Transaction, account: int, pin_hash: str, idempotency_key: str, *, vouched: bool
    ) -> int:
        """Replace the PIN for the citizen, whose session goes on."""
        session = session_of_key(idempotency_key)
        row = await self._replace(transaction, account, pin_hash, session=session)
        epoch = SessionEpoch(row.epoch, row.lockouts if vouched else row.unvouched_lockouts).pack()
        await self._insert_event(transaction, "pin_changed", account, idempotency_key, epoch=epoch)
        await self._record_audit(transaction, "pin_changed", account, idempotency_key)
        await self._notices.queue(transaction, account, "pin_changed", idempotency_key)
        return epoch

    async def _replace(self, transaction: Transaction, account: int, pin_hash: str, *, session: str) -> Row[Any]:
        """Replace the PIN, unlock the account and end the sign-ins of every session but `session`; the account after it."""
        raised = raised_epoch_columns(accounts, session)
        values = {"pin_hash": pin_hash, **unlocked_columns(), **NO_PENDING_PIN, **raised}
        change = update(accounts).where(accounts.c.id == account).values(values).returning(accounts)
        return (await transaction.execute(change)).one()

    async def _postpone(self, transaction: Transaction, account: int, pin_hash: str, idempotency_key: str) -> None:
        values = {"pending_pin_hash": pin_hash, "pending_pin_at": self._clock() + self._policy.notice}
        await transaction.execute(update(accounts).where(accounts.c.id == account).values(values))
        await self._insert_event(transaction, "pin_pending", account, idempotency_key)
        facts = {"hours": self._pending_result().hours}
        await self._notices.queue(transaction, account, "pin_pending", idempotency_key, facts)

    def _pending_result(self) -> RecoveryResult:
        return RecoveryResult("pending", hours=round(self._policy.notice / timedelta(hours=1)))

    async def _insert_event(
        self, transaction: Transaction, kind: str, account: int, idempotency_key: str, *, epoch: int = 0
    ) -> None:
        row = {"kind": kind, "account": account, "outcome": "done", "epoch": epoch, "created_at": self._clock()}
        insert = self._database.insert_or_ignore(account_events)
        await transaction.execute(insert, {**row, "idempotency_key": idempotency_key})

    async def _record_audit(self, transaction: Transaction, act: str, account: int, idempotency_key: str) -> None:
        actor = citizen_actor(account, idempotency_key)
        await self._audit.record(transaction, build_audit_entry(actor, act, "account", str(account), idempotency_key))

    async def _find_earlier(
        self, transaction: Transaction, account: int, idempotency_key: str
    ) -> RecoveryResult | None:
        """The recorded result of this key; it locks the account."""
        await _lock_account(transaction, account)
        kinds = ("pin_changed", "pin_pending")
        by_key = (account_events.c.idempotency_key == idempotency_key, account_events.c.account == account)
        query = select(account_events).where(*by_key, account_events.c.kind.in_(kinds))
        row = (await transaction.execute(query)).one_or_none()
        if row is None:
            return None
        return RecoveryResult("changed", row.epoch or 0) if row.kind == "pin_changed" else self._pending_result()

    async def _has_event(self, transaction: Transaction, kind: str, account: int, idempotency_key: str) -> bool:
        by_key = (account_events.c.idempotency_key == idempotency_key, account_events.c.kind == kind)
        query = select(account_events.c.id).where(*by_key, account_events.c.account == account)
        return (await transaction.execute(query)).first() is not None


async def _lock_account(transaction: Transaction, account: int) -> Row[Any]:
    return (await transaction.execute(select(accounts).where(accounts.c.id == account).with_for_update())).one()
