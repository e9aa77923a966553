"""What a provider posted and nobody could read: acknowledged all the same, and kept for a person to look at."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select

from sealing import SealBroken
from services.given import Clock, Sealing, utc_now
from services.records.database import Records
from services.records.tables import unread_callbacks

MOST: Final = 1000  # the newest are kept: whoever floods a callback floods away what was posted before, and no more
ABOUT: Final = "unread callback"


@dataclass(frozen=True, slots=True)
class Unread:
    """One callback: its route, why it could not be read, and its fields, empty where not even these could be told apart."""

    route: str
    why: str
    fields: Mapping[str, str] = field(repr=False)
    heard: datetime


class UnreadCallbacks:
    """The newest callbacks that could not be read, sealed."""

    def __init__(self, records: Records, seal: Sealing, *, clock: Clock = utc_now) -> None:
        self._records = records
        self._seal = seal
        self._clock = clock

    async def keep(self, route: str, why: str, fields: Mapping[str, str]) -> None:
        """Keep one; `why` is a line of ours that quotes nothing of it."""
        body = self._seal.close(json.dumps(dict(fields), ensure_ascii=False).encode(), ABOUT)
        row = {"route": route, "why": why, "body": body, "heard_at": self._clock()}
        async with self._records.transaction() as transaction:
            kept = await transaction.execute(
                self._records.insert(unread_callbacks).returning(unread_callbacks.c.id), row
            )
            await transaction.execute(delete(unread_callbacks).where(unread_callbacks.c.id <= kept.scalar_one() - MOST))

    async def newest(self, most: int = 100) -> Sequence[Unread]:
        """The newest first."""
        newest = select(unread_callbacks).order_by(unread_callbacks.c.id.desc()).limit(most)
        return [
            Unread(row.route, row.why, self._opened(row.body), row.heard_at) for row in await self._records.read(newest)
        ]

    def _opened(self, body: bytes) -> Mapping[str, str]:
        """Its fields; none where it was sealed with another key."""
        try:
            fields: Mapping[str, str] = json.loads(self._seal.open(body, ABOUT))
        except SealBroken:
            return {}
        return fields
