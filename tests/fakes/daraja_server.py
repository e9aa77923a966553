"""Daraja's M-Pesa Express on a real socket, as strict as the real one: a wrong field is answered with its own error code.

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
WITHIN = 120  # seconds that a timestamp may be off
DESCRIPTIONS = {
    0: "The service request is processed successfully.",
    1: "The balance is insufficient for the transaction.",
    1032: "Request cancelled by user",
    1037: "DS timeout user cannot be reached",
    1019: "Transaction has expired",
    2001: "The initiator information is invalid.",
}

Behaviour = Callable[["Pushing", "DarajaServer"], Awaitable[web.StreamResponse | None]]
"""Instead of the right answer, for a request that was in order; None: the right one after all."""


@dataclass
class Pushing:
    """One request that was put before a payer."""

    fields: dict[str, Any]
    request: str = field(default_factory=lambda: f"ws_CO_{secrets.token_hex(10)}")
    merchant: str = field(default_factory=lambda: f"{secrets.randbelow(10**5)}-{secrets.randbelow(10**7)}-1")
    result: int | None = None
    receipt: str = ""

    @property
    def callback(self) -> str:
        return str(self.fields["CallBackURL"])


class DarajaServer:
    """`then` lays down how the next requests are answered, one each; `pays` and the like are what the payer does."""

    def __init__(self) -> None:
        self.pushes: list[Pushing] = []
        self.tokens: set[str] = set()
        self.asked: list[str] = []
        self.expires_in = 3599
        self.loses_callbacks = False
        self.posted: list[tuple[int, str]] = []
        self.arrived = asyncio.Event()
        self._plans: dict[str, deque[Any]] = {}

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.add_routes(
            [
                web.get("/oauth/v1/generate", self._token),
                web.post("/mpesa/stkpush/v1/processrequest", self._push),
                web.post("/mpesa/stkpushquery/v1/query", self._query),
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

    def then(self, what: str, *behaviours: Behaviour) -> Self:
        """How the next of these (`token`, `push`, `query`) are answered."""
        self._plans.setdefault(what, deque()).extend(behaviours)
        return self

    def forget_tokens(self) -> None:
        self.tokens.clear()

    async def pushed(self, count: int = 1) -> Pushing:
        """The count-th push, as soon as it is there."""
        async with asyncio.timeout(10):
            while len(self.pushes) < count:
                self.arrived.clear()
                await self.arrived.wait()
        return self.pushes[count - 1]

    async def ends(self, push: Pushing, result: int = 0, *, amount: float | None = None, times: int = 1) -> None:
        """The payer has done this; the callback is posted so many times, unless callbacks are lost."""
        push.result = result
        push.receipt = push.receipt or f"Q{secrets.token_hex(4).upper()}"
        for _ in range(0 if self.loses_callbacks else times):
            await self.calls_back(push, amount)

    async def calls_back(self, push: Pushing, amount: float | None = None) -> tuple[int, str]:
        async with ClientSession() as http, http.post(push.callback, json=callback_of(push, amount)) as answer:
            said = (answer.status, await answer.text())
        self.posted.append(said)
        return said

    async def _token(self, request: web.Request) -> web.StreamResponse:
        self.asked.append("token")
        if (planned := self._planned("token")) is not None:
            answer = await planned(None, self)
            if answer is not None:
                return answer
        wanted = "Basic " + base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
        if request.headers.get("Authorization") != wanted:
            return error(400, "400.008.01", "Invalid Authentication passed")
        if request.query.get("grant_type") != "client_credentials":
            return error(400, "400.008.02", "Invalid grant type passed")
        token = secrets.token_urlsafe(20)
        self.tokens.add(token)
        return web.json_response({"access_token": token, "expires_in": str(self.expires_in)})

    async def _push(self, request: web.Request) -> web.StreamResponse:
        self.asked.append("push")
        if (refused := self._unauthorised(request)) is not None:
            return refused
        fields = await request.json()
        if (wrong := _signed_wrong(fields) or _asked_wrong(fields)) is not None:
            return error(400, "400.002.02", f"Bad Request - Invalid {wrong}")
        push = Pushing(fields)
        if (planned := self._planned("push")) is not None:
            answer = await planned(push, self)
            if answer is not None:
                return answer
        return self.takes(push)

    def takes(self, push: Pushing) -> web.Response:
        """It is put before the payer, and said to be."""
        self.pushes.append(push)
        self.arrived.set()
        return web.json_response(
            {
                "MerchantRequestID": push.merchant,
                "CheckoutRequestID": push.request,
                "ResponseCode": "0",
                "ResponseDescription": "Success. Request accepted for processing",
                "CustomerMessage": "Success. Request accepted for processing",
            }
        )

    async def _query(self, request: web.Request) -> web.StreamResponse:
        self.asked.append("query")
        if (refused := self._unauthorised(request)) is not None:
            return refused
        fields = await request.json()
        if (wrong := _signed_wrong(fields)) is not None:
            return error(400, "400.002.02", f"Bad Request - Invalid {wrong}")
        if (planned := self._planned("query")) is not None:
            answer = await planned(None, self)
            if answer is not None:
                return answer
        push = next((one for one in self.pushes if one.request == fields.get("CheckoutRequestID")), None)
        if push is None:
            return error(400, "400.002.02", "Bad Request - Invalid CheckoutRequestID")
        if push.result is None:
            return error(500, "500.001.1001", "The transaction is being processed")
        return web.json_response(
            {
                "ResponseCode": "0",
                "ResponseDescription": "The service request has been accepted successfully",
                "MerchantRequestID": push.merchant,
                "CheckoutRequestID": push.request,
                "ResultCode": str(push.result),
                "ResultDesc": DESCRIPTIONS.get(push.result, "Failed"),
            }
        )

    def _planned(self, what: str) -> Behaviour | None:
        plans = self._plans.get(what)
        return plans.popleft() if plans else None

    def _unauthorised(self, request: web.Request) -> web.Response | None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.tokens:
            return error(404, "404.001.03", "Invalid Access Token")
        if request.content_type != "application/json":
            return error(400, "400.003.01", "Bad Request - Invalid content type")
        return None


def callback_of(push: Pushing, amount: float | None = None) -> dict[str, Any]:
    """As it was captured; of one that is not paid, without metadata."""
    said: dict[str, Any] = {
        "MerchantRequestID": push.merchant,
        "CheckoutRequestID": push.request,
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


def error(status: int, code: str, message: str) -> web.Response:
    said = {"requestId": f"{secrets.randbelow(10**5)}-1", "errorCode": code, "errorMessage": message}
    return web.json_response(said, status=status)


def answers(status: int, code: str = "", message: str = "Oops") -> Behaviour:
    async def behave(_push: Pushing, _server: DarajaServer) -> web.StreamResponse:
        return error(status, code, message) if code else web.Response(status=status, text=message)

    return behave


def takes_and(then: Behaviour) -> Behaviour:
    """The payer is asked, and the answer is another."""

    async def behave(push: Pushing, server: DarajaServer) -> web.StreamResponse | None:
        server.takes(push)
        return await then(push, server)

    return behave


async def never_answers(_push: Pushing, server: DarajaServer) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response()


def _signed_wrong(fields: dict[str, Any]) -> str | None:
    if fields.get("BusinessShortCode") != SHORT_CODE:
        return "BusinessShortCode"
    stamp = str(fields.get("Timestamp", ""))
    if not re.fullmatch(r"\d{14}", stamp):
        return "Timestamp"
    told = datetime.strptime(stamp, "%Y%m%d%H%M%S").replace(tzinfo=NAIROBI)
    if abs((datetime.now(UTC) - told).total_seconds()) > WITHIN:
        return "Timestamp"
    wanted = base64.b64encode(f"{SHORT_CODE}{PASSKEY}{stamp}".encode()).decode()
    return None if fields.get("Password") == wanted else "Password"


def _asked_wrong(fields: dict[str, Any]) -> str | None:
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
