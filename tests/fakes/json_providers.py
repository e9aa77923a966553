"""Providers of USSD over JSON, forms and queries, each with a phone: strict about every reply, and independent of our rows.

The forms are those of the sources that `providers/json_http/rows/` names.
"""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from aiohttp import ClientSession

from tests.support.phone import MSISDN


class Press(NamedTuple):
    """A key press: `number` counts from 1, `path` is everything typed, `text` the newest input, `brought_back` our metadata."""

    session: str
    digits: str
    code: str
    number: int
    path: str
    text: str
    brought_back: str

    @property
    def dials(self) -> bool:
        return self.number == 1


class Shown(NamedTuple):
    """What the phone shows, whether the call is over, and what the provider brings back."""

    text: str
    ended: bool
    metadata: str = ""


Fields = Mapping[str, Any]


@dataclass(frozen=True)
class ProviderForm:
    """How a provider asks, and reads the reply. `hang_up` is None where it does not tell that the caller has gone."""

    build: Callable[[Press], Fields]
    read: Callable[[str, Press], Shown]
    sends: str = "json"
    content_type: str = "application/json"
    identifies_requests: bool = False
    hang_up: Callable[[Press], Fields] | None = None


def _read_hubtel(body: str, _: Press) -> Shown:
    reply = json.loads(body)
    ended = {"response": False, "release": True}[reply["Type"]]
    assert set(reply) == ({"Message", "Type"} if ended else {"Message", "Type", "ClientState"})
    return Shown(reply["Message"], ended, reply.get("ClientState", ""))


def _build_hubtel(press: Press, kind: str = "") -> Fields:
    return {
        "Type": kind or ("initiation" if press.dials else "response"),
        "Message": press.code if press.dials else press.text,
        "ServiceCode": press.code.strip("*#"),
        "Operator": "mtn",
        "ClientState": press.brought_back,
        "Mobile": press.digits,
        "SessionId": press.session,
        "Sequence": str(press.number),
    }


def _build_arkesel(press: Press) -> Fields:
    return {
        "sessionID": press.session,
        "userID": "USSDTEST01",
        "newSession": press.dials,
        "msisdn": press.digits,
        "userData": press.code if press.dials else press.text,
        "network": "MTN",
    }


def _read_arkesel(body: str, press: Press) -> Shown:
    reply = json.loads(body)
    goes_on, message = reply.pop("continueSession"), reply.pop("message")
    assert reply == {"sessionID": press.session, "userID": "USSDTEST01", "msisdn": press.digits}
    assert isinstance(goes_on, bool)
    return Shown(message, not goes_on)


def _build_nalo(press: Press) -> Fields:
    return {
        "USERID": "NALOTest",
        "MSISDN": press.digits,
        "USERDATA": press.code if press.dials else press.text,
        "MSGTYPE": press.dials,
        "NETWORK": "MTN",
        "SESSIONID": press.session,
    }


def _read_nalo(body: str, press: Press) -> Shown:
    reply = json.loads(body)
    goes_on, message = reply.pop("MSGTYPE"), reply.pop("MSG")
    assert reply == {name: _build_nalo(press)[name] for name in ("USERID", "MSISDN", "USERDATA")}
    assert isinstance(goes_on, bool)
    return Shown(message, not goes_on)


def _build_moolre(press: Press) -> Fields:
    text = "" if press.dials else press.text
    about = {"sessionid": press.session, "new": press.dials, "msisdn": press.digits, "network": 3}
    return {**about, "message": text, "extension": 109, "data": ""}


def _read_moolre(body: str, _: Press) -> Shown:
    reply = json.loads(body)
    assert set(reply) == {"message", "reply"}
    assert isinstance(reply["reply"], bool)
    return Shown(reply["message"], not reply["reply"])


def _build_beem(press: Press, command: str = "") -> Fields:
    return {
        "command": command or ("initiate" if press.dials else "continue"),
        "msisdn": press.digits,
        "session_id": press.session,
        "operator": "vodacom",
        "payload": {"request_id": 7, "response": press.text},
    }


def _read_beem(body: str, press: Press) -> Shown:
    reply = json.loads(body)
    command, payload = reply.pop("command"), reply.pop("payload")
    assert reply == {"msisdn": press.digits, "session_id": press.session, "operator": "vodacom"}
    assert payload["request_id"] == 7
    return Shown(payload["request"], {"continue": False, "terminate": True}[command])


def _build_hollatags(press: Press, operation: str = "") -> Fields:
    return {
        "session_msisdn": press.digits,
        "session_operation": operation or ("begin" if press.dials else "continue"),
        "session_msg": press.code if press.dials else press.text,
        "session_id": press.session,
        "session_from": press.code,
        "session_type": "1" if press.dials else "3",
        "session_mno": "MTN",
    }


def _read_hollatags(body: str, press: Press) -> Shown:
    reply = json.loads(body)
    operation, kind, message = reply.pop("session_operation"), reply.pop("session_type"), reply.pop("session_msg")
    assert reply == {"session_id": press.session}
    assert kind == {"continue": 1, "end": 4}[operation]
    assert len(message) <= 160
    return Shown(message, operation == "end")


def _build_mobilesasa(press: Press) -> Fields:
    return {
        "sessionId": press.session,
        "serviceCode": press.code,
        "phoneNumber": f"+{press.digits}",
        "text": press.path,
    }


def _build_advanta(press: Press) -> Fields:
    dialled = f"{press.code[:-1]}*{press.path}" if press.path else press.code[:-1]
    return {"SESSIONID": press.session, "USSDCODE": press.code, "MSISDN": press.digits, "INPUT": f"{dialled}#"}


def _read_prefix(body: str, _: Press) -> Shown:
    kind, _, text = body.partition(" ")
    return Shown(text, {"CON": False, "END": True}[kind])


FORMS: Mapping[str, ProviderForm] = {
    "hubtel": ProviderForm(
        _build_hubtel,
        _read_hubtel,
        identifies_requests=True,
        hang_up=lambda press: _build_hubtel(press, "release"),
    ),
    "arkesel": ProviderForm(_build_arkesel, _read_arkesel),
    "nalo": ProviderForm(_build_nalo, _read_nalo),
    "moolre": ProviderForm(_build_moolre, _read_moolre),
    "beem": ProviderForm(_build_beem, _read_beem, hang_up=lambda press: _build_beem(press, "terminate")),
    "hollatags": ProviderForm(
        _build_hollatags, _read_hollatags, "query", hang_up=lambda press: _build_hollatags(press, "end")
    ),
    "mobilesasa": ProviderForm(_build_mobilesasa, _read_prefix, "form", "text/plain", identifies_requests=True),
    "advanta": ProviderForm(_build_advanta, _read_prefix, "query", "text/plain", identifies_requests=True),
}


def json_settings(*names: str) -> Mapping[str, str]:
    """The variables of a gateway that serves these rows, for `build_settings`."""
    return {f"PROVIDERS__JSON__{name.upper()}__ENABLED": "true" for name in names}


class JsonPhone:
    """A phone on a network of one of these providers; the interface is that of `tests.support.phone.Phone`."""

    def __init__(
        self,
        http: ClientSession,
        url: str,
        provider: str,
        msisdn: str = MSISDN,
        *,
        code: str = "*123#",
        token: str = "",
    ) -> None:
        self.http, self.url, self.msisdn, self.token = http, url, msisdn, token
        self.provider, self.form = provider, FORMS[provider]
        self.service_code = code
        self.ended = False
        self.presses: list[Press] = []
        self._metadata = ""

    async def dial(self, service_code: str = "") -> str:
        """Start a call; the first screen."""
        self.service_code = service_code or self.service_code
        self.presses, self._metadata = [], ""
        return await self._press(Press(f"s{secrets.token_hex(8)}", self.msisdn[1:], self.service_code, 1, "", "", ""))

    async def enter(self, *answers: str) -> str:
        """Press keys or type answers, each as one request; the last screen."""
        screen = ""
        for answer in answers:
            assert not self.ended, f"the call ended before {answer!r}"
            screen = await self._press(self.plan(answer))
        return screen

    def plan(self, answer: str) -> Press:
        """The next key press, which is not sent."""
        last = self.presses[-1]
        path = f"{last.path}*{answer}" if last.path else answer
        return last._replace(number=last.number + 1, path=path, text=answer, brought_back=self._metadata)

    async def send(self, press: Press) -> str:
        """Send a key press, which may have been sent before; the screen."""
        return (await self._send(press)).text

    async def repeat(self, position: int = -1) -> str:
        """Send a request of this call again, the newest where no position is given; the screen."""
        return await self.send(self.presses[position])

    async def hang_up(self) -> None:
        """Leave the call; the provider tells it where it does that."""
        self.ended = True
        if self.form.hang_up is not None:
            status, _ = await self.post(self.form.hang_up(self.presses[-1]))
            assert status == 200

    async def post(self, fields: Fields) -> tuple[int, str]:
        """Send exactly these fields; the status and the body of the response."""
        sent: Mapping[str, Any] = {"json": {"json": fields}, "form": {"data": fields}, "query": {}}[self.form.sends]
        query = {**(fields if self.form.sends == "query" else {}), **({"token": self.token} if self.token else {})}
        method = "GET" if self.form.sends == "query" else "POST"
        address = f"{self.url}/ussd/{self.provider}"
        async with self.http.request(method, address, params=query, **sent) as response:
            if response.status == 200 and await response.read():
                assert response.headers["Content-Type"] == f"{self.form.content_type}; charset=utf-8"
            return response.status, await response.text()

    async def _press(self, press: Press) -> str:
        self.presses.append(press)
        shown = await self._send(press)
        self.ended, self._metadata = shown.ended, shown.metadata
        return shown.text

    async def _send(self, press: Press) -> Shown:
        status, body = await self.post(self.form.build(press))
        assert status == 200, body
        return self.form.read(body, press)
