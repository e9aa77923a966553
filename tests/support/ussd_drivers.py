"""How to dial over each USSD provider: one row each, so that one suite tries every adapter with its fake.

To add a provider, write `open_<provider>`, which gives a `DrivenPhone`, and a row. A provider of the registry without a row
fails `tests/unit/providers/test_ussd_contract.py`.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final, Protocol

import pytest
from aiohttp import ClientSession
from redis.asyncio import Redis

from menus.rendering.paging import ScreenBudget
from providers import json_http
from providers.json_http.provider_rows import find_rows, load_row
from providers.registry import PROVIDERS
from providers.smpp.dialects import DIALECTS
from sessions import redis_store
from tests.fakes.json_providers import FORMS, JsonPhone, json_settings
from tests.fakes.push_ussd_provider import PushPhone, PushUssd, PushUssdServer
from tests.fakes.tap_server import APPLINK, BDAPPS, TapPhone, TapServer
from tests.support.networks import NetworkSide
from tests.support.phone import PUBLIC_SETTINGS, WEBHOOK_TOKEN, Phone, build_settings, run_gateway
from tests.support.smpp_phone import INFO, OP, REFERENCE, WIRES, SmppPhone

Fields = Mapping[str, Any]


class Handset(Protocol):
    """A phone of one provider's fake. It notes in `ended` whether the call is over."""

    ended: bool

    async def dial(self) -> str:
        """Start a call; the first screen."""

    async def enter(self, *answers: str) -> str:
        """Press keys or type answers, each as one request; the last screen."""

    async def repeat(self, position: int = -1) -> str:
        """The provider sends one of the requests of this call again, by default the newest; the screen."""


@dataclass(frozen=True)
class Site:
    """A gateway that serves every provider, and the sides of those that screens are pushed to."""

    http: ClientSession
    url: str
    tap: TapServer
    push: PushUssdServer
    stores: Sequence[Redis]
    smpp: Mapping[str, Any]
    _numbers: "count[int]" = field(default_factory=lambda: count(8801719000001))

    def next_number(self) -> str:
        """A number that nobody has called from."""
        return f"+{next(self._numbers)}"

    async def empty_store(self) -> None:
        """Delete every session."""
        for client in self.stores:
            await client.flushall()


@dataclass
class DrivenPhone:
    """A phone of any provider. Each screen is measured: one that does not fit fails the test."""

    handset: Handset
    budget: Callable[[str], bool]
    hang_up: Callable[[], Awaitable[object]]
    read_request: Callable[[], Fields]
    post: Callable[[Fields], Awaitable[int]]
    post_body: Callable[[bytes], Awaitable[int]]

    @property
    def ended(self) -> bool:
        """Whether the call is over."""
        return self.handset.ended

    @ended.setter
    def ended(self, value: bool) -> None:
        self.handset.ended = value

    async def dial(self) -> str:
        """Start a call; the first screen."""
        return self._measure(await self.handset.dial())

    async def enter(self, *answers: str) -> str:
        """Press keys or type answers, each as one request; the last screen."""
        screen = ""
        for answer in answers:
            screen = self._measure(await self.handset.enter(answer))
        return screen

    async def repeat(self, position: int = -1) -> str:
        """The provider sends one of the requests of this call again; the screen."""
        return self._measure(await self.handset.repeat(position))

    def _measure(self, screen: str) -> str:
        assert screen
        assert self.budget(screen), screen
        return screen


class AfricasTalkingPhone(Phone):
    """A phone on Africa's Talking that can repeat any of its requests, and whose end is reported."""

    async def repeat(self, position: int = -1) -> str:
        """Send one of the requests of this call again; the screen."""
        newest, presses = self.path, ["", *self._list_paths()]
        self.path = presses[position]
        screen = await self.resend()
        self.path = newest
        return screen

    async def hang_up(self) -> None:
        """End the call at the provider, which reports it."""
        form = {"sessionId": self.session_id, "status": "Incomplete", "hopsCount": "2", "durationInMillis": "9000"}
        report = {**form, "phoneNumber": self.msisdn, "serviceCode": self.service_code, "networkCode": self.network}
        token = {"token": self.token}
        async with self.http.post(f"{self.url}/ussd/africastalking/events", params=token, data=report) as response:
            assert response.status == 200
        self.ended = True

    def build_form(self) -> Fields:
        """The fields of the newest request."""
        return {
            "phoneNumber": self.msisdn,
            "serviceCode": self.service_code,
            "text": self.path,
            "sessionId": self.session_id,
            "networkCode": self.network,
        }

    def _list_paths(self) -> Sequence[str]:
        parts = self.path.split("*") if self.path else []
        return ["*".join(parts[: end + 1]) for end in range(len(parts))]


@dataclass(frozen=True)
class UssdDriver:
    """One adapter. `identifies_requests`: a repeated request is known as one. `sends_path`: everything typed is sent.

    `can_be_late`: a request may come after a later one.
    """

    name: str
    provider: str
    open: Callable[[Site], DrivenPhone]
    identifies_requests: bool = True
    sends_path: bool = False
    can_be_late: bool = True


def _post_to(site: Site, path: str, *, as_json: bool) -> tuple[Any, Any]:
    """Functions that post fields, and a body, to a path of the gateway; both give the status."""
    guard = {"token": WEBHOOK_TOKEN}

    async def post_body(body: bytes) -> int:
        async with site.http.post(f"{site.url}{path}", params=guard, data=body) as response:
            await response.read()
            return response.status

    async def post(fields: Fields) -> int:
        if as_json:
            return await post_body(json.dumps(fields).encode())
        form = {name: _to_text(value) for name, value in fields.items()}
        async with site.http.post(f"{site.url}{path}", params=guard, data=form) as response:
            await response.read()
            return response.status

    return post, post_body


def _to_text(value: object) -> str:
    """The value as a form carries it, without what UTF-8 cannot write."""
    return str(value).encode("utf-8", "replace").decode()


def open_africastalking(site: Site) -> DrivenPhone:
    phone = AfricasTalkingPhone(site.http, site.url, site.next_number(), token=WEBHOOK_TOKEN)
    post, post_body = _post_to(site, "/ussd/africastalking", as_json=False)
    return DrivenPhone(phone, ScreenBudget().fits, phone.hang_up, phone.build_form, post, post_body)


def open_tap(network: str) -> Callable[[Site], DrivenPhone]:
    def open_phone(site: Site) -> DrivenPhone:
        phone = TapPhone(site.http, site.url, site.tap, network=network, msisdn=site.next_number(), token=WEBHOOK_TOKEN)
        post, post_body = _post_to(site, "/ussd/tap", as_json=True)

        async def hang_up() -> None:
            phone.hang_up()
            phone.ended = True

        def fits(screen: str) -> bool:
            return screen.isascii() and len(screen) <= 160

        return DrivenPhone(phone, fits, hang_up, lambda: phone.posted[-1], post, post_body)

    return open_phone


def open_json(row: str) -> Callable[[Site], DrivenPhone]:
    def open_phone(site: Site) -> DrivenPhone:
        phone = JsonPhone(site.http, site.url, row, site.next_number(), token=WEBHOOK_TOKEN)

        async def post(fields: Fields) -> int:
            is_json = phone.form.sends == "json"
            sent = fields if is_json else {name: _to_text(value) for name, value in fields.items()}
            async with _request(phone, sent) as response:
                return response.status

        async def post_body(body: bytes) -> int:
            method = "GET" if phone.form.sends == "query" else "POST"
            guard = {"token": WEBHOOK_TOKEN}
            address = f"{site.url}/ussd/{row}"
            async with site.http.request(method, address, params=guard, data=body) as response:
                return response.status

        return DrivenPhone(
            phone, ScreenBudget().fits, phone.hang_up, lambda: phone.form.build(phone.presses[-1]), post, post_body
        )

    return open_phone


@asynccontextmanager
async def _request(phone: JsonPhone, fields: Fields) -> AsyncIterator[Any]:
    sent: Fields = {"json": {"json": fields}, "form": {"data": fields}, "query": {}}[phone.form.sends]
    query = {**(fields if phone.form.sends == "query" else {}), "token": phone.token}
    method = "GET" if phone.form.sends == "query" else "POST"
    async with phone.http.request(method, f"{phone.url}/ussd/{phone.provider}", params=query, **sent) as response:
        await response.read()
        yield response


def open_push(site: Site) -> DrivenPhone:
    phone = PushPhone(site.http, site.url, site.push, ScreenBudget(), site.next_number(), token=WEBHOOK_TOKEN)
    post, post_body = _post_to(site, f"/ussd/{PushUssd.name}", as_json=True)

    async def hang_up() -> None:
        assert (await phone.post(b'{"status": "Incomplete"}', "/events"))[0] == 200
        phone.ended = True

    return DrivenPhone(phone, ScreenBudget().fits, hang_up, lambda: phone.posted[-1], post, post_body)


class SmppHandset(SmppPhone):
    """A phone at an SMSC whose repeats are shown as the phone sees them."""

    shown = ""
    identifies_requests = False

    async def read_screen(self) -> str:
        """The next screen."""
        self.shown = await super().read_screen()
        return self.shown

    async def repeat(self, position: int = -1) -> str:  # type: ignore[override]  # the screen, and not the status
        """The SMSC delivers the newest key press again; the screen that the phone has then."""
        assert position == -1, "deliveries of one connection do not overtake each other"
        before = self.count_screens()
        assert await super().repeat() == 0
        if not self.identifies_requests or not self._sequence:  # who dials after a screen dials again
            return await self.read_screen()
        assert self.count_screens() == before
        return self.shown


def open_smpp(dialect: str) -> Callable[[Site], DrivenPhone]:
    def open_phone(site: Site) -> DrivenPhone:
        network = site.smpp[dialect]
        phone = SmppHandset(network, site.next_number(), dialect=dialect)
        phone.identifies_requests = WIRES[dialect].counts

        async def hang_up() -> None:
            if dialect in {"huawei", "vendor32"}:  # they do not tell
                phone.ended = True
            else:
                assert await phone.hang_up() == 0

        async def post(fields: Fields) -> int:
            """Deliver junk from a number of nobody: each value as text and as parameters."""
            for value in fields.values():
                octets = _to_text(value).encode()[:200]
                tlvs = {OP: octets, INFO: octets[:2], REFERENCE: octets[:2]}
                await network.deliver("8801719999999", octets, tlvs=tlvs, destination_addr="123")
            return 200

        async def post_body(body: bytes) -> int:
            """Deliver an operation that nobody knows; as 400 where it is answered and nothing is shown."""
            await network.deliver("8801719999998", body[:200], tlvs={OP: body[:100] + b"\xfe"}, destination_addr="123")
            shown = [pdu for pdu in network.list_submitted() if pdu.destination_addr == "8801719999998"]
            return 200 if shown else 400

        return DrivenPhone(phone, ScreenBudget().fits, hang_up, lambda: {"operation": 18, "text": "1"}, post, post_body)

    return open_phone


PATH_ROWS: Final = frozenset({"mobilesasa", "advanta"})

USSD_DRIVERS: Final = (
    UssdDriver("africastalking", "africastalking", open_africastalking, sends_path=True),
    UssdDriver("tap-bdapps", "tap", open_tap(BDAPPS)),
    UssdDriver("tap-applink", "tap", open_tap(APPLINK)),
    *(
        UssdDriver(
            name,
            name,
            open_json(name),
            identifies_requests=form.identifies_requests,
            sends_path=name in PATH_ROWS,
        )
        for name, form in FORMS.items()
    ),
    *(
        UssdDriver(f"smpp-{dialect}", "smpp", open_smpp(dialect), identifies_requests=wire.counts, can_be_late=False)
        for dialect, wire in WIRES.items()
    ),
    UssdDriver("push", PushUssd.name, open_push),
)


def list_ussd_providers() -> set[str]:
    """The names of all providers of USSD: of the registry, the rows of TOML, and the dialects of SMPP."""
    rows = (load_row(path) for path in find_rows("").values())
    return {
        *(name for name, entry in PROVIDERS.items() if entry.build_ussd and name != json_http.ENTRY.name),
        *(row.name for row in rows if row.ussd is not None),
        *(f"smpp-{dialect}" for dialect in DIALECTS),
    }


@asynccontextmanager
async def open_site(folder: Path) -> AsyncIterator[Site]:
    """A gateway with every provider, for the block. Its store is embedded."""
    stores: list[Redis] = []
    build = redis_store._build_embedded_client

    def build_and_keep() -> Redis:
        stores.append(build())
        return stores[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redis_store, "_build_embedded_client", build_and_keep)
        async with PushUssdServer() as push, TapServer() as tap:
            patch.setattr("providers.registry.PROVIDERS", {**PROVIDERS, PushUssd.name: push.entry()})
            side = NetworkSide("smpp")
            side.record_handlers(patch)
            settings = build_settings(folder, **PUBLIC_SETTINGS, **tap.settings(), **json_settings(*FORMS))
            async with run_gateway(settings) as url, ClientSession() as http, AsyncExitStack() as stack:
                smpp = {dialect: await stack.enter_async_context(side.open_bind(dialect)) for dialect in WIRES}
                yield Site(http, url, tap, push, stores, smpp)
