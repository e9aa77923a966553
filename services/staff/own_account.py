"""What members of staff change of their own account: password, authenticator app, recovery codes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, update

from core.crypto import Cipher
from core.types import UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import staff
from services.audit.audit import AuditLog, build_staff_entry
from services.audit.staff_acts import StaffAct
from services.citizens.pins import SecretHasher
from services.staff.attempts import StaffAttempts
from services.staff.codes import find_code_step
from services.staff.models import Member, PasswordOutcome
from services.staff.passwords import find_password_problem
from services.staff.second_step import SecondStep
from services.staff.sessions import StaffSessions

_NEVER_USED: Final = 0


@dataclass(frozen=True, slots=True)
class PasswordChange:
    """What became of the change, and the token of the sign-in that goes on."""

    outcome: PasswordOutcome
    token: str = ""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The token of the sign-in that goes on, and the recovery codes, to be shown once."""

    token: str
    recovery_codes: Sequence[str]


class OwnAccount:
    """Changes of one's own account. A change of what one signs in by ends every sign-in, and begins a new one."""

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
        self._attempts = StaffAttempts(database, clock=clock)
        self._second_step = SecondStep(database, cipher, clock=clock)
        self._audit = AuditLog(database, clock=clock)

    async def change_password(self, member: Member, old: str, new: str, act: StaffAct) -> PasswordChange:
        """Replace the password. A wrong old one counts as a failed attempt to sign in."""
        if problem := find_password_problem(new, member.login):
            return PasswordChange(problem)
        if (attempt := await self._attempts.begin(member.id)) == "refused":
            return PasswordChange("locked")
        query = select(staff.c.password_hash).where(staff.c.id == member.id)
        former: str = (await self._database.fetch(query)).scalar_one()
        if not await self._hasher.verify(old, former):
            await self._record_failure(member, act, is_locked=attempt == "last")
            return PasswordChange("locked" if attempt == "last" else "wrong")
        if await self._hasher.verify(new, former):
            await self._attempts.take_back(member.id)
            return PasswordChange("same")
        new_hash = await self._hasher.hash(new)
        async with self._database.transaction() as transaction:
            await self._attempts.forgive(transaction, member.id)
            change = update(staff).where(staff.c.id == member.id)
            await transaction.execute(change.values(password_hash=new_hash, password_chosen=True))
            token = await self._begin_anew(transaction, member, "staff_password_changed", act)
        return PasswordChange("changed", token)

    async def enrol_app(self, member: Member, secret: str, code: str, act: StaffAct) -> Enrolment | None:
        """Enrol the app that has this secret, once it shows the right code; None for a wrong code."""
        step = find_code_step(secret, code, self._clock(), _NEVER_USED)
        if not step:
            return None
        async with self._database.transaction() as transaction:
            await self._second_step.store_secret(transaction, member.id, member.login, secret, step)
            codes = await self._second_step.replace_recovery_codes(transaction, member.id)
            token = await self._begin_anew(transaction, member, "staff_code_enrolled", act)
        return Enrolment(token, codes)

    async def renew_recovery_codes(self, member: Member, act: StaffAct) -> Sequence[str]:
        """Ten new recovery codes, to be shown once; the former ones end."""
        async with self._database.transaction() as transaction:
            codes = await self._second_step.replace_recovery_codes(transaction, member.id)
            await self._record(transaction, member, "staff_recovery_codes_renewed", act)
        return codes

    async def count_recovery_codes(self, member: Member) -> int:
        """How many recovery codes are left."""
        return await self._second_step.count_recovery_codes(member.id)

    async def end_sign_in(self, member: Member, session: int, act: StaffAct) -> bool:
        """End one sign-in; False where it is another member's, or ended already."""
        async with self._database.transaction() as transaction:
            is_ended = await self._sessions.end_own(transaction, member.id, session)
            if is_ended:
                await self._record(transaction, member, "staff_signed_out", act)
        return is_ended

    async def end_other_sign_ins(self, member: Member, session: int, act: StaffAct) -> None:
        """End every sign-in but this one."""
        async with self._database.transaction() as transaction:
            await self._sessions.end_all(transaction, member.id, but=session)
            await self._record(transaction, member, "staff_others_signed_out", act)

    async def _begin_anew(self, transaction: Transaction, member: Member, name: str, act: StaffAct) -> str:
        await self._sessions.end_all(transaction, member.id)
        await self._record(transaction, member, name, act)
        return await self._sessions.begin(transaction, member.id)

    async def _record_failure(self, member: Member, act: StaffAct, *, is_locked: bool) -> None:
        async with self._database.transaction() as transaction:
            if is_locked:
                await self._attempts.count_lockout(transaction, member.id)
            await self._record(transaction, member, "staff_locked" if is_locked else "staff_proof_failed", act)

    async def _record(self, transaction: Transaction, member: Member, name: str, act: StaffAct) -> None:
        await self._audit.record(transaction, build_staff_entry(act, name, "staff", str(member.id)))
