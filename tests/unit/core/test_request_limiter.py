"""Requests beside key presses: above the limit they are refused before their work, and a webhook is answered in time."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from core.deadline import OverloadedError, current_deadline
from core.http import request_limiter
from core.http.request_limiter import RequestLimiter, build_middleware, build_unavailable_response


class Work:
    """What handlers do: they wait until they may go on, or fail with `error`."""

    def __init__(self) -> None:
        self.started = 0
        self.has_deadline: bool | None = None
        self.begun = asyncio.Semaphore(0)
        self.may_go_on = asyncio.Event()
        self.error: Exception | None = None
        self.is_overloaded = False

    async def handle(self, _: web.Request) -> web.Response:
        self.started += 1
        self.begun.release()
        deadline = current_deadline()
        self.has_deadline = deadline is not None and not deadline.is_caller
        await self.may_go_on.wait()
        if self.error:
            raise self.error
        return web.Response()


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def limiter(work: Work) -> RequestLimiter:
    return RequestLimiter(
        4,
        kinds={"/sms/": "sms", "/api/": "api"},
        webhooks=("/sms/",),
        streams=frozenset({"/api/stream"}),
        is_overloaded=lambda: work.is_overloaded,
        build_refusal=lambda _: build_unavailable_response(),
    )


@pytest.fixture
async def client(work: Work, limiter: RequestLimiter) -> AsyncIterator[TestClient]:
    app = web.Application(middlewares=[build_middleware(limiter)])
    app.add_routes([web.post(path, work.handle) for path in ("/sms/x", "/api/x", "/api/stream", "/healthz")])
    async with TestClient(TestServer(app)) as client:
        yield client


async def start(client: TestClient, work: Work, *paths: str) -> list[asyncio.Task[int]]:
    """Post to these paths; the tasks return the status. It waits until the handlers have begun."""

    async def post(path: str) -> int:
        async with client.post(path) as response:
            return response.status

    tasks = [asyncio.create_task(post(path)) for path in paths]
    for _ in paths:
        await work.begun.acquire()
    return tasks


@pytest.mark.parametrize(("is_overloaded", "limit"), [(False, 4), (True, 1)])
async def test_above_the_limit_a_request_is_refused_before_its_work(
    client: TestClient, work: Work, limiter: RequestLimiter, is_overloaded: bool, limit: int
) -> None:
    work.is_overloaded = is_overloaded
    tasks = await start(client, work, *["/api/x", "/sms/x", "/sms/x", "/api/x"][:limit])
    async with client.post("/sms/x") as response:
        assert (response.status, response.headers["Retry-After"]) == (503, "5")
    assert work.started == limit
    assert limiter.refused == {"sms": 1, "api": 0}
    tasks += await start(client, work, "/healthz")
    work.may_go_on.set()
    assert set(await asyncio.gather(*tasks)) == {200}
    assert limiter.in_flight == 0


@pytest.mark.parametrize(("path", "has_deadline"), [("/sms/x", True), ("/api/x", False), ("/healthz", False)])
async def test_a_webhook_has_a_deadline(client: TestClient, work: Work, path: str, has_deadline: bool) -> None:
    work.may_go_on.set()
    async with client.post(path) as response:
        assert response.status == 200
    assert work.has_deadline is has_deadline


async def test_a_webhook_that_is_not_done_in_time_is_to_be_sent_again(
    client: TestClient, work: Work, limiter: RequestLimiter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_limiter, "WEBHOOK_SECONDS", 0.05)
    async with client.post("/sms/x") as response:
        assert (response.status, response.headers["Retry-After"]) == (503, "5")
    assert limiter.in_flight == 0


async def test_a_webhook_that_could_not_be_recorded_is_to_be_sent_again(client: TestClient, work: Work) -> None:
    work.error = OverloadedError()
    work.may_go_on.set()
    async with client.post("/sms/x") as response:
        assert (response.status, response.headers["Retry-After"]) == (503, "5")


async def test_open_streams_take_no_place_of_a_request(client: TestClient, work: Work, limiter: RequestLimiter) -> None:
    streams = [asyncio.create_task(client.post("/api/stream")) for _ in range(6)]
    for _ in streams:
        await work.begun.acquire()
    assert limiter.in_flight == 0
    work.may_go_on.set()
    assert (await client.post("/api/x")).status == 200
    assert {(await stream).status for stream in streams} == {200}
