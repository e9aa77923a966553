"""Webhooks that could not be parsed: acknowledged, and stored for a person to look at."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import Delete, delete, select

from core.crypto import Cipher, DecryptionError
from core.types import UtcClock, utc_now
from db.database import Database
from db.tables import unparsed_webhooks

MAX_PER_ROUTE: Final = 1000  # the newest are kept: a flood replaces older ones of its own route
ASSOCIATED_DATA: Final = "unread callback"


@dataclass(frozen=True, slots=True)
class UnparsedWebhook:
    """One webhook: its route, why it could not be parsed, and its fields, if those could be read."""

    route: str
    reason: str
    fields: Mapping[str, str] = field(repr=False)
    received_at: datetime


class UnparsedWebhooks:
    """The newest unparsed webhooks of each route, encrypted."""

    def __init__(self, database: Database, cipher: Cipher, *, clock: UtcClock = utc_now) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock

    async def record(self, route: str, reason: str, fields: Mapping[str, str]) -> None:
        """Store a webhook; the reason quotes nothing of it."""
        body = self._cipher.encrypt(json.dumps(dict(fields), ensure_ascii=False).encode(), ASSOCIATED_DATA)
        row = {"route": route, "reason": reason, "body": body, "received_at": self._clock()}
        async with self._database.transaction() as transaction:
            await transaction.execute(self._database.insert(unparsed_webhooks), row)
            await transaction.execute(_delete_older(route))

    async def list_newest(self, limit: int = 100) -> Sequence[UnparsedWebhook]:
        """Return the stored webhooks, newest first."""
        newest = select(unparsed_webhooks).order_by(unparsed_webhooks.c.id.desc()).limit(limit)
        return [
            UnparsedWebhook(row.route, row.reason, self._decrypt(row.body), row.received_at)
            for row in await self._database.fetch(newest)
        ]

    def _decrypt(self, body: bytes) -> Mapping[str, str]:
        """Return the fields; empty where another key encrypted them."""
        try:
            fields: Mapping[str, str] = json.loads(self._cipher.decrypt(body, ASSOCIATED_DATA))
        except DecryptionError:
            return {}
        return fields


def _delete_older(route: str) -> Delete:
    """Delete what is older than the newest of the route."""
    of_route = unparsed_webhooks.c.route == route
    newest = select(unparsed_webhooks.c.id).where(of_route).order_by(unparsed_webhooks.c.id.desc())
    oldest_kept = newest.offset(MAX_PER_ROUTE - 1).limit(1).scalar_subquery()
    return delete(unparsed_webhooks).where(of_route, unparsed_webhooks.c.id < oldest_kept)
