"""M-Pesa by Safaricom's Daraja API: M-Pesa Express, which pushes a request to the payer's phone (STK push).

Public sources, read in 2026. Requests, callback and checks: "M-Pesa Express (STK Push) API Guide",
https://dev.to/msnmongare/m-pesa-express-stk-push-api-guide-40a2. Lengths of AccountReference (12) and TransactionDesc (13):
https://pub.dev/documentation/dart_mpesa/latest/dart_mpesa/Mpesa/lipanaMpesaOnline.html. Query (StkPushQueryRequest,
StkPushQueryResponse): https://jeffnyauke.github.io/mpesa-sdk-kotlin/. Result codes (only 0 is paid):
https://raw.githubusercontent.com/api-evangelist/mpesa/main/errors/mpesa-result-codes.yml and https://paylod.dev/docs/errors.
A query answers HTTP 500 with 500.001.1001 while a payment is being processed:
https://github.com/safaricom/LNMOnlineAndroidSample/issues/13. Callbacks are sometimes lost:
https://github.com/safaricom/mpesa-php-sdk/issues/51. The sources differ in the codes, so an unknown code counts only where
it is final: in a callback.

A person makes refunds in the portal, because Daraja reverses payments only for an initiator with a certificate.
"""

import asyncio
import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import structlog

from core.http.client import HttpClient, HttpRequest, HttpResponse, NoResponseError, build_json_post
from core.json_text import parse_json_object
from core.timeouts import Timeout
from core.timestamps import parse_lifetime
from core.types import UtcClock, utc_now
from services.payments.wallets.base import (
    Declined,
    ManualRefund,
    PaymentOutcome,
    PaymentReport,
    PushAccepted,
    PushQuery,
    PushRequest,
    PushResult,
    RefundRequest,
    ResultUnknown,
    WalletWebhook,
)

REGISTER_PATH: Final = "mpesa/c2b/v2/registerurl"
PUSH_PATH, QUERY_PATH = "mpesa/stkpush/v1/processrequest", "mpesa/stkpushquery/v1/query"
TOKEN_PATH: Final = "oauth/v1/generate?grant_type=client_credentials"  # noqa: S105 - a path
NAIROBI: Final = ZoneInfo("Africa/Nairobi")
KENYA_PREFIX: Final = "+254"
CENTS_PER_SHILLING: Final = 100
CURRENCIES: Final[Mapping[str, int]] = {"KES": CENTS_PER_SHILLING}
MAX_REFERENCE_LENGTH, MAX_DESCRIPTION_LENGTH = 12, 13
DESCRIPTION: Final = "Ekdial"
TOKEN_RENEWAL_MARGIN: Final = timedelta(seconds=60)  # before a token expires, so that it does not expire on the way
RETRY_WAITS: Final = (0.5, 1.5)  # seconds before a request that certainly was not accepted is sent again

OUTCOMES_BY_CODE: Final[Mapping[str, PaymentOutcome]] = {
    "0": "paid",
    "1": "no_money",
    "17": "failed",
    "26": "failed",
    "1001": "failed",  # the payer's phone is in another session
    "1019": "expired",
    "1025": "failed",
    "1032": "cancelled",
    "1037": "unreachable",  # no answer from the phone or the payer
    "2001": "wrong_pin",
    "4999": "pending",
    "9999": "failed",
}
# The code of a query for a payment in progress; of a push: the payer is in another one, or our credentials are wrong
PROCESSING_CODE: Final = "500.001.1001"
THROTTLED_CODES: Final = frozenset({"500.003.02", "500.003.03"})  # spike arrest, quota
INVALID_TOKEN_CODES: Final = frozenset({"404.001.03", "401.002.01"})
MAX_AMOUNT_MINOR: Final = 10**15  # more than any wallet holds, and less than any column takes
_is_code = re.compile(r"[0-9A-Za-z._-]{1,24}").fullmatch
_is_name = re.compile(r"[0-9A-Za-z._-]{1,64}").fullmatch

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Merchant:
    """Our account at Safaricom. `party` receives the money: the pay bill number itself, or a till."""

    base_url: str
    consumer_key: str = field(repr=False)
    consumer_secret: str = field(repr=False)
    short_code: str
    passkey: str = field(repr=False)
    party: str
    transaction_type: str
    callback_url: str = field(repr=False)
    """The address of callbacks, with {key} in place of a payment's key."""


class _RetryableError(Exception):
    """The request certainly was not accepted, and may be a moment later."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Daraja:
    """The M-Pesa wallet; every call takes at most `deadline` seconds with all its retries."""

    name = "daraja"

    def __init__(
        self,
        client: HttpClient,
        merchant: Merchant,
        *,
        deadline: float = 20.0,
        retry_waits: tuple[float, ...] = RETRY_WAITS,
        clock: UtcClock = utc_now,
    ) -> None:
        self._client = client
        self._merchant = merchant
        self._deadline = deadline
        self._retry_waits = retry_waits
        self._clock = clock
        self._token = ("", clock())
        self._token_lock = asyncio.Lock()
        self.currencies = CURRENCIES

    def can_pay(self, msisdn: str, currency: str) -> bool:
        """Return whether this is a Kenyan number and a Kenyan currency."""
        return msisdn.startswith(KENYA_PREFIX) and currency in self.currencies

    async def push(self, request: PushRequest) -> PushResult:
        """Push a payment request; only a push that certainly was not accepted is retried."""
        try:
            async with Timeout(self._deadline):
                return await self._push_with_retries(request)
        except TimeoutError:
            return ResultUnknown("Timeout")

    async def query_status(self, query: PushQuery) -> PaymentReport:
        """Return the outcome of a push. If the answer to the push was lost, there is no id to query by, and a callback must come."""
        if not query.request_id:
            return PaymentReport("unknown", "NoRequest")
        try:
            async with Timeout(self._deadline):
                response = await self._post_authorized(
                    QUERY_PATH, self._with_password({"CheckoutRequestID": query.request_id})
                )
        except (TimeoutError, NoResponseError, _RetryableError):
            return PaymentReport("unknown", "NoAnswer")
        return _parse_query_response(response, query.request_id)

    async def register_urls(self, validation: str, confirmation: str, if_unreachable: str) -> str:
        """Register the addresses of payments by reference; return the code of the error, empty where it is done."""
        payload = {
            "ShortCode": self._merchant.short_code,
            "ResponseType": if_unreachable,
            "ConfirmationURL": confirmation,
            "ValidationURL": validation,
        }
        try:
            async with Timeout(self._deadline):
                response = await self._post_authorized(REGISTER_PATH, payload)
        except (TimeoutError, NoResponseError, _RetryableError):
            return "NoAnswer"
        code = _error_code(response.json_object() or {})
        return "" if response.status == HTTPStatus.OK and code == "0" else code or f"HTTP{response.status}"

    async def refund(self, request: RefundRequest) -> ManualRefund:  # noqa: ARG002 - see above
        """Return that a person refunds in the organisation's portal."""
        return ManualRefund()

    async def _push_with_retries(self, request: PushRequest) -> PushResult:
        for wait in (*self._retry_waits, None):
            try:
                return _parse_push_response(await self._post_authorized(PUSH_PATH, self._build_push(request)))
            except _RetryableError as again:
                if wait is None:
                    return Declined(again.reason)
                await asyncio.sleep(wait)
            except NoResponseError:
                return ResultUnknown("NoAnswer")
        raise AssertionError("the last try returns")

    def _build_push(self, request: PushRequest) -> Mapping[str, Any]:
        merchant, msisdn = self._merchant, request.payer.removeprefix("+")
        return self._with_password(
            {
                "TransactionType": merchant.transaction_type,
                "Amount": request.amount_minor // CENTS_PER_SHILLING,
                "PartyA": msisdn,
                "PartyB": merchant.party,
                "PhoneNumber": msisdn,
                "CallBackURL": merchant.callback_url.replace("{key}", request.key),
                "AccountReference": request.description[:MAX_REFERENCE_LENGTH],
                "TransactionDesc": DESCRIPTION[:MAX_DESCRIPTION_LENGTH],
            }
        )

    def _with_password(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the payload with our password, which is valid for this second in Nairobi's time."""
        merchant, stamp = self._merchant, f"{self._clock().astimezone(NAIROBI):%Y%m%d%H%M%S}"
        password = base64.b64encode(f"{merchant.short_code}{merchant.passkey}{stamp}".encode()).decode()
        return {"BusinessShortCode": merchant.short_code, "Password": password, "Timestamp": stamp, **payload}

    async def _post_authorized(self, path: str, payload: Mapping[str, Any]) -> HttpResponse:
        """Return the response; a token that was rejected is renewed once, because the request was not processed."""
        token = await self._access_token()
        response = await self._send(build_json_post(self._url(path), payload, _bearer_header(token)))
        if _is_token_rejected(response):
            token = await self._access_token(rejected=token)
            response = await self._send(build_json_post(self._url(path), payload, _bearer_header(token)))
        return response

    async def _access_token(self, rejected: str = "") -> str:
        """Return a valid access token other than the rejected one."""
        async with self._token_lock:
            token, ends = self._token
            if not token or token == rejected or ends - TOKEN_RENEWAL_MARGIN <= self._clock():
                self._token = token, _ = await self._fetch_token()
        return token

    async def _fetch_token(self) -> tuple[str, datetime]:
        merchant = self._merchant
        credentials = base64.b64encode(f"{merchant.consumer_key}:{merchant.consumer_secret}".encode()).decode()
        try:
            response = await self._client(
                HttpRequest("GET", self._url(TOKEN_PATH), {"Authorization": f"Basic {credentials}"})
            )
        except NoResponseError:  # in any case nobody was asked for money
            raise _RetryableError("NoToken") from None
        payload = response.json_object() or {}
        token = payload.get("access_token")
        if response.status != HTTPStatus.OK or not isinstance(token, str) or not token:
            log.error("wallet_token_missing", status=response.status, code=_error_code(payload))
            raise _RetryableError("NoToken")
        return token, self._clock() + parse_lifetime(payload.get("expires_in"))

    async def _send(self, request: HttpRequest) -> HttpResponse:
        try:
            return await self._client(request)
        except NoResponseError as failed:
            if failed.never_arrived:
                raise _RetryableError("Unreachable") from None
            raise

    def _url(self, path: str) -> str:
        return f"{self._merchant.base_url.rstrip('/')}/{path}"


def build_callback_url(url: str, token: str) -> str:
    """Return the address of callbacks, with {key} in it."""
    guard = f"?{urlencode({'token': token})}" if token else ""
    return f"{url}/payments/daraja/{{key}}{guard}"


def parse_callback(body: bytes) -> PaymentReport | None:
    """Return the report in a callback; None for a body that has none."""
    try:
        payload = (parse_json_object(body) or {})["Body"]["stkCallback"]
        code, request = str(payload["ResultCode"]), payload["CheckoutRequestID"]
    except (ValueError, TypeError, KeyError):
        return None
    if not isinstance(request, str) or not _is_name(request) or not _is_code(code):
        return None
    if code != "0":
        outcome = OUTCOMES_BY_CODE.get(code, "failed")
        return PaymentReport(outcome if outcome != "pending" else "unknown", code, request)
    items = _callback_metadata(payload)
    amount, receipt = parse_minor_units(items.get("Amount")), items.get("MpesaReceiptNumber")
    if amount is None or not isinstance(receipt, str) or not _is_name(receipt):
        return None
    return PaymentReport("paid", code, request, receipt, amount)


def _parse_push_response(response: HttpResponse) -> PushResult:
    """Return the result of a push from its response: accepted, certainly declined, or unknown.

    Raises:
        _RetryableError: the push certainly was not accepted, and may be a moment later.
    """
    payload = response.json_object() or {}
    request, code = payload.get("CheckoutRequestID"), _error_code(payload)
    if response.status == HTTPStatus.OK and str(payload.get("ResponseCode")) == "0" and isinstance(request, str):
        return PushAccepted(request)
    if response.status == HTTPStatus.TOO_MANY_REQUESTS or code in THROTTLED_CODES:
        raise _RetryableError(code or "TooFast")
    certain = response.status < HTTPStatus.INTERNAL_SERVER_ERROR or code == PROCESSING_CODE
    if certain and (code or response.status != HTTPStatus.OK):
        log.warning("wallet_declined", status=response.status, code=code)
        return Declined(code or f"HTTP{response.status}")
    return ResultUnknown(code or f"HTTP{response.status}")


def _parse_query_response(response: HttpResponse, request_id: str) -> PaymentReport:
    payload = response.json_object() or {}
    if _error_code(payload) == PROCESSING_CODE:
        return PaymentReport("pending", request_id=request_id)
    code = str(payload.get("ResultCode", ""))
    if (
        response.status != HTTPStatus.OK
        or not _is_code(code)
        or payload.get("CheckoutRequestID", request_id) != request_id
    ):
        return PaymentReport("unknown", _error_code(payload) or f"HTTP{response.status}")
    return PaymentReport(OUTCOMES_BY_CODE.get(code, "unknown"), code, request_id)


def _error_code(payload: Mapping[str, Any]) -> str:
    """Return the code of an error or a response; empty where it has none."""
    code = str(payload.get("errorCode") or payload.get("ResponseCode") or "")
    return code if _is_code(code) else ""


def _is_token_rejected(response: HttpResponse) -> bool:
    return (
        response.status == HTTPStatus.UNAUTHORIZED or _error_code(response.json_object() or {}) in INVALID_TOKEN_CODES
    )


def _callback_metadata(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the metadata of a callback by name; some items have no value."""
    try:
        return {item["Name"]: item.get("Value") for item in payload["CallbackMetadata"]["Item"]}
    except (TypeError, KeyError, AttributeError):
        return {}


def parse_minor_units(amount: Any) -> int | None:
    """Return an amount in cents: `1.0` and `1` are 100. None for no amount, a fraction of a cent, or too much."""
    if isinstance(amount, bool) or not isinstance(amount, int | float | str):
        return None
    try:
        minor = Decimal(str(amount)) * CENTS_PER_SHILLING
        return int(minor) if abs(minor) <= MAX_AMOUNT_MINOR and minor == minor.to_integral_value() else None
    except (InvalidOperation, ValueError, OverflowError):
        return None


def _bearer_header(token: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token}"}


WEBHOOK: Final = WalletWebhook(
    wallet="daraja",
    parse=parse_callback,
    expected="A callback has a Body with a stkCallback in it.",
    response={"ResultCode": 0, "ResultDesc": "Accepted"},
)
