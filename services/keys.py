"""Departments' API keys: shown once, kept as a digest, good for one department until they are revoked or run out.

A key is looked up each time it is used, by a query that many share: one that is revoked is refused from that moment on,
by every process.
"""

import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from hashlib import sha256
from typing import Any, Literal, NamedTuple

from sqlalchemy import or_, select, update

from services.audit import Audit, Who, act_of
from services.given import Clock, utc_now
from services.records.database import Records, Transaction
from services.records.tables import api_keys

# Eight hexadecimal digits to find it by, and 43 URL-safe characters that hold 32 octets of chance.
FORM = re.compile(r"ek_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")
LONGEST_LABEL = 64
AT_THE_TERMINAL = Who("staff", "server.py", "terminal")


class Holder(NamedTuple):
    """Whose key it is, and the id by which it is known."""

    department: str
    key: str


@dataclass(frozen=True, slots=True)
class Issued:
    """A key as it is listed: everything but the secret, which nobody has but its holder."""

    id: str
    department: str
    created: datetime
    revoked: datetime | None
    label: str = ""
    used: date | None = None
    last_day: date | None = None


class _Kept(NamedTuple):
    """What a key is measured against."""

    department: str
    digest: bytes
    used: date | None
    last_day: date | None
    revoked: datetime | None


_KEPT = tuple(api_keys.c[name] for name in ("department", "digest", "used_on", "last_day", "revoked_at"))


class Keys:
    """The keys of all departments. `zone` is where the days begin on which they were used and are good."""

    def __init__(self, records: Records, *, zone: tzinfo = UTC, clock: Clock = utc_now) -> None:
        self._records = records
        self._zone = zone
        self._clock = clock
        self._audit = Audit(records, clock=clock)
        self._kept = records.lookup(api_keys.c.id, _KEPT, _kept)

    async def add(self, department: str, *, label: str = "", last_day: date | None = None) -> str:
        """A new key for a department, in the only moment in which it can be read."""
        key_id, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
        row = {
            "id": key_id,
            "department": department,
            "digest": _digest(secret),
            "label": label,
            "last_day": last_day,
            "created_at": self._clock(),
        }
        async with self._records.transaction() as transaction:
            await transaction.execute(self._records.insert(api_keys), row)
            await self._note(transaction, "key_added", key_id, department)
        return f"ek_{key_id}_{secret}"

    async def holder(self, key: str) -> Holder | None:
        """Whose key this is; None for one that was never given, is revoked or has run out."""
        parts = FORM.fullmatch(key)
        if parts is None:
            return None
        key_id, secret = parts.groups()
        kept = await self._kept(key_id)
        today = self._clock().astimezone(self._zone).date()
        if kept is None or not _good(kept, secret, today):
            return None
        if kept.used is None or kept.used < today:
            await self._note_use(key_id, today)
        return Holder(kept.department, key_id)

    async def revoke(self, key_id: str) -> bool:
        """Refuse the key from now on; False when there is none with this id, or it is revoked already."""
        valid = (api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        revoking = update(api_keys).where(*valid).values(revoked_at=self._clock()).returning(api_keys.c.department)
        async with self._records.transaction() as transaction:
            department = (await transaction.execute(revoking)).scalar_one_or_none()
            if department is None:
                return False
            await self._note(transaction, "key_revoked", key_id, department)
        return True

    async def listed(self) -> tuple[Issued, ...]:
        """Every key that was ever given, oldest first."""
        rows = await self._records.read(select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id))
        return tuple(
            Issued(row.id, row.department, row.created_at, row.revoked_at, row.label, row.used_on, row.last_day)
            for row in rows
        )

    async def _note_use(self, key_id: str, today: date) -> None:
        """Once a day: of many who use it first, one writes."""
        before = or_(api_keys.c.used_on.is_(None), api_keys.c.used_on < today)
        async with self._records.transaction() as transaction:
            await transaction.execute(update(api_keys).where(api_keys.c.id == key_id, before).values(used_on=today))

    async def _note(
        self, transaction: Transaction, act: Literal["key_added", "key_revoked"], key_id: str, department: str
    ) -> None:
        noted = act_of(AT_THE_TERMINAL, act, "key", key_id, f"key:{key_id}", department=department)
        await self._audit.note(transaction, noted)


def _kept(columns: Sequence[Any]) -> _Kept:
    return _Kept(*columns)


def _good(kept: _Kept, secret: str, today: date) -> bool:
    """The digest is compared whatever else speaks against the key, in a time that tells nothing of it."""
    same = hmac.compare_digest(kept.digest, _digest(secret))
    return same and kept.revoked is None and (kept.last_day is None or today <= kept.last_day)


def _digest(secret: str) -> bytes:
    """Without salt or work: what is hashed is chance already, and cannot be guessed."""
    return sha256(secret.encode()).digest()
