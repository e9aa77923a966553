"""Missed calls at a running gateway: webhooks, guard, log, metrics, and the SMS."""

import asyncio
import re
from contextlib import asynccontextmanager
from urllib.parse import quote_plus

import pytest
from aiohttp import ClientSession

from tests.support.phone import UNREACHABLE_REDIS_URL, WEBHOOK_TOKEN, Phone, admin_url, build_settings, run_gateway
from tests.support.privacy import capture_all_logs, redis_contents
from tests.support.voice_forms import APP_LINK_NUMBER, RINGING_FORM, encode_form, ended_form, ringing_form

REJECTED = (200, "<Response><Reject/></Response>")
FORM = "application/x-www-form-urlencoded"
NUMBER = "+8801798765432"


class VoiceProviderClient:
    """Posts voice webhooks as captured, and reads the metrics."""

    def __init__(self, http, url, settings):
        self.http, self.url, self.settings = http, url, settings

    async def post_form(self, body, query="", **headers):
        sent = {"Content-Type": FORM, **headers}
        async with self.http.post(f"{self.url}/voice/africastalking{query}", data=body, headers=sent) as answer:
            return answer.status, await answer.text()

    async def read_metrics(self):
        async with self.http.get(f"{admin_url(self.url)}/metrics") as answer:
            found = re.findall(
                r'^ekdial_hops_total\{channel="voice",outcome="(\w+)",provider="\w+"\} (\S+)',
                await answer.text(),
                re.MULTILINE,
            )
        return {taken_for: int(float(count)) for taken_for, count in found if float(count)}


@asynccontextmanager
async def run_voice_gateway(tmp_path, **environment):
    settings = build_settings(tmp_path, **environment)
    async with run_gateway(settings) as url, ClientSession() as http:
        yield VoiceProviderClient(http, url, settings)


@pytest.fixture
async def provider(tmp_path):
    async with run_voice_gateway(tmp_path) as provider:
        yield provider


@pytest.mark.parametrize("content_type", [FORM, f"{FORM}; charset=UTF-8", "text/plain"])
async def test_a_call_is_answered_whatever_its_content_type(content_type, provider):
    assert await provider.post_form(encode_form(ringing_form("a")), **{"Content-Type": content_type}) == REJECTED
    assert await provider.post_form(encode_form(ended_form("a")), **{"Content-Type": content_type}) == (200, "")
    assert await provider.read_metrics() == {"answered": 1, "repeated": 1}


async def test_the_answer_is_what_the_providers_own_samples_answer_with(provider):
    async with provider.http.post(f"{provider.url}/voice/africastalking", data=ringing_form("a")) as answer:
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("body", "status", "line"),
    [
        (b"", 400, "sessionId is missing or longer than 128 characters."),
        (b"\xff\xfe\x00junk", 400, "sessionId is missing or longer than 128 characters."),
        (b'{"sessionId": "1"}', 400, "sessionId is missing or longer than 128 characters."),
        (b"sessionId=1&isActive=1", 400, "direction is missing."),
        (encode_form(ringing_form("a", isActive="yes")), 400, "isActive is missing or neither 1 nor 0."),
        (encode_form({f"f{number}": "" for number in range(65)}), 400, "A webhook has at most 64 fields."),
        (encode_form(ringing_form("a", extra="x" * 17_000)), 413, "The body of a webhook has at most 16384 bytes."),
    ],
)
async def test_what_is_no_callback_gets_one_plain_line(body, status, line, provider):
    assert await provider.post_form(body) == (status, line)
    assert await provider.read_metrics() == {"malformed": 1}


async def test_of_a_repeated_field_the_first_counts(provider):
    repeated = (
        encode_form(ringing_form("a", dialled="+254711000009"))
        + b"&destinationNumber="
        + quote_plus(APP_LINK_NUMBER).encode()
    )
    assert await provider.post_form(repeated) == REJECTED
    assert await provider.read_metrics() == {"not_ours": 1}


async def test_nobody_without_the_token_rings(tmp_path):
    async with run_voice_gateway(tmp_path, WEBHOOKS__TOKENS=WEBHOOK_TOKEN) as provider:
        assert [(await provider.post_form(RINGING_FORM, query))[0] for query in ("", "?token=another")] == [404, 404]
        assert await provider.read_metrics() == {}
        assert await provider.post_form(RINGING_FORM, f"?token={WEBHOOK_TOKEN}") == REJECTED


async def test_a_missed_call_in_bangladesh_from_the_ring_to_the_store(provider):
    phone = Phone(provider.http, provider.url, NUMBER)
    assert await provider.post_form(encode_form(ringing_form("a", NUMBER))) == REJECTED
    said = await phone.wait_for_sms("একডায়াল অ্যাপ")
    link = provider.url + re.search(r"/d/\w+", said)[0]
    assert "*123#" in said
    kaios = {"User-Agent": "Mozilla/5.0 (Mobile; LYF/F220B;Android; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5"}
    async with provider.http.get(link, headers=kaios, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, provider.settings.links.kaios)


async def test_the_language_that_was_assumed_is_no_choice(provider):
    await provider.post_form(encode_form(ringing_form("a", NUMBER)))
    phone = Phone(provider.http, provider.url, NUMBER)
    await phone.wait_for_sms("একডায়াল অ্যাপ")
    assert "1 English\n2 Bangla" in await phone.dial()
    assert "Ekdial" in await phone.enter("1")
    assert "Get the app" in await phone.dial()


async def test_who_asks_for_the_app_on_the_screen_gets_the_same_link(provider):
    phone = Phone(provider.http, provider.url, NUMBER)
    await phone.dial()
    await phone.enter("1", "6")
    said = await phone.wait_for_sms("get the app at")
    async with provider.http.get(provider.url + re.search(r"/d/\w+", said)[0], allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, provider.settings.links.web)


async def test_the_menu_comes_back_by_sms(tmp_path):
    async with run_voice_gateway(
        tmp_path, MISSED_CALLS__NUMBERS=f'{{"{APP_LINK_NUMBER}": "call_back_menu"}}'
    ) as provider:
        await provider.post_form(encode_form(ringing_form("a", "+254700000001")))
        assert "1 Find a service" in await Phone(provider.http, provider.url, "+254700000001").wait_for_sms()


async def test_the_status_of_nothing_is_said_to_be_nothing(tmp_path):
    async with run_voice_gateway(
        tmp_path, MISSED_CALLS__NUMBERS=f'{{"{APP_LINK_NUMBER}": "latest_status"}}'
    ) as provider:
        await provider.post_form(encode_form(ringing_form("a", "+254700000001")))
        assert (
            "no application has been made" in await Phone(provider.http, provider.url, "+254700000001").wait_for_sms()
        )


async def test_without_redis_a_call_is_rejected_and_brings_its_sms_once(tmp_path):
    environment = {"REDIS__URL": UNREACHABLE_REDIS_URL, "KEYS__SECRET": "a secret for tests that is long enough"}
    async with run_voice_gateway(tmp_path, **environment) as provider:
        for session in "abc":
            assert await provider.post_form(encode_form(ringing_form(session))) == REJECTED
            assert await provider.post_form(encode_form(ended_form(session))) == (200, "")
        assert await provider.read_metrics() == {"answered": 1, "cooling": 5}
        assert "/d/" in await Phone(provider.http, provider.url, "+254700000001").wait_for_sms()


async def test_nothing_says_who_called(tmp_path, redis_server):
    redis_server.empty()
    with capture_all_logs() as said:
        async with run_voice_gateway(tmp_path, REDIS__URL=redis_server.url, SERVER__LOG_LEVEL="debug") as provider:
            await provider.post_form(encode_form(ringing_form("a", NUMBER)))
            await provider.post_form(encode_form(ringing_form("b", NUMBER, isActive="?")))
            sms = await Phone(provider.http, provider.url, NUMBER).wait_for_sms("/d/")
            token = re.search(r"/d/(\w+)", sms)[1]
            async with provider.http.get(f"{provider.url}/d/{token}", allow_redirects=False) as answer:
                assert answer.status == 302
            async with provider.http.get(f"{admin_url(provider.url)}/metrics") as answer:
                metrics = await answer.text()
            kept = redis_contents(redis_server.url)
    assert "outcome=answered" in said.getvalue()
    for one in (NUMBER[1:], NUMBER[4:], token, "ATVId_a"):
        assert one not in said.getvalue()
        assert one not in metrics
        assert one.encode() not in kept


async def test_many_calls_at_once_are_each_answered(provider):
    callers = [f"+2547000{number:05}" for number in range(20)]
    forms = [encode_form(form(caller, caller)) for caller in callers for form in (ringing_form, ended_form)]
    assert {status for status, _ in await asyncio.gather(*map(provider.post_form, forms))} == {200}
    assert await provider.read_metrics() == {"answered": 20, "repeated": 20}
