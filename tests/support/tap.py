"""The adapter to hSenid TAP without a gateway: applications, screens and the settings that they are built from."""

from collections.abc import Mapping

from pydantic import SecretStr

from providers.tap.applications import Applications, build_applications
from providers.tap.dialects import DialectName
from providers.tap.settings import TapApplication, TapSettings
from providers.tap.ussd import TapInput, TapUssd
from sessions.path_turns import UssdReply
from sessions.session import Reply
from tests.fakes.tap_server import APPLICATIONS, TapServer

DIALECT_NAMES: Mapping[str, DialectName] = {"bdapps": "bdapps", "applink": "applink"}


def build_fake_applications(server: TapServer | None, *, base_url: str = "", keyword: str = "") -> Applications:
    """Both applications of the server; without one, of nobody who answers."""
    settings = {
        name: TapApplication(
            dialect=DIALECT_NAMES[name],
            application_id=application.id,
            password=SecretStr(application.password),
            base_url=base_url or (f"{server.url}/{name}" if server else "http://127.0.0.1:1"),
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
