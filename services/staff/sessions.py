"""Sign-ins of staff: each is a random token in a cookie. The database has the digest of the token, so nobody can read it there."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Row, Select, delete, insert, select, update

from core.crypto import Cipher
from core.types import UtcClock, utc_now
from db.database import Database, Transaction
from db.tables import staff, staff_sessions
from services.staff.members import MEMBER_COLUMNS, member_from_row
from services.staff.models import OwnSignIn, StaffSession

TOKEN_BYTES: Final = 32
SEEN_INTERVAL: Final = timedelta(minutes=1)
"""How often the time of the last request is written."""
MAX_LISTED: Final = 50
"""Sign-ins of one member that are listed."""


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """A sign-in ends `idle` after its last request, and `longest` after it began."""

    idle: timedelta = timedelta(minutes=30)
    longest: timedelta = timedelta(hours=12)


class StaffSessions:
    """Begins, finds and ends sign-ins."""

    def __init__(
        self, database: Database, cipher: Cipher, limits: SessionLimits | None = None, *, clock: UtcClock = utc_now
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._limits = limits or SessionLimits()
        self._clock = clock

    async def begin(self, transaction: Transaction, member: int) -> str:
        """Begin a sign-in of a member who has just proved to be that member; the token for the cookie."""
        token, now = secrets.token_urlsafe(TOKEN_BYTES), self._clock()
        times = dict.fromkeys(("created_at", "seen_at", "proved_at"), now)
        row = {"digest": _digest(token), "staff": member, "expires_at": now + self._limits.longest, **times}
        await transaction.execute(insert(staff_sessions), row)
        return token

    async def find(self, token: str) -> StaffSession | None:
        """The sign-in of a token; None for one that has ended, and for a member who was disabled."""
        now = self._clock()
        query = select(staff_sessions.c.seen_at, staff_sessions.c.proved_at, staff_sessions.c.id, *MEMBER_COLUMNS)
        query = self._where_open(query, now).where(staff_sessions.c.digest == _digest(token))
        row = (await self._database.fetch(query)).one_or_none()
        if row is None:
            return None
        if row.seen_at < now - SEEN_INTERVAL:
            await self._update(row.id, {"seen_at": now})
        return self._session_from_row(row)

    async def is_open(self, session: int) -> bool:
        """Whether the sign-in with this id goes on. Asking is no request of its holder: it delays no end."""
        query = self._where_open(select(staff_sessions.c.id), self._clock()).where(staff_sessions.c.id == session)
        return (await self._database.fetch(query)).one_or_none() is not None

    async def mark_proved(self, session: int) -> None:
        """Note that the holder has given a code or the password again."""
        await self._update(session, {"proved_at": self._clock()})

    async def list_own(self, member: int) -> Sequence[OwnSignIn]:
        """The sign-ins of a member that have not ended, the one seen last first."""
        columns = staff_sessions.c
        query = select(columns.id, columns.created_at, columns.seen_at).where(columns.staff == member)
        query = self._where_open(query, self._clock())
        rows = await self._database.fetch(query.order_by(columns.seen_at.desc(), columns.id.desc()).limit(MAX_LISTED))
        return [OwnSignIn(row.id, row.created_at, row.seen_at) for row in rows]

    async def end_own(self, transaction: Transaction, member: int, session: int) -> bool:
        """End a sign-in of this member; False where it is another's, or ended already."""
        own = delete(staff_sessions).where(staff_sessions.c.staff == member, staff_sessions.c.id == session)
        return bool((await transaction.execute(own)).rowcount)

    async def end(self, session: int) -> None:
        """End one sign-in."""
        async with self._database.transaction() as transaction:
            await transaction.execute(delete(staff_sessions).where(staff_sessions.c.id == session))

    async def end_all(self, transaction: Transaction, member: int, *, but: int = 0) -> None:
        """End every sign-in of a member, except that with the id `but`."""
        await transaction.execute(
            delete(staff_sessions).where(staff_sessions.c.staff == member, staff_sessions.c.id != but)
        )

    def _where_open(self, query: Select[Any], now: datetime) -> Select[Any]:
        """The rows of `query` that are of sign-ins which go on."""
        return query.join(staff, staff.c.id == staff_sessions.c.staff).where(
            staff_sessions.c.expires_at > now,
            staff_sessions.c.seen_at > now - self._limits.idle,
            staff.c.disabled_at.is_(None),
        )

    async def _update(self, session: int, values: Mapping[str, Any]) -> None:
        async with self._database.transaction() as transaction:
            await transaction.execute(update(staff_sessions).where(staff_sessions.c.id == session).values(values))

    def _session_from_row(self, row: Row[Any]) -> StaffSession:
        return StaffSession(row.id, member_from_row(row, self._cipher), row.proved_at)


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
