"""The guard of webhooks on real connections: tokens, addresses, limits, decoding, log."""

import asyncio
import gzip
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from core.http.webhooks import MAX_BODY_BYTES, AccessLog, BadWebhookError, WebhookGuard, read_form

TOKEN = "a-token-of-at-least-128-bits"
ROUTE = "/heard/{citizen}"
FORM = "application/x-www-form-urlencoded"


@asynccontextmanager
async def run_webhook_route(guard: WebhookGuard, timeout: float = 5.0) -> AsyncIterator[str]:
    """The address of a route that responds with the fields it read."""

    async def respond(request: web.Request) -> web.Response:
        if (refusal := guard.reject_unauthorized(request, ROUTE)) is not None:
            return refusal
        try:
            return web.json_response(dict(await read_form(request, timeout=timeout)))
        except BadWebhookError as bad:
            return bad.to_response()

    app = web.Application()
    app.router.add_post(ROUTE, respond)
    logger = logging.getLogger("tests.access")
    runner = web.AppRunner(app, access_log_class=AccessLog, access_log=logger, lingering_time=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/heard/amina"
    finally:
        await runner.cleanup()


async def post(url: str, body: bytes = b"", **headers: str) -> tuple[int, str]:
    sent = {"Content-Type": FORM, **{name.replace("_", "-"): value for name, value in headers.items()}}
    async with aiohttp.ClientSession() as http, http.post(url, data=body, headers=sent) as answer:
        return answer.status, await answer.text()


async def fields(body: bytes, **headers: str) -> Mapping[str, str]:
    async with run_webhook_route(WebhookGuard()) as url:
        sent = {"Content-Type": FORM, **{name.replace("_", "-"): value for name, value in headers.items()}}
        async with aiohttp.ClientSession() as http, http.post(url, data=body, headers=sent) as answer:
            assert answer.status == 200
            read: Mapping[str, str] = await answer.json()
            return read


@pytest.mark.parametrize(
    "content_type", [FORM, f"{FORM}; charset=UTF-8", f"{FORM}; charset=klingon", "text/plain", "application/json"]
)
async def test_a_form_is_read_whatever_content_type_it_claims(content_type):
    body = b"phoneNumber=%2B254700000001&text=1%2A0712000000&sessionId=ATUid_0"
    expected = {"phoneNumber": "+254700000001", "text": "1*0712000000", "sessionId": "ATUid_0"}
    assert await fields(body, Content_Type=content_type) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"text=&sessionId=1", {"text": "", "sessionId": "1"}),
        (b"text=first&text=second", {"text": "first"}),
        (b"text=1*2 3+4", {"text": "1*2 3 4"}),
        (b"text=a%3Db%26c", {"text": "a=b&c"}),
        (b"text=%E0%A6%86%E0%A6%AE%E0%A6%BF", {"text": "আমি"}),
        ("text=আমি".encode(), {"text": "আমি"}),
        (b"text=%FF%FE&ok=1", {"text": "\ufffd\ufffd", "ok": "1"}),
        (b"text=\xff&ok=1", {"text": "\ufffd", "ok": "1"}),
        (b"text=%ZZ&ok=%", {"text": "%ZZ", "ok": "%"}),
        (b"text=1;2&", {"text": "1;2"}),
        (b"text=1\r\n", {"text": "1"}),
        (b"text", {"text": ""}),
        (b"=x", {"": "x"}),
        (b"", {}),
        (b"&&&", {}),
    ],
)
async def test_a_form_is_decoded(body, expected):
    assert await fields(body) == expected


async def test_a_body_with_a_too_large_content_length_is_rejected_at_once():
    async with run_webhook_route(WebhookGuard()) as url, conversation(url) as (reader, writer):
        writer.write(_head(url) + f"Content-Length: {MAX_BODY_BYTES + 1}\r\n\r\n".encode())
        assert b"413" in await reader.readline()


async def test_a_body_of_the_maximum_size_is_read_and_a_larger_one_is_not():
    async with run_webhook_route(WebhookGuard()) as url:
        status, _ = await post(url, b"t=" + b"x" * (MAX_BODY_BYTES - 2))
        assert status == 200
        assert await post(url, b"t=" + b"x" * (MAX_BODY_BYTES - 1)) == (
            413,
            f"The body of a webhook has at most {MAX_BODY_BYTES} bytes.",
        )


async def test_a_body_of_unknown_length_is_limited():
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b"x" * 1024

    async with (
        run_webhook_route(WebhookGuard()) as url,
        aiohttp.ClientSession() as http,
        http.post(url, data=endless()) as answer,
    ):
        assert answer.status == 413


async def test_a_compressed_body_is_limited_by_its_full_size():
    async with run_webhook_route(WebhookGuard()) as url:
        status, _ = await post(url, gzip.compress(b"x" * 10_000_000), Content_Encoding="gzip")
        assert status == 413


async def test_a_body_in_chunks_is_joined():
    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b"te", b"xt=%E0%A6", b"%86&sess", b"ionId=1"):
            yield piece
            await asyncio.sleep(0.01)

    async with (
        run_webhook_route(WebhookGuard()) as url,
        aiohttp.ClientSession() as http,
        http.post(url, data=pieces()) as answer,
    ):
        assert await answer.json() == {"text": "আ", "sessionId": "1"}


async def test_a_form_with_too_many_fields_is_rejected():
    async with run_webhook_route(WebhookGuard()) as url:
        assert await post(url, b"a&" * 5000) == (400, "A webhook has at most 64 fields.")


async def test_a_body_that_does_not_arrive_times_out():
    async with run_webhook_route(WebhookGuard(), timeout=0.1) as url, conversation(url) as (reader, writer):
        writer.write(_head(url) + b"Content-Length: 10\r\n\r\ntext")
        assert b"408" in await reader.readline()


async def test_a_body_with_a_false_content_encoding_is_damaged():
    async with run_webhook_route(WebhookGuard()) as url:
        status, line = await post(url, b"text=1", Content_Encoding="gzip")
        assert status == 400
        assert "Traceback" not in line


async def test_a_client_that_disconnects_causes_no_error_log(caplog):
    async with run_webhook_route(WebhookGuard()) as url:
        async with conversation(url) as (_, writer):
            writer.write(_head(url) + b"Content-Length: 100\r\n\r\ntext=1")
            await writer.drain()
            await asyncio.sleep(0.05)
        status, _ = await post(url, b"text=2")
        assert status == 200
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(
    "query", ["", "?token=", "?token=wrong", f"?token={TOKEN}x", f"?key={TOKEN}", "?token=%FF%00", "?token=%ED%A0%80"]
)
async def test_a_request_without_the_token_gets_404(query):
    async with run_webhook_route(WebhookGuard((TOKEN,))) as url, conversation(url) as (reader, writer):
        writer.write(_head(url + query) + b"Content-Length: 1000000\r\n\r\n")
        assert b"404" in await reader.readline(), "answered before the body is read"


async def test_a_rejected_request_looks_like_an_unknown_path():
    async with run_webhook_route(WebhookGuard((TOKEN,))) as url:
        assert await post(url) == await post(url.replace("/heard/", "/nothing/"))


async def test_a_request_with_the_token_is_admitted():
    async with run_webhook_route(WebhookGuard((TOKEN,))) as url:
        assert await post(f"{url}?token={TOKEN}", b"text=1") == (200, '{"text": "1"}')
        assert await post(f"{url}?other=1&token={TOKEN}", b"text=1") == (200, '{"text": "1"}')


LOOPBACK, PROVIDER, OTHER = "127.0.0.1", "203.0.113.7", "198.51.100.1"


@pytest.mark.parametrize(
    ("allowed", "trusted", "forwarded", "status"),
    [
        ((LOOPBACK,), (), None, 200),
        (("127.0.0.0/8",), (), None, 200),
        ((PROVIDER,), (), None, 404),
        ((PROVIDER,), (), PROVIDER, 404),  # nobody we trust says so
        ((PROVIDER,), (LOOPBACK,), PROVIDER, 200),
        ((PROVIDER,), (LOOPBACK,), None, 404),
        ((LOOPBACK,), (LOOPBACK,), None, 200),
        ((LOOPBACK,), (LOOPBACK,), PROVIDER, 404),
        ((PROVIDER,), (LOOPBACK,), f"{PROVIDER}, {OTHER}", 404),  # the caller wrote the first itself
        ((PROVIDER,), (LOOPBACK,), f"{OTHER}, {PROVIDER}", 200),
        ((PROVIDER,), (LOOPBACK, "10.0.0.0/8"), f"{PROVIDER}, 10.1.2.3", 200),
        ((PROVIDER,), (LOOPBACK, "10.0.0.0/8"), f"{PROVIDER}, {OTHER}, 10.1.2.3", 404),
        ((PROVIDER,), (LOOPBACK,), f"::ffff:{PROVIDER}", 200),
        (("2001:db8::/32",), (LOOPBACK,), "2001:db8::7", 200),
        ((PROVIDER,), (LOOPBACK,), f"{PROVIDER}:40312", 200),
        ((PROVIDER,), (LOOPBACK,), f'"{PROVIDER}:40312"', 200),
        ((PROVIDER,), (LOOPBACK,), f"{OTHER}:1,\t {PROVIDER} ", 200),
        ((PROVIDER,), (LOOPBACK,), f"{PROVIDER}:40312, {OTHER}:40312", 404),
        ((PROVIDER,), (LOOPBACK,), f"[::ffff:{PROVIDER}]:40312", 200),
        ((PROVIDER,), (LOOPBACK, "10.0.0.0/8"), f"{PROVIDER}:40312, 10.1.2.3:80", 200),
        (("2001:db8::/32",), (LOOPBACK,), "[2001:db8::7]", 200),
        (("2001:db8::/32",), (LOOPBACK,), "[2001:db8::7]:40312", 200),
        (("2001:db8::/32",), (LOOPBACK,), '"[2001:db8::7]:40312"', 200),
        ((PROVIDER,), (LOOPBACK,), f"{PROVIDER}, unknown", 404),
        ((PROVIDER,), (LOOPBACK,), f"{PROVIDER}, _hidden:80", 404),
        ((PROVIDER,), (LOOPBACK,), f"{PROVIDER}:http", 404),
        ((PROVIDER,), (LOOPBACK,), f"{PROVIDER}:", 404),
        ((PROVIDER,), (LOOPBACK,), f"{PROVIDER}:1:2", 404),
        ((PROVIDER,), (LOOPBACK,), f'"{PROVIDER}', 404),
        ((PROVIDER,), (LOOPBACK,), f"{PROVIDER}/32", 404),
        ((PROVIDER,), (LOOPBACK,), f"{PROVIDER}@{OTHER}", 404),
        (("2001:db8::/32",), (LOOPBACK,), "[2001:db8::7", 404),
        (("2001:db8::/32",), (LOOPBACK,), "2001:db8::7]:80", 404),
        ((PROVIDER,), (LOOPBACK,), " , ", 404),
    ],
)
async def test_the_last_address_that_is_not_a_trusted_proxy_counts(allowed, trusted, forwarded, status):
    headers = {} if forwarded is None else {"X_Forwarded_For": forwarded}
    async with run_webhook_route(WebhookGuard((), allowed, trusted)) as url:
        assert (await post(url, **headers))[0] == status


async def test_several_forwarded_headers_are_one_list():
    async with (
        run_webhook_route(WebhookGuard((), (PROVIDER,), (LOOPBACK,))) as url,
        conversation(url) as (reader, writer),
    ):
        headers = f"X-Forwarded-For: {PROVIDER}\r\nX-Forwarded-For: {OTHER}\r\n\r\n"
        writer.write(_head(url) + headers.encode())
        assert b"404" in await reader.readline()


@pytest.mark.parametrize("written", ["provider.example", "203.0.113.7/24", "203.0.113", ""])
def test_an_invalid_allow_list_is_rejected_at_once(written):
    with pytest.raises(ValueError, match=r"is not an IP address or network; write 203\.0\.113\.7 or"):
        WebhookGuard((), (written,))


async def test_the_access_log_has_the_pattern_of_a_path_and_no_values():
    with capture_logs() as lines:
        async with run_webhook_route(WebhookGuard((TOKEN,))) as url:
            await post(f"{url}?token={TOKEN}", b"text=4821")
            await post(url.replace("/heard/amina", "/d/8kQ") + "?token=wrong")
    requests = [
        {key: line[key] for key in ("method", "route", "status")} for line in lines if line["event"] == "http_request"
    ]
    assert requests == [
        {"method": "POST", "route": "/heard/{citizen}", "status": 200},
        {"method": "POST", "route": "", "status": 404},
    ]
    for secret in (TOKEN, "amina", "4821", "8kQ", "wrong"):
        assert secret not in str(lines)


async def test_a_rejection_is_logged_with_its_reason_and_without_the_token():
    with capture_logs() as lines:
        async with run_webhook_route(WebhookGuard((TOKEN,))) as url:
            await post(f"{url}?token=guess")
    refusal = next(line for line in lines if line["event"] == "webhook_rejected")
    assert (refusal["route"], refusal["reason"]) == ("/heard/{citizen}", "token")
    assert "guess" not in str(lines)


async def test_a_malformed_request_is_logged_without_its_content():
    with capture_logs() as lines:
        async with run_webhook_route(WebhookGuard()) as url, conversation(url) as (reader, writer):
            writer.write(b"PIN 4821 please\r\n\r\n")
            assert b"400" in await reader.readline()
    assert [(line["route"], line["status"]) for line in lines] == [("", 400)]
    assert "4821" not in str(lines)


@asynccontextmanager
async def conversation(url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    address = aiohttp.client.URL(url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        yield reader, writer
    finally:
        writer.close()


def _head(url: str) -> bytes:
    path = url.split("/", 3)[3]
    return f"POST /{path} HTTP/1.1\r\nHost: gateway\r\nContent-Type: {FORM}\r\n".encode()
