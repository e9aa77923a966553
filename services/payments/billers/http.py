"""A biller over HTTP, in the JSON that docs/payments.md defines.

`POST /bills` `{"consumer"}` returns the bill; `POST /payments` records a payment, once for each `Idempotency-Key`. Consumer
numbers are only in bodies, because addresses are written to access logs.
"""

from collections.abc import Mapping
from datetime import date
from http import HTTPStatus
from typing import Any, Final

import structlog

from core.http.client import HttpClient, HttpResponse, NoResponseError, build_json_post
from core.timeouts import Timeout
from services.payments.billers.base import (
    Bill,
    BillerUnavailableError,
    BillLookup,
    BillPayment,
    NoSuchConsumer,
    NothingDue,
    PaymentPosted,
    PostRejected,
)

MAX_FIELD_LENGTH: Final = 64  # characters of a reference or a receipt
MAX_NAME_LENGTH: Final = 30
REJECTION_STATUSES: Final = frozenset({HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.GONE})

log = structlog.get_logger()


class HttpBiller:
    """One biller at one address."""

    def __init__(self, client: HttpClient, url: str, api_key: str, *, deadline: float = 3.0) -> None:
        self._client = client
        self._url = url.rstrip("/")
        self._api_key = api_key
        self._deadline = deadline

    async def fetch_bill(self, consumer: str) -> BillLookup:
        """Return the bill from a 200, whose amount is 0 where nothing is due; 404 means an unknown consumer number.

        Raises:
            BillerUnavailableError: the biller gave no usable answer.
        """
        response = await self._post("bills", {"consumer": consumer}, {})
        if response.status == HTTPStatus.NOT_FOUND:
            return NoSuchConsumer()
        payload = _require_object(response)
        amount = payload.get("amount_minor")
        if not isinstance(amount, int) or isinstance(amount, bool) or amount < 0:
            raise BillerUnavailableError
        if not amount:
            return NothingDue()
        reference, currency = _require_text(payload, "reference"), _require_text(payload, "currency")
        return Bill(
            reference,
            amount,
            currency,
            _parse_day(payload.get("due")),
            str(payload.get("name") or "")[:MAX_NAME_LENGTH],
        )

    async def post_payment(self, payment: BillPayment) -> PaymentPosted | PostRejected:
        """Return the receipt from a 200 or 201; 409, 410 and 422 mean that the biller rejects the payment.

        Raises:
            BillerUnavailableError: the biller gave no usable answer.
        """
        payload = {
            "payment": payment.key,
            "consumer": payment.consumer,
            "reference": payment.reference,
            "amount_minor": payment.amount_minor,
            "currency": payment.currency,
            "wallet_receipt": payment.receipt,
        }
        response = await self._post("payments", payload, {"Idempotency-Key": payment.key})
        if response.status in REJECTION_STATUSES:
            return PostRejected(str((response.json_object() or {}).get("reason") or f"HTTP{response.status}")[:40])
        return PaymentPosted(_require_text(_require_object(response), "receipt"))

    async def _post(self, path: str, payload: Mapping[str, Any], headers: Mapping[str, str]) -> HttpResponse:
        bearer = {"Authorization": f"Bearer {self._api_key}"}
        try:
            async with Timeout(self._deadline):
                return await self._client(build_json_post(f"{self._url}/{path}", payload, {**bearer, **headers}))
        except (NoResponseError, TimeoutError):
            raise BillerUnavailableError from None


def _require_object(response: HttpResponse) -> Mapping[str, Any]:
    payload = response.json_object()
    if response.status not in {HTTPStatus.OK, HTTPStatus.CREATED} or payload is None:
        log.warning("biller_response_unusable", status=response.status, media=response.content_type)
        raise BillerUnavailableError
    return payload


def _require_text(payload: Mapping[str, Any], key: str) -> str:
    value = payload.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_FIELD_LENGTH:
        log.warning("biller_field_missing", key=key)
        raise BillerUnavailableError
    return value


def _parse_day(text: Any) -> date | None:
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError):
        return None
