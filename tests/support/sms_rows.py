"""The rows that send SMS, each with its sample exchange, its fake provider, and the webhooks that its provider posts."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from providers.json_http.provider_rows import Row, find_rows, load_row
from providers.json_http.sms import RowSms, open_sms, read_sms
from providers.json_http.sms_proof import SampleAnswer, SampleRequest, SmsSample, load_sample
from providers.json_http.sms_row import SmsRow
from services.messaging.delivery_status import DeliveryStatus
from tests.fakes.sms_http_server import Behaviour, ExpectedRequest, SmsHttpServer, respond

PUBLIC_URL, TOKEN = "https://gateway.example", "made-up"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
NOON = datetime(2026, 11, 30, 6, tzinfo=UTC)  # in Dhaka


@dataclass(frozen=True)
class SampledRow:
    """A row with its table `[sms]` and its sample."""

    row: Row
    table: SmsRow
    sample: SmsSample

    @property
    def origin(self) -> str:
        """Scheme and host of the provider in the sample."""
        parts = urlsplit(self.sample.sends[0].request.url)
        return f"{parts.scheme}://{parts.netloc}"

    def values_for(self, server: SmsHttpServer) -> Mapping[str, str]:
        """The settings of the sample, with the fake in the place of the provider."""
        values = {**self.row.settings, **self.sample.settings}
        return {name: value.replace(self.origin, server.url) for name, value in values.items()}


@dataclass(frozen=True)
class Webhook:
    """What a provider posts, or the address with the query that it gets."""

    method: str
    path: str
    body: bytes
    headers: Mapping[str, str]


@lru_cache
def load_sampled(name: str) -> SampledRow:
    """The row with its sample."""
    row = load_row(find_rows("")[name])
    return SampledRow(row, read_sms(row), load_sample(row).sample)


SMS_ROWS = tuple(name for name, path in find_rows("").items() if load_row(path).sms is not None)


def expected_requests(sampled: SampledRow) -> list[ExpectedRequest]:
    """The requests of the sample, as the fake compares them."""
    return [_expected(sampled, send.request) for send in sampled.sample.sends]


def _expected(sampled: SampledRow, request: SampleRequest) -> ExpectedRequest:
    parts = urlsplit(request.url)
    return ExpectedRequest(
        request.method,
        parts.path,
        parse_qsl(parts.query, keep_blank_values=True),
        sampled.table.request.format,
        request.fields,
        request.headers,
    )


@asynccontextmanager
async def open_sms_row(name: str, server: SmsHttpServer) -> AsyncIterator[RowSms]:
    """The adapter of a row, which sends to the fake."""
    sampled = load_sampled(name)
    values = sampled.values_for(server)
    async with open_sms(sampled.row, values, public_url=PUBLIC_URL, token=TOKEN, clock=lambda: NOON) as provider:
        yield provider


def sms_row_settings(name: str, server: SmsHttpServer, *, sends: bool = True) -> dict[str, str]:
    """Settings of a gateway in which this row is in use, and sends the SMS."""
    prefix = f"PROVIDERS__JSON__{name.upper()}__"
    given = {f"{prefix}{key.upper()}": value for key, value in load_sampled(name).values_for(server).items()}
    return {**given, f"{prefix}ENABLED": "true", **({"SMS__PROVIDER": name} if sends else {})}


def find_answer(name: str, outcome: str) -> Behaviour:
    """An answer of the provider with this outcome.

    Raises:
        LookupError: the sample has none.
    """
    answers = [answer for answer in load_sampled(name).sample.answers if answer.outcome == outcome]
    if not answers:
        raise LookupError(f"{name} has no answer that is {outcome}")
    return respond_like(answers[0])


def respond_like(answer: SampleAnswer) -> Behaviour:
    """The answer of a sample."""
    return respond(answer.status, answer.body, answer.headers)


def receives_inbound(name: str) -> bool:
    """Whether the row describes inbound SMS."""
    return load_sampled(name).table.inbound is not None


def reports_delivery(name: str) -> bool:
    """Whether the row describes delivery reports."""
    return load_sampled(name).table.report is not None


def inbound_webhook(name: str, *, sms_id: str, sender: str, sent_to: str, text: str) -> Webhook:
    """An inbound SMS as the provider of this row posts it."""
    table = load_sampled(name).table.inbound
    assert table is not None
    facts = {table.id: sms_id, table.sender: sender, table.sent_to: sent_to, table.text: text}
    return build_webhook(f"/sms/{name}", table.format, table.items, facts)


def report_webhook(name: str, *, message_id: str, status: DeliveryStatus) -> Webhook:
    """A delivery report as the provider of this row posts it; `message_id` is the provider's own, or `<name>/` before it."""
    table = load_sampled(name).table.report
    assert table is not None
    word = next(word for word, meaning in table.statuses.items() if meaning is status)
    facts = {table.id: message_id.removeprefix(f"{name}/"), table.status[0]: word}
    return build_webhook(f"/sms/{name}/delivery", table.format, table.items, facts)


def build_webhook(path: str, body_format: str, items: str | None, facts: Mapping[str | None, str]) -> Webhook:
    """A webhook with these values at these paths; in a list of one where the provider posts lists."""
    item: dict[str, Any] = {}
    for place, value in facts.items():
        if place is not None:
            _put(item, place, value)
    if body_format == "json":
        return Webhook("POST", path, json.dumps({items: [item]} if items else item).encode(), JSON)
    query = urlencode(item)
    return (
        Webhook("GET", f"{path}?{query}", b"", {})
        if body_format == "query"
        else Webhook("POST", path, query.encode(), FORM)
    )


def _put(item: dict[str, Any], place: str, value: str) -> None:
    *above, last = place.split(".")
    for step in above:
        item = item.setdefault(step, {})
    item[last] = value
