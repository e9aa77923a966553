"""Callbacks that no provider would send: forms and JSON, as the readers of every provider get them."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, NoReturn
from urllib.parse import urlencode

from aiohttp.base_protocol import BaseProtocol
from aiohttp.streams import StreamReader

from core.http.provider_webhooks import fields_as_text, read_json
from core.http.webhooks import MAX_BODY_BYTES, BadWebhookError, read_form
from menus.rendering.paging import ScreenBudget
from providers.africastalking.sms_webhooks import parse_delivery_report, parse_inbound_sms, parse_opt_out
from providers.africastalking.ussd import parse_end_event, parse_ussd_request
from providers.africastalking.voice import parse_call
from providers.json_http.provider_rows import Row, find_rows, load_row
from providers.json_http.ussd import JsonUssd, build_provider
from providers.json_http.ussd_sample import load_sample, read_fields
from providers.tap.webhooks import TapSmsWebhooks
from sessions.path_turns import UssdReply, UssdRequest
from sessions.session import Reply
from tests.fuzz.texts import MUTATIONS, random_text
from tests.support.tap import build_fake_applications, build_ussd, read_tap_dialogues
from ussd.provider import ShortCodeConfig, UssdInput

FORMS: Sequence[Mapping[str, str]] = (
    {"phoneNumber": "+254700000001", "serviceCode": "*384*70001#", "text": "1*2", "sessionId": "ATUid_01", "networkCode": "99999"},
    {"date": "2026-01-02 03:04:05", "sessionId": "ATUid_01", "status": "Incomplete", "durationInMillis": "19200", "hopsCount": "2", "errorMessage": ""},
    {"linkId": "", "text": "STATUS 1", "to": "22384", "id": "0f3c1d2e", "date": "2026-01-02 03:04:05", "from": "+254700000001"},
    {"id": "ATXid_01", "status": "Failed", "phoneNumber": "+254700000001", "networkCode": "63902", "failureReason": "DeliveryFailure", "retryCount": "0"},
    {"senderId": "EKDIAL", "phoneNumber": "+254700000001"},
    {"sessionId": "ms-1", "serviceCode": "*123#", "phoneNumber": "+254700000001", "text": "1*2"},
    {"SESSIONID": "233443", "USSDCODE": "*415#", "MSISDN": "254700000001", "INPUT": "*415*33*1#"},
    {"session_msisdn": "2348031234567", "session_operation": "begin", "session_msg": "1", "session_id": "5456", "session_from": "*7006#", "session_mno": "MTN"},
    {"callSessionState": "Ringing", "direction": "Inbound", "callerNumber": "+254700000001", "sessionId": "ATVId_01", "destinationNumber": "+254711000000", "isActive": "1"},
)  # fmt: skip


def random_body(random: Random) -> bytes:
    """The body of a webhook: fields missing, odd, repeated or of another webhook; then bytes changed, cut or added."""
    fields = [pair for source in random.choices(FORMS, k=random.choice((1, 1, 2))) for pair in source.items()]
    random.shuffle(fields)
    spoilt = [(name, _mutate_value(value, random)) for name, value in fields if random.random() < 0.95]
    body = urlencode(spoilt, errors="surrogatepass").encode()
    if random.random() < 0.3:
        body = _mutate_bytes(body, random)
    return body * random.choice((1,) * 30 + (3, 200))


def _mutate_value(value: str, random: Random) -> str:
    kind = random.random()
    if kind < 0.6:
        return value
    return random_text(random) if kind < 0.8 else random.choice(MUTATIONS)(value, random)


def _mutate_bytes(body: bytes, random: Random) -> bytes:
    changed = bytearray(body)
    for _ in range(random.randint(1, 8)):
        at = random.randint(0, len(changed))
        changed[at : at + random.randint(0, 2)] = random.choice(
            (b"%", b"&", b"=", b"+", b"\xff", b"\x00", b"%FF", b"\r\n", b"")
        )
    return bytes(changed)


def random_json(random: Random) -> bytes:
    """A body of JSON: nested, huge, with odd numbers, keys twice, lone surrogates; then bytes changed."""
    fields = {name: _random_value(random, 3) for name in random.sample(sorted(JSON_NAMES), random.randint(0, 6))}
    if random.random() < 0.5:
        known = random.choice(JSON_REQUESTS)
        fields = {**{name: value for name, value in known.items() if random.random() < 0.95}, **_spoil(known, random)}
    text = json.dumps(fields, ensure_ascii=random.random() < 0.5)
    if random.random() < 0.2:
        text = text[:-1] + ', "session": "s1", "session": "\\ud83d", "deep": ' + "[" * 300 + "]" * 300 + "}"
    body = text.encode("utf-8", "surrogatepass")
    return _mutate_bytes(body, random) if random.random() < 0.4 else body * random.choice((1,) * 20 + (2, 400))


def _spoil(known: Mapping[str, Any], random: Random) -> dict[str, Any]:
    """One field of a request that would be right, with another value."""
    return {random.choice(sorted(known)): _random_value(random, 3)}


JSON_NAMES = frozenset(
    {"session", "sequence", "msisdn", "input", "type", "network", "status", "Body", "stkCallback", ""}
)


def _random_value(random: Random, depth: int) -> Any:
    kinds = (
        random_text(random),
        random.randint(-(2**70), 2**70),
        1e308,
        True,
        None,
        "\ud83d",
        "+254700000001",
        "begin",
    )
    if depth and random.random() < 0.3:
        inner = [_random_value(random, depth - 1) for _ in range(random.randint(0, 3))]
        return random.choice((inner, {str(key): one for key, one in enumerate(inner)}))
    return random.choice(kinds)


async def check_callback(body: bytes) -> object:
    """The result is a form or a one-line refusal; every reader of a form gives a value or a one-line refusal."""
    fields = await _result_or_status(read_form(_build_request(body), timeout=1), {400, 413})
    assert (fields == 413) == (len(body) > MAX_BODY_BYTES)
    results: list[object] = [fields if isinstance(fields, int) else len(fields)]
    if not isinstance(fields, int):
        for name, value in fields.items():
            f"{name}{value}".encode()  # every text can be stored and sent
        results += [type(await _result_or_status(_now(read, fields), {400})).__name__ for read in READERS]
        results += [await _answer(provider, fields) for provider in ROW_PROVIDERS if provider.body_format != "json"]
    return tuple(results)


async def check_json_callback(body: bytes) -> object:
    """The result is an object of JSON or a one-line refusal, and every text in it can be stored and sent."""
    fields = await _result_or_status(read_json(_build_request(body)), {400, 413})
    if isinstance(fields, int):
        return fields
    repr(fields_as_text(fields))
    str(fields_as_text(fields)).encode()
    results = [await _answer(provider, fields) for provider in ROW_PROVIDERS if provider.body_format == "json"]
    results += [type(await _result_or_status(_now(read, fields), {400})).__name__ for read in TAP_READERS]
    return len(fields), *results


async def _answer(provider: JsonUssd, fields: Mapping[str, Any]) -> object:
    """The kind of what a row reads in the fields; a screen can be sent as the reply to it."""
    request = await _result_or_status(_now(lambda them: provider.parse_request(them, {}), fields), {400})
    if isinstance(request, UssdInput | UssdRequest):
        str(request).encode()
        provider.render_reply(UssdReply(Reply("1 Go on"), "answered"), fields).text.encode()
    return type(request).__name__


async def _result_or_status(reading: Awaitable[object], statuses: set[int]) -> Any:
    """The result of a reader, or the status of its one-line refusal."""
    try:
        return await reading
    except BadWebhookError as bad:
        plain = bad.message.isprintable() and len(bad.message) < 120
        return bad.status if plain and bad.status in statuses else _fail(repr(bad.message))


def _fail(why: str) -> NoReturn:
    raise AssertionError(why)


async def _now(read: Callable[[Mapping[str, Any]], object], fields: Mapping[str, Any]) -> object:
    return read(fields)


@dataclass(frozen=True, slots=True)
class FakeRequest:
    """The part of a request that the form parser reads; a body of odd length comes without a content length."""

    content: StreamReader
    content_length: int | None


def _build_request(body: bytes) -> Any:
    loop = asyncio.get_running_loop()
    content = StreamReader(BaseProtocol(loop), limit=2**30, loop=loop)  # it is never told to pause
    content.feed_data(body)
    content.feed_eof()
    return FakeRequest(content, None if len(body) % 2 else len(body))


_LINE = ShortCodeConfig(("*384*70001#", "*123#"), ScreenBudget(), {"63902": ScreenBudget(septets=182)})
_ROWS: Sequence[Row] = [row for path in find_rows("").values() if (row := load_row(path)).ussd is not None]
ROW_PROVIDERS: Sequence[JsonUssd] = [build_provider(row, _LINE) for row in _ROWS]
ROW_REQUESTS: Sequence[Mapping[str, Any]] = [
    read_fields(step.request, "json")
    for row, provider in zip(_ROWS, ROW_PROVIDERS, strict=True)
    if provider.body_format == "json"
    for step in load_sample(row).dialogue.step[:2]
]
TAP_REQUESTS: Sequence[Mapping[str, Any]] = [
    dialogue[kind]["in"] for dialogue in read_tap_dialogues().values() for kind in ("inbound", "report")
] + [turn["in"] for dialogue in read_tap_dialogues().values() for turn in dialogue["ussd"]]
JSON_REQUESTS: Sequence[Mapping[str, Any]] = [*ROW_REQUESTS, *TAP_REQUESTS]
_TAP_APPLICATIONS = build_fake_applications(None, ids={"bdapps": "APP_000001"})
_TAP_SMS = TapSmsWebhooks(_TAP_APPLICATIONS, short_code="22384")
TAP_READERS: Sequence[Callable[[Mapping[str, Any]], object]] = (
    lambda fields: build_ussd(_TAP_APPLICATIONS).parse_request(fields, {}),
    lambda fields: _TAP_SMS.parse_inbound_sms(fields, lambda _, value: str(len(value))),
    _TAP_SMS.parse_delivery_report,
)
READERS: Sequence[Callable[[Mapping[str, str]], object]] = (
    lambda fields: parse_ussd_request(fields, "", _LINE),
    parse_end_event,
    lambda fields: parse_inbound_sms(fields, lambda _, value: str(len(value))),
    parse_delivery_report,
    parse_opt_out,
    parse_call,
)
