"""Answers and webhooks of SMS providers that rows describe, changed at random: whatever comes, they give a value."""

import json
from collections.abc import Sequence
from random import Random
from typing import Any

from core.http.client import HttpResponse
from providers.json_http.sms_answer import read_outcome
from providers.json_http.sms_proof import MOMENT, parse_body
from providers.json_http.sms_webhooks import RowSmsWebhooks
from services.messaging.delivery_status import DeliveryStatus
from services.messaging.outcomes import Accepted, Unknown
from tests.fuzz.texts import random_text
from tests.support.sms_rows import SMS_ROWS, SampledRow, load_sampled

MAX_ID_LENGTH = 128
STATUSES = (200, 200, 200, 202, 204, 301, 400, 401, 429, 500)
ROWS: Sequence[SampledRow] = [load_sampled(name) for name in SMS_ROWS]
WEBHOOKS: Sequence[RowSmsWebhooks] = [RowSmsWebhooks(row.row.name, row.table) for row in ROWS]
BODIES: Sequence[str] = [
    entry.body
    for row in ROWS
    for entry in (*row.sample.answers, *row.sample.inbound, *row.sample.reports)
    if entry.body
]


def random_body(random: Random) -> bytes:
    """The body of a sample with values or keys changed at random; then, sometimes, cut or with other bytes."""
    body = random.choice(BODIES)
    try:
        body = json.dumps(_change(json.loads(body), random), ensure_ascii=random.random() < 0.5)
    except ValueError:
        body = random_text(random) if random.random() < 0.2 else body
    octets = body.encode("utf-8", "surrogatepass")
    if random.random() < 0.3:
        at = random.randrange(len(octets) + 1)
        octets = octets[:at] + random.choice((b"", b"\xff", b"%FF", b"]", b"{", b"\x00")) + octets[at + 1 :]
    return octets


def _change(value: Any, random: Random) -> Any:
    if random.random() < 0.1:
        return random.choice(
            (None, True, 7, 2**70, 1e308, "\ud83d", [], {}, [[]], random_text(random), "200", "+254700000001")
        )
    if isinstance(value, dict):
        return {key: _change(inner, random) for key, inner in value.items() if random.random() < 0.95}
    if isinstance(value, list):
        return [_change(inner, random) for inner in value * random.choice((1, 1, 1, 0, 3))]
    return value


async def check_body(body: bytes) -> object:
    """Every row gives an outcome, and a webhook its values; what is stored and logged is short and can be encoded."""
    return tuple(_check_answer(row, body) for row in ROWS), tuple(_check_webhook(one, body) for one in WEBHOOKS)


def _check_answer(row: SampledRow, body: bytes) -> str:
    status = STATUSES[sum(body) % len(STATUSES)]
    outcome = read_outcome(
        row.table.answer,
        HttpResponse(status, "", {"Retry-After": body[:8].decode(errors="replace")}, body),
        name=row.row.name,
        reference="ekdial42",
        values=row.row.settings,
        now=MOMENT,
    )
    if isinstance(outcome, Accepted):
        assert outcome.provider_id.startswith(f"{row.row.name}/")
        assert len(outcome.provider_id) <= MAX_ID_LENGTH
        f"{outcome.provider_id}{outcome.cost}".encode()
        return "accepted"
    assert outcome.reason.isascii()
    assert outcome.reason.isalnum()
    return outcome.reason if isinstance(outcome, Unknown) else type(outcome).__name__


def _check_webhook(webhooks: RowSmsWebhooks, body: bytes) -> tuple[int, int]:
    text = body.decode(errors="replace")
    inbound = webhooks.split_inbound(parse_body(webhooks.body_format, text))
    sms = [webhooks.parse_inbound_sms(item, lambda _, value: str(len(value))) for item in inbound]
    reports = [
        report
        for item in webhooks.split_reports(parse_body(webhooks.report_format, text))
        if (report := webhooks.parse_delivery_report(item))
    ]
    for report in reports:
        assert isinstance(report.status, DeliveryStatus)
        assert len(report.provider_id) <= MAX_ID_LENGTH
        assert len(report.provider_status) <= 40
        f"{report}{report.msisdn}".encode()
    for one in filter(None, sms):
        assert len(one.msisdn) <= 16
        f"{one}{one.msisdn}{one.text}".encode()
    return len([one for one in sms if one]), len(reports)
