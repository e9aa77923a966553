"""Changes of members by an administrator: role, access, password, app, sign-ins. Each ends the sign-ins of the member.

There is always somebody who can undo a change: nobody disables or demotes the last administrator, or themselves.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Row, and_, or_, select, update

from core.crypto import Cipher
from core.types import UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import staff
from services.audit.audit import AuditLog, build_staff_entry
from services.audit.staff_acts import StaffAct
from services.citizens.pins import SecretHasher
from services.staff.attempts import UNLOCKED
from services.staff.models import ChangeOutcome, Role
from services.staff.passwords import generate_password
from services.staff.second_step import SecondStep
from services.staff.sessions import StaffSessions

CONSOLE: Final = "console"
_is_active_admin = and_(staff.c.role == "admin", staff.c.disabled_at.is_(None))


class StaffChanges:
    """Changes members of staff."""

    def __init__(
        self,
        database: Database,
        hasher: SecretHasher,
        cipher: Cipher,
        sessions: StaffSessions,
        *,
        clock: UtcClock = utc_now,
    ) -> None:
        """`hasher` normalizes by `normalize_password`."""
        self._database = database
        self._hasher = hasher
        self._sessions = sessions
        self._clock = clock
        self._second_step = SecondStep(database, cipher, clock=clock)
        self._audit = AuditLog(database, clock=clock)

    async def set_role(self, member: int, role: Role, department: str, act: StaffAct) -> ChangeOutcome:
        """Give a member another role; `department` is that of an officer, and empty for every other role."""
        values = {"role": role, "department": department}
        async with self._database.transaction() as transaction:
            row, outcome = await self._check(transaction, member, act, removes_admin=role != "admin")
            if row is None or outcome != "done":
                return outcome
            if (row.role, row.department) == (role, department):
                return "unchanged"
            facts = {"former": row.role, "role": role, "department": department}
            await self._apply(transaction, member, "staff_role_changed", act, values, **facts)
        return "done"

    async def disable(self, member: int, act: StaffAct) -> ChangeOutcome:
        """Keep a member from signing in."""
        async with self._database.transaction() as transaction:
            row, outcome = await self._check(transaction, member, act, removes_admin=True)
            if row is None or outcome != "done":
                return outcome
            if row.disabled_at:
                return "unchanged"
            await self._apply(transaction, member, "staff_disabled", act, {"disabled_at": self._clock()})
        return "done"

    async def enable(self, member: int, act: StaffAct) -> ChangeOutcome:
        """Let a member sign in again who is disabled, or locked after too many failures."""
        async with self._database.transaction() as transaction:
            row, outcome = await self._check(transaction, member, act)
            if row is None or outcome != "done":
                return outcome
            if not row.disabled_at and not row.failures:
                return "unchanged"
            await self._apply(transaction, member, "staff_enabled", act, {"disabled_at": None, **UNLOCKED})
        return "done"

    async def reset_password(self, member: int, act: StaffAct) -> tuple[ChangeOutcome, str]:
        """Give a member a new password, which the member replaces at the next sign-in; the password, to be shown once."""
        password = generate_password()
        values = dict(UNLOCKED, password_hash=await self._hasher.hash(password), password_chosen=False)
        async with self._database.transaction() as transaction:
            row, outcome = await self._check(transaction, member, act)
            if row is None or outcome != "done":
                return outcome, ""
            await self._apply(transaction, member, "staff_password_reset", act, values)
        return "done", password

    async def reset_code(self, member: int, act: StaffAct) -> ChangeOutcome:
        """Remove the authenticator app and the recovery codes of a member who has lost them."""
        async with self._database.transaction() as transaction:
            row, outcome = await self._check(transaction, member, act)
            if row is None or outcome != "done":
                return outcome
            if row.code_secret is None:
                return "unchanged"
            await self._second_step.remove(transaction, member)
            await self._apply(transaction, member, "staff_code_reset", act, UNLOCKED)
        return "done"

    async def sign_out(self, member: int, act: StaffAct) -> ChangeOutcome:
        """End every sign-in of a member."""
        async with self._database.transaction() as transaction:
            row, outcome = await self._check(transaction, member, act)
            if row is not None and outcome == "done":
                await self._apply(transaction, member, "staff_signed_out", act, {})
        return outcome

    async def _check(
        self, transaction: Transaction, member: int, act: StaffAct, *, removes_admin: bool = False
    ) -> tuple[Row[Any] | None, ChangeOutcome]:
        """The row of the member, and `done` where the act may change it. The rows stay locked until the end."""
        concerned = or_(staff.c.id == member, _is_active_admin) if removes_admin else staff.c.id == member
        rows = (await transaction.execute(select(staff).where(concerned).order_by(staff.c.id).with_for_update())).all()
        row = next((one for one in rows if one.id == member), None)
        if row is None:
            return None, "unknown"
        if act.actor.channel == CONSOLE and act.actor.id == row.login:
            return row, "yourself"
        is_last = row.role == "admin" and row.disabled_at is None and len(rows) == 1
        return row, "last_admin" if removes_admin and is_last else "done"

    async def _apply(
        self,
        transaction: Transaction,
        member: int,
        name: str,
        act: StaffAct,
        values: Mapping[str, Any],
        **facts: str,
    ) -> None:
        if values:
            await transaction.execute(update(staff).where(staff.c.id == member).values(values))
        await self._sessions.end_all(transaction, member)
        await self._audit.record(transaction, build_staff_entry(act, name, "staff", str(member), **facts))
