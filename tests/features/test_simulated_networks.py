"""The simulator calls over every provider that is set up, so that an adapter can be tried by hand."""

import io
import json
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from providers.json_http.provider_rows import find_rows, load_row
from tests.support.phone import build_settings, run_gateway
from web.simulator.terminal import SimOptions, dial

USSD_ROWS = sorted(name for name, file in find_rows("").items() if load_row(file).ussd is not None)
APPLICATIONS = {"robi": "bdapps", "link": "applink"}
NETWORKS = [*USSD_ROWS, *(f"tap-{name}" for name in APPLICATIONS)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    platform = f"http://127.0.0.1:{listener.getsockname()[1]}/simulator/tap"
    applications = {
        name: {"dialect": dialect, "application_id": f"APP_{name}", "password": "secret", "base_url": platform}
        for name, dialect in APPLICATIONS.items()
    }
    settings = build_settings(
        tmp_path_factory.mktemp("simulated"),
        PROVIDERS__TAP__APPLICATIONS=json.dumps(applications),
        **{f"PROVIDERS__JSON__{name.upper()}__ENABLED": "true" for name in USSD_ROWS},
    )
    async with run_gateway(settings, listener) as url:
        yield url


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_call_over_each_network(gateway: str, network: str) -> None:
    msisdn = f"+88017110{NETWORKS.index(network):05}"
    out = io.StringIO()
    status = await dial(SimOptions(gateway, msisdn, network), None, ["1", "6", "98"], out=out, linger_seconds=0.0)
    shown = out.getvalue()
    assert "1 Find a service" in shown, shown
    assert "1 English" in shown
    assert status in {0, 1}, shown  # the call went on or ended: it did not fail


@pytest.mark.asyncio(loop_scope="module")
async def test_the_list_of_networks_names_each_provider(gateway: str) -> None:
    async with ClientSession(gateway) as http, http.get("/simulator/phone.json") as response:
        networks = {network["code"]: network for network in (await response.json())["networks"]}
    assert networks.keys() >= set(NETWORKS)
    assert networks["tap-robi"]["name"] == "Robi and Airtel, Bangladesh"
    assert networks["hubtel"]["callback"] == "/simulator/wires/hubtel"
