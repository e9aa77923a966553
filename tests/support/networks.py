"""The network below `tests.support.phone.Phone`: Africa's Talking, or with `--network` hSenid TAP, USSD over SMPP, or no
network of calls at all but the page for KaiOS phones.

A phone on TAP or SMPP has the fake platform, or SMSC, of the newest gateway. A phone of a network that a test names, such as one
that shows Unicode, stays on Africa's Talking.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol

import pytest

from tests.fakes.tap_server import BDAPPS, TapPhone, TapServer
from tests.support.kaios_phone import KaiosPhone

if TYPE_CHECKING:
    from app.context import AppContext
    from tests.support.phone import Phone
    from ussd.routes import UssdHandler

AFRICASTALKING, TAP, SMPP, KAIOS = NETWORKS = ("africastalking", "tap", "smpp", "kaios")
SCREEN_CHARACTERS: Final = 156  # as on Africa's Talking, whose screens begin with `CON `
LATIN_NETWORK: Final = "99999"


class RemotePhone(Protocol):
    """A handset of a fake."""

    ended: bool

    async def dial(self, service_code: str = "*123#") -> str:
        """Start a call; the first screen."""

    async def enter(self, *answers: str) -> str:
        """Press keys or type answers, each as one request; the last screen."""


class SelectedNetwork:
    """The network of this run, by the option `--network`, and its fake while a gateway runs."""

    def __init__(self) -> None:
        self.name = AFRICASTALKING
        self._tap_port = 0
        self._fakes: list[Any] = []

    def settings(self) -> Mapping[str, str]:
        """The settings of a gateway that serves the network."""
        if self.name == KAIOS:
            return {"KAIOS__PAGE_CHARACTERS": str(SCREEN_CHARACTERS)}
        if self.name != TAP:
            return {}
        from tests.support.servers import free_port

        self._tap_port = self._tap_port or free_port()
        applications = json.loads(TapServer().settings()["PROVIDERS__TAP__APPLICATIONS"])
        application = applications[BDAPPS]
        application |= {"base_url": f"http://127.0.0.1:{self._tap_port}/{BDAPPS}", "service_codes": ["*123#"]}
        return {
            "PROVIDERS__TAP__APPLICATIONS": json.dumps({BDAPPS: application}),
            "PROVIDERS__TAP__SCREEN_CHARACTERS": str(SCREEN_CHARACTERS),
        }

    @asynccontextmanager
    async def running(self) -> AsyncIterator["NetworkSide"]:
        """The side of the network of one gateway, for the block."""
        with pytest.MonkeyPatch.context() as patch:
            side = NetworkSide(self.name)
            if self.name == SMPP:
                side.record_handlers(patch)
            async with AsyncExitStack() as stack:
                if self.name == TAP and not self._fakes:
                    self._fakes.append(await stack.enter_async_context(TapServer(port=self._tap_port)))
                    stack.callback(self._fakes.clear)
                yield side

    @asynccontextmanager
    async def bound(self, side: "NetworkSide") -> AsyncIterator[None]:
        """A bind of the gateway that has just been built, for the block."""
        if self.name != SMPP:
            yield
            return
        async with side.open_bind() as network:
            self._fakes.append(network)
            try:
                yield
            finally:
                self._fakes.remove(network)

    async def repeat(self, remote: RemotePhone) -> str:
        """Let the network send the last request of a phone again; the screen, or "" where it shows no other one."""
        if isinstance(remote, TapPhone):
            return await _repeat_on_tap(remote)
        if isinstance(remote, KaiosPhone):
            return await remote.repeat()
        await remote.repeat()  # type: ignore[attr-defined]  # an SMSC's phone: what it has shown stays
        return ""

    def open_phone(self, phone: "Phone") -> RemotePhone | None:
        """A handset of the network for a phone; None on Africa's Talking."""
        if self.name == AFRICASTALKING or phone.network != LATIN_NETWORK:
            return None
        if self.name == KAIOS:
            return KaiosPhone(phone.http, phone.url, phone.msisdn)
        assert self._fakes, "no gateway of this network runs"
        if self.name == TAP:
            return TapPhone(phone.http, phone.url, self._fakes[-1], msisdn=phone.msisdn, token=phone.token)
        from tests.support.smpp_phone import SmppPhone

        return SmppPhone(self._fakes[-1], phone.msisdn)


async def _repeat_on_tap(phone: TapPhone) -> str:
    """The screen that is pushed once more; a platform shows none where the call is over."""
    if phone.ended:
        await phone.post(phone.posted[-1])
        return ""
    return await phone.repeat()


class NetworkSide:
    """What a gateway under test has for its network: the handler of its key presses, for a bind."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._built: list[tuple[AppContext, UssdHandler]] = []

    def record_handlers(self, patch: pytest.MonkeyPatch) -> None:
        """Remember the handler that is built next."""
        from app import channels

        build = channels.build_ussd_handler

        def build_and_record(context: "AppContext", admission: Any) -> "UssdHandler":
            self._built.append((context, build(context, admission)))
            return self._built[-1][1]

        patch.setattr(channels, "build_ussd_handler", build_and_record)

    @asynccontextmanager
    async def open_bind(self, dialect: str = "standard") -> AsyncIterator[Any]:
        """A bind over which the handler is served, in the process of the gateway; the network of its phones."""
        from app.channels import build_short_code_config
        from providers.smpp.calls import Calls
        from providers.smpp.dialects import DIALECTS
        from providers.smpp.pdus import Deliver
        from providers.smpp.sms import build_text_rules
        from providers.smpp.ussd import SmppUssd
        from tests.fakes.smsc import run_smsc
        from tests.support.smpp import build_bind, open_bound_link
        from tests.support.smpp_phone import StrictNetwork

        context, handler = self._built[-1]
        served: list[SmppUssd] = []

        async def take(deliver: Deliver) -> int:
            return await served[0].on_deliver(deliver)

        async with run_smsc() as smsc:
            bind = build_bind(smsc.port, ussd=dialect)
            async with open_bound_link(bind, take) as link:
                served.append(
                    SmppUssd(
                        bind=dialect,
                        dialect=DIALECTS[dialect],
                        rules=build_text_rules(bind),
                        country_code="",
                        network="",
                        config=build_short_code_config(context.settings, "smpp"),
                        calls=Calls(bind=dialect, store=context.resources.store.sessions, ttl=600),
                        handler=handler,
                        submit=link.submit,
                    )
                )
                yield StrictNetwork(smsc)


SELECTED: Final = SelectedNetwork()
