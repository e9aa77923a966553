"""hSenid TAP on a real socket: two platforms, bdapps and Applink, with an application at each, and phones on them.

The server answers HTTP 200 for failures, as the documentation says. A request without a mandatory field, with an unknown
one, to everybody (`tel:all`), or for a session that does not wait for a screen is refused. What code a real platform gives
for a session that has ended is not documented: `over_code` is a choice of ours.
"""

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Self

from aiohttp import ClientSession, web

BDAPPS, APPLINK = "bdapps", "applink"
SCREEN_CHARACTERS = 182
USSD_FIELDS = {"message", "sessionId", "ussdOperation", "destinationAddress"}
SMS_FIELDS = {"message", "destinationAddresses"}
OPTIONAL_FIELDS = {
    "/ussd/send": {"encoding"},
    "/sms/send": {"sourceAddress", "deliveryStatusRequest", "encoding"},
}
DETAILS = {"S1000": "Success", "E1312": "Invalid request", "E1313": "Authentication failure"}
WAIT = 10.0  # seconds for a screen or an SMS


@dataclass(frozen=True)
class FakeApplication:
    """An application as the operator's portal has it."""

    dialect: str
    id: str
    password: str
    sender: str
    service_code: str
    msisdn: str
    requires_version: bool


APPLICATIONS: Mapping[str, FakeApplication] = {
    BDAPPS: FakeApplication(BDAPPS, "APP_000375", "b" * 32, "21213", "*213#", "+8801812345678", requires_version=False),
    APPLINK: FakeApplication(
        APPLINK, "APP_000029", "a" * 32, "16303", "*303#", "+8801959979376", requires_version=True
    ),
}


@dataclass(frozen=True)
class SentSms:
    """One SMS that the server accepted."""

    application: str
    to: str
    text: str
    sender: str
    id: str
    wants_report: bool


@dataclass
class FakeSession:
    """A call: whose, whether it waits for a screen, and the screens that were shown."""

    application: str
    address: str
    waits: bool = True
    is_over: bool = False
    screens: asyncio.Queue[tuple[str, str]] = field(default_factory=asyncio.Queue)


Behaviour = Callable[["TapServer", web.Request], Awaitable[web.StreamResponse]]


def answer_code(code: str) -> Behaviour:
    """Answer HTTP 200 with this status code, and do nothing."""

    async def respond(_: "TapServer", __: web.Request) -> web.StreamResponse:
        return answer({"statusCode": code, "statusDetail": DETAILS.get(code, "Failed")})

    return respond


def answer_http(status: int, text: str = "<html>") -> Behaviour:
    """Answer with a page, as a proxy before the platform does."""

    async def respond(_: "TapServer", __: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=text, content_type="text/html")

    return respond


def answer_body(body: object) -> Behaviour:
    """Answer HTTP 200 with this JSON."""

    async def respond(_: "TapServer", __: web.Request) -> web.StreamResponse:
        return answer(body)

    return respond


async def act_silently(server: "TapServer", request: web.Request) -> web.StreamResponse:
    """Do what was asked, and answer nothing until the server closes."""
    await server.act(request)
    await server.closing.wait()
    return web.Response(status=500)


async def stay_silent(server: "TapServer", _: web.Request) -> web.StreamResponse:
    """Do nothing and answer nothing until the server closes."""
    await server.closing.wait()
    return web.Response(status=500)


def answer(body: object) -> web.Response:
    return web.Response(text=json.dumps(body), content_type="application/json")


class TapServer:
    """Both platforms. `plan` changes the next answers of a path; `requests` has every body that arrived."""

    def __init__(self, *, over_code: str = "E1312", port: int = 0) -> None:
        self.url = "https://tap.example"
        self._port = port
        self.over_code = over_code
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.refusals: list[str] = []
        self.sms: list[SentSms] = []
        self.broadcasts = 0
        self.sessions: dict[str, FakeSession] = {}
        self.closing = asyncio.Event()
        self._arrived = asyncio.Condition()
        self._planned: dict[str, deque[Behaviour]] = defaultdict(deque)
        self._numbers = count(101901031657410001)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/{dialect}/ussd/send", self._handle)
        app.router.add_post("/{dialect}/sms/send", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.closing.set()
        await self._runner.cleanup()

    def settings(self) -> dict[str, str]:
        """The settings of a gateway with both applications, for `build_settings`."""
        applications = {
            name: {
                "dialect": name,
                "application_id": application.id,
                "password": application.password,
                "base_url": f"{self.url}/{name}",
                "sender": application.sender,
                "service_codes": [application.service_code],
            }
            for name, application in APPLICATIONS.items()
        }
        return {"PROVIDERS__TAP__APPLICATIONS": json.dumps(applications)}

    def plan(self, path: str, *behaviours: Behaviour) -> None:
        """Answer the next requests to `/ussd/send` or `/sms/send` so."""
        self._planned[path].extend(behaviours)

    def open_session(self, application: str, address: str) -> str:
        """A call that waits for its first screen; its id."""
        session = str(next(self._numbers))
        self.sessions[session] = FakeSession(application, address)
        return session

    def next_id(self) -> str:
        """An id of a request that nobody else has."""
        return str(next(self._numbers))

    async def wait_for_sms(self, msisdn: str, containing: str = "") -> SentSms:
        """The newest SMS to a number that contains the text."""

        def find() -> SentSms | None:
            return next((sms for sms in reversed(self.sms) if sms.to == msisdn and containing in sms.text), None)

        async with asyncio.timeout(WAIT), self._arrived:
            return await self._arrived.wait_for(find)  # type: ignore[return-value]  # it waits until it is found

    async def act(self, request: web.Request) -> web.Response:
        """Do what a request asks for, or refuse it."""
        dialect, path = request.match_info["dialect"], f"/{request.path.split('/', 2)[2]}"
        fields = json.loads(await request.text())
        application = APPLICATIONS[dialect]
        code, reason = self._find_fault(application, path, request, fields)
        if code:
            self.refusals.append(f"{path}: {reason}")
            return answer({"statusCode": code, "statusDetail": DETAILS.get(code, "Failed"), "version": "1.0"})
        return self._show(fields) if path == "/ussd/send" else await self._send(application, fields)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        path = f"/{request.path.split('/', 2)[2]}"
        self.requests.append((path, json.loads(await request.text())))
        planned = self._planned[path]
        return await planned.popleft()(self, request) if planned else await self.act(request)

    def _find_fault(
        self, application: FakeApplication, path: str, request: web.Request, fields: Mapping[str, Any]
    ) -> tuple[str, str]:
        """The code and the reason of a refusal; both empty where there is nothing wrong."""
        mandatory = {"applicationId", "password"} | (USSD_FIELDS if path == "/ussd/send" else SMS_FIELDS)
        if request.content_type != "application/json":
            return "E1312", "content type"
        if missing := mandatory - set(fields):
            return "E1312", f"missing {sorted(missing)}"
        if application.requires_version and "version" not in fields:
            return "E1312", "missing version"
        if unknown := set(fields) - mandatory - OPTIONAL_FIELDS[path] - {"version"}:
            return "E1312", f"unknown {sorted(unknown)}"
        if (fields["applicationId"], fields["password"]) != (application.id, application.password):
            return "E1313", "account"
        return self._find_screen_fault(fields) if path == "/ussd/send" else self._find_sms_fault(application, fields)

    def _find_screen_fault(self, fields: Mapping[str, Any]) -> tuple[str, str]:
        text, session = fields["message"], self.sessions.get(fields["sessionId"])
        if not text or not text.isascii() or len(text) > SCREEN_CHARACTERS:
            return "E1312", "message"
        if fields["ussdOperation"] not in {"mt-cont", "mt-fin"}:
            return "E1383", "operation"
        if session is None or session.is_over or not session.waits:
            return self.over_code, "session"
        if fields["destinationAddress"] != session.address:
            return "E1325", "address"
        return "", ""

    def _find_sms_fault(self, application: FakeApplication, fields: Mapping[str, Any]) -> tuple[str, str]:
        addresses = fields["destinationAddresses"]
        if not isinstance(addresses, list) or len(addresses) != 1:
            return "E1312", "destinationAddresses"
        if addresses == ["tel:all"]:
            self.broadcasts += 1
        if not addresses[0].removeprefix("tel:").isdigit() or not addresses[0].startswith("tel:"):
            return "E1325", "address"
        if fields.get("sourceAddress", application.sender) != application.sender:
            return "E1331", "sender"
        return "", ""

    def _show(self, fields: Mapping[str, Any]) -> web.Response:
        session = self.sessions[fields["sessionId"]]
        session.waits, session.is_over = False, fields["ussdOperation"] == "mt-fin"
        session.screens.put_nowait((fields["ussdOperation"], fields["message"]))
        body = {"requestId": self.next_id(), "timeStamp": "20261130120000"}
        return answer({"version": "1.0", **body, "statusCode": "S1000", "statusDetail": "Success."})

    async def _send(self, application: FakeApplication, fields: Mapping[str, Any]) -> web.Response:
        (address,) = fields["destinationAddresses"]
        to, sms_id = f"+{address.removeprefix('tel:')}", self.next_id()
        sender, wants_report = fields.get("sourceAddress", ""), fields.get("deliveryStatusRequest") == "1"
        async with self._arrived:
            self.sms.append(SentSms(application.dialect, to, fields["message"], sender, sms_id, wants_report))
            self._arrived.notify_all()
        return answer(build_sms_answer(application.dialect, address, sms_id))


def build_sms_answer(dialect: str, address: str, sms_id: str) -> dict[str, object]:
    """The answer to an accepted SMS: bdapps gives one id at the top, Applink one for each recipient."""
    success = {"statusCode": "S1000", "statusDetail": "Success", "version": "1.0"}
    if dialect == BDAPPS:
        return {**success, "messageId": sms_id}
    recipient = {"timeStamp": "20261130120000", "address": address, "messageId": sms_id, "statusCode": "S1000"}
    return {**success, "requestId": sms_id, "destinationResponses": [{**recipient, "statusDetail": "Success"}]}


class TapPhone:
    """A phone on one of the two networks. `address` is what the platform calls it: a number, or a hash where it masks."""

    def __init__(
        self,
        http: ClientSession,
        url: str,
        server: TapServer,
        *,
        network: str = BDAPPS,
        msisdn: str = "",
        mask: str = "",
        token: str = "",
    ) -> None:
        self.http = http
        self.url = url
        self.server = server
        self.application = APPLICATIONS[network]
        self.msisdn = msisdn or self.application.msisdn
        self.address = f"tel:{mask or self.msisdn.removeprefix('+')}"
        self.token = token
        self.session_id = ""
        self.ended = False
        self.posted: list[dict[str, str]] = []

    async def dial(self, code: str = "") -> str:
        """Start a call; the first screen."""
        self.session_id = self.server.open_session(self.application.dialect, self.address)
        self.ended, self.posted = False, []
        return await self._press("mo-init", code or self.application.service_code)

    async def redial(self) -> str:
        """Start a call, and start again where the gateway offers to resume; the first screen."""
        screen = await self.dial()
        return await self.enter("2") if "Start again" in screen else screen

    async def enter(self, *answers: str) -> str:
        """Press keys or type answers, each as one request; the last screen."""
        screen = ""
        for typed in answers:
            assert not self.ended, f"the call ended before {typed!r}"
            self._session.waits = True
            screen = await self._press("mo-cont", typed)
        return screen

    async def repeat(self, position: int = -1) -> str:
        """The platform posts one of the requests of this call again, by default the newest; the screen that follows."""
        self._session.waits = True
        assert await self.post(self.posted[position]) == ACKNOWLEDGED
        return await self.wait_for_screen()

    def hang_up(self) -> None:
        """End the call at the platform, which refuses every screen from now on."""
        self._session.is_over = True

    async def post(self, fields: Mapping[str, Any], path: str = "/ussd/tap") -> tuple[int, str]:
        """The status and the body of the response to a webhook with these fields."""
        return await self.post_body(json.dumps(fields).encode(), path)

    async def post_body(self, body: bytes, path: str = "/ussd/tap") -> tuple[int, str]:
        """The status and the body of the response to exactly this webhook."""
        guard = {"token": self.token} if self.token else {}
        headers = {"Content-Type": "application/json;charset=utf-8"}
        async with self.http.post(f"{self.url}{path}", params=guard, data=body, headers=headers) as response:
            return response.status, await response.text()

    def build_key_press(self, operation: str, message: str) -> dict[str, str]:
        """The fields of a key press, with an id of its own."""
        return {
            "version": "1.0",
            "applicationId": self.application.id,
            "message": message,
            "requestId": self.server.next_id(),
            "sessionId": self.session_id,
            "ussdOperation": operation,
            "sourceAddress": self.address,
            "vlrAddress": "some vlr address",
            "encoding": "440",
        }

    async def wait_for_screen(self) -> str:
        """The next screen of the call."""
        async with asyncio.timeout(WAIT):
            operation, screen = await self._session.screens.get()
        self.ended = operation == "mt-fin"
        return screen

    async def send_sms(self, text: str, **fields: str) -> str:
        """Send an SMS to the application; its id at the platform."""
        sms = {
            "version": "1.0",
            "applicationId": self.application.id,
            "sourceAddress": self.address,
            "message": text,
            "requestId": self.server.next_id(),
            "encoding": "0",
            **fields,
        }
        assert await self.post(sms, "/sms/tap") == ACKNOWLEDGED
        return sms["requestId"]

    async def report(self, sms: SentSms, status: str, *, time: str = "20261130120000") -> None:
        """The platform reports what became of an SMS."""
        report = {"destinationAddress": self.address, "timeStamp": time, "requestId": sms.id, "deliveryStatus": status}
        assert await self.post(report, "/sms/tap/delivery") == ACKNOWLEDGED

    async def wait_for_sms(self, containing: str = "") -> str:
        """The newest SMS to this phone that contains the text."""
        return (await self.server.wait_for_sms(self.msisdn, containing)).text

    @property
    def _session(self) -> FakeSession:
        return self.server.sessions[self.session_id]

    async def _press(self, operation: str, message: str) -> str:
        fields = self.build_key_press(operation, message)
        self.posted.append(fields)
        assert await self.post(fields) == ACKNOWLEDGED
        return await self.wait_for_screen()


ACKNOWLEDGED = (200, json.dumps({"statusCode": "S1000", "statusDetail": "Success"}))
