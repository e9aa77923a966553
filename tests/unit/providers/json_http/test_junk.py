"""What is no request of a provider gets one plain line, moves nothing, and leaves no value in the log."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from yarl import URL

from core.http.webhooks import MAX_BODY_BYTES, MAX_FIELDS
from tests.fakes.json_providers import JsonPhone, json_settings
from tests.support.phone import WEBHOOK_TOKEN, build_settings, run_gateway
from tests.support.privacy import capture_all_logs

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "4711-hidden-4711"
DIGITS = "254722000001"
HUBTEL: Mapping[str, Any] = {
    "Type": "response",
    "Message": SECRET,
    "ServiceCode": "123",
    "Operator": "mtn",
    "ClientState": "",
    "Mobile": DIGITS,
    "SessionId": SECRET,
    "Sequence": "2",
}
ADVANTA: Mapping[str, str] = {"SESSIONID": SECRET, "USSDCODE": "*123#", "MSISDN": DIGITS, "INPUT": f"*123*{SECRET}#"}
BEEM: Mapping[str, Any] = {
    "command": "continue",
    "msisdn": DIGITS,
    "session_id": SECRET,
    "operator": "vodacom",
    "payload": {"request_id": 1, "response": SECRET},
}


def without(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return {key: value for key, value in fields.items() if key != name}


BAD: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    **{
        f"hubtel without {name}": ("hubtel", without(HUBTEL, name))
        for name in ("Type", "Message", "Mobile", "SessionId")
    },
    **{f"advanta without {name}": ("advanta", without(ADVANTA, name)) for name in ("SESSIONID", "MSISDN", "INPUT")},
    "hubtel without an id of the request": ("hubtel", without(HUBTEL, "Sequence")),
    "hubtel with a type that nobody documents": ("hubtel", {**HUBTEL, "Type": SECRET}),
    "hubtel with an object for a text": ("hubtel", {**HUBTEL, "Message": {"text": SECRET}}),
    "hubtel with a list for a session": ("hubtel", {**HUBTEL, "SessionId": [SECRET]}),
    "hubtel with a fraction for a sequence": ("hubtel", {**HUBTEL, "Sequence": 1.5}),
    "hubtel with null for a number": ("hubtel", {**HUBTEL, "Mobile": None}),
    "hubtel with a short code for a number": ("hubtel", {**HUBTEL, "Mobile": "4711"}),
    "hubtel with a session of 129 characters": ("hubtel", {**HUBTEL, "SessionId": "s" * 129}),
    "hubtel with a text of 5000 characters": ("hubtel", {**HUBTEL, "Message": "7" * 5000}),
    "beem with a text where an object belongs": ("beem", {**BEEM, "payload": SECRET}),
    "beem with a list where an object belongs": ("beem", {**BEEM, "payload": [{"response": SECRET}]}),
    "beem without what was typed": ("beem", {**BEEM, "payload": {"request_id": 1}}),
    "advanta with an empty session": ("advanta", {**ADVANTA, "SESSIONID": ""}),
    "advanta with more fields than anyone sends": ("advanta", {**ADVANTA, **{f"f{n}": "1" for n in range(MAX_FIELDS)}}),
}

BODIES: Mapping[str, bytes] = {
    "nothing": b"",
    "a form": b"Type=response&Message=4711-hidden-4711",
    "a list": b'["4711-hidden-4711"]',
    "text": b'"4711-hidden-4711"',
    "half an object": b'{"Type": "response", "Message": "4711-hidden-4711',
    "an object a thousand levels deep": b'{"Type":' * 1000 + b'"4711-hidden-4711"' + b"}" * 1000,
    "a key twice, then rubbish": b'{"Type": 1, "Type": 2} 4711-hidden-4711',
    "bytes that are not UTF-8": b'{"Type": "\xff4711-hidden-4711"}',
    "half a surrogate": b'{"Type": "\\ud800", "Message": "4711-hidden-4711"}',
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A gateway that serves a provider of each format."""
    settings = build_settings(
        tmp_path_factory.mktemp("gateway"),
        WEBHOOKS__TOKENS=WEBHOOK_TOKEN,
        **json_settings("hubtel", "beem", "advanta", "mobilesasa"),
    )
    async with run_gateway(settings) as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession() as http:
        yield http


@contextmanager
def nothing_leaks() -> Iterator[None]:
    with capture_all_logs() as logged:
        yield
    assert "webhook_malformed" in logged.getvalue()
    assert "Traceback" not in logged.getvalue()
    for value in (SECRET, DIGITS, "hidden"):
        assert value not in logged.getvalue()


@pytest.mark.parametrize("case", BAD)
async def test_a_request_that_lacks_what_it_must_have_gets_one_plain_line(
    case: str, http: ClientSession, url: str
) -> None:
    provider, fields = BAD[case]
    phone = JsonPhone(http, url, provider, token=WEBHOOK_TOKEN)
    with nothing_leaks():
        status, body = await phone.post(fields)
    assert status == 400
    assert len(body.split("\n")) == 1
    assert body.endswith(".")
    assert SECRET not in body


@pytest.mark.parametrize("case", BODIES)
async def test_a_body_that_is_no_json_object_gets_one_plain_line(case: str, http: ClientSession, url: str) -> None:
    with nothing_leaks():
        async with http.post(f"{url}/ussd/hubtel?token={WEBHOOK_TOKEN}", data=BODIES[case]) as response:
            assert response.status == 400
            assert (await response.text()).count("\n") == 0


async def test_a_body_above_the_limit_is_refused(http: ClientSession, url: str) -> None:
    body = json.dumps({**HUBTEL, "more": "x" * MAX_BODY_BYTES}).encode()
    with nothing_leaks():
        async with http.post(f"{url}/ussd/hubtel?token={WEBHOOK_TOKEN}", data=body) as response:
            assert response.status == 413


async def test_another_method_is_refused(http: ClientSession, url: str) -> None:
    for method, path in (("GET", "hubtel"), ("PUT", "hubtel"), ("POST", "advanta"), ("HEAD", "advanta")):
        with capture_all_logs() as logged:
            address = f"{url}/ussd/{path}?token={WEBHOOK_TOKEN}&INPUT={SECRET}"
            async with http.request(method, address, allow_redirects=False) as response:
                assert response.status == 405, (method, path)
        assert SECRET not in logged.getvalue()


async def test_nobody_is_served_without_the_token_and_nothing_is_read(http: ClientSession, url: str) -> None:
    for provider, fields in (("hubtel", HUBTEL), ("advanta", ADVANTA)):
        for token in ("", "wrong"):
            with capture_all_logs() as logged:
                assert (await JsonPhone(http, url, provider, token=token).post(fields))[0] == 404
            assert "webhook_rejected" in logged.getvalue()
            assert SECRET not in logged.getvalue()


async def test_a_call_by_get_leaves_nothing_typed_in_the_log(http: ClientSession, url: str) -> None:
    phone = JsonPhone(http, url, "advanta", "+254722000009", token=WEBHOOK_TOKEN)
    with capture_all_logs() as logged:
        await phone.dial()
        await phone.enter("1", "2", SECRET)
    assert SECRET not in logged.getvalue()
    assert "254722000009" not in logged.getvalue()


async def test_the_call_goes_on_after_junk(http: ClientSession, url: str) -> None:
    phone = JsonPhone(http, url, "hubtel", "+254722000002", token=WEBHOOK_TOKEN)
    await phone.dial()
    await phone.enter("1")
    assert (await phone.post({**HUBTEL, "Mobile": "254722000002", "Message": None}))[0] == 400
    assert (await phone.post({}))[0] == 400
    assert "Complain or suggest" in await phone.enter("4")


async def test_fields_that_are_brought_back_are_values_and_no_objects(http: ClientSession, url: str) -> None:
    phone = JsonPhone(http, url, "beem", "+254722000003", token=WEBHOOK_TOKEN)
    dial = {**BEEM, "command": "initiate", "msisdn": "254722000003", "session_id": "s1"}
    status, body = await phone.post({**dial, "payload": {"request_id": {"deep": [1]}, "response": 0}})
    assert status == 200
    assert json.loads(body)["payload"]["request_id"] is None
    status, body = await phone.post(
        {**without(dial, "operator"), "payload": {"request_id": 2**70, "response": "{text}"}}
    )
    assert json.loads(body)["operator"] is None


QUERIES = {
    "bytes that are not UTF-8": "SESSIONID=s1&USSDCODE=%FF&MSISDN=254722000004&INPUT=%FF%FE",
    "half a character": "SESSIONID=s1&USSDCODE=*123%23&MSISDN=254722000004&INPUT=%E0%A4",
    "a percent sign alone": "SESSIONID=s1&USSDCODE=*123%23&MSISDN=254722000004&INPUT=%",
    "a session of zero bytes": "SESSIONID=%00%00&USSDCODE=*123%23&MSISDN=254722000004&INPUT=1",
    "separators alone": "&&&===&",
    "a session given twice": "SESSIONID=s1&SESSIONID=s2&USSDCODE=*123%23&MSISDN=254722000004&INPUT=",
    "a plus that is a blank": "SESSIONID=s+1&USSDCODE=*123%23&MSISDN=+254722000004&INPUT=",
}


@pytest.mark.parametrize("case", QUERIES)
async def test_a_query_that_nobody_sends_is_answered_or_refused(case: str, http: ClientSession, url: str) -> None:
    address = URL(f"{url}/ussd/advanta?token={WEBHOOK_TOKEN}&{QUERIES[case]}", encoded=True)
    with capture_all_logs() as logged:
        async with http.get(address) as response:
            body = await response.text()
            assert response.status in {200, 400}
            assert response.status == 200 or "\n" not in body
    assert "Traceback" not in logged.getvalue()
    assert "254722000004" not in logged.getvalue()


async def test_an_address_that_is_too_long_is_refused_and_not_logged(http: ClientSession, url: str) -> None:
    with capture_all_logs() as logged:
        async with http.get(f"{url}/ussd/advanta?token={WEBHOOK_TOKEN}&INPUT={SECRET * 2000}") as response:
            assert response.status in {400, 413, 414}
    assert SECRET not in logged.getvalue()
