"""M11: a malformed request puts no token, key, number or PIN into the log, the metrics or the answer."""

import re
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.support.phone import build_settings, read_metrics, run_gateway
from tests.support.privacy import TIMESTAMP, capture_all_logs
from tests.support.program import SECRET, run_gunicorn
from tests.support.raw_http import build_request, exchange_all, mutate

TOKEN = "token-0123456789-0123456789-0123456789"
KEY = "Zq3vN8sT1xW5_rB7uKd2m"
MSISDN = "254700000001"
PIN = "739154"
LINK = "Mb4niTxsL3yPeNqvb"
SECRETS = (TOKEN, KEY, MSISDN, PIN, LINK)

# Some of these requests never end; the server ends them.
SHORT = {"SERVER__HEADER_DEADLINE": "0.5", "SERVER__BODY_DEADLINE": "0.5", "SERVER__KEEP_ALIVE": "1"}

FORM = f"phoneNumber=%2B{MSISDN}&text=5*{PIN}&sessionId=ATUid_1&serviceCode=*123%23&networkCode=99999".encode()
JSON_BODY = f'{{"status": "ready", "note": {{"en": "{PIN} {MSISDN}"}}}}'.encode()
FORM_TYPE = "Content-Type: application/x-www-form-urlencoded"
USSD = f"/ussd/africastalking?token={TOKEN}"
API = f"/api/v1/applications/{MSISDN}"
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(FORM), FORM)

VALID = {
    "form": build_request("POST", USSD, FORM_TYPE, f"Content-Length: {len(FORM)}", body=FORM),
    "chunks": build_request("POST", USSD, FORM_TYPE, "Transfer-Encoding: chunked", body=CHUNKS),
    "sms": build_request("POST", f"/sms/africastalking?token={TOKEN}", f"Content-Length: {len(FORM)}", body=FORM),
    "api": build_request("GET", f"{API}?since={MSISDN}", f"Authorization: Bearer {KEY}"),
    "event": build_request(
        "POST",
        f"{API}/events",
        f"Authorization: Bearer {KEY}",
        f"Idempotency-Key: {PIN}",
        "Content-Type: application/json",
        f"Content-Length: {len(JSON_BODY)}",
        body=JSON_BODY,
    ),
    "link": build_request("GET", f"/d/{LINK}", f"Cookie: pin={PIN}"),
}
SHAPES = {
    "blank in the URL": build_request("GET", f"/ussd/africastalking?token={TOKEN} {PIN}"),
    "version": build_request("POST", USSD, body=FORM, version="HTTP/9.9"),
    "no version": f"GET {USSD}\r\n\r\n".encode(),
    "control character in a header": build_request("GET", API, f"Authorization: Bearer {KEY}\x01"),
    "header without a colon": build_request("GET", API, f"Authorization Bearer {KEY}"),
    "blank before the colon": build_request("GET", API, f"Authorization : Bearer {KEY}"),
    "folded header": build_request("GET", API, f"Authorization: Bearer\r\n {KEY}"),
    "two lengths": build_request("POST", USSD, "Content-Length: 5", f"Content-Length: {len(FORM)}", body=FORM),
    "length of letters": build_request("POST", USSD, f"Content-Length: {PIN}x", body=FORM),
    "length and chunks": build_request("POST", USSD, "Content-Length: 5", "Transfer-Encoding: chunked", body=CHUNKS),
    "no chunk": build_request("POST", USSD, "Transfer-Encoding: chunked", body=FORM),
    "chunk too short": build_request("POST", USSD, "Transfer-Encoding: chunked", body=b"5\r\n" + FORM),
    "chunk extension": build_request("POST", USSD, "Transfer-Encoding: chunked", body=b"5;" + FORM + b"\r\n"),
    "unknown coding": build_request("POST", USSD, f"Transfer-Encoding: {KEY}", body=FORM),
    "false gzip": build_request("POST", USSD, "Content-Encoding: gzip", f"Content-Length: {len(FORM)}", body=FORM),
    "false gzip to the API": build_request(
        "POST", f"{API}/events", "Content-Encoding: gzip", f"Content-Length: {len(JSON_BODY)}", body=JSON_BODY
    ),
    "long line": build_request("GET", f"/d/{LINK}" + "x" * 9000),
    "long header": build_request("GET", API, f"Authorization: Bearer {KEY}" + "x" * 9000),
    "many headers": build_request("GET", API, *(f"X-{KEY}-{n}: {PIN}" for n in range(300))),
    "no HTTP at all": f"PIN {PIN} of {MSISDN}, {TOKEN}\r\n\r\n".encode(),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00" + TOKEN.encode(),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + TOKEN.encode(),
    "absolute URL": build_request("GET", f"http://[{TOKEN}/d/{LINK}"),
    "port of letters": build_request("GET", f"http://gateway:{KEY}/"),
    "surrogates": b"GET /d/\xed\xa0\x80" + LINK.encode() + b" HTTP/1.1\r\nHost: \xff\r\nConnection: close\r\n\r\n",
    "CONNECT": f"CONNECT {TOKEN}:{PIN} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode(),
    "upgrade": build_request("GET", f"/d/{LINK}", f"Upgrade: {KEY}", "Connection: upgrade") + TOKEN.encode(),
    "expectation": build_request("POST", USSD, f"Expect: {KEY}", f"Content-Length: {len(FORM)}", body=FORM),
    "cut off": build_request("POST", USSD, f"Content-Length: {len(FORM) + 5}", body=FORM),
}


def found_in(text: str) -> list[str]:
    """The secrets that the text has, also where they are cut or escaped."""
    plain = re.sub(r"[^A-Za-z0-9]", "", text)
    pieces = {piece for secret in SECRETS for piece in (secret[:8], secret[-8:])}
    return sorted(piece for piece in pieces if re.sub(r"[^A-Za-z0-9]", "", piece) in plain)


async def send_and_search(url: str, requests: list[bytes]) -> None:
    answers = await exchange_all(url, requests)
    for request, answer in zip(requests, answers, strict=True):
        assert not found_in(answer.decode("latin-1")), f"{answer!r} quotes {request!r}"
    rejected = sum(re.match(rb"HTTP/\d\.\d 4", answer) is not None for answer in answers)
    assert rejected > len(answers) / 4, "most requests are answered"


@pytest.mark.parametrize("name", VALID)
async def test_m11_no_mutation_of_a_request_is_logged_or_quoted(name: str, tmp_path: Path) -> None:
    settings = build_settings(tmp_path, WEBHOOKS__TOKENS=TOKEN, SERVER__LOG_LEVEL="debug", **SHORT)
    requests = [VALID[name], *mutate(VALID[name], step=3)]
    with capture_all_logs() as logs:
        async with run_gateway(settings) as url:
            await send_and_search(url, requests)
    assert "http_request_rejected" in logs.getvalue()
    assert not found_in(logs.getvalue())


async def test_m11_no_shape_of_a_malformed_request_is_logged_quoted_or_counted(tmp_path: Path) -> None:
    settings = build_settings(tmp_path, WEBHOOKS__TOKENS=TOKEN, SERVER__LOG_LEVEL="debug", **SHORT)
    with capture_all_logs() as logs:
        async with run_gateway(settings) as url, ClientSession() as http:
            await send_and_search(url, list(SHAPES.values()))
            assert not found_in(await read_metrics(http, url))
    assert not found_in(logs.getvalue())
    assert "Traceback" not in logs.getvalue()


async def test_m11_a_stranger_does_not_fill_the_log(tmp_path: Path) -> None:
    settings = build_settings(tmp_path, WEBHOOKS__TOKENS=TOKEN, **SHORT)
    with capture_all_logs() as logs:
        async with run_gateway(settings) as url:
            await exchange_all(
                url, [SHAPES["version"], SHAPES["long line"], build_request("POST", "/ussd/africastalking")] * 200
            )
    lines = [
        line for line in logs.getvalue().splitlines() if "http_request_rejected" in line or "webhook_rejected" in line
    ]
    assert 3 <= len(lines) <= 30


@pytest.mark.slow
async def test_m11_nothing_is_logged_under_gunicorn(tmp_path: Path) -> None:
    with run_gunicorn(tmp_path, WEBHOOKS__TOKENS=TOKEN, KEYS__SECRET=SECRET, **SHORT) as running:
        await send_and_search(running.url, [*SHAPES.values(), *mutate(VALID["chunks"], step=11)])
    assert "http_request_rejected" in running.output
    assert not found_in(TIMESTAMP.sub("", running.output))
