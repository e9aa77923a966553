"""A biller asked over HTTP, in the small JSON shape that docs/payments.md has for whoever builds the other side.

`POST /bills` `{"consumer"}` tells what is owed; `POST /payments` notes that it was paid, once for each `Idempotency-Key`.
Numbers of consumers are in bodies alone: addresses are written down in logs.
"""

import asyncio
from collections.abc import Mapping
from datetime import date
from http import HTTPStatus
from typing import Any, Final

import structlog

from services.client import Answered, Client, Unanswered, posted
from services.payments.billing import (
    Bill,
    BillerDown,
    Looked,
    NoSuchConsumer,
    NothingDue,
    NotPosted,
    Payment,
    Posted,
)

LONGEST: Final = 64  # characters of a reference or a receipt
LONGEST_NAME: Final = 30
REFUSALS: Final = frozenset({HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.GONE})

log = structlog.get_logger()


class HttpBiller:
    """One biller at one address."""

    def __init__(self, client: Client, url: str, key: str, *, deadline: float = 3.0) -> None:
        self._client = client
        self._url = url.rstrip("/")
        self._key = key
        self._deadline = deadline

    async def look(self, consumer: str) -> Looked:
        """200 with a bill, whose amount is 0 where nothing is owed; 404 for a number they do not know."""
        answered = await self._asked("bills", {"consumer": consumer}, {})
        if answered.status == HTTPStatus.NOT_FOUND:
            return NoSuchConsumer()
        said = _usable(answered)
        amount = said.get("amount_minor")
        if not isinstance(amount, int) or isinstance(amount, bool) or amount < 0:
            raise BillerDown
        if not amount:
            return NothingDue()
        reference, currency = _word(said, "reference"), _word(said, "currency")
        return Bill(reference, amount, currency, _day(said.get("due")), str(said.get("name") or "")[:LONGEST_NAME])

    async def post(self, payment: Payment) -> Posted | NotPosted:
        """200 or 201 with their receipt; 409, 410 or 422 where they do not take it."""
        said = {
            "payment": payment.key,
            "consumer": payment.consumer,
            "reference": payment.reference,
            "amount_minor": payment.amount_minor,
            "currency": payment.currency,
            "wallet_receipt": payment.receipt,
        }
        answered = await self._asked("payments", said, {"Idempotency-Key": payment.key})
        if answered.status in REFUSALS:
            return NotPosted(str((answered.said() or {}).get("reason") or f"HTTP{answered.status}")[:40])
        return Posted(_word(_usable(answered), "receipt"))

    async def _asked(self, path: str, said: Mapping[str, Any], headers: Mapping[str, str]) -> Answered:
        bearer = {"Authorization": f"Bearer {self._key}"}
        try:
            async with asyncio.timeout(self._deadline):
                return await self._client(posted(f"{self._url}/{path}", said, {**bearer, **headers}))
        except (Unanswered, TimeoutError):
            raise BillerDown from None


def _usable(answered: Answered) -> Mapping[str, Any]:
    said = answered.said()
    if answered.status not in {HTTPStatus.OK, HTTPStatus.CREATED} or said is None:
        log.warning("a biller answers what cannot be used", status=answered.status, media=answered.media)
        raise BillerDown
    return said


def _word(said: Mapping[str, Any], key: str) -> str:
    value = said.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST:
        log.warning("a biller leaves something out", key=key)
        raise BillerDown
    return value


def _day(written: Any) -> date | None:
    try:
        return date.fromisoformat(written)
    except (TypeError, ValueError):
        return None
