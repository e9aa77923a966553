"""M-Pesa by Safaricom's Daraja API: M-Pesa Express, which puts a request before the payer by STK push.

As public sources have it (read in 2026): the requests, the callback and who checks what, "M-Pesa Express (STK Push) API
Guide", https://dev.to/msnmongare/m-pesa-express-stk-push-api-guide-40a2, with the lengths of AccountReference (12) and
TransactionDesc (13) as in https://pub.dev/documentation/dart_mpesa/latest/dart_mpesa/Mpesa/lipanaMpesaOnline.html; the query,
https://jeffnyauke.github.io/mpesa-sdk-kotlin/ (StkPushQueryRequest, StkPushQueryResponse); the result codes,
https://raw.githubusercontent.com/api-evangelist/mpesa/main/errors/mpesa-result-codes.yml and https://paylod.dev/docs/errors
(only 0 is paid); that a query answers HTTP 500 with 500.001.1001 while a payment is being processed,
https://github.com/safaricom/LNMOnlineAndroidSample/issues/13; that callbacks are now and then lost,
https://github.com/safaricom/mpesa-php-sdk/issues/51. The sources differ in which codes there are, so that one we do not know
is only believed where it is final: in a callback.

What a person must do: give money back. Daraja reverses only for an initiator with a certificate; that is the portal's.
"""

import asyncio
import base64
import json
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

from services.client import Answered, Client, Request, Unanswered, posted
from services.given import Clock, utc_now
from services.payments.port import (
    Answer,
    Asked,
    ByHand,
    Declined,
    Outcome,
    Push,
    Pushed,
    Report,
    Return,
    Unclear,
)

ASK, QUERY = "mpesa/stkpush/v1/processrequest", "mpesa/stkpushquery/v1/query"
TOKEN: Final = "oauth/v1/generate?grant_type=client_credentials"  # noqa: S105 - a path
NAIROBI: Final = ZoneInfo("Africa/Nairobi")
KENYA: Final = "+254"
SHILLING: Final = 100
LONGEST_REFERENCE, LONGEST_DESCRIPTION = 12, 13
DESCRIPTION: Final = "Ekdial"
EARLY: Final = timedelta(seconds=60)  # before a token's end, so that it does not end on the way
WAITS: Final = (0.5, 1.5)  # seconds before a request that certainly was not taken is made again

RESULTS: Final[Mapping[str, Outcome]] = {
    "0": "paid",
    "1": "no_money",
    "17": "failed",
    "26": "failed",
    "1001": "failed",  # the payer's phone is in another session
    "1019": "expired",
    "1025": "failed",
    "1032": "cancelled",
    "1037": "unreachable",  # no answer from the phone, or from who holds it
    "2001": "wrong_pin",
    "4999": "pending",
    "9999": "failed",
}
BEING_PROCESSED: Final = (
    "500.001.1001"  # of a query; of a request: the payer is in another one, or our credentials are wrong
)
TOO_FAST: Final = frozenset({"500.003.02", "500.003.03"})  # spike arrest, quota
NO_TOKEN: Final = frozenset({"404.001.03", "401.002.01"})
MOST_MINOR: Final = 10**15  # no wallet holds as much, and every table can
_is_code = re.compile(r"[0-9A-Za-z._-]{1,24}").fullmatch
_is_name = re.compile(r"[0-9A-Za-z._-]{1,64}").fullmatch

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Merchant:
    """Our account there. `party` is whose money it becomes: the pay bill number itself, or a till."""

    base_url: str
    consumer_key: str = field(repr=False)
    consumer_secret: str = field(repr=False)
    short_code: str
    passkey: str = field(repr=False)
    party: str
    kind: str
    callback: str = field(repr=False)
    """The address callbacks are posted to, with {key} where a payment's key stands."""


class _TryAgain(Exception):
    """It certainly was not taken, and may be a moment later."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Daraja:
    """The wallet; every call takes `deadline` seconds at most, with all its tries."""

    name = "daraja"

    def __init__(
        self,
        client: Client,
        merchant: Merchant,
        *,
        deadline: float = 20.0,
        waits: tuple[float, ...] = WAITS,
        clock: Clock = utc_now,
    ) -> None:
        self._client = client
        self._merchant = merchant
        self._deadline = deadline
        self._waits = waits
        self._clock = clock
        self._token = ("", clock())
        self._renewing = asyncio.Lock()
        self.currencies: Mapping[str, int] = {"KES": SHILLING}

    def reaches(self, number: str) -> bool:
        """Kenyan numbers."""
        return number.startswith(KENYA)

    async def ask(self, push: Push) -> Answer:
        """Have the payer's phone ask for the PIN. What certainly was not taken is tried again, and nothing else is."""
        try:
            async with asyncio.timeout(self._deadline):
                return await self._asked(push)
        except TimeoutError:
            return Unclear("Timeout")

    async def query(self, asked: Asked) -> Report:
        """What became of it; where the answer to the request was lost there is no id to ask by, and a callback must tell."""
        if not asked.request:
            return Report("unknown", "NoRequest")
        try:
            async with asyncio.timeout(self._deadline):
                answered = await self._authorised(QUERY, self._signed({"CheckoutRequestID": asked.request}))
        except (TimeoutError, Unanswered, _TryAgain):
            return Report("unknown", "NoAnswer")
        return _queried(answered, asked.request)

    async def give_back(self, back: Return) -> ByHand:  # noqa: ARG002 - see above
        """A person does, in the organisation's portal."""
        return ByHand()

    async def _asked(self, push: Push) -> Answer:
        for wait in (*self._waits, None):
            try:
                return _taken(await self._authorised(ASK, self._request(push)))
            except _TryAgain as again:
                if wait is None:
                    return Declined(again.reason)
                await asyncio.sleep(wait)
            except Unanswered:
                return Unclear("NoAnswer")
        raise AssertionError("the last try returns")

    def _request(self, push: Push) -> Mapping[str, Any]:
        merchant, number = self._merchant, push.payer.removeprefix("+")
        return self._signed(
            {
                "TransactionType": merchant.kind,
                "Amount": push.amount_minor // SHILLING,
                "PartyA": number,
                "PartyB": merchant.party,
                "PhoneNumber": number,
                "CallBackURL": merchant.callback.replace("{key}", push.key),
                "AccountReference": push.about[:LONGEST_REFERENCE],
                "TransactionDesc": DESCRIPTION[:LONGEST_DESCRIPTION],
            }
        )

    def _signed(self, said: Mapping[str, Any]) -> Mapping[str, Any]:
        """With who we are: a password that is good for this second, in Nairobi's time."""
        merchant, stamp = self._merchant, f"{self._clock().astimezone(NAIROBI):%Y%m%d%H%M%S}"
        password = base64.b64encode(f"{merchant.short_code}{merchant.passkey}{stamp}".encode()).decode()
        return {"BusinessShortCode": merchant.short_code, "Password": password, "Timestamp": stamp, **said}

    async def _authorised(self, path: str, said: Mapping[str, Any]) -> Answered:
        """The answer; a token that was refused is renewed once, for what it came with was not looked at."""
        token = await self._access()
        answered = await self._sent(posted(self._url(path), said, _bearer(token)))
        if _refuses_token(answered):
            token = await self._access(but=token)
            answered = await self._sent(posted(self._url(path), said, _bearer(token)))
        return answered

    async def _access(self, but: str = "") -> str:
        """A token that is good for a while, and not this one."""
        async with self._renewing:
            token, ends = self._token
            if not token or token == but or ends - EARLY <= self._clock():
                self._token = token, _ = await self._new_token()
        return token

    async def _new_token(self) -> tuple[str, datetime]:
        merchant = self._merchant
        who = base64.b64encode(f"{merchant.consumer_key}:{merchant.consumer_secret}".encode()).decode()
        try:
            answered = await self._client(Request("GET", self._url(TOKEN), {"Authorization": f"Basic {who}"}))
        except Unanswered:  # whatever became of it, nobody was asked for money
            raise _TryAgain("NoToken") from None
        said = answered.said() or {}
        token, lives = said.get("access_token"), str(said.get("expires_in", ""))
        if answered.status != HTTPStatus.OK or not isinstance(token, str) or not token:
            log.error("the wallet gives us no token", status=answered.status, code=_code(said))
            raise _TryAgain("NoToken")
        return token, self._clock() + timedelta(seconds=int(lives) if lives.isdecimal() else 0)

    async def _sent(self, request: Request) -> Answered:
        try:
            return await self._client(request)
        except Unanswered as failed:
            if failed.unheard:
                raise _TryAgain("Unreachable") from None
            raise

    def _url(self, path: str) -> str:
        return f"{self._merchant.base_url.rstrip('/')}/{path}"


def callback_address(url: str, token: str) -> str:
    """Where callbacks are to be posted, with {key} in it."""
    guard = f"?{urlencode({'token': token})}" if token else ""
    return f"{url}/payments/daraja/{{key}}{guard}"


def read_callback(body: bytes) -> Report | None:
    """What a callback says; None for what is none."""
    try:
        said = json.loads(body)["Body"]["stkCallback"]
        code, request = str(said["ResultCode"]), said["CheckoutRequestID"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if not isinstance(request, str) or not _is_name(request) or not _is_code(code):
        return None
    if code != "0":
        outcome = RESULTS.get(code, "failed")
        return Report(outcome if outcome != "pending" else "unknown", code, request)
    items = _items(said)
    amount, receipt = _minor(items.get("Amount")), items.get("MpesaReceiptNumber")
    if amount is None or not isinstance(receipt, str) or not _is_name(receipt):
        return None
    return Report("paid", code, request, receipt, amount)


def _taken(answered: Answered) -> Answer:
    """What an answer to a request means: taken, certainly not, or nobody knows."""
    said = answered.said() or {}
    request, code = said.get("CheckoutRequestID"), _code(said)
    if answered.status == HTTPStatus.OK and str(said.get("ResponseCode")) == "0" and isinstance(request, str):
        return Pushed(request)
    if answered.status == HTTPStatus.TOO_MANY_REQUESTS or code in TOO_FAST:
        raise _TryAgain(code or "TooFast")
    certain = answered.status < HTTPStatus.INTERNAL_SERVER_ERROR or code == BEING_PROCESSED
    if certain and (code or answered.status != HTTPStatus.OK):
        log.warning("the wallet declines", status=answered.status, code=code)
        return Declined(code or f"HTTP{answered.status}")
    return Unclear(code or f"HTTP{answered.status}")


def _queried(answered: Answered, request: str) -> Report:
    said = answered.said() or {}
    if _code(said) == BEING_PROCESSED:
        return Report("pending", request=request)
    code = str(said.get("ResultCode", ""))
    if answered.status != HTTPStatus.OK or not _is_code(code) or said.get("CheckoutRequestID", request) != request:
        return Report("unknown", _code(said) or f"HTTP{answered.status}")
    return Report(RESULTS.get(code, "unknown"), code, request)


def _code(said: Mapping[str, Any]) -> str:
    """The error's or the response's code, where it is one."""
    code = str(said.get("errorCode") or said.get("ResponseCode") or "")
    return code if _is_code(code) else ""


def _refuses_token(answered: Answered) -> bool:
    return answered.status == HTTPStatus.UNAUTHORIZED or _code(answered.said() or {}) in NO_TOKEN


def _items(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """The metadata of a callback by name; some items have no value."""
    try:
        return {item["Name"]: item.get("Value") for item in said["CallbackMetadata"]["Item"]}
    except (TypeError, KeyError, AttributeError):
        return {}


def _minor(amount: Any) -> int | None:
    """`1.0` and `1` are a hundred cents; None for what is no amount, has a part of a cent, or is beyond all money."""
    if isinstance(amount, bool) or not isinstance(amount, int | float | str):
        return None
    try:
        minor = Decimal(str(amount)) * SHILLING
        return int(minor) if abs(minor) <= MOST_MINOR and minor == minor.to_integral_value() else None
    except (InvalidOperation, ValueError, OverflowError):
        return None


def _bearer(token: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token}"}
