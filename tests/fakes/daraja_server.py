"""Daraja's M-Pesa Express and C2B on a real socket, as strict as the real one: each wrong field has its own error code.

A push waits until the test says what the payer does; then the callback is posted where the request said, once, twice,
late or never, and the query tells the same.
"""

import asyncio
import base64
import re
import secrets
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self
from zoneinfo import ZoneInfo

from aiohttp import ClientSession, web

KEY, SECRET = "made up key", "made up secret"
SHORT_CODE, PASSKEY = "174379", "made up passkey"
NAIROBI = ZoneInfo("Africa/Nairobi")
TIMESTAMP_TOLERANCE = 120  # seconds that a timestamp may be off
DESCRIPTIONS = {
    0: "The service request is processed successfully.",
    1: "The balance is insufficient for the transaction.",
    1032: "Request cancelled by user",
    1037: "DS timeout user cannot be reached",
    1019: "Transaction has expired",
    2001: "The initiator information is invalid.",
}

Behaviour = Callable[["PushedRequest", "DarajaServer"], Awaitable[web.StreamResponse | None]]
"""A response to a valid request; None: the usual response."""


@dataclass
class PushedRequest:
    """One payment request shown to a payer."""

    fields: dict[str, Any]
    checkout_request_id: str = field(default_factory=lambda: f"ws_CO_{secrets.token_hex(10)}")
    merchant_request_id: str = field(default_factory=lambda: f"{secrets.randbelow(10**5)}-{secrets.randbelow(10**7)}-1")
    result: int | None = None
    receipt: str = ""

    @property
    def callback(self) -> str:
        return str(self.fields["CallBackURL"])


class DarajaServer:
    """`respond_with` plans the next responses; `finish_push` is what the payer does."""

    def __init__(self) -> None:
        self.pushes: list[PushedRequest] = []
        self.tokens: set[str] = set()
        self.requests: list[str] = []
        self.expires_in = 3599
        self.loses_callbacks = False
        self.callback_responses: list[tuple[int, str]] = []
        self.push_arrived = asyncio.Event()
        self.registered: dict[str, str] = {}  # the addresses of C2B
        self._planned_behaviours: dict[str, deque[Any]] = {}

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.add_routes(
            [
                web.get("/oauth/v1/generate", self._handle_token),
                web.post("/mpesa/stkpush/v1/processrequest", self._handle_push),
                web.post("/mpesa/stkpushquery/v1/query", self._handle_query),
                web.post("/mpesa/c2b/v2/registerurl", self._handle_registration),
            ]
        )
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def respond_with(self, operation: str, *behaviours: Behaviour) -> Self:
        """Plan the responses to the next requests of an operation: `token`, `push` or `query`."""
        self._planned_behaviours.setdefault(operation, deque()).extend(behaviours)
        return self

    def forget_tokens(self) -> None:
        self.tokens.clear()

    async def wait_for_push(self, count: int = 1) -> PushedRequest:
        """Wait for the push with this number; the first is 1."""
        async with asyncio.timeout(10):
            while len(self.pushes) < count:
                self.push_arrived.clear()
                await self.push_arrived.wait()
        return self.pushes[count - 1]

    async def finish_push(
        self, push: PushedRequest, result: int = 0, *, amount: float | None = None, times: int = 1
    ) -> None:
        """End a push with this result, and post the callback `times` times, unless callbacks are lost."""
        push.result = result
        push.receipt = push.receipt or f"Q{secrets.token_hex(4).upper()}"
        for _ in range(0 if self.loses_callbacks else times):
            await self.post_callback(push, amount)

    async def post_callback(self, push: PushedRequest, amount: float | None = None) -> tuple[int, str]:
        async with ClientSession() as http, http.post(push.callback, json=build_callback(push, amount)) as answer:
            said = (answer.status, await answer.text())
        self.callback_responses.append(said)
        return said

    async def _handle_token(self, request: web.Request) -> web.StreamResponse:
        self.requests.append("token")
        if (planned := self._next_behaviour("token")) is not None:
            answer = await planned(None, self)
            if answer is not None:
                return answer
        wanted = "Basic " + base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
        if request.headers.get("Authorization") != wanted:
            return error_response(400, "400.008.01", "Invalid Authentication passed")
        if request.query.get("grant_type") != "client_credentials":
            return error_response(400, "400.008.02", "Invalid grant type passed")
        token = secrets.token_urlsafe(20)
        self.tokens.add(token)
        return web.json_response({"access_token": token, "expires_in": str(self.expires_in)})

    async def _handle_push(self, request: web.Request) -> web.StreamResponse:
        self.requests.append("push")
        if (refused := self._check_authorised(request)) is not None:
            return refused
        fields = await request.json()
        if (wrong := _find_signature_problem(fields) or _find_field_problem(fields)) is not None:
            return error_response(400, "400.002.02", f"Bad Request - Invalid {wrong}")
        push = PushedRequest(fields)
        if (planned := self._next_behaviour("push")) is not None:
            answer = await planned(push, self)
            if answer is not None:
                return answer
        return self.accept_push(push)

    def accept_push(self, push: PushedRequest) -> web.Response:
        """Show the request to the payer, and respond that it is shown."""
        self.pushes.append(push)
        self.push_arrived.set()
        return web.json_response(
            {
                "MerchantRequestID": push.merchant_request_id,
                "CheckoutRequestID": push.checkout_request_id,
                "ResponseCode": "0",
                "ResponseDescription": "Success. Request accepted for processing",
                "CustomerMessage": "Success. Request accepted for processing",
            }
        )

    async def _handle_query(self, request: web.Request) -> web.StreamResponse:
        self.requests.append("query")
        if (refused := self._check_authorised(request)) is not None:
            return refused
        fields = await request.json()
        if (wrong := _find_signature_problem(fields)) is not None:
            return error_response(400, "400.002.02", f"Bad Request - Invalid {wrong}")
        if (planned := self._next_behaviour("query")) is not None:
            answer = await planned(None, self)
            if answer is not None:
                return answer
        push = next((one for one in self.pushes if one.checkout_request_id == fields.get("CheckoutRequestID")), None)
        if push is None:
            return error_response(400, "400.002.02", "Bad Request - Invalid CheckoutRequestID")
        if push.result is None:
            return error_response(500, "500.001.1001", "The transaction is being processed")
        return web.json_response(
            {
                "ResponseCode": "0",
                "ResponseDescription": "The service request has been accepted successfully",
                "MerchantRequestID": push.merchant_request_id,
                "CheckoutRequestID": push.checkout_request_id,
                "ResultCode": str(push.result),
                "ResultDesc": DESCRIPTIONS.get(push.result, "Failed"),
            }
        )

    async def _handle_registration(self, request: web.Request) -> web.StreamResponse:
        if (refused := self._check_authorised(request)) is not None:
            return refused
        fields = await request.json()
        if (wrong := _find_registration_problem(fields)) is not None:
            return error_response(400, "400.003.02", f"Bad Request - Invalid {wrong}")
        self.registered = {name: fields[name] for name in ("ValidationURL", "ConfirmationURL")}
        return web.json_response(
            {
                "OriginatorCoversationID": f"{secrets.randbelow(10**5)}-1",  # spelt so by Safaricom
                "ResponseCode": "0",
                "ResponseDescription": "Success",
            }
        )

    def _next_behaviour(self, operation: str) -> Behaviour | None:
        plans = self._planned_behaviours.get(operation)
        return plans.popleft() if plans else None

    def _check_authorised(self, request: web.Request) -> web.Response | None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.tokens:
            return error_response(404, "404.001.03", "Invalid Access Token")
        if request.content_type != "application/json":
            return error_response(400, "400.003.01", "Bad Request - Invalid content type")
        return None


def build_callback(push: PushedRequest, amount: float | None = None) -> dict[str, Any]:
    """The callback as captured; without metadata if the push is not paid."""
    said: dict[str, Any] = {
        "MerchantRequestID": push.merchant_request_id,
        "CheckoutRequestID": push.checkout_request_id,
        "ResultCode": push.result,
        "ResultDesc": DESCRIPTIONS.get(push.result or 0, "Failed"),
    }
    if push.result == 0:
        said["CallbackMetadata"] = {
            "Item": [
                {"Name": "Amount", "Value": float(push.fields["Amount"]) if amount is None else amount},
                {"Name": "MpesaReceiptNumber", "Value": push.receipt},
                {"Name": "Balance"},
                {"Name": "TransactionDate", "Value": int(f"{datetime.now(NAIROBI):%Y%m%d%H%M%S}")},
                {"Name": "PhoneNumber", "Value": int(push.fields["PhoneNumber"])},
            ]
        }
    return {"Body": {"stkCallback": said}}


def build_c2b_notice(account: str, amount: str, *, receipt: str = "", msisdn: str = "2547 ***** 126") -> dict[str, Any]:
    """What M-Pesa posts to both addresses of C2B; the amount is text with two decimals, the payer's number is masked."""
    return {
        "TransactionType": "Pay Bill",
        "TransID": receipt or f"R{secrets.token_hex(4).upper()}Z",
        "TransTime": f"{datetime.now(NAIROBI):%Y%m%d%H%M%S}",
        "TransAmount": amount,
        "BusinessShortCode": SHORT_CODE,
        "BillRefNumber": account,
        "InvoiceNumber": "",
        "OrgAccountBalance": "",
        "ThirdPartyTransID": "",
        "MSISDN": msisdn,
        "FirstName": "JOHN",
        "MiddleName": "",
        "LastName": "",
    }


def error_response(status: int, code: str, message: str) -> web.Response:
    said = {"requestId": f"{secrets.randbelow(10**5)}-1", "errorCode": code, "errorMessage": message}
    return web.json_response(said, status=status)


def respond_with_error(status: int, code: str = "", message: str = "Oops") -> Behaviour:
    async def behave(_push: PushedRequest, _server: DarajaServer) -> web.StreamResponse:
        return error_response(status, code, message) if code else web.Response(status=status, text=message)

    return behave


def accept_then(behaviour: Behaviour) -> Behaviour:
    """Show the request to the payer, but respond otherwise."""

    async def behave(push: PushedRequest, server: DarajaServer) -> web.StreamResponse | None:
        server.accept_push(push)
        return await behaviour(push, server)

    return behave


async def hang(_push: PushedRequest, server: DarajaServer) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response()


def _find_signature_problem(fields: dict[str, Any]) -> str | None:
    if fields.get("BusinessShortCode") != SHORT_CODE:
        return "BusinessShortCode"
    stamp = str(fields.get("Timestamp", ""))
    if not re.fullmatch(r"\d{14}", stamp):
        return "Timestamp"
    told = datetime.strptime(stamp, "%Y%m%d%H%M%S").replace(tzinfo=NAIROBI)
    if abs((datetime.now(UTC) - told).total_seconds()) > TIMESTAMP_TOLERANCE:
        return "Timestamp"
    wanted = base64.b64encode(f"{SHORT_CODE}{PASSKEY}{stamp}".encode()).decode()
    return None if fields.get("Password") == wanted else "Password"


def _find_field_problem(fields: dict[str, Any]) -> str | None:
    number = r"254[17]\d{8}"
    rules: dict[str, Callable[[Any], object]] = {
        "TransactionType": lambda it: it in {"CustomerPayBillOnline", "CustomerBuyGoodsOnline"},
        "Amount": lambda it: isinstance(it, int) and not isinstance(it, bool) and 1 <= it <= 250_000,
        "PartyA": lambda it: re.fullmatch(number, str(it)),
        "PartyB": lambda it: re.fullmatch(r"\d{5,7}", str(it)),
        "PhoneNumber": lambda it: re.fullmatch(number, str(it)),
        "CallBackURL": lambda it: re.fullmatch(r"https?://\S{1,240}", str(it)),
        "AccountReference": lambda it: re.fullmatch(r"[A-Za-z0-9]{1,12}", str(it)),
        "TransactionDesc": lambda it: 1 <= len(str(it)) <= 13,
    }
    return next((name for name, rule in rules.items() if name not in fields or not rule(fields[name])), None)


def _find_registration_problem(fields: dict[str, Any]) -> str | None:
    forbidden = re.compile(r"m-?pesa|safaricom|exe|cmd|sql|query", re.IGNORECASE)
    rules: dict[str, Callable[[Any], object]] = {
        "ShortCode": lambda it: it == SHORT_CODE,
        "ResponseType": lambda it: it in {"Completed", "Cancelled"},
        "ConfirmationURL": lambda it: re.fullmatch(r"https://\S{1,240}", str(it)) and not forbidden.search(str(it)),
        "ValidationURL": lambda it: re.fullmatch(r"https://\S{1,240}", str(it)) and not forbidden.search(str(it)),
    }
    return next((name for name, rule in rules.items() if name not in fields or not rule(fields[name])), None)
