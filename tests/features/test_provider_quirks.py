"""What providers and proxies write otherwise than their documentation, on every route of the gateway.

The routes come from the router of a gateway that serves all of them, so that a new one is tested too.
"""

import json
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from yarl import URL

from app.bootstrap import open_app
from app.routes import PROVIDER_PATHS
from core.logging import LogThrottle
from tests.support.callback_gateways import build_callback_settings
from tests.support.phone import WEBHOOK_TOKEN, admin_url, build_settings, run_gateway
from tests.support.privacy import capture_all_logs

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROVIDER, OTHER = "203.0.113.7", "198.51.100.9"
SIGNED = "/departments/"
"""The beginning of the webhooks that are guarded by a signature, and by no token or address."""
PLACEHOLDERS = {"code": "dncc", "key": "A1b2C3d4", "token": "cut-short", "nothing": "/nothing"}
MANY_SLASHES = ("{}/", "{}//", "/{}", "//{}///")
PORTS = (f"{PROVIDER}:40312", f'"{PROVIDER}:40312"', f"[::ffff:{PROVIDER}]:40312", f" {PROVIDER} ")
OTHERS = (f"{OTHER}:40312", f"{PROVIDER}, {OTHER}", "unknown", f"{PROVIDER}:", f"{PROVIDER}:x", f'"{PROVIDER}', "")
NUMBER = "8801719900001"
FORM_KEY = re.compile(r'(name="form" value=")[^"]*')
"""Of a form of the KaiOS page: another one for each browser without a cookie."""


class Site:
    """A gateway with every route there is, behind a proxy of ours; `address` is what the proxy says of its client."""

    def __init__(self, http: ClientSession, url: str, routes: list[tuple[str, str]]) -> None:
        self.http, self.url, self.routes = http, url, routes

    @property
    def webhooks(self) -> list[str]:
        """The paths that providers post to."""
        return [path for method, path in self.routes if method == "POST" and path.startswith(PROVIDER_PATHS)]

    async def request(
        self, method: str, path: str, *, token: str = WEBHOOK_TOKEN, address: str = PROVIDER, body: str = ""
    ) -> tuple[int, str, Mapping[str, str]]:
        """The response: its status, its body without the keys of forms, and where it leads."""
        url = URL(f"{self.url}{path}?token={token}", encoded=True)
        headers = {"X-Forwarded-For": address, "Content-Type": "application/x-www-form-urlencoded"}
        async with self.http.request(method, url, data=body, headers=headers, allow_redirects=False) as response:
            led = {name: response.headers[name] for name in ("Location", "Allow") if name in response.headers}
            return response.status, FORM_KEY.sub(r"\1", await response.text(errors="replace")), led

    async def status(self, method: str, path: str, **options: str) -> int:
        """The status of the response."""
        return (await self.request(method, path, **options))[0]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """The gateway."""
    folder = tmp_path_factory.mktemp("gateway")
    settings = build_callback_settings(folder, WEBHOOKS__ALLOWED_IPS=json.dumps([PROVIDER]))
    async with open_app(settings) as app:
        routes = [
            (method, re.sub(r"\{(\w+)[^}]*\}", lambda it: PLACEHOLDERS.get(it[1], "1" * 12), route.resource.canonical))
            for route in app.router.routes()
            for method in ([route.method] if route.method != "*" else ["PUT"])
            if route.resource is not None
        ]
    async with run_gateway(settings) as url, ClientSession() as http:
        yield Site(http, url, routes)


async def test_more_slashes_lead_to_the_same_route_with_the_same_guards(site: Site) -> None:
    """Generated: every route, each spelling of its path, with and without the token and from elsewhere."""
    guards: list[dict[str, str]] = [{}, {"token": "wrong"}, {"address": OTHER}]
    assert len(site.routes) > 30
    for method, path in site.routes:
        for guard in guards:
            expected = await site.request(method, path, **guard)
            for spelled in MANY_SLASHES:
                assert await site.request(method, spelled.format(path), **guard) == expected, (method, path, spelled)
        inside = f"{path[0]}{path[1:].replace('/', '//')}"
        assert await site.request(method, inside) == await site.request(method, path), inside


async def test_more_slashes_lead_to_no_route_of_another_server_and_nowhere_else(site: Site) -> None:
    for path in ("/metrics", "/readyz"):
        for spelled in ("{}", *MANY_SLASHES):
            assert await site.status("GET", spelled.format(path)) == 404
            async with site.http.get(URL(f"{admin_url(site.url)}{spelled.format(path)}", encoded=True)) as response:
                assert response.status == 200
    for path in ("//elsewhere.example/", "//elsewhere.example/%2e%2e", "/%2F/healthz", "/./healthz", "/x/../healthz"):
        status, _, led = await site.request("GET", path)
        assert (status, led) == (404, {}), path


async def test_an_address_with_a_port_is_admitted_or_refused_on_every_webhook(site: Site) -> None:
    guarded = [path for path in site.webhooks if not path.startswith(SIGNED)]
    assert len(guarded) >= 8
    for path in guarded:
        admitted = await site.status("POST", path)
        assert admitted != 404, path
        for address in PORTS:
            assert await site.status("POST", path, address=address) == admitted, (path, address)
        for address in OTHERS:
            assert await site.status("POST", path, address=address) == 404, (path, address)


async def test_a_refusal_names_its_route_and_its_reason(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """On every webhook: the method, the token, the address, the size; never what was sent."""
    monkeypatch.setattr(LogThrottle, "admit", lambda *_: {})
    secret = f"token-of-nobody-{NUMBER}"
    large = f"phoneNumber=%2B{NUMBER}&text=" + "7" * 200_000
    for path in site.webhooks:
        with capture_all_logs() as logs:
            assert await site.status("GET", path) == 405
            assert await site.status("POST", path, token=secret, address=OTHER, body=large) in (404, 413)
            assert await site.status("POST", path, address=OTHER) in (401, 404)
            assert await site.status("POST", path, body=large) in (200, 413)
        lines = logs.getvalue().splitlines()
        route = path.replace(PLACEHOLDERS["code"], "{code}").replace(f"/{PLACEHOLDERS['key']}", "")
        named = [line for line in lines if f"route={route}" in line]
        for reason in ("size", "method") if path.startswith(SIGNED) else ("size", "method", "token", "address"):
            expected = "at most|Not a body we take" if reason == "size" else f"reason={reason}( |$)"
            assert [line for line in named if re.search(expected, line)], (path, reason, lines)
        assert secret not in logs.getvalue()
        assert NUMBER not in logs.getvalue()
        assert "7777" not in logs.getvalue()


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        ("/sms/africastalkingg", "/sms/africastalking"),
        ("/sms/africastalking/deliverys", "/sms/africastalking/delivery"),
        ("/sms/africastalking/opt-out", "/sms/africastalking/optout"),
        ("/ussd/africas-talking", "/ussd/africastalking"),
        ("/voice/africastalking/events", "/voice/africastalking"),
        ("/departments/dncc/event", "/departments/{code}/events"),
        (f"/payments/{NUMBER}", ""),
        (f"/{NUMBER}/{WEBHOOK_TOKEN}", ""),
    ],
)
async def test_an_address_with_a_mistake_warns_and_names_the_route_that_it_resembles(
    path: str, nearest: str, tmp_path: Path
) -> None:
    settings = build_settings(tmp_path)
    with capture_all_logs() as logs:
        async with run_gateway(settings) as url, ClientSession() as http:
            site = Site(http, url, [])
            for _ in range(100):
                assert await site.status("POST", path, body=f"from=%2B{NUMBER}&text=PIN+4821") == 404
    lines = [line for line in logs.getvalue().splitlines() if "webhook_rejected" in line]
    assert 1 <= len(lines) <= 10
    assert "level=warning" in lines[0]
    assert "reason=unknown_path" in lines[0]
    assert f"nearest_route={nearest}" in re.sub("[\"']", "", lines[0])
    for private in (WEBHOOK_TOKEN, NUMBER, "4821", "deliverys"):
        assert private not in logs.getvalue()
