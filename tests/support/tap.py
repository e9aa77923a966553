"""The adapter to hSenid TAP without a gateway: applications, screens and the settings that they are built from."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import SecretStr

from providers.tap.applications import Applications, build_applications
from providers.tap.dialects import DialectName
from providers.tap.settings import TapApplication, TapSettings
from providers.tap.ussd import TapInput, TapUssd
from sessions.path_turns import UssdReply
from sessions.session import Reply
from tests.fakes.tap_server import APPLICATIONS, TapServer

DIALECT_NAMES: Mapping[str, DialectName] = {"bdapps": "bdapps", "applink": "applink"}


DIALOGUES = Path(__file__).parents[1] / "fixtures/tap/dialogues.json"


def read_tap_dialogues() -> Mapping[str, Mapping[str, Any]]:
    """What the platforms publish: an account, a call, an SMS out and in, and a delivery report, by dialect."""
    dialogues: Mapping[str, Mapping[str, Any]] = json.loads(DIALOGUES.read_text(encoding="utf-8"))
    return dialogues


def build_fake_applications(
    server: TapServer | None, *, keyword: str = "", ids: Mapping[str, str] = MappingProxyType({})
) -> Applications:
    """Both applications of the server; without one, of nobody who answers. `ids` replaces ids by dialect."""
    settings = {
        name: TapApplication(
            dialect=DIALECT_NAMES[name],
            application_id=ids.get(name, application.id),
            password=SecretStr(application.password),
            base_url=f"{server.url}/{name}" if server else "http://127.0.0.1:1",
            sender=application.sender,
            keyword=keyword,
            service_codes=(application.service_code,),
        )
        for name, application in APPLICATIONS.items()
    }
    return build_applications(TapSettings(applications=settings))


def build_ussd(applications: Applications, *, push_deadline: float = 5.0, screen_characters: int = 160) -> TapUssd:
    """The USSD of these applications."""
    return TapUssd(
        applications,
        screen_characters=screen_characters,
        push_deadline=push_deadline,
        caller_number_verified=True,
    )


def build_reply(text: str, *, ends: bool = False) -> UssdReply:
    """A screen as the menus give it."""
    return UssdReply(Reply(text, ends=ends), "answered")


def open_call(server: TapServer, ussd: TapUssd, network: str = "bdapps") -> TapInput:
    """The first key press of a call that waits at the server."""
    application = APPLICATIONS[network]
    address = f"tel:{application.msisdn.removeprefix('+')}"
    fields = {
        "version": "1.0",
        "applicationId": application.id,
        "message": application.service_code,
        "requestId": server.next_id(),
        "sessionId": server.open_session(network, address),
        "ussdOperation": "mo-init",
        "sourceAddress": address,
        "encoding": "440",
    }
    return ussd.parse_request(fields, {})
