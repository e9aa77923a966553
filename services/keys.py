"""Departments' API keys: shown once, kept as a digest, good for one department until they are revoked."""

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import select, update

from services.given import Clock, utc_now
from services.records.database import Records
from services.records.tables import api_keys

# Eight hexadecimal digits to find it by, and 43 URL-safe characters that hold 32 octets of chance.
FORM = re.compile(r"ek_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class Issued:
    """A key as it is listed: everything but the secret, which nobody has but its holder."""

    id: str
    department: str
    created: datetime
    revoked: datetime | None


class Keys:
    """The keys of all departments."""

    def __init__(self, records: Records, *, clock: Clock = utc_now) -> None:
        self._records = records
        self._clock = clock

    async def add(self, department: str) -> str:
        """A new key for a department, in the only moment in which it can be read."""
        key_id, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
        row = {"id": key_id, "department": department, "digest": _digest(secret), "created_at": self._clock()}
        async with self._records.transaction() as transaction:
            await transaction.execute(self._records.insert(api_keys), row)
        return f"ek_{key_id}_{secret}"

    async def department_of(self, key: str) -> str | None:
        """Whose key this is; None for one that was never given or is revoked."""
        parts = FORM.fullmatch(key)
        if parts is None:
            return None
        key_id, secret = parts.groups()
        row = (await self._records.read(select(api_keys).where(api_keys.c.id == key_id))).one_or_none()
        if row is None or row.revoked_at is not None or not hmac.compare_digest(row.digest, _digest(secret)):
            return None
        return str(row.department)

    async def revoke(self, key_id: str) -> bool:
        """Refuse the key from now on; False when there is none with this id, or it is revoked already."""
        valid = (api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        async with self._records.transaction() as transaction:
            revoked = await transaction.execute(update(api_keys).where(*valid).values(revoked_at=self._clock()))
            return revoked.rowcount == 1

    async def listed(self) -> tuple[Issued, ...]:
        """Every key that was ever given, oldest first."""
        rows = await self._records.read(select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id))
        return tuple(Issued(row.id, row.department, row.created_at, row.revoked_at) for row in rows)


def _digest(secret: str) -> bytes:
    """Without salt or work: what is hashed is chance already, and cannot be guessed."""
    return sha256(secret.encode()).digest()
