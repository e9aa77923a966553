"""L3: every response says that nobody keeps it, guesses its type or frames it; none names our software or quotes the request."""

import re
from collections.abc import Iterator
from pathlib import Path

from aiohttp import web

from app.runner import build_app, build_runner
from tests.attacks.test_m11_malformed_requests import SHAPES
from tests.support.phone import build_settings
from tests.support.raw_http import build_request, exchange_all

SHORT = {"SERVER__HEADER_DEADLINE": "0.5", "SERVER__BODY_DEADLINE": "0.5", "SERVER__KEEP_ALIVE": "1"}
CANARY = "Canary4821"
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "X-ODD")
PUBLIC = re.compile(r"/simulator|openapi\.json|/(console|kaios)/static/|/kaios/manifest\.webapp")
"""What anybody may read: files of the simulator, the console and the KaiOS page, the description of the API."""
ERRORS = [
    build_request("GET", f"/{CANARY}"),
    build_request("GET", f"/api/v1/{CANARY}"),
    build_request("GET", f"/api/v1/applications/123456789012?since={CANARY}", f"Authorization: Bearer {CANARY}"),
    build_request("POST", "/ussd/africastalking", "Content-Length: 100000"),
    build_request("POST", "/api/v1/applications/123456789012/events", "Content-Length: 100000"),
    build_request("POST", "/ussd/africastalking", "Content-Length: 10", body=b"x"),
    build_request("POST", "/ussd/africastalking", f"Expect: {CANARY}"),
    build_request("GET", f"/d/{CANARY}"),
    build_request("GET", f"/healthz?{CANARY}"),
    build_request("GET", "/healthz", version="HTTP/1.0"),
]


def build_requests(app: web.Application) -> Iterator[bytes]:
    """A request with each method to each route."""
    paths = {route.resource.canonical for route in app.router.routes() if route.resource}
    for path in sorted(paths):
        for method in METHODS:
            yield build_request(method, re.sub(r"\{[^}]*\}", CANARY, path) or "/", "Content-Length: 0")


def find_faults(answer: bytes, *, is_public: bool) -> list[str]:
    """What is missing in an answer, or must not be in it."""
    head, _, body = answer.decode("latin-1").partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    faults = [name for name in ("content-security-policy", "referrer-policy", "cache-control") if not headers.get(name)]
    if headers.get("x-content-type-options") != "nosniff":
        faults.append("nosniff")
    if not is_public and headers.get("cache-control") != "no-store":
        faults.append(f"cache-control: {headers.get('cache-control')}")
    if "server" in headers or "aiohttp" in head.lower() or "python" in head.lower():
        faults.append("names the software")
    if CANARY in body or CANARY in status:
        faults.append("quotes the request")
    return faults


async def test_l3_every_route_every_method_and_every_error(tmp_path: Path) -> None:
    app = await build_app(build_settings(tmp_path, **SHORT))
    runner = build_runner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        requests = [*build_requests(app), *ERRORS, *SHAPES.values()]
        answers = await exchange_all(f"http://127.0.0.1:{runner.addresses[0][1]}", requests)
    finally:
        await runner.cleanup()
    assert len(requests) > 200
    faults = {}
    for request, answer in zip(requests, answers, strict=True):
        first_line = request.split(b"\r\n")[0].decode("latin-1")
        if answer and (found := find_faults(answer, is_public=PUBLIC.search(first_line) is not None)):
            faults[first_line[:100]] = found
    assert not faults
    assert sum(bool(answer) for answer in answers) > len(answers) * 0.95, "the server answers"


async def test_l3_the_answer_of_a_full_server(tmp_path: Path) -> None:
    app = await build_app(build_settings(tmp_path, SERVER__MAX_CONNECTIONS="1"))
    runner = build_runner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        answers = await exchange_all(url, [build_request("GET", "/healthz")] * 20, concurrency=20)
    finally:
        await runner.cleanup()
    full = [answer for answer in answers if answer.startswith(b"HTTP/1.1 503 ")]
    assert full
    assert not [find_faults(answer, is_public=False) for answer in full if find_faults(answer, is_public=False)]
