"""Liveness, readiness, and what has been counted, while the servers behind the gateway come and go."""

import asyncio
from contextlib import asynccontextmanager

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry, Counter

from services.records.migrate import upgrade
from tests.phone import Phone, running, settings_for
from tests.servers import OwnRedis, administer, new_database
from web import health

ALL_THERE = {"redis": "ok", "database": "ok", "sms": "ok"}


@asynccontextmanager
async def gateway(settings):
    async with running(settings) as url, ClientSession(url) as http:
        yield http


async def ready(http):
    async with http.get("/readyz") as response:
        return response.status, await response.json()


async def becomes(http, expected):
    """Asks until readiness is as expected: how soon a client notices is its own affair."""
    async with asyncio.timeout(10):
        while await ready(http) != expected:  # noqa: ASYNC110 (the state is another process's)
            await asyncio.sleep(0.02)


async def test_the_embedded_gateway_is_ready_and_alive(tmp_path):
    async with gateway(settings_for(tmp_path)) as http:
        assert await ready(http) == (200, ALL_THERE)
        async with http.get("/healthz") as response:
            assert (response.status, await response.text()) == (200, "ok\n")


async def test_a_redis_that_goes_is_named_until_it_is_back(tmp_path):
    with OwnRedis() as redis:
        async with gateway(settings_for(tmp_path, REDIS__URL=redis.url)) as http:
            assert await ready(http) == (200, ALL_THERE)

            redis.stop()
            assert await ready(http) == (503, {**ALL_THERE, "redis": "down"})
            async with http.get("/healthz") as response:
                assert response.status == 200, "a gateway that is restarted for its Redis helps nobody"

            redis.start()
            await becomes(http, (200, ALL_THERE))


async def test_a_redis_that_hangs_is_down_within_its_deadline(tmp_path):
    with OwnRedis() as redis:
        async with gateway(settings_for(tmp_path, REDIS__URL=redis.url, REDIS__DEADLINE="0.1")) as http:
            redis.hang()
            assert await ready(http) == (503, {**ALL_THERE, "redis": "down"})

            redis.go_on()
            await becomes(http, (200, ALL_THERE))


async def test_a_gateway_starts_without_its_redis_and_says_so(tmp_path):
    with OwnRedis() as redis:
        redis.stop()
        async with gateway(settings_for(tmp_path, REDIS__URL=redis.url)) as http:
            assert await ready(http) == (503, {**ALL_THERE, "redis": "down"})


async def test_a_database_that_goes_is_named_until_it_is_back(tmp_path, postgres_server):
    with new_database(postgres_server) as url:
        await upgrade(url)
        async with gateway(settings_for(tmp_path, DATABASE__URL=url)) as http:
            assert await ready(http) == (200, ALL_THERE)

            name = url.rpartition("/")[2].partition("?")[0]
            hang_up = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"  # noqa: S608
            administer(postgres_server.url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false", hang_up)
            await becomes(http, (503, {**ALL_THERE, "database": "down"}))

            administer(postgres_server.url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
            await becomes(http, (200, ALL_THERE))


async def test_every_part_is_asked_and_a_slow_one_is_down(monkeypatch):
    monkeypatch.setattr(health, "DEADLINE", 0.05)

    async def there():
        """It is."""

    async def gone():
        raise OSError("connection refused by 10.0.0.7")

    async def slow():
        await asyncio.Event().wait()

    app = web.Application()
    app.add_routes(health.routes({"one": there, "two": gone, "three": slow}, CollectorRegistry()))
    async with TestClient(TestServer(app)) as http:
        assert await ready(http) == (503, {"one": "ok", "two": "down", "three": "down"})


async def test_what_was_counted_is_told_in_prometheus_words():
    registry = CollectorRegistry()
    Counter("hops", "Hops", registry=registry).inc(3)
    app = web.Application()
    app.add_routes(health.routes({}, registry))
    async with TestClient(TestServer(app)) as http, http.get("/metrics") as response:
        assert response.headers["Content-Type"].startswith("text/plain; version=")
        assert "hops_total 3.0" in await response.text()


async def test_hops_are_counted_and_nobodys_number_is_among_them(tmp_path):
    async with running(settings_for(tmp_path)) as url, ClientSession() as http:
        await Phone(http, url).dials()
        async with http.get(f"{url}/metrics") as response:
            metrics = await response.text()

    assert 'ekdial_ussd_hops_total{as="answered"} 1.0' in metrics
    assert "8801700000001" not in metrics
