"""Proves a row's `[sms]` against its sample exchange, `<name>.sms.toml` beside it; no server is contacted.

The sample has the settings, messages with the request that each must become, answers with their outcome, and webhooks with
what is read in them. Each kind that the row describes must be there.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import parse_qsl

import msgspec
from pydantic import Field, ValidationError

from core.errors import Problem, ValidationFailedError, display_path
from core.http.client import HttpRequest, HttpResponse
from core.toml_source import parse_toml, read_utf8
from providers.json_http.provider_rows import Row
from providers.json_http.sms_answer import read_outcome
from providers.json_http.sms_request import build_request
from providers.json_http.sms_row import SmsRow, Table, Text
from providers.json_http.sms_webhooks import RowSmsWebhooks
from services.messaging.models import DltIds, OutgoingMessage
from services.messaging.outcomes import Accepted, Retry, SendOutcome, Suspended

SUFFIX: Final = ".sms.toml"
CALLBACK_URL: Final = "https://gateway.example/sms/{name}/delivery?token=made-up"
"""The address that a sample's requests have for delivery reports."""
MOMENT: Final = datetime(2026, 11, 30, 12, tzinfo=UTC)


class SampleRequest(Table):
    """A request as it must arrive: the address with its query, headers that it must have, and its fields decoded."""

    method: Literal["GET", "POST", "PUT"]
    url: Text
    headers: Mapping[Text, Text] = Field(default_factory=dict)
    fields: Mapping[Text, Any] = Field(default_factory=dict)


class SampleSend(Table):
    """A message, and the request that it must become."""

    to: Text
    text: Text
    reference: Text
    sender: Text = ""
    dlt_entity: Text = ""
    dlt_template: Text = ""
    request: SampleRequest

    def build_message(self) -> OutgoingMessage:
        """The message as the outbox gives it to a provider."""
        dlt = DltIds(self.dlt_entity, self.dlt_template) if self.dlt_entity else None
        return OutgoingMessage(self.to, self.text, reference=self.reference, sender=self.sender, dlt=dlt)


class SampleAnswer(Table):
    """An answer to the first request of the sample, and its outcome. `after` is in seconds from the answer."""

    status: Annotated[int, Field(strict=True, ge=100, le=599)] = 200
    headers: Mapping[Text, Text] = Field(default_factory=dict)
    body: Text = ""
    outcome: Literal["accepted", "rejected", "retry", "suspended", "template", "unknown"]
    id: Text = ""
    cost: Text = ""
    reason: Text = ""
    after: float | None = None


class SampleWebhook(Table):
    """What a provider posts, or the query of its GET, and what is read in it: one table for each SMS or report."""

    body: Text
    reads: Annotated[Sequence[Mapping[Text, Text]], Field(min_length=1)]


class SmsSample(Table):
    """A sample exchange."""

    settings: Mapping[Text, Text] = Field(default_factory=dict)
    sends: Annotated[Sequence[SampleSend], Field(min_length=1)]
    answers: Annotated[Sequence[SampleAnswer], Field(min_length=1)]
    inbound: Sequence[SampleWebhook] = ()
    reports: Sequence[SampleWebhook] = ()


@dataclass(frozen=True, slots=True)
class SampleFile:
    """A sample with its file, for messages."""

    sample: SmsSample
    place: str
    source: str

    def problem_in(self, table: str, number: int, problem: str, fix: str) -> Problem:
        """A problem with the `number`th table `[[table]]`, from 0, with its line."""
        return Problem(self.place, _find_table_line(self.source, table, number), table, problem, fix)


def sample_path(row_path: Path) -> Path:
    """The file of the sample beside a row."""
    return row_path.with_suffix(SUFFIX)


def load_sample(row: Row) -> SampleFile:
    """The sample beside a row.

    Raises:
        ValidationFailedError: there is none, or it is not valid.
    """
    path = sample_path(row.path)
    if not path.is_file():
        fix = "write one beside the row, as in docs/how-to/add-an-sms-row.md"
        raise ValidationFailedError([Problem(display_path(path), 0, "", "there is no sample exchange", fix)])
    source = read_utf8(path)
    tables = parse_toml(source, display_path(path))
    try:
        return SampleFile(SmsSample.model_validate(tables), display_path(path), source)
    except ValidationError as invalid:
        raise ValidationFailedError(
            sorted(_describe(path, source, error["loc"], error["msg"]) for error in invalid.errors(include_url=False))
        ) from None


def find_sms_problems(row: Row, table: SmsRow) -> Sequence[Problem]:
    """What a row's sample shows to be wrong; nothing where each of its exchanges goes as it says."""
    try:
        file = load_sample(row)
    except ValidationFailedError as error:
        return error.problems
    checks: tuple[Callable[[Row, SmsRow, SampleFile], Iterator[Problem]], ...] = (
        _check_settings,
        _check_sends,
        _check_answers,
        _check_webhooks,
    )
    return [problem for check in checks for problem in check(row, table, file)]


def sample_values(row: Row, sample: SmsSample) -> Mapping[str, str]:
    """The settings of a row as its sample gives them, over the defaults."""
    return {**row.settings, **sample.settings}


def decode_fields(table: SmsRow, request: HttpRequest) -> tuple[str, Mapping[str, Any]]:
    """The address of a request and its fields, decoded; the fields of a query are part of the address."""
    if table.request.format == "json":
        return request.url, msgspec.json.decode(request.body or b"{}")
    return request.url, request.form or {}


def _check_settings(row: Row, _: SmsRow, file: SampleFile) -> Iterator[Problem]:
    for name in file.sample.settings:
        if name not in row.settings:
            yield file.problem_in("settings", 0, f"the row declares no setting {name}", "take it out, or declare it")


def _check_sends(row: Row, table: SmsRow, file: SampleFile) -> Iterator[Problem]:
    for number, send in enumerate(file.sample.sends):
        request = build_request(
            table,
            send.build_message(),
            reference=send.reference,
            values=sample_values(row, file.sample),
            callback_url=CALLBACK_URL.format(name=row.name),
        )
        for problem in _compare_request(table, send.request, request):
            yield file.problem_in("sends", number, problem, "change the row, or the sample")


def _compare_request(table: SmsRow, wanted: SampleRequest, request: HttpRequest) -> Iterator[str]:
    url, fields = decode_fields(table, request)
    if request.method != wanted.method:
        yield f"the method is {request.method}"
    if _split_url(url) != _split_url(wanted.url):
        yield f"the address is {url}"
    for name, value in wanted.headers.items():
        if request.headers.get(name) != value:
            yield f"the header {name} is {request.headers.get(name, 'missing')}"
    names = sorted(fields.keys() | wanted.fields.keys())
    yield from (
        f"the field {name} is {fields.get(name, 'missing')!r}"
        for name in names
        if fields.get(name) != wanted.fields.get(name)
    )


def _split_url(url: str) -> tuple[str, Sequence[tuple[str, str]]]:
    address, _, query = url.partition("?")
    return address, sorted(parse_qsl(query, keep_blank_values=True))


def _check_answers(row: Row, table: SmsRow, file: SampleFile) -> Iterator[Problem]:
    for number, answer in enumerate(file.sample.answers):
        response = HttpResponse(answer.status, "", answer.headers, answer.body.encode())
        outcome = read_outcome(
            table.answer,
            response,
            name=row.name,
            reference=file.sample.sends[0].reference,
            values=sample_values(row, file.sample),
            now=MOMENT,
        )
        if describe_outcome(outcome, MOMENT) != _expected(answer):
            yield file.problem_in("answers", number, f"the outcome is {outcome}", "change the row, or the sample")
    if not any(answer.outcome == "accepted" for answer in file.sample.answers):
        yield file.problem_in("answers", 0, "no answer is accepted", 'add one with outcome = "accepted"')


def describe_outcome(outcome: SendOutcome, now: datetime) -> tuple[str, str, str, float | None]:
    """An outcome as a sample says it: its kind, its id or reason, its cost, and the seconds until a retry."""
    if isinstance(outcome, Accepted):
        return "accepted", outcome.provider_id, outcome.cost, None
    due = outcome.not_before if isinstance(outcome, Retry) else None
    is_template = isinstance(outcome, Suspended) and outcome.template_only
    kind = "template" if is_template else type(outcome).__name__.lower()
    return kind, outcome.reason, "", (due - now).total_seconds() if due else None


def _expected(answer: SampleAnswer) -> tuple[str, str, str, float | None]:
    return answer.outcome, answer.id or answer.reason, answer.cost, answer.after


def _check_webhooks(row: Row, table: SmsRow, file: SampleFile) -> Iterator[Problem]:
    webhooks = RowSmsWebhooks(row.name, table)
    if table.inbound and not file.sample.inbound:
        yield file.problem_in(
            "inbound", 0, "there is no inbound SMS", "add [[inbound]] with one, as the provider posts it"
        )
    if table.report and not file.sample.reports:
        yield file.problem_in(
            "reports", 0, "there is no delivery report", "add [[reports]] with one, as the provider posts it"
        )
    for number, sample in enumerate(file.sample.inbound):
        if (found := read_inbound(webhooks, sample.body)) != [*map(dict, sample.reads)]:
            yield file.problem_in("inbound", number, f"what is read is {found}", "change the row, or the sample")
    for number, sample in enumerate(file.sample.reports):
        if (found := read_reports(webhooks, sample.body)) != [*map(dict, sample.reads)]:
            yield file.problem_in("reports", number, f"what is read is {found}", "change the row, or the sample")


def read_inbound(webhooks: RowSmsWebhooks, body: str) -> list[dict[str, str]]:
    """The SMS in the body of a webhook, or in its query, each as a sample says it; without what is empty."""
    found = (
        webhooks.parse_inbound_sms(item, lambda _, value: str(len(value)))
        for item in webhooks.split_inbound(parse_body(webhooks.body_format, body))
    )
    return [
        _without_empty(
            id=sms.provider_id,
            sender=sms.msisdn,
            sent_to=sms.sent_to,
            text=sms.text,
            network=sms.network,
            date=sms.sent_at.isoformat() if sms.sent_at else "",
        )
        if sms
        else {}
        for sms in found
    ]


def read_reports(webhooks: RowSmsWebhooks, body: str) -> list[dict[str, str]]:
    """The reports in the body of a webhook, or in its query, each as a sample says it; without what is empty."""
    found = map(webhooks.parse_delivery_report, webhooks.split_reports(parse_body(webhooks.report_format, body)))
    return [
        _without_empty(
            id=report.provider_id,
            status=report.status.value,
            word=report.provider_status,
            reason=report.reason,
            number=report.msisdn,
            network=report.network,
        )
        if report
        else {}
        for report in found
    ]


def parse_body(body_format: str, body: str) -> Mapping[str, Any]:
    """The fields of a webhook; none where it is not JSON."""
    if body_format != "json":
        return dict(parse_qsl(body.strip(), keep_blank_values=True))
    try:
        fields = msgspec.json.decode(body)
    except msgspec.MsgspecError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _without_empty(**facts: str) -> dict[str, str]:
    return {name: value for name, value in facts.items() if value}


def _describe(path: Path, source: str, steps: Sequence[int | str], message: str) -> Problem:
    """An error of pydantic with the line of its table."""
    number = next((step for step in steps if isinstance(step, int)), 0)
    line = _find_table_line(source, str(steps[0]), number) if steps else 1
    fix = "see docs/how-to/add-an-sms-row.md"
    return Problem(display_path(path), line, ".".join(map(str, steps)), message.lower(), fix)


def _find_table_line(source: str, table: str, number: int) -> int:
    """The line of the `number`th header of a table, from 0; 1 where there is none."""
    headers = re.compile(rf"\s*\[\[?\s*{re.escape(table)}\s*\]").match
    lines = [line for line, text in enumerate(source.split("\n"), 1) if headers(text)]
    return lines[number] if number < len(lines) else 1
