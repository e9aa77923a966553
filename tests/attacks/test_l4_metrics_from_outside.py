"""L4: metrics and readiness tell strangers about departments, payments and outages; they are on an address of their own."""

import pytest
from aiohttp import ClientSession

from config.settings import Settings
from tests.support.phone import build_settings, run_gateway


@pytest.mark.parametrize("path", ["/metrics", "/readyz"])
async def test_l4_the_public_port_has_neither_metrics_nor_readiness(path, tmp_path):
    async with run_gateway(build_settings(tmp_path)) as url, ClientSession() as http:
        for variant in (path, f"{path}/", path.upper(), f"/{path}", f"/simulator/..{path}"):
            async with http.get(f"{url}{variant}") as response:
                assert response.status == 404, variant
        async with http.get(f"{url}/healthz") as response:
            assert (response.status, await response.text()) == (200, "ok\n")


def test_l4_the_admin_server_listens_on_loopback_unless_it_is_told_otherwise():
    server = Settings().server
    assert (server.admin_host, server.admin_port) == ("127.0.0.1", 8081)
