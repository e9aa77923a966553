"""DigiLocker's partner API as specified, on a real socket. A bad request gets 400 or 401."""

import asyncio
import base64
import hmac
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Self

from aiohttp import web

CLIENT_ID, CLIENT_SECRET = "EK1234AB", "made up for tests"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
OTP = "482913"
PDF = b"%PDF-1.4 a card"


def build_certificate(number: str = "ABCDE1234F", name: str = "Test Holder", **dates: str) -> bytes:
    issued, expires = dates.get("issued", "12-01-2015"), dates.get("expires", "")
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Certificate language="99" name="PAN Card" type="PANCR" number="{number}" '
        f'issueDate="{issued}" expiryDate="{expires}" status="A"><IssuedBy><Organization name="Income Tax Department" '
        f'type="CG"><Address country="IN"/></Organization></IssuedBy><IssuedTo><Person name="{name}" dob="31-12-1970">'
        '<Photo format="jpg"/></Person></IssuedTo><CertificateData><PAN/></CertificateData><Signature/></Certificate>'
    ).encode()


@dataclass
class IssuedDocument:
    uri: str
    doctype: str
    name: str
    issuer: str = "Income Tax Department"
    mime: object = field(default_factory=lambda: ["application/pdf", "application/xml"])
    file: bytes = PDF
    media: str = "application/pdf"
    xml: bytes = field(default_factory=build_certificate)


@dataclass
class Account:
    """One account: its id, its Aadhaar number, its mobile number, and its documents."""

    id: str
    aadhaar: str
    mobile: str
    documents: list[IssuedDocument] = field(default_factory=list)


@dataclass(frozen=True)
class RecordedRequest:
    method: str
    path: str
    fields: Mapping[str, str]
    headers: Mapping[str, str]


Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse | None]]
"""A response to a valid request; None: the usual response."""


class DigiLockerServer:
    """Knows these accounts; `respond_with` plans the next responses of a path."""

    def __init__(self, *accounts: Account) -> None:
        self.accounts = list(accounts)
        self.requests: list[RecordedRequest] = []
        self.closing = asyncio.Event()
        self.expires_in = 3600
        self.includes_account_id = True
        self._planned_behaviours: dict[str, deque[Behaviour]] = {}
        self._accounts_by_device_code: dict[str, Account] = {}
        self._accounts_by_access_token: dict[str, Account] = {}
        self._accounts_by_refresh_token: dict[str, Account] = {}
        self._pending_sign_ups: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        app = web.Application()
        post = {
            "account/2/verify": self._handle_verify,
            "oauth2/1/code": self._handle_code,
            "oauth2/1/token": self._handle_token,
            "signup/2/demoauth": self._handle_sign_up,
            "signup/1/demoauthverify": self._handle_sign_up_code,
        }
        get = {
            "oauth2/1/user": self._handle_user,
            "oauth2/2/files/issued": self._handle_issued,
            "oauth2/1/file/{uri}": self._handle_file,
            "oauth2/1/xml/{uri}": self._handle_xml,
        }
        app.add_routes([web.post(f"/public/{path}", self._build_handler(handler)) for path, handler in post.items()])
        app.add_routes([web.get(f"/public/{path}", self._build_handler(handler)) for path, handler in get.items()])
        app.add_routes([web.get("/elsewhere", self._handle_redirect_target)])
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/public"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.closing.set()
        await self._runner.cleanup()

    def respond_with(self, path: str, *behaviours: Behaviour) -> Self:
        """Respond to the next requests whose path starts with `path` like this, one each."""
        self._planned_behaviours.setdefault(path, deque()).extend(behaviours)
        return self

    def request_paths(self) -> list[str]:
        return [asked.path for asked in self.requests]

    def forget_access_tokens(self) -> None:
        """Reject every access token from now on, but no refresh token."""
        self._accounts_by_access_token.clear()

    def forget_all_tokens(self) -> None:
        self._accounts_by_access_token.clear()
        self._accounts_by_refresh_token.clear()

    def _build_handler(self, handler: Callable[[web.Request, Mapping[str, str]], Awaitable[web.Response]]):
        async def answer(request: web.Request) -> web.StreamResponse:
            path = request.path.removeprefix("/public/")
            fields = dict(await request.post()) if request.method == "POST" else {}
            self.requests.append(RecordedRequest(request.method, path, fields, dict(request.headers)))
            for planned, behaviours in self._planned_behaviours.items():
                if path.startswith(planned) and behaviours:
                    answered = await behaviours.popleft()(request)
                    if answered is not None:
                        return answered
            return await handler(request, fields)

        return answer

    async def _handle_redirect_target(self, request: web.Request) -> web.Response:
        """The target of a redirect, which a client must never follow."""
        self.requests.append(RecordedRequest("GET", "elsewhere", {}, dict(request.headers)))
        return web.json_response({"items": [], "resource": ""})

    async def _handle_verify(self, request: web.Request, fields: Mapping[str, str]) -> web.Response:
        if wrong := _find_signature_problem(request, fields, {"uid"}):
            return wrong
        found = self._find_by_aadhaar(fields["uid"])
        return web.json_response(
            {"registered": str(found is not None).lower(), "digilockerid": found.id if found else ""}
        )

    async def _handle_code(self, request: web.Request, fields: Mapping[str, str]) -> web.Response:
        if wrong := _find_field_problem(
            fields, {"client_id": CLIENT_ID, "response_type": "device_code"}, {"dl_mobile"}
        ):
            return wrong
        found = [account for account in self.accounts if account.mobile == fields["dl_mobile"]]
        if len(found) != 1:
            return _error_response(400, "invalid_mobile" if not found else "multiple_mobile_accounts")
        device = secrets.token_hex(5)
        self._accounts_by_device_code[device] = found[0]
        masked = f"XXXXXX{fields['dl_mobile'][-4:]}"
        said = {"device_code": device, "dl_masked_mobile": masked, "dl_masked_email": "", "expires_in": 600}
        return web.json_response(said)

    async def _handle_token(self, request: web.Request, fields: Mapping[str, str]) -> web.Response:
        if fields.get("grant_type") == "refresh_token":
            return await self._refresh_token(fields)
        if wrong := _find_field_problem(
            fields, {"grant_type": DEVICE_GRANT, "client_id": CLIENT_ID}, {"device_code", "dl_otp"}
        ):
            return wrong
        account = self._accounts_by_device_code.get(fields["device_code"])
        if account is None or fields["dl_otp"] != OTP:
            return _error_response(400, "invalid_grant")
        del self._accounts_by_device_code[fields["device_code"]]
        return web.json_response(self._issue_tokens(account))

    async def _refresh_token(self, fields: Mapping[str, str]) -> web.Response:
        ours = {"grant_type": "refresh_token", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        if wrong := _find_field_problem(fields, ours, {"refresh_token"}):
            return wrong
        account = self._accounts_by_refresh_token.pop(fields["refresh_token"], None)
        return web.json_response(self._issue_tokens(account)) if account else _error_response(400, "invalid_grant")

    def _issue_tokens(self, account: Account) -> dict[str, object]:
        access, refresh = secrets.token_hex(20), secrets.token_hex(20)
        self._accounts_by_access_token[access], self._accounts_by_refresh_token[refresh] = account, account
        said = {
            "access_token": access,
            "refresh_token": refresh,
            "expires_in": self.expires_in,
            "token_type": "Bearer",
            "scope": "",
        }
        return {**said, "digilockerid": account.id} if self.includes_account_id else said

    async def _handle_sign_up(self, request: web.Request, fields: Mapping[str, str]) -> web.Response:
        wanted = {"uid", "name", "dob", "gender", "mobile", "consent", "verification", "demoauth"}
        if wrong := _find_signature_problem(request, fields, wanted):
            return wrong
        if fields["consent"] != "Y" or not (len(fields["dob"]) == 8 and fields["dob"].isdigit()):
            return _error_response(400, "invalid_parameter")
        if fields["name"] != "Test Holder":
            return _error_response(400, "auth_failure")
        if account := self._find_by_aadhaar(fields["uid"]):
            return web.json_response(self._issue_tokens(account))
        if any(account.mobile == fields["mobile"] for account in self.accounts):
            return _error_response(400, "mobile_exists")
        self._pending_sign_ups[fields["mobile"]] = fields["uid"]
        return web.json_response({"mobile": f"******{fields['mobile'][-4:]}"})

    async def _handle_sign_up_code(self, request: web.Request, fields: Mapping[str, str]) -> web.Response:
        if wrong := _find_signature_problem(request, fields, {"mobile", "otp"}):
            return wrong
        if fields["otp"] != OTP or fields["mobile"] not in self._pending_sign_ups:
            return _error_response(400, "invalid_otp")
        account = Account(secrets.token_hex(18), self._pending_sign_ups.pop(fields["mobile"]), fields["mobile"])
        self.accounts.append(account)
        return web.json_response(self._issue_tokens(account))

    async def _handle_user(self, request: web.Request, fields: Mapping[str, str]) -> web.Response:
        account = self._account_of_request(request)
        return web.json_response({"digilockerid": account.id}) if account else _error_response(401, "invalid_token")

    async def _handle_issued(self, request: web.Request, fields: Mapping[str, str]) -> web.Response:
        account = self._account_of_request(request)
        if account is None:
            return _error_response(401, "invalid_token")
        rest = {"type": "file", "size": "", "date": "2015-05-12T15:50:38Z", "parent": ""}
        items = [
            {
                **rest,
                "name": paper.name,
                "mime": paper.mime,
                "uri": paper.uri,
                "doctype": paper.doctype,
                "description": paper.name,
                "issuerid": paper.uri.partition("-")[0],
                "issuer": paper.issuer,
            }
            for paper in account.documents
        ]
        return web.json_response({"items": items, "resource": "D:"})

    async def _handle_file(self, request: web.Request, fields: Mapping[str, str]) -> web.Response:
        return self._document_response(request, lambda paper: (paper.file, paper.media))

    async def _handle_xml(self, request: web.Request, fields: Mapping[str, str]) -> web.Response:
        return self._document_response(request, lambda paper: (paper.xml, "application/xml"))

    def _document_response(
        self, request: web.Request, select_content: Callable[[IssuedDocument], tuple[bytes, str]]
    ) -> web.Response:
        account = self._account_of_request(request)
        if account is None:
            return _error_response(401, "invalid_token")
        paper = next((paper for paper in account.documents if paper.uri == request.match_info["uri"]), None)
        if paper is None:
            return _error_response(404, "invalid_uri")
        body, media = select_content(paper)
        return web.Response(body=body, content_type=media, headers={"hmac": sign_body(body)})

    def _account_of_request(self, request: web.Request) -> Account | None:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        return self._accounts_by_access_token.get(token) if kind == "Bearer" else None

    def _find_by_aadhaar(self, aadhaar: str) -> Account | None:
        return next((account for account in self.accounts if account.aadhaar == aadhaar), None)


def sign_body(body: bytes, secret: str = CLIENT_SECRET) -> str:
    """The HMAC header of the specification: SHA-256 under the client secret, in Base64."""
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()


def respond_status(code: int, error: str = "unexpected_error", **headers: str) -> Behaviour:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"error": error, "error_description": ""}, status=code, headers=headers)

    return answer


def respond(body: bytes, media: str = "application/json", code: int = 200, **headers: str) -> Behaviour:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type=media, status=code, headers=headers)

    return answer


def respond_redirect() -> Behaviour:
    async def answer(_: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/elsewhere")

    return answer


def drop_connection() -> Behaviour:
    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    return answer


def hang(server: DigiLockerServer) -> Behaviour:
    """No response before the server closes."""

    async def answer(_: web.Request) -> web.StreamResponse:
        await server.closing.wait()
        return web.Response()

    return answer


def drip(server: DigiLockerServer) -> Behaviour:
    """One byte at a time, without an end."""
    return _stream(server, b" ", every=0.02)


def stream_endlessly(server: DigiLockerServer) -> Behaviour:
    """Endless data without a content length."""
    return _stream(server, bytes(65_536), every=0)


def _stream(server: DigiLockerServer, piece: bytes, every: float) -> Behaviour:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        while not server.closing.is_set():
            await response.write(piece)
            await asyncio.sleep(every)
        return response

    return answer


def _find_signature_problem(request: web.Request, fields: Mapping[str, str], expected: set[str]) -> web.Response | None:
    if not request.content_type.startswith("multipart/"):
        return _error_response(400, "invalid_parameter")
    if fields.get("clientid") != CLIENT_ID:
        return _error_response(401, "invalid_client_id")
    if set(fields) != expected | {"clientid", "ts", "hmac"}:
        return _error_response(400, "parameter_missing")
    if abs(time.time() - int(fields["ts"])) > 1800:
        return _error_response(400, "invalid_ts")
    digest = sha256(f"{CLIENT_SECRET}{CLIENT_ID}{fields['ts']}".encode()).hexdigest()
    return None if fields["hmac"] == digest else _error_response(400, "hmac_mismatch")


def _find_field_problem(
    fields: Mapping[str, str], expected_values: Mapping[str, str], expected_names: set[str]
) -> web.Response | None:
    if set(fields) != set(expected_values) | expected_names:
        return _error_response(400, "invalid_request")
    if any(fields[key] != value for key, value in expected_values.items()):
        return _error_response(401, "invalid_client")
    return None


def _error_response(code: int, error: str) -> web.Response:
    return web.json_response({"error": error, "error_description": "as the specification says"}, status=code)
