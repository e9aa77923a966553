"""Sign in to the console: login and password, then the code of an authenticator app.

Whoever has no account learns nothing of who has one: the answer and the work are the same for a wrong password, for a login
that nobody has, for one that is disabled and for one that is locked.
"""

import hmac
import secrets
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal, TypeAlias, get_args

from sqlalchemy import ColumnElement, Row, select, update

from core.crypto import Cipher
from core.types import UtcClock, utc_now
from db.database import Database
from db.tables import staff
from services.audit.audit import AuditLog, build_audit_entry
from services.audit.models import Actor
from services.citizens.pins import SecretHasher
from services.citizens.secret_renewal import renew_hashes
from services.staff.address_limit import AddressLimit
from services.staff.attempts import AttemptState, StaffAttempts, write_nothing
from services.staff.models import is_login
from services.staff.second_step import CodeKind, SecondStep
from services.staff.sessions import StaffSessions

SignInOutcome: TypeAlias = Literal["signed_in", "code_needed", "wrong", "wrong_code", "expired", "limited"]
AttemptKind: TypeAlias = Literal["password", "code", "proof"]
ProofOutcome: TypeAlias = Literal["right", "wrong", "locked"]

TICKET_LIFETIME: Final = timedelta(minutes=5)
"""How long the password counts on the page that asks for the code."""
CHANNEL: Final = "console"
_HOUR: Final = 3600
_MAX_DIGITS: Final = 18
"""Of a number in a ticket."""


@dataclass(frozen=True, slots=True)
class SignInResult:
    """The outcome; the token of a sign-in that began, or the ticket with which the code is sent."""

    outcome: SignInOutcome
    token: str = ""
    ticket: str = ""


class StaffSignIn:
    """Checks passwords and codes.

    `outcomes` counts what became of each attempt since the process began, `lockouts` the members who were locked, by what was
    wrong.
    """

    def __init__(
        self,
        database: Database,
        hasher: SecretHasher,
        cipher: Cipher,
        sessions: StaffSessions,
        limit: AddressLimit,
        *,
        clock: UtcClock = utc_now,
    ) -> None:
        """`hasher` normalizes by `normalize_password`."""
        self._database = database
        self._hasher = hasher
        self._keyed_hash = cipher.keyed_hash
        self._sessions = sessions
        self._limit = limit
        self._clock = clock
        self._attempts = StaffAttempts(database, clock=clock)
        self._second_step = SecondStep(database, cipher, clock=clock)
        self._audit = AuditLog(database, clock=clock)
        self.outcomes: Counter[str] = Counter(dict.fromkeys(get_args(SignInOutcome), 0))
        self.lockouts: Counter[str] = Counter(dict.fromkeys(get_args(AttemptKind), 0))

    async def sign_in(self, login: str, password: str, address: str) -> SignInResult:
        """Sign in with a login and its password; a member with an app gets a ticket, and no sign-in yet."""
        return self._count(await self._sign_in(login, password, address))

    async def sign_in_with_code(self, ticket: str, code: str, address: str) -> SignInResult:
        """Finish a sign-in with a code of the app, or a recovery code, and the ticket of the password."""
        return self._count(await self._sign_in_with_code(ticket, code, address))

    async def check_proof(self, member: int, proof: str) -> ProofOutcome:
        """Whether the member is at the keyboard: a code of the app or a recovery code, or the password where there is no app."""
        row = await self._find(staff.c.id == member)
        if row is None or (attempt := await self._attempts.begin(member)) == "refused":
            return "locked"
        is_right = await (self._is_code(row, proof) if row.code_secret else self._is_password(row, proof))
        if not is_right:
            await self._record_failure(row, "proof", attempt)
            return "locked" if attempt == "last" else "wrong"
        async with self._database.transaction() as transaction:
            await self._attempts.forgive(transaction, member)
        return "right"

    async def is_password(self, member: int, password: str) -> bool:
        """Whether the member has this password. It is not counted: nobody but the gateway itself may ask."""
        row = await self._find(staff.c.id == member)
        return row is not None and await self._is_password(row, password)

    async def _sign_in(self, login: str, password: str, address: str) -> SignInResult:
        if await self._limit.is_reached(address):
            return SignInResult("limited")
        row = await self._find(staff.c.login == login) if is_login(login) else None
        attempt = await self._attempts.begin(row.id if row else None)
        if not await self._is_password(row, password) or row is None or attempt == "refused":
            await self._record_failure(row, "password", attempt, address)
            return SignInResult("wrong")
        await renew_hashes(
            self._database,
            self._hasher,
            staff.c.password_hash,
            staff.c.id == row.id,
            [(password, row.password_hash)],
        )
        if row.code_secret is None:
            return await self._begin_session(row, "password")
        await self._attempts.take_back(row.id)
        return SignInResult("code_needed", ticket=await self._build_ticket(row.id))

    async def _sign_in_with_code(self, ticket: str, code: str, address: str) -> SignInResult:
        if await self._limit.is_reached(address):
            return SignInResult("limited")
        row = await self._find_ticket_holder(ticket)
        if row is None:
            return SignInResult("expired")
        attempt = await self._attempts.begin(row.id)
        kind = None if attempt == "refused" else await self._second_step.use(row.id, code)
        if kind is None:
            await self._record_failure(row, "code", attempt, address)
            return SignInResult("wrong_code")
        return await self._begin_session(row, kind)

    async def _begin_session(self, row: Row[Any], proof: CodeKind | Literal["password"]) -> SignInResult:
        async with self._database.transaction() as transaction:
            await self._attempts.forgive(transaction, row.id)
            await transaction.execute(update(staff).where(staff.c.id == row.id).values(signed_in_at=self._clock()))
            token = await self._sessions.begin(transaction, row.id)
            actor = Actor("staff", row.login, CHANNEL)
            entry = build_audit_entry(actor, "staff_signed_in", "staff", str(row.id), _new_key(), proof=proof)
            await self._audit.record(transaction, entry)
        return SignInResult("signed_in", token)

    async def _record_failure(
        self, row: Row[Any] | None, kind: AttemptKind, attempt: AttemptState, address: str = ""
    ) -> None:
        """Record a failure of a member; one that was refused, or of nobody, once an hour for each address."""
        if address:
            await self._limit.add_failure(address)
        is_refused = row is None or attempt == "refused"
        login, subject = ("unknown", "unknown") if row is None or is_refused else (row.login, str(row.id))
        act = "staff_locked" if attempt == "last" else "staff_sign_in_failed"
        key = self._build_hourly_key(address) if is_refused else _new_key()
        async with self._database.transaction() as transaction:
            if row is not None and attempt == "last":
                await self._attempts.count_lockout(transaction, row.id)
            entry = build_audit_entry(Actor("staff", login, CHANNEL), act, "staff", subject, key, proof=kind)
            await self._audit.record(transaction, entry)
            await write_nothing(transaction)
        self.lockouts[kind] += attempt == "last"

    def _build_hourly_key(self, address: str) -> str:
        """An idempotency key that is the same for one address within an hour, so that strangers cannot fill the audit log."""
        hour = int(self._clock().timestamp()) // _HOUR
        return f"console:{hour}:{self._keyed_hash('console-address', address)}"

    async def _find(self, condition: ColumnElement[bool]) -> Row[Any] | None:
        columns = (staff.c.id, staff.c.login, staff.c.password_hash, staff.c.code_secret)
        query = select(*columns).where(condition, staff.c.disabled_at.is_(None))
        return (await self._database.fetch(query)).one_or_none()

    async def _is_password(self, row: Row[Any] | None, password: str) -> bool:
        return await self._hasher.verify(password, row.password_hash if row else "")

    async def _is_code(self, row: Row[Any], code: str) -> bool:
        return await self._second_step.use(row.id, code) is not None

    async def _build_ticket(self, member: int) -> str:
        """The id of the member, when the ticket ends, and a keyed hash of both and of the password's hash."""
        row = await self._find(staff.c.id == member)
        ends_at = int((self._clock() + TICKET_LIFETIME).timestamp())
        return f"{member}.{ends_at}.{self._sign_ticket(member, ends_at, row.password_hash)}" if row else ""

    async def _find_ticket_holder(self, ticket: str) -> Row[Any] | None:
        """The member with the ticket; None where it ended, was not made here, or is for a password that was changed since."""
        member, _, rest = ticket.partition(".")
        ends_at, _, signature = rest.partition(".")
        if not all(text.isascii() and text.isdigit() and len(text) < _MAX_DIGITS for text in (member, ends_at)):
            return None
        row = await self._find(staff.c.id == int(member))
        if row is None or row.code_secret is None or int(ends_at) <= self._clock().timestamp():
            return None
        expected = self._sign_ticket(row.id, int(ends_at), row.password_hash)
        return row if hmac.compare_digest(signature.encode(), expected.encode()) else None

    def _sign_ticket(self, member: int, ends_at: int, password_hash: str) -> str:
        return self._keyed_hash("console-ticket", f"{member}.{ends_at}.{password_hash}")

    def _count(self, result: SignInResult) -> SignInResult:
        self.outcomes[result.outcome] += 1
        return result


def _new_key() -> str:
    return f"console:{secrets.token_hex(8)}"
