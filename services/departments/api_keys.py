"""The API keys of departments and networks: shown once, stored as a digest, valid for one of them until revoked or expired.

A key is looked up at each use, by a query that concurrent requests share. A revoked key is rejected from that moment on, by
every process.
"""

import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from hashlib import sha256
from typing import Any, Literal, NamedTuple, TypeAlias

from sqlalchemy import ColumnElement, or_, select, update

from core.types import UtcClock, utc_now
from db.database import Database
from db.tables import api_keys
from services.audit.audit import AuditLog, build_staff_entry
from services.audit.models import AuditEntry
from services.audit.staff_acts import StaffAct

# Eight hexadecimal digits to find a key by, and 43 URL-safe characters that hold 32 random bytes.
KEY_PATTERN = re.compile(r"ek_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")
MAX_LABEL_LENGTH = 64

KeyKind: TypeAlias = Literal["department", "network"]


class ApiKeyHolder(NamedTuple):
    """The department, or the network, that holds a key, and the key's id."""

    department: str
    key_id: str
    kind: KeyKind = "department"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key in a list, without its secret, which only its holder has."""

    id: str
    department: str
    created_at: datetime
    revoked_at: datetime | None
    label: str = ""
    last_used_on: date | None = None
    last_day: date | None = None
    kind: KeyKind = "department"


class _StoredKey(NamedTuple):
    """The stored values that a key is checked against."""

    department: str
    digest: bytes
    last_used_on: date | None
    last_day: date | None
    revoked_at: datetime | None
    kind: KeyKind


_STORED_COLUMNS = tuple(
    api_keys.c[name] for name in ("department", "digest", "used_on", "last_day", "revoked_at", "kind")
)


class KeyRepeatedError(Exception):
    """This act made a key before, and its secret was shown then."""


class ApiKeys:
    """The keys of all departments. `zone` sets where the days of use and expiry begin."""

    def __init__(self, database: Database, *, zone: tzinfo = UTC, clock: UtcClock = utc_now) -> None:
        self._database = database
        self._zone = zone
        self._clock = clock
        self._audit = AuditLog(database, clock=clock)
        self._find_stored = database.fast_lookup(api_keys.c.id, _STORED_COLUMNS, _stored_from_columns)

    async def create(
        self,
        department: str,
        act: StaffAct,
        *,
        label: str = "",
        last_day: date | None = None,
        kind: KeyKind = "department",
    ) -> str:
        """Create a key for a department or a network; only this return value has the secret.

        Raises:
            KeyRepeatedError: this act made a key before.
        """
        key_id, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
        row = {
            "id": key_id,
            "kind": kind,
            "department": department,
            "digest": _digest(secret),
            "label": label,
            "last_day": last_day,
            "created_at": self._clock(),
        }
        async with self._database.transaction() as transaction:
            if await self._audit.is_recorded(transaction, act.idempotency_key, "key_added"):
                raise KeyRepeatedError
            await transaction.execute(self._database.insert(api_keys), row)
            await self._audit.record(transaction, _staff_entry("key_added", key_id, department, act))
        return f"ek_{key_id}_{secret}"

    async def find_holder(self, key: str) -> ApiKeyHolder | None:
        """Return the holder of a key; None for one that is unknown, revoked or expired."""
        parts = KEY_PATTERN.fullmatch(key)
        if parts is None:
            return None
        key_id, secret = parts.groups()
        stored = await self._find_stored(key_id)
        today = self._clock().astimezone(self._zone).date()
        if stored is None or not _is_valid(stored, secret, today):
            return None
        if stored.last_used_on is None or stored.last_used_on < today:
            await self._record_use(key_id, today)
        return ApiKeyHolder(stored.department, key_id, stored.kind)

    async def revoke(self, key_id: str, act: StaffAct) -> bool:
        """Revoke a key; False where there is none with this id, or it is revoked already."""
        valid = (api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        revoking = update(api_keys).where(*valid).values(revoked_at=self._clock()).returning(api_keys.c.department)
        async with self._database.transaction() as transaction:
            department = (await transaction.execute(revoking)).scalar_one_or_none()
            if department is None:
                return False
            await self._audit.record(transaction, _staff_entry("key_revoked", key_id, department, act))
        return True

    async def list_all(self) -> tuple[ApiKey, ...]:
        """Return all keys, oldest first; every time and day in the time zone of the keys."""
        return await self._fetch_keys()

    async def list_by_kind(self, kind: KeyKind, holder: str = "") -> tuple[ApiKey, ...]:
        """Return the keys of a kind, of one holder or of all; as `list_all`."""
        of_holder = [api_keys.c.department == holder] if holder else []
        return await self._fetch_keys(api_keys.c.kind == kind, *of_holder)

    async def find(self, key_id: str) -> ApiKey | None:
        """Return the key with this id, revoked or not."""
        return next(iter(await self._fetch_keys(api_keys.c.id == key_id)), None)

    async def _fetch_keys(self, *conditions: ColumnElement[bool]) -> tuple[ApiKey, ...]:
        query = select(api_keys).where(*conditions).order_by(api_keys.c.created_at, api_keys.c.id)
        rows = await self._database.fetch(query)
        return tuple(
            ApiKey(
                row.id,
                row.department,
                row.created_at.astimezone(self._zone),
                row.revoked_at and row.revoked_at.astimezone(self._zone),
                row.label,
                row.used_on,
                row.last_day,
                row.kind,
            )
            for row in rows
        )

    async def _record_use(self, key_id: str, today: date) -> None:
        """Record the first use of a day; of concurrent uses, one writes."""
        before = or_(api_keys.c.used_on.is_(None), api_keys.c.used_on < today)
        async with self._database.transaction() as transaction:
            await transaction.execute(update(api_keys).where(api_keys.c.id == key_id, before).values(used_on=today))


def _staff_entry(name: str, key_id: str, department: str, act: StaffAct) -> AuditEntry:
    return build_staff_entry(act, name, "key", key_id, department=department)


def _stored_from_columns(columns: Sequence[Any]) -> _StoredKey:
    return _StoredKey(*columns)


def _is_valid(stored: _StoredKey, secret: str, today: date) -> bool:
    """Compare the digest in constant time, whatever else is wrong with the key."""
    same = hmac.compare_digest(stored.digest, _digest(secret))
    return same and stored.revoked_at is None and (stored.last_day is None or today <= stored.last_day)


def _digest(secret: str) -> bytes:
    """Hash without salt or cost, because the secret is random and cannot be guessed."""
    return sha256(secret.encode()).digest()
