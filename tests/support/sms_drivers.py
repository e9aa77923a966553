"""How to send and receive over each SMS provider: one row each, so that one suite tries every adapter with its fake.

To add a provider, write `_open_<provider>`, which gives a `DrivenSms`, and a row. A provider of the registry without a row
fails `tests/unit/providers/test_sms_contract.py`.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from aiohttp import ClientSession

from core.http.provider_webhooks import Fields
from core.types import utc_now
from providers import json_http
from providers.africastalking.sms import RECIPIENT_OUTCOMES, AfricasTalkingSms
from providers.africastalking.sms_webhooks import AfricasTalkingSmsWebhooks
from providers.json_http.provider_rows import find_rows, load_row
from providers.json_http.sms import build_sms_webhooks
from providers.json_http.sms_proof import SampleAnswer
from providers.registry import PROVIDERS
from providers.sandbox.sms import SandboxSmsProvider
from providers.smpp.pdus import Deliver
from providers.smpp.sms import SmppSms
from providers.smpp.sms_inbound import SmppInbound
from providers.smpp.statuses import STATUSES
from providers.smpp.text import TextRules, encode_text
from providers.tap.client import TapClient
from providers.tap.sms import TapSms
from providers.tap.status_codes import STATUS_CODES
from providers.tap.webhooks import TapSmsWebhooks
from services.messaging.delivery_status import DeliveryStatus
from services.messaging.inbound import InboundSmsRepository
from services.messaging.inbound_parts import InboundParts
from services.messaging.unparsed_webhooks import UnparsedWebhooks
from sms.provider import SmsProvider, SmsWebhooks
from tests.fakes import africastalking_server as africastalking
from tests.fakes.sms_http_server import SmsHttpServer
from tests.fakes.smsc import Smsc, run_smsc
from tests.fakes.tap_server import APPLICATIONS, BDAPPS, TapServer, answer_code
from tests.support.services import ServiceSet
from tests.support.smpp import build_bind, open_bound_link
from tests.support.sms_rows import (
    SMS_ROWS,
    Webhook,
    inbound_webhook,
    load_sampled,
    open_sms_row,
    receives_inbound,
    report_webhook,
    reports_delivery,
    respond_like,
)
from tests.support.tap import build_fake_applications

NOON: Final = datetime(2026, 11, 30, 6, tzinfo=UTC)  # in Dhaka
RESERVED_STATUS: Final = 0x99  # SMPP 3.4 gives it no meaning
Plan = Callable[[], object]


@dataclass(frozen=True)
class InboundFacts:
    """An SMS as a phone sends it; `is_repeat`: the provider has delivered it a moment ago."""

    id: str
    sender: str
    text: str
    is_repeat: bool = False


@dataclass(frozen=True)
class DrivenSms:
    """An adapter with its fake.

    `answers`: how the fake answers next, and the name of the outcome. `texts`: what the fake has got, parts joined.
    `receive` and `report` are None where a provider has neither; `build_id` gives ids of messages for reports.
    """

    provider: SmsProvider
    to: str
    answers: Mapping[str, tuple[Plan, str]]
    texts: Callable[[], Sequence[str]]
    build_id: Callable[[int], str]
    receive: Callable[[ServiceSet, InboundFacts], Awaitable[object]] | None = None
    report: Callable[[ServiceSet, str, DeliveryStatus], Awaitable[object]] | None = None


@dataclass(frozen=True)
class SmsDriver:
    """One adapter; `gives` are the names of the outcomes that its table can give.

    `receives`: it takes SMS of citizens. `reports`: it tells what became of a message.
    """

    name: str
    open: Callable[[], AbstractAsyncContextManager[DrivenSms]]
    gives: frozenset[str] = field(
        default_factory=lambda: frozenset({"Accepted", "Rejected", "Retry", "Suspended", "Unknown"})
    )
    receives: bool = True
    reports: bool = True


async def _receive_webhook(
    webhooks: SmsWebhooks, build: Callable[[InboundFacts], Fields], services: ServiceSet, facts: InboundFacts
) -> None:
    inbound = webhooks.parse_inbound_sms(build(facts), services.cipher.keyed_hash)
    assert inbound is not None
    await InboundSmsRepository(services.database, services.messages, services.cipher).record(inbound)


async def _report_webhook(
    webhooks: SmsWebhooks,
    build: Callable[[str, DeliveryStatus], Fields],
    services: ServiceSet,
    message_id: str,
    status: DeliveryStatus,
) -> None:
    report = webhooks.parse_delivery_report(build(message_id, status))
    assert report is not None
    assert report.status is status
    await services.messages.record_report(report)


@asynccontextmanager
async def _open_africastalking() -> AsyncIterator[DrivenSms]:
    words = {DeliveryStatus.SENT: "Sent", DeliveryStatus.DELIVERED: "Success", DeliveryStatus.FAILED: "Failed"}
    webhooks = AfricasTalkingSmsWebhooks()

    def build_inbound(facts: InboundFacts) -> Fields:
        sms = {"id": facts.id, "from": facts.sender, "to": "22384", "text": facts.text}
        return {**sms, "date": "2026-11-30 06:00:00", "linkId": "", "networkCode": "63902"}

    def build_report(message_id: str, status: DeliveryStatus) -> Fields:
        return {"id": message_id, "status": words[status], "phoneNumber": "+254700000001", "networkCode": "63902"}

    async with africastalking.AfricasTalkingServer() as server, ClientSession() as http:
        provider = AfricasTalkingSms(
            http, africastalking.USERNAME, api_key=africastalking.API_KEY, base_url=server.url, clock=lambda: NOON
        )
        yield DrivenSms(
            provider,
            "+254700000001",
            {
                str(code): (partial(server.respond_with, africastalking.accept(code)), type(build("x")).__name__)
                for code, (_, build) in RECIPIENT_OUTCOMES.items()
            },
            lambda: [request.fields["message"] for request in server.requests],
            lambda number: f"ATXid_{number:032x}",
            partial(_receive_webhook, webhooks, build_inbound),
            partial(_report_webhook, webhooks, build_report),
        )


@asynccontextmanager
async def _open_tap() -> AsyncIterator[DrivenSms]:
    words = {DeliveryStatus.SUBMITTED: "ACCEPTD", DeliveryStatus.DELIVERED: "DELIVRD", DeliveryStatus.FAILED: "UNDELIV"}
    application = APPLICATIONS[BDAPPS]
    webhooks = TapSmsWebhooks(build_fake_applications(None), short_code="123")

    def build_inbound(facts: InboundFacts) -> Fields:
        sms = {"applicationId": application.id, "sourceAddress": f"tel:{facts.sender[1:]}", "message": facts.text}
        return {"version": "1.0", "requestId": facts.id, "encoding": "0", **sms}

    def build_report(message_id: str, status: DeliveryStatus) -> Fields:
        address = f"tel:{application.msisdn[1:]}"
        report = {"destinationAddress": address, "timeStamp": "20261130120000", "deliveryStatus": words[status]}
        return {**report, "requestId": message_id.removeprefix("tap/")}

    async with TapServer() as server, ClientSession() as http:
        provider = TapSms(TapClient(http), build_fake_applications(server), deadline=5.0, clock=lambda: NOON)
        yield DrivenSms(
            provider,
            application.msisdn,
            {
                code: (partial(server.plan, "/sms/send", answer_code(code)), type(row.sms("x")).__name__)
                for code, row in STATUS_CODES.items()
                if code != "S1000"
            },
            lambda: [sms.text for sms in server.sms],
            lambda number: f"tap/{number:018}",
            partial(_receive_webhook, webhooks, build_inbound),
            partial(_report_webhook, webhooks, build_report),
        )


@asynccontextmanager
async def _open_smpp() -> AsyncIterator[DrivenSms]:
    words = {DeliveryStatus.SUBMITTED: "ACCEPTD", DeliveryStatus.DELIVERED: "DELIVRD", DeliveryStatus.FAILED: "UNDELIV"}
    async with run_smsc(strict=False) as smsc, open_bound_link(build_bind(smsc.port)) as link:

        async def report(services: ServiceSet, message_id: str, status: DeliveryStatus) -> None:
            text = f"id:{message_id.rpartition('/')[2]} sub:001 dlvrd:001 stat:{words[status]} err:000".encode()
            deliver = Deliver("8801711000001", "333", text, 0, esm_class=0x04, bound_for=1000.0)
            assert await _build_smpp_inbound(services).on_deliver(deliver) == 0

        yield DrivenSms(
            SmppSms(link),
            "+8801711000001",
            {
                name: (partial(smsc.submit_statuses.append, status), type(build("x")).__name__)
                for status, (name, build) in STATUSES.items()
            }
            | {"RRESERVED": (partial(smsc.submit_statuses.append, RESERVED_STATUS), "Unknown")},
            lambda: _join_submitted(smsc),
            lambda number: f"smpp/robi/c{number}",
            _receive_smpp,
            report,
        )


def _build_smpp_inbound(services: ServiceSet) -> SmppInbound:
    database, cipher = services.database, services.cipher
    repository = InboundSmsRepository(database, services.messages, cipher)
    return SmppInbound(
        name="robi",
        bind=build_bind(2775),
        receive=repository.record,  # type: ignore[arg-type]  # whether it was stored before is of no interest here
        record_report=services.messages.record_report,
        repository=repository,
        parts=InboundParts(database, cipher),
        unparsed=UnparsedWebhooks(database, cipher),
        clock=utc_now,
    )


async def _receive_smpp(services: ServiceSet, facts: InboundFacts) -> None:
    """Deliver an SMS in as many parts as it needs; a repeat comes soon after a bind."""
    encoded = encode_text(facts.text, TextRules(), reference=7)
    inbound = _build_smpp_inbound(services)
    for segment in encoded.segments:
        deliver = Deliver(
            facts.sender[1:],
            "333",
            segment,
            encoded.data_coding,
            esm_class=0x40 if encoded.has_header else 0,
            source_ton=1,
            bound_for=0.0 if facts.is_repeat else 1000.0,
        )
        assert await inbound.on_deliver(deliver) == 0


def _join_submitted(smsc: Smsc) -> Sequence[str]:
    """All texts that the SMSC got, as one: its fake decodes them by their alphabet, without our code."""
    parts = []
    for submitted in smsc.submitted:
        pdu, octets = submitted.pdu, submitted.pdu.short_message
        body = octets[1 + octets[0] :] if pdu.esm_class & 0x40 else octets
        parts.append(body.decode("utf-16-be") if pdu.data_coding == 8 else body.decode("ascii"))
    return ["".join(parts)]


def _name_outcome(answer: SampleAnswer) -> str:
    """The class of the outcome of a message that has no ids of India, so that no template can be mended for it."""
    return "Rejected" if answer.outcome == "template" else answer.outcome.capitalize()


def _open_row(name: str) -> Callable[[], AbstractAsyncContextManager[DrivenSms]]:
    @asynccontextmanager
    async def open_driven() -> AsyncIterator[DrivenSms]:
        row, sampled = load_row(find_rows("")[name]), load_sampled(name)
        webhooks = build_sms_webhooks(row)
        answers = sampled.sample.answers
        accepted = next(answer for answer in answers if answer.outcome == "accepted")

        def read(webhook: Webhook) -> Fields:
            return _first_item(webhooks, _read_fields(webhook))

        def build_inbound(facts: InboundFacts) -> Fields:
            return read(inbound_webhook(name, sms_id=facts.id, sender=facts.sender, sent_to="22384", text=facts.text))

        def build_report(message_id: str, status: DeliveryStatus) -> Fields:
            return _first_report(webhooks, _read_fields(report_webhook(name, message_id=message_id, status=status)))

        async with SmsHttpServer() as server, open_sms_row(name, server) as provider:
            server.respond_with(respond_like(accepted))

            yield DrivenSms(
                provider,
                "+8801711000001",
                {
                    f"{number}-{answer.outcome}": (
                        partial(_plan_next, server, respond_like(answer)),
                        _name_outcome(answer),
                    )
                    for number, answer in enumerate(answers)
                },
                lambda: [_all_values(request) for request in server.requests],
                lambda number: f"{name}/c{number}",
                partial(_receive_webhook, webhooks, build_inbound) if receives_inbound(name) else None,
                partial(_report_webhook, webhooks, build_report) if reports_delivery(name) else None,
            )

    return open_driven


def _plan_next(server: SmsHttpServer, behaviour: Any) -> None:
    """Answer the next request like this, whatever was planned before."""
    server._planned.clear()
    server.respond_with(behaviour)


def _read_fields(webhook: Webhook) -> Fields:
    if webhook.method == "GET":
        return dict(parse_qsl(urlsplit(webhook.path).query, keep_blank_values=True))
    if webhook.headers["Content-Type"] == "application/json":
        fields: Fields = json.loads(webhook.body)
        return fields
    return dict(parse_qsl(webhook.body.decode(), keep_blank_values=True))


def _first_item(webhooks: SmsWebhooks, fields: Fields) -> Fields:
    split = getattr(webhooks, "split_inbound", None)
    return split(fields)[0] if split else fields


def _first_report(webhooks: SmsWebhooks, fields: Fields) -> Fields:
    split = getattr(webhooks, "split_reports", None)
    return split(fields)[0] if split else fields


def _all_values(request: Any) -> str:
    """Every value of a request, decoded."""
    return json.dumps([dict(request.query), request.fields], ensure_ascii=False)


@asynccontextmanager
async def _open_sandbox() -> AsyncIterator[DrivenSms]:
    provider = SandboxSmsProvider()
    to = "+8801711000001"
    yield DrivenSms(
        provider, to, {}, lambda: [sms.text for sms in provider.messages_to(to)], lambda number: f"sandbox_{number}"
    )


SMS_DRIVERS: Final = (
    SmsDriver("africastalking", _open_africastalking),
    SmsDriver("tap", _open_tap),
    SmsDriver("smpp", _open_smpp),
    *(
        SmsDriver(
            name,
            _open_row(name),
            frozenset(map(_name_outcome, load_sampled(name).sample.answers)),
            receives=receives_inbound(name),
            reports=reports_delivery(name),
        )
        for name in SMS_ROWS
    ),
    SmsDriver("sandbox", _open_sandbox, frozenset({"Accepted"}), receives=False, reports=False),
)


def list_sms_providers() -> set[str]:
    """The names of all providers that send SMS: of the registry, and of the rows of TOML."""
    return {
        *(name for name, entry in PROVIDERS.items() if entry.sends_sms and name != json_http.ENTRY.name),
        *SMS_ROWS,
    }
