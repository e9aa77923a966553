"""Sign in to the console: login and password, then the code of an authenticator app."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from sqlalchemy import select, update

from core.types import UtcClock, utc_now
from db.database import Database
from db.tables import staff
from services.citizens.pins import SecretHasher
from services.staff.sessions import StaffSessions

SignInOutcome: TypeAlias = Literal["signed_in", "wrong"]


@dataclass(frozen=True, slots=True)
class SignInResult:
    """The outcome, and the token of a sign-in that began."""

    outcome: SignInOutcome
    token: str = ""


class StaffSignIn:
    """Checks passwords and codes."""

    def __init__(
        self, database: Database, hasher: SecretHasher, sessions: StaffSessions, *, clock: UtcClock = utc_now
    ) -> None:
        """`hasher` normalizes by `normalize_password`."""
        self._database = database
        self._hasher = hasher
        self._sessions = sessions
        self._clock = clock

    async def sign_in(self, login: str, password: str) -> SignInResult:
        """Begin a sign-in with a login and its password. An unknown login takes the same time as a wrong password."""
        query = select(staff.c.id, staff.c.password_hash).where(staff.c.login == login, staff.c.disabled_at.is_(None))
        row = (await self._database.fetch(query)).one_or_none()
        if not await self._hasher.verify(password, row.password_hash if row else "") or row is None:
            return SignInResult("wrong")
        async with self._database.transaction() as transaction:
            await transaction.execute(
                update(staff).where(staff.c.id == row.id).values(failures=0, signed_in_at=self._clock())
            )
            return SignInResult("signed_in", await self._sessions.begin(transaction, row.id))

    async def check_proof(self, member: int, proof: str) -> bool:
        """Whether this is the member's password, for an act that asks who is at the keyboard now."""
        query = select(staff.c.password_hash).where(staff.c.id == member)
        row = (await self._database.fetch(query)).one_or_none()
        return await self._hasher.verify(proof, row.password_hash if row else "") and row is not None
