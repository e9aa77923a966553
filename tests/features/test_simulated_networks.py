"""The simulator calls over every provider that is set up, so that an adapter can be tried by hand."""

import io
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from app.smpp import open_bind
from providers.json_http.provider_rows import find_rows, load_row
from tests.support.databases import migrated_sqlite_url
from tests.support.phone import build_settings, run_gateway
from tests.support.smpp_phone import FAST, WIRES
from tests.support.sms_phone import wait_until
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


@pytest.mark.parametrize("dialect", WIRES)
async def test_a_call_over_a_bind_in_each_dialect(tmp_path: Path, dialect: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    shared = {
        "DATABASE__URL": migrated_sqlite_url(tmp_path / "ekdial.db"),
        "PROVIDERS__SMPP__BINDS": json.dumps(
            {
                "operator": {
                    "host": "127.0.0.1",
                    "port": port,
                    "ussd": dialect,
                    "simulated": True,
                    "reconnect_after": 0.2,
                }
            }
        ),
    }
    gateway, process = (build_settings(tmp_path / name, **shared) for name in ("gateway", "process"))
    async with run_gateway(gateway) as url, open_bind(process, "operator", lease_times=FAST):
        await wait_until(lambda: has_screen(url))
        out = io.StringIO()
        sim = SimOptions(url, "+8801711000007", "smpp-operator")
        await dial(sim, None, ["1", "7", "0", "555"], out=out, linger_seconds=0.0)
        assert "1 Find a service" in out.getvalue()
        assert "Help by phone" in out.getvalue()
        assert "Please choose" in out.getvalue()
        out = io.StringIO()
        await dial(sim, "*123*2#", ["2", "2"], out=out, linger_seconds=0.0)
        assert "12-digit" in out.getvalue()


async def test_a_bind_without_a_process_is_said_to_have_none(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    binds = {"operator": {"host": "127.0.0.1", "port": port, "ussd": "standard", "simulated": True}}
    async with run_gateway(build_settings(tmp_path, PROVIDERS__SMPP__BINDS=json.dumps(binds))) as url:
        status, said = await press_once(url)
    assert (status, said) == (502, "nobody is bound; start: python server.py smpp --bind operator")


async def has_screen(url: str) -> bool:
    return (await press_once(url))[0] == 200


async def press_once(url: str) -> tuple[int, str]:
    form = {"sessionId": "s0", "phoneNumber": "+8801711000008", "serviceCode": "*123#", "text": ""}
    async with ClientSession(url) as http, http.post("/simulator/wires/smpp-operator", data=form) as response:
        return response.status, await response.text()


@pytest.mark.asyncio(loop_scope="module")
async def test_the_list_of_networks_names_each_provider(gateway: str) -> None:
    async with ClientSession(gateway) as http, http.get("/simulator/phone.json") as response:
        networks = {network["code"]: network for network in (await response.json())["networks"]}
    assert networks.keys() >= set(NETWORKS)
    assert networks["tap-robi"]["name"] == "Robi and Airtel, Bangladesh"
    assert networks["hubtel"]["callback"] == "/simulator/wires/hubtel"
