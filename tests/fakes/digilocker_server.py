"""DigiLocker's partner API as its specification describes it, on a real socket; asked wrongly it answers 400 or 401."""

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
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
OTP = "482913"
PDF = b"%PDF-1.4 a card"


def certificate(number: str = "ABCDE1234F", name: str = "Test Holder", **dates: str) -> bytes:
    issued, expires = dates.get("issued", "12-01-2015"), dates.get("expires", "")
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Certificate language="99" name="PAN Card" type="PANCR" number="{number}" '
        f'issueDate="{issued}" expiryDate="{expires}" status="A"><IssuedBy><Organization name="Income Tax Department" '
        f'type="CG"><Address country="IN"/></Organization></IssuedBy><IssuedTo><Person name="{name}" dob="31-12-1970">'
        '<Photo format="jpg"/></Person></IssuedTo><CertificateData><PAN/></CertificateData><Signature/></Certificate>'
    ).encode()


@dataclass
class Paper:
    uri: str
    doctype: str
    name: str
    issuer: str = "Income Tax Department"
    mime: object = field(default_factory=lambda: ["application/pdf", "application/xml"])
    file: bytes = PDF
    media: str = "application/pdf"
    xml: bytes = field(default_factory=certificate)


@dataclass
class Account:
    """One account: its id, the Aadhaar number it is linked to, the mobile number it is signed in with, its papers."""

    id: str
    aadhaar: str
    mobile: str
    papers: list[Paper] = field(default_factory=list)


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    fields: Mapping[str, str]
    headers: Mapping[str, str]


Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse | None]]
"""Instead of the right answer; None: the right one after all."""


class DigiLockerServer:
    """Knows these accounts; `then` lays down, for a path, how the next requests are answered, one each."""

    def __init__(self, *accounts: Account) -> None:
        self.accounts = list(accounts)
        self.asked: list[Asked] = []
        self.closing = asyncio.Event()
        self.expires_in = 3600
        self.says_whose = True
        self._plans: dict[str, deque[Behaviour]] = {}
        self._devices: dict[str, Account] = {}
        self._access: dict[str, Account] = {}
        self._refresh: dict[str, Account] = {}
        self._signing_up: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        app = web.Application()
        post = {
            "account/2/verify": self._verify,
            "oauth2/1/code": self._code,
            "oauth2/1/token": self._token,
            "signup/2/demoauth": self._sign_up,
            "signup/1/demoauthverify": self._signed_up,
        }
        get = {
            "oauth2/1/user": self._user,
            "oauth2/2/files/issued": self._issued,
            "oauth2/1/file/{uri}": self._file,
            "oauth2/1/xml/{uri}": self._xml,
        }
        app.add_routes([web.post(f"/public/{path}", self._heard(handler)) for path, handler in post.items()])
        app.add_routes([web.get(f"/public/{path}", self._heard(handler)) for path, handler in get.items()])
        app.add_routes([web.get("/elsewhere", self._elsewhere)])
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/public"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.closing.set()
        await self._runner.cleanup()

    def then(self, path: str, *behaviours: Behaviour) -> Self:
        """Answer the next requests whose path begins with this like so, one each."""
        self._plans.setdefault(path, deque()).extend(behaviours)
        return self

    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]

    def forget_tokens(self) -> None:
        """Every access token is refused from now on; refresh tokens are good."""
        self._access.clear()

    def forget_everybody(self) -> None:
        self._access.clear()
        self._refresh.clear()

    def _heard(self, handler: Callable[[web.Request, Mapping[str, str]], Awaitable[web.Response]]):
        async def answer(request: web.Request) -> web.StreamResponse:
            path = request.path.removeprefix("/public/")
            fields = dict(await request.post()) if request.method == "POST" else {}
            self.asked.append(Asked(request.method, path, fields, dict(request.headers)))
            for planned, behaviours in self._plans.items():
                if path.startswith(planned) and behaviours:
                    answered = await behaviours.popleft()(request)
                    if answered is not None:
                        return answered
            return await handler(request, fields)

        return answer

    async def _elsewhere(self, request: web.Request) -> web.Response:
        """Where a redirect leads; a client must never get to hear it."""
        self.asked.append(Asked("GET", "elsewhere", {}, dict(request.headers)))
        return web.json_response({"items": [], "resource": ""})

    async def _verify(self, request: web.Request, fields: Mapping[str, str]) -> web.Response:
        if wrong := _unsigned(request, fields, {"uid"}):
            return wrong
        found = self._linked_to(fields["uid"])
        return web.json_response(
            {"registered": str(found is not None).lower(), "digilockerid": found.id if found else ""}
        )

    async def _code(self, request: web.Request, fields: Mapping[str, str]) -> web.Response:
        if wrong := _unlike(fields, {"client_id": CLIENT_ID, "response_type": "device_code"}, {"dl_mobile"}):
            return wrong
        found = [account for account in self.accounts if account.mobile == fields["dl_mobile"]]
        if len(found) != 1:
            return _error(400, "invalid_mobile" if not found else "multiple_mobile_accounts")
        device = secrets.token_hex(5)
        self._devices[device] = found[0]
        masked = f"XXXXXX{fields['dl_mobile'][-4:]}"
        said = {"device_code": device, "dl_masked_mobile": masked, "dl_masked_email": "", "expires_in": 600}
        return web.json_response(said)

    async def _token(self, request: web.Request, fields: Mapping[str, str]) -> web.Response:
        if fields.get("grant_type") == "refresh_token":
            return await self._refreshed(fields)
        if wrong := _unlike(fields, {"grant_type": DEVICE, "client_id": CLIENT_ID}, {"device_code", "dl_otp"}):
            return wrong
        account = self._devices.get(fields["device_code"])
        if account is None or fields["dl_otp"] != OTP:
            return _error(400, "invalid_grant")
        del self._devices[fields["device_code"]]
        return web.json_response(self._tokens(account))

    async def _refreshed(self, fields: Mapping[str, str]) -> web.Response:
        ours = {"grant_type": "refresh_token", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        if wrong := _unlike(fields, ours, {"refresh_token"}):
            return wrong
        account = self._refresh.pop(fields["refresh_token"], None)
        return web.json_response(self._tokens(account)) if account else _error(400, "invalid_grant")

    def _tokens(self, account: Account) -> dict[str, object]:
        access, refresh = secrets.token_hex(20), secrets.token_hex(20)
        self._access[access], self._refresh[refresh] = account, account
        said = {
            "access_token": access,
            "refresh_token": refresh,
            "expires_in": self.expires_in,
            "token_type": "Bearer",
            "scope": "",
        }
        return {**said, "digilockerid": account.id} if self.says_whose else said

    async def _sign_up(self, request: web.Request, fields: Mapping[str, str]) -> web.Response:
        wanted = {"uid", "name", "dob", "gender", "mobile", "consent", "verification", "demoauth"}
        if wrong := _unsigned(request, fields, wanted):
            return wrong
        if fields["consent"] != "Y" or not (len(fields["dob"]) == 8 and fields["dob"].isdigit()):
            return _error(400, "invalid_parameter")
        if fields["name"] != "Test Holder":
            return _error(400, "auth_failure")
        if account := self._linked_to(fields["uid"]):
            return web.json_response(self._tokens(account))
        if any(account.mobile == fields["mobile"] for account in self.accounts):
            return _error(400, "mobile_exists")
        self._signing_up[fields["mobile"]] = fields["uid"]
        return web.json_response({"mobile": f"******{fields['mobile'][-4:]}"})

    async def _signed_up(self, request: web.Request, fields: Mapping[str, str]) -> web.Response:
        if wrong := _unsigned(request, fields, {"mobile", "otp"}):
            return wrong
        if fields["otp"] != OTP or fields["mobile"] not in self._signing_up:
            return _error(400, "invalid_otp")
        account = Account(secrets.token_hex(18), self._signing_up.pop(fields["mobile"]), fields["mobile"])
        self.accounts.append(account)
        return web.json_response(self._tokens(account))

    async def _user(self, request: web.Request, fields: Mapping[str, str]) -> web.Response:
        account = self._whose(request)
        return web.json_response({"digilockerid": account.id}) if account else _error(401, "invalid_token")

    async def _issued(self, request: web.Request, fields: Mapping[str, str]) -> web.Response:
        account = self._whose(request)
        if account is None:
            return _error(401, "invalid_token")
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
            for paper in account.papers
        ]
        return web.json_response({"items": items, "resource": "D:"})

    async def _file(self, request: web.Request, fields: Mapping[str, str]) -> web.Response:
        return self._octets(request, lambda paper: (paper.file, paper.media))

    async def _xml(self, request: web.Request, fields: Mapping[str, str]) -> web.Response:
        return self._octets(request, lambda paper: (paper.xml, "application/xml"))

    def _octets(self, request: web.Request, of: Callable[[Paper], tuple[bytes, str]]) -> web.Response:
        account = self._whose(request)
        if account is None:
            return _error(401, "invalid_token")
        paper = next((paper for paper in account.papers if paper.uri == request.match_info["uri"]), None)
        if paper is None:
            return _error(404, "invalid_uri")
        body, media = of(paper)
        return web.Response(body=body, content_type=media, headers={"hmac": sealed(body)})

    def _whose(self, request: web.Request) -> Account | None:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        return self._access.get(token) if kind == "Bearer" else None

    def _linked_to(self, aadhaar: str) -> Account | None:
        return next((account for account in self.accounts if account.aadhaar == aadhaar), None)


def sealed(body: bytes, secret: str = CLIENT_SECRET) -> str:
    """The HMAC header as the specification has it: SHA-256 under the client secret, in Base64."""
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()


def status(code: int, error: str = "unexpected_error", **headers: str) -> Behaviour:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"error": error, "error_description": ""}, status=code, headers=headers)

    return answer


def saying(body: bytes, media: str = "application/json", code: int = 200, **headers: str) -> Behaviour:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type=media, status=code, headers=headers)

    return answer


def redirect() -> Behaviour:
    async def answer(_: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/elsewhere")

    return answer


def hang_up() -> Behaviour:
    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    return answer


def silence(server: DigiLockerServer) -> Behaviour:
    """No answer before the server closes."""

    async def answer(_: web.Request) -> web.StreamResponse:
        await server.closing.wait()
        return web.Response()

    return answer


def dripping(server: DigiLockerServer) -> Behaviour:
    """A byte now and then, for ever."""
    return _pouring(server, b" ", every=0.02)


def endless(server: DigiLockerServer) -> Behaviour:
    """More than anybody wants, as fast as it is taken, and no length said."""
    return _pouring(server, bytes(65_536), every=0)


def _pouring(server: DigiLockerServer, piece: bytes, every: float) -> Behaviour:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        while not server.closing.is_set():
            await response.write(piece)
            await asyncio.sleep(every)
        return response

    return answer


def _unsigned(request: web.Request, fields: Mapping[str, str], wanted: set[str]) -> web.Response | None:
    if not request.content_type.startswith("multipart/"):
        return _error(400, "invalid_parameter")
    if fields.get("clientid") != CLIENT_ID:
        return _error(401, "invalid_client_id")
    if set(fields) != wanted | {"clientid", "ts", "hmac"}:
        return _error(400, "parameter_missing")
    if abs(time.time() - int(fields["ts"])) > 1800:
        return _error(400, "invalid_ts")
    digest = sha256(f"{CLIENT_SECRET}{CLIENT_ID}{fields['ts']}".encode()).hexdigest()
    return None if fields["hmac"] == digest else _error(400, "hmac_mismatch")


def _unlike(fields: Mapping[str, str], ours: Mapping[str, str], wanted: set[str]) -> web.Response | None:
    if set(fields) != set(ours) | wanted:
        return _error(400, "invalid_request")
    if any(fields[key] != value for key, value in ours.items()):
        return _error(401, "invalid_client")
    return None


def _error(code: int, error: str) -> web.Response:
    return web.json_response({"error": error, "error_description": "as the specification says"}, status=code)
