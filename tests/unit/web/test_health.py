"""Liveness, readiness and metrics, while the servers behind the gateway start and stop."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry, Counter

from app.admin import open_metrics
from db.migrate import upgrade
from tests.support.phone import Phone, admin_url, build_settings, read_metrics, run_gateway
from tests.support.servers import LocalRedis, new_database, run_admin_statements
from web import health

pytestmark = pytest.mark.slow  # every test starts and stops servers

ALL_THERE = {"redis": "ok", "database": "ok", "sms": "ok"}


@asynccontextmanager
async def run_gateway_client(settings):
    async with run_gateway(settings) as url, ClientSession(admin_url(url)) as http:
        yield http


async def ready(http):
    """The status, and the state of each part."""
    async with http.get("/readyz") as response:
        states = await response.json()
    states.pop("why", None)
    return response.status, states


async def why(http):
    """Why each part that is down is down."""
    async with http.get("/readyz") as response:
        return (await response.json())["why"]


async def wait_until_ready(http, expected):
    """Wait until readiness is as expected: clients need some time to notice."""
    async with asyncio.timeout(10):
        while await ready(http) != expected:  # noqa: ASYNC110 (the state is another process's)
            await asyncio.sleep(0.02)


async def test_the_embedded_gateway_is_ready_and_alive(tmp_path):
    async with run_gateway_client(build_settings(tmp_path)) as http:
        assert await ready(http) == (200, ALL_THERE)
        async with http.get("/healthz") as response:
            assert (response.status, await response.text()) == (200, "ok\n")


async def test_a_redis_that_goes_is_named_until_it_is_back(tmp_path):
    with LocalRedis() as redis:
        async with run_gateway_client(build_settings(tmp_path, REDIS__URL=redis.url)) as http:
            assert await ready(http) == (200, ALL_THERE)

            redis.stop()
            assert await ready(http) == (503, {**ALL_THERE, "redis": "down"})
            assert (await why(http))["redis"] in {"ConnectionError (ConnectionRefusedError)", "StoreUnavailableError"}
            async with http.get("/healthz") as response:
                assert response.status == 200, "a gateway that is restarted for its Redis helps nobody"

            redis.start()
            await wait_until_ready(http, (200, ALL_THERE))


async def test_a_redis_that_hangs_is_down_within_its_deadline(tmp_path):
    with LocalRedis() as redis:
        async with run_gateway_client(build_settings(tmp_path, REDIS__URL=redis.url, REDIS__DEADLINE="0.1")) as http:
            redis.pause()
            assert await ready(http) == (503, {**ALL_THERE, "redis": "down"})

            redis.resume()
            await wait_until_ready(http, (200, ALL_THERE))


async def test_a_gateway_starts_without_its_redis_and_says_so(tmp_path):
    with LocalRedis() as redis:
        redis.stop()
        async with run_gateway_client(build_settings(tmp_path, REDIS__URL=redis.url)) as http:
            assert await ready(http) == (503, {**ALL_THERE, "redis": "down"})


async def test_a_database_that_goes_is_named_until_it_is_back(tmp_path, postgres_server):
    with new_database(postgres_server) as url:
        await upgrade(url)
        async with run_gateway_client(build_settings(tmp_path, DATABASE__URL=url)) as http:
            assert await ready(http) == (200, ALL_THERE)

            name = url.rpartition("/")[2].partition("?")[0]
            hang_up = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"  # noqa: S608
            run_admin_statements(postgres_server.url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false", hang_up)
            await wait_until_ready(http, (503, {**ALL_THERE, "database": "down"}))
            reasons = await why(http)
            assert list(reasons) == ["database"]
            assert "Error" in reasons["database"]
            assert name not in reasons["database"], "the message of a library is not said"

            run_admin_statements(postgres_server.url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
            await wait_until_ready(http, (200, ALL_THERE))


async def test_every_part_is_asked_and_a_slow_one_is_down(monkeypatch):
    monkeypatch.setattr(health, "DEADLINE", 0.05)

    async def there():
        """Return: the service is available."""

    async def gone():
        raise OSError("connection refused by 10.0.0.7")

    async def slow():
        await asyncio.Event().wait()

    async def caused():
        raise RuntimeError("postgresql://user:secret@10.0.0.7") from OSError("10.0.0.7")

    async def known():
        raise health.NotReadyError("no SMS is sent: the account is empty")

    app = web.Application()
    checks = {"one": there, "two": gone, "three": slow, "four": caused, "five": known}
    app.add_routes(health.admin_routes(checks, render_nothing))
    async with TestClient(TestServer(app)) as http:
        assert await ready(http) == (503, {"one": "ok"} | dict.fromkeys(("two", "three", "four", "five"), "down"))
        assert await why(http) == {
            "two": "OSError",
            "three": "no answer within 0.05 seconds",
            "four": "RuntimeError (OSError)",
            "five": "no SMS is sent: the account is empty",
        }


async def render_nothing():
    return b""


async def test_what_was_counted_is_told_in_prometheus_words(tmp_path):
    registry = CollectorRegistry()
    Counter("hops", "Hops", registry=registry).inc(3)
    app = web.Application()
    settings = build_settings(tmp_path)
    async with open_metrics(settings, registry, is_shared=False) as render_metrics:
        app.add_routes(health.admin_routes({}, render_metrics))
    async with TestClient(TestServer(app)) as http, http.get("/metrics") as response:
        assert response.headers["Content-Type"].startswith("text/plain; version=")
        assert "hops_total 3.0" in await response.text()


async def test_hops_are_counted_and_nobodys_number_is_among_them(tmp_path):
    async with run_gateway(build_settings(tmp_path)) as url, ClientSession() as http:
        await Phone(http, url).dial()
        metrics = await read_metrics(http, url)

    assert 'ekdial_hops_total{channel="ussd",outcome="answered",provider="africastalking"} 1.0' in metrics
    assert "8801700000001" not in metrics
