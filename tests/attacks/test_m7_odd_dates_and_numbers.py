"""M7: no date and no number from outside, however odd, raises an error: a webhook is kept, a query is rejected."""

import argparse
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from cli.arguments import parse_count, parse_day
from core.errors import ValidationFailedError
from core.http.client import HttpResponse
from core.http.signatures import SignatureError, verify
from core.json_text import parse_json_object
from core.retry import parse_retry_after
from core.timestamps import is_storable, parse_lifetime, parse_timestamp
from menus import validators
from providers.africastalking import insights
from providers.africastalking.sms_webhooks import parse_delivery_report, parse_inbound_sms
from providers.africastalking.ussd import _parse_count
from services.catalogue.field_validation import validate_answer
from services.catalogue.models import Field, FieldKind
from services.citizens.number_notices import parse_notices
from services.documents import certificate
from services.payments.billers import http as http_biller
from services.payments.wallets import daraja
from sessions.session import parse_hop_metadata
from tests.support.phone import MSISDN, Phone, build_settings, run_gateway
from tests.support.services import CIPHER
from web.api.models.common import PageQuery

TODAY = date(2026, 11, 30)
NOW = datetime(2026, 11, 30, tzinfo=UTC)

DATES = [
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59-14:00",
    "9999-12-31T23:59:59.999999+00:00",
    "10000-01-01T00:00:00Z",
    "-0001-01-01",
    "1969-12-31T23:59:59Z",
    "2200-01-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-W53-7",
    "2026-11-21T24:00:00Z",
    "2026-11-21T00:00:00+99:99",
    "2026-11-21T00:00:00+23:59:59.999999",
    "2026-11-21T00:00:60Z",
    "২০২৬-১১-২১",
    "01-01-0001",
    "31-12-9999",
    "99-99-9999",
    "00-00-0000",
    "Fri, 31 Dec 9999 23:59:59 -9999",
    "Mon, 01 Jan 0001 00:00:00 +9999",
    "Mon, 99 Foo 2026 99:99:99 +999999999999",
]
NUMBERS = [
    *("0", "-1", "-0", "+1", "1e400", "-1e400", "1e-400", "nan", "inf", "-Infinity", "0x10", "1_000", "1,000", "0.1"),
    *("9" * length for length in (9, 18, 19, 20, 40, 400, 4300, 4301, 5000, 10_000)),
    *("१२३", "①", "²", "½", "٣" * 5000, "1" + "\u200b" * 50, "\x00", "'", "1;2", "1 2", "0" * 5000),
]
JSON_TEXTS = [
    "[" * 100_000,
    "{" * 100_000,
    '{"a":' * 50_000,
    "9" * 5000,
    '{"a": ' + "9" * 5000 + "}",
    "NaN",
    "1e999",
    "",
]
ODD = [*DATES, *NUMBERS, *JSON_TEXTS, "", " ", "None", "null", "true", "🙂" * 100]


def daraja_callback(value: str) -> bytes:
    """A callback of M-Pesa with this amount, as text and as it stands."""
    items = [{"Name": "Amount", "Value": "#"}, {"Name": "MpesaReceiptNumber", "Value": "RCPT1"}]
    callback = {"ResultCode": 0, "CheckoutRequestID": "ws_1", "CallbackMetadata": {"Item": items}}
    return json.dumps({"Body": {"stkCallback": callback}}).replace('"#"', value).encode("utf-8", "replace")


def field(kind: FieldKind) -> Field:
    """A field of a form without bounds of its own."""
    return Field(name="f", kind=kind, labels={"en": "?"})


ALLOWED = (argparse.ArgumentTypeError, SignatureError, ValidationFailedError)
PARSERS: dict[str, Callable[[str], Any]] = {
    "inbound SMS": lambda text: parse_inbound_sms(
        {"from": MSISDN, "text": "", "date": text, "id": text, "networkCode": text}, CIPHER.keyed_hash
    ),
    "delivery report": lambda text: parse_delivery_report({"id": "1", "status": "Sent", "networkCode": text}),
    "USSD durations": _parse_count,
    "hop metadata": lambda text: parse_hop_metadata(f"main.{text}.{text}-{text}"),
    "SIM swap date": insights._parse_date,
    "Retry-After": lambda text: parse_retry_after(text, NOW),
    "signature": lambda text: verify([b"key"], {"webhook-id": "1", "webhook-timestamp": text}, b"", NOW),
    "lifetime of a token": parse_lifetime,
    "JSON of another system": parse_json_object,
    "JSON answer": lambda text: HttpResponse(200, "application/json", {}, _bytes(text)).json_object(),
    "M-Pesa callback": lambda text: daraja.parse_callback(_bytes(text)),
    "M-Pesa amount": lambda text: daraja.parse_callback(daraja_callback(text)),
    "M-Pesa amount as text": daraja.parse_minor_units,
    "due date of a bill": http_biller._parse_day,
    "date of a document": certificate._parse_day,
    "number notices": lambda text: parse_notices(f"{MSISDN},{text}\n", "file", TODAY),
    "day on the command line": parse_day,
    "count on the command line": parse_count,
    "date of birth": lambda text: validators.birth_date(text, TODAY),
    "tracking number": lambda text: validators.tracking_number(text, TODAY),
    "Aadhaar number": lambda text: validators.aadhaar(text, TODAY),
    "one-time code": lambda text: validators.code(text, TODAY),
    "date in a form": lambda text: validate_answer(field("date"), text, TODAY),
    "number in a form": lambda text: validate_answer(field("number"), text, TODAY),
    "timestamp": parse_timestamp,
}


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


@pytest.mark.parametrize("name", PARSERS)
def test_m7_no_odd_text_raises_an_error(name: str) -> None:
    for text in ODD:
        try:
            PARSERS[name](text)
        except ALLOWED:
            continue
        except Exception as error:  # noqa: BLE001 - every other error is the fault that this test looks for
            pytest.fail(f"{text[:60]!r}: {type(error).__name__}: {error}")


def test_m7_a_timestamp_that_is_kept_can_be_shown_in_every_zone() -> None:
    kept = [
        moment for text in [*DATES, "1970-01-01T00:00:00Z", "2199-12-31T23:59:59Z"] if (moment := parse_timestamp(text))
    ]
    assert len(kept) >= 2
    for moment in kept:
        assert is_storable(moment)
        for hours in (-14, 14):
            moment.astimezone(timezone(timedelta(hours=hours)))


@pytest.mark.parametrize("text", DATES)
def test_m7_the_api_rejects_what_it_cannot_compare(text: str) -> None:
    try:
        query = PageQuery.model_validate({"since": text})
    except ValueError:
        return
    assert query.since is not None
    assert query.since.astimezone(UTC).year in range(1969, 2201)


async def test_m7_every_inbound_sms_is_acknowledged_and_kept(tmp_path: Path) -> None:
    async with run_gateway(build_settings(tmp_path)) as url, ClientSession() as http:
        for number, text in enumerate(DATES):
            form = {"from": "AIRTEL", "to": "123", "text": "x", "date": text, "id": f"id-{number}"}
            async with http.post(f"{url}/sms/africastalking", data=form) as answer:
                assert answer.status == 200, text


async def test_m7_no_number_that_is_pressed_ends_a_call_with_an_apology(tmp_path: Path) -> None:
    async with run_gateway(build_settings(tmp_path)) as url, ClientSession() as http:
        for text in (number for number in NUMBERS if len(number.encode()) <= 5000):
            phone = Phone(http, url)
            await phone.dial()
            for before in ((), ("1",), ("1", "2"), ("1", "1"), ("1", "9", "1")):
                phone.path, phone.ended = "*".join([*before, text]), False
                assert "something is wrong on our side" not in await phone.resend(), (before, text[:20])
