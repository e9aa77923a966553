"""Every row that sends SMS, over real HTTP: its requests field by field, its answers, its webhooks, and its proof."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from core.errors import ValidationFailedError
from core.http.client import HttpResponse
from core.http.webhooks import WebhookGuard
from providers.json_http.checks import find_row_problems
from providers.json_http.provider_rows import Row, load_row
from providers.json_http.sms import read_sms
from providers.json_http.sms_answer import read_outcome
from providers.json_http.sms_proof import (
    SampleAnswer,
    SampleSend,
    SampleWebhook,
    describe_outcome,
    find_sms_problems,
    read_inbound,
    read_reports,
)
from providers.json_http.sms_row import SmsRow
from providers.json_http.sms_webhooks import RowSmsWebhooks
from providers.registry import list_providers
from services.messaging.delivery_status import DeliveryReport, DeliveryStatus
from services.messaging.inbound import InboundSms
from services.messaging.models import OutgoingMessage
from services.messaging.outcomes import Accepted, Rejected, Retry, Suspended, Unknown
from sms.routes import WebhookHandlers, routes
from tests.fakes.sms_http_server import SmsHttpServer
from tests.support import sms_rows
from tests.support.phone import PUBLIC_SETTINGS, build_settings
from tests.support.sms_rows import NOON, SMS_ROWS, Webhook, load_sampled, open_sms_row, respond_like

MADE_UP_TOKEN = "a-token-of-at-least-128-bits"


def each(of: str) -> list[object]:
    """Every entry of this table of every sample, with a name that tells which it is."""
    return [
        pytest.param(name, entry, id=f"{name}-{number}")
        for name in SMS_ROWS
        for number, entry in enumerate(getattr(load_sampled(name).sample, of))
    ]


@pytest.mark.parametrize("name", SMS_ROWS)
def test_a_row_goes_as_its_sample_says(name):
    sampled = load_sampled(name)
    assert find_sms_problems(sampled.row, sampled.table) == []


@pytest.mark.parametrize(("name", "send"), each("sends"))
async def test_a_message_arrives_with_every_field_and_no_other(name: str, send: SampleSend):
    expected = sms_rows.expected_requests(load_sampled(name))
    async with SmsHttpServer(expected) as server, open_sms_row(name, server) as provider:
        server.respond_with(sms_rows.find_answer(name, "accepted"))
        outcome = await provider.send(send.build_message())
    assert server.complaints == []
    assert isinstance(outcome, Accepted)
    assert outcome.provider_id.startswith(f"{name}/")
    assert len(server.requests) == 1


@pytest.mark.parametrize(("name", "answer"), each("answers"))
async def test_an_answer_gives_its_outcome(name: str, answer: SampleAnswer):
    send = load_sampled(name).sample.sends[0]
    async with SmsHttpServer() as server, open_sms_row(name, server) as provider:
        server.respond_with(respond_like(answer))
        with capture_logs() as logs:
            outcome = await provider.send(send.build_message())
    wanted = (answer.outcome, answer.id or answer.reason, answer.cost, answer.after)
    assert describe_outcome(outcome, NOON) == wanted
    written = f"{logs} {outcome}"
    assert send.text not in written
    assert send.to.removeprefix("+") not in written


LONG = "আপনার আবেদন গৃহীত হয়েছে। " * 20


@pytest.mark.parametrize("name", SMS_ROWS)
async def test_a_long_text_in_bengali_arrives_whole(name):
    async with SmsHttpServer() as server, open_sms_row(name, server) as provider:
        server.respond_with(sms_rows.find_answer(name, "accepted"))
        await provider.send(OutgoingMessage("+8801712345678", LONG, reference="ekdial42"))
    request = server.requests[0]
    assert LONG in texts_in([dict(request.query), request.fields])


def texts_in(value: object) -> list[str]:
    """Every text in nested tables and lists."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        return [text for inner in value for text in texts_in(inner)]
    return [str(value)]


@pytest.mark.parametrize(("name", "sample"), each("inbound"))
def test_an_inbound_sms_is_read(name: str, sample: SampleWebhook):
    assert read_inbound(RowSmsWebhooks(name, load_sampled(name).table), sample.body) == [*map(dict, sample.reads)]


@pytest.mark.parametrize(("name", "sample"), each("reports"))
def test_a_report_is_read(name: str, sample: SampleWebhook):
    assert read_reports(RowSmsWebhooks(name, load_sampled(name).table), sample.body) == [*map(dict, sample.reads)]


@dataclass
class Recorded:
    """What the routes of one provider gave."""

    sms: list[InboundSms] = field(default_factory=list)
    reports: list[DeliveryReport] = field(default_factory=list)
    unparsed: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)


@asynccontextmanager
async def serve_webhooks(name: str) -> AsyncIterator[tuple[str, Recorded]]:
    records = Recorded()

    async def store_unparsed(route: str, reason: str, fields: Mapping[str, str]) -> None:
        records.unparsed.append((route, reason, fields))

    async def receive(sms: InboundSms) -> None:
        records.sms.append(sms)

    async def record(report: DeliveryReport) -> int:
        records.reports.append(report)
        return 1

    async def record_opt_out(msisdn: str) -> None:
        raise AssertionError(msisdn)

    handlers = WebhookHandlers(record, record_opt_out, receive, store_unparsed, lambda *_: "hash")
    app = web.Application()
    guard = WebhookGuard(tokens=(MADE_UP_TOKEN,))
    app.add_routes(routes(RowSmsWebhooks(name, load_sampled(name).table), guard, handlers))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}", records
    finally:
        await runner.cleanup()


async def call(url: str, webhook: Webhook, token: str = MADE_UP_TOKEN) -> int:
    address = f"{url}{webhook.path}{'&' if '?' in webhook.path else '?'}token={token}"
    async with (
        aiohttp.ClientSession() as http,
        http.request(webhook.method, address, data=webhook.body or None, headers=webhook.headers) as response,
    ):
        return response.status


INBOUND_ROWS = [name for name in SMS_ROWS if sms_rows.receives_inbound(name)]
REPORTING_ROWS = [name for name in SMS_ROWS if sms_rows.reports_delivery(name)]


@pytest.mark.parametrize("name", INBOUND_ROWS)
async def test_an_inbound_sms_comes_in_by_the_method_of_the_provider(name):
    webhook = sms_rows.inbound_webhook(
        name, sms_id="77", sender="8801712345678", sent_to="3377", text="অবস্থা ১২৩৪৫৬৭৮৯০১২"
    )
    async with serve_webhooks(name) as (url, records):
        assert await call(url, webhook) == 200
        assert await call(url, webhook, token="wrong") == 404
    assert records.sms == [InboundSms(f"{name}/77", "+8801712345678", "3377", "অবস্থা ১২৩৪৫৬৭৮৯০১২")]
    assert records.unparsed == []


@pytest.mark.parametrize("name", REPORTING_ROWS)
@pytest.mark.parametrize("status", [DeliveryStatus.SUBMITTED, DeliveryStatus.DELIVERED, DeliveryStatus.REJECTED])
async def test_a_report_comes_in_by_the_method_of_the_provider(name, status):
    webhook = sms_rows.report_webhook(name, message_id=f"{name}/77", status=status)
    async with serve_webhooks(name) as (url, records):
        assert await call(url, webhook) == 200
    assert [(report.provider_id, report.status) for report in records.reports] == [(f"{name}/77", status)]


async def test_of_several_reports_those_that_can_be_read_count_and_the_webhook_is_kept():
    good = '{"messageId": "%s", "status": {"name": "DELIVERED_TO_HANDSET"}}'
    body = f'{{"results": [{good % "a"}, {{"status": {{}}}}, {good % "b"}]}}'
    async with serve_webhooks("infobip") as (url, records):
        assert await call(url, Webhook("POST", "/sms/infobip/delivery", body.encode(), sms_rows.JSON)) == 200
    assert [report.provider_id for report in records.reports] == ["infobip/a", "infobip/b"]
    [(route, _, fields)] = records.unparsed
    assert (route, list(fields)) == ("/sms/infobip/delivery", ["results"])


async def test_a_query_without_a_text_is_kept_without_the_token():
    async with serve_webhooks("generic") as (url, records):
        assert await call(url, Webhook("GET", "/sms/generic?from=8801712345678", b"", {})) == 200
    assert [fields for *_, fields in records.unparsed] == [{"from": "8801712345678"}]


async def test_an_sms_without_an_id_has_the_hash_of_its_fields():
    async with serve_webhooks("generic") as (url, records):
        await call(url, Webhook("GET", "/sms/generic?from=8801712345678&text=HI", b"", {}))
    assert [sms.provider_id for sms in records.sms] == ["generic/without-id-hash"]


async def test_what_a_row_does_not_describe_is_kept():
    async with serve_webhooks("exotel") as (url, recorded):
        assert await call(url, Webhook("POST", "/sms/exotel", b'{"a": 1}', sms_rows.JSON)) == 200
    assert (recorded.sms, [route for route, *_ in recorded.unparsed]) == ([], ["/sms/exotel"])


def test_a_provider_that_posts_nothing_has_no_routes(tmp_path):
    names = {name: f"PROVIDERS__JSON__{name.upper()}__ENABLED" for name in SMS_ROWS}
    settings = build_settings(tmp_path, **dict.fromkeys(names.values(), "true"))
    entries = {entry.name: entry for entry in list_providers(settings)}
    assert {name for name in names if entries[name].build_sms_webhooks} == {"exotel", "infobip", "generic"}
    assert all(entries[name].open_sms for name in names)


ACCOUNT = {**PUBLIC_SETTINGS, "SMS__PROVIDER": "exotel", "PROVIDERS__JSON__EXOTEL__ENABLED": "true"}
GIVEN = {f"PROVIDERS__JSON__EXOTEL__{name}": "made-up" for name in ("ACCOUNT_SID", "API_KEY", "API_TOKEN", "SENDER")}


def test_an_account_that_sends_must_be_complete(tmp_path):
    assert build_settings(tmp_path, **ACCOUNT, **GIVEN).sms.provider == "exotel"
    with pytest.raises(ValidationFailedError) as failed:
        build_settings(tmp_path, **ACCOUNT, **dict(list(GIVEN.items())[1:]))
    [problem] = failed.value.problems
    assert (problem.key, problem.problem) == ("providers.json.exotel.account_sid", "sending SMS needs it")


def test_the_check_looks_at_the_account_that_sends(tmp_path):
    generic = {**PUBLIC_SETTINGS, "SMS__PROVIDER": "generic", "PROVIDERS__JSON__GENERIC__ENABLED": "true"}
    settings = build_settings(
        tmp_path, **generic, PROVIDERS__JSON__GENERIC__WORD="OK", PROVIDERS__JSON__GENERIC__URL="sms.example?to={to}"
    )
    [problem] = find_row_problems(settings)
    assert str(problem) == (
        "environment: EKDIAL_PROVIDERS__JSON__GENERIC__URL: this is not an address; "
        "begin it with https:// and the name of a host"
    )


def test_a_row_without_sms_does_not_send(tmp_path):
    with pytest.raises(ValidationFailedError, match=r"SMS__PROVIDER: this is not one of what it may be"):
        build_settings(tmp_path, **PUBLIC_SETTINGS, SMS__PROVIDER="hubtel", PROVIDERS__JSON__HUBTEL__ENABLED="true")


EVERY_CODE = [
    pytest.param(name, path, code, id=f"{name}-{path}-{code}")
    for name in SMS_ROWS
    for path in load_sampled(name).table.answer.codes
    for code in load_sampled(name).table.answer.outcomes
]


@pytest.mark.parametrize(("name", "path", "code"), EVERY_CODE)
def test_every_code_reaches_its_outcome(name, path, code):
    """Wherever it stands, as text or as a number, in an answer that otherwise says nothing."""
    table = load_sampled(name).table.answer
    entry = table.outcomes[code]
    [kind] = entry.kinds
    for spelled in {code, int(code) if code.isdecimal() else code}:
        response = HttpResponse(200, "", {}, json.dumps(build_document(path, spelled)).encode())
        outcome = read_outcome(table, response, name=name, reference="ekdial42", values={}, now=NOON)
        assert type(outcome) is OUTCOMES[kind]
        assert getattr(outcome, "reason", "") in {getattr(entry, kind), ""}
        assert getattr(outcome, "provider_id", f"{name}/ekdial42") == f"{name}/ekdial42"


OUTCOMES = {
    "accepted": Accepted,
    "rejected": Rejected,
    "retry": Retry,
    "suspended": Suspended,
    "template": Suspended,
    "unknown": Unknown,
}


def build_document(path: str, value: object) -> object:
    """A document with this value at this path, and nothing else."""
    for step in reversed(path.split(".")):
        value = [value] if step.isdecimal() else {step: value}
    return value


CHANGES = {
    "another number format": ({"number_format": "national"}, {"generic"}),  # its address has {to_digits}
    "another method": ({"request": {"method": "PUT"}}, set()),
    "another address": ({"request": {"url": "https://sms.example/elsewhere"}}, set()),
    "another word of acceptance": ({"answer": {"accepts": {"statuses": (299,)}}}, set()),
}


@pytest.mark.parametrize("name", SMS_ROWS)
@pytest.mark.parametrize("change", CHANGES)
def test_the_proof_finds_a_changed_row(name, change):
    sampled = load_sampled(name)
    update, shows_nothing = CHANGES[change]
    table = SmsRow.model_validate(merge(sampled.row.sms, update))
    assert (find_sms_problems(sampled.row, table) == []) == (name in shows_nothing)


def merge(table: Mapping[str, object], update: Mapping[str, object]) -> dict[str, object]:
    return {
        **table,
        **{key: merge(table.get(key, {}), new) if isinstance(new, dict) else new for key, new in update.items()},
    }


ACME = """
[sms.request]
url = "https://sms.example/send"
fields = { text = "{text}" }

[sms.answer]
accepts = { path = "ok", values = ["true"] }
id = "id"
"""
ACME_SAMPLE = """[[sends]]
to = "+8801712345678"
text = "Hi"
reference = "ekdial1"

[sends.request]
method = "POST"
url = "https://sms.example/send"
fields = { text = "Hi" }

[[answers]]
body = '{"ok": true, "id": 7}'
outcome = "accepted"
id = "acme/7"
"""


def write_acme(folder: Path, sample: str) -> Row:
    (folder / "acme.toml").write_text(ACME)
    (folder / "acme.sms.toml").write_text(sample)
    return load_row(folder / "acme.toml")


def prove(row: Row) -> list[tuple[int, str]]:
    return [(problem.line, problem.problem) for problem in find_sms_problems(row, read_sms(row))]


def test_the_proof_names_the_line_of_what_is_wrong(tmp_path):
    assert prove(write_acme(tmp_path, ACME_SAMPLE)) == []
    assert prove(write_acme(tmp_path, ACME_SAMPLE.replace("Hi", "Ho", 1).replace("acme/7", "acme/8"))) == [
        (1, "the field text is 'Ho'"),
        (11, "the outcome is Accepted(provider_id='acme/7', cost='')"),
    ]


def test_a_sample_that_is_missing_or_says_too_little_is_a_problem(tmp_path):
    row = write_acme(tmp_path, "[[sends]]\nto = 1\n")
    assert [problem.key for problem in find_sms_problems(row, read_sms(row))] == [
        "answers",
        "sends.0.reference",
        "sends.0.request",
        "sends.0.text",
        "sends.0.to",
    ]
    (tmp_path / "acme.sms.toml").unlink()
    [problem] = find_sms_problems(row, read_sms(row))
    assert problem.problem == "there is no sample exchange"


def test_a_row_with_webhooks_has_samples_of_them(tmp_path):
    row = write_acme(tmp_path, ACME_SAMPLE)
    table = SmsRow.model_validate(
        {
            **row.sms,
            "inbound": {"sender": "from", "text": "text"},
            "report": {"id": "id", "status": ["s"], "statuses": {}},
        }
    )
    assert [problem.problem for problem in find_sms_problems(row, table)] == [
        "there is no inbound SMS",
        "there is no delivery report",
    ]
