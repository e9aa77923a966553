"""The routes that a provider calls with inbound SMS, delivery reports and opt-outs."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, NamedTuple, NoReturn

import structlog
from aiohttp import web

from core.http.provider_webhooks import (
    FIELD_READERS,
    AcknowledgedWebhook,
    Fields,
    StoreUnparsed,
    UnparsedWebhookError,
    build_webhook_route,
    fields_as_text,
)
from core.http.webhooks import MAX_BODY_BYTES, WebhookGuard
from services.messaging.delivery_status import DeliveryReport
from services.messaging.inbound import InboundSms
from sms.provider import AcknowledgingSmsWebhooks, BatchedSmsWebhooks, KeyedHash, OptOutParser, SmsWebhooks

MAX_SEGMENTS: Final = 255  # of one SMS
UNITS_PER_SEGMENT: Final = 67
ESCAPED_BYTES_PER_UNIT: Final = 9  # %E0%A6%95 is one unit
# The longest body of an inbound SMS: no network carries a longer text.
MAX_SMS_BODY_BYTES: Final = MAX_SEGMENTS * UNITS_PER_SEGMENT * ESCAPED_BYTES_PER_UNIT + MAX_BODY_BYTES

log = structlog.get_logger()


async def find_no_number(_: str) -> str:
    """Nobody's number is hidden."""
    return ""


class WebhookHandlers(NamedTuple):
    """Handlers for parsed webhooks, for unparsed ones, and the hash that identifies an SMS without an id.

    `find_hidden_number` gives the MSISDN of a sender whose network hides it; empty where nobody gave it yet.
    """

    record_report: Callable[[DeliveryReport], Awaitable[object]]
    record_opt_out: Callable[[str], Awaitable[object]]
    receive_sms: Callable[[InboundSms], Awaitable[object]]
    store_unparsed: StoreUnparsed
    keyed_hash: KeyedHash
    find_hidden_number: Callable[[str], Awaitable[str]] = find_no_number


def inbound_path(provider: SmsWebhooks) -> str:
    """The path that a provider posts inbound SMS to."""
    return f"/sms/{provider.name}"


def routes(provider: SmsWebhooks, guard: WebhookGuard, handlers: WebhookHandlers) -> list[web.RouteDef]:
    """`POST /sms/<provider>`, `POST /sms/<provider>/delivery`, and `POST /sms/<provider>/optout` where it reports opt-outs.

    A provider whose webhooks have their fields in the query calls by GET. Webhooks are processed in the order and as often
    as they arrive. An inbound SMS whose body breaks off is lost unless it is repeated, since neither its text nor its sender
    is known: its response is 503.
    """
    batches = provider if isinstance(provider, BatchedSmsWebhooks) else None

    async def handle_inbound(_: web.Request, fields: Fields) -> None:
        await _handle_each(receive_one, batches.split_inbound(fields) if batches else [fields], fields)

    async def receive_one(fields: Fields) -> None:
        sms = provider.parse_inbound_sms(fields, handlers.keyed_hash)
        if sms is None:
            _reject("An SMS has a sender and a text.", fields)
        if sms.hidden_as:
            msisdn = await handlers.find_hidden_number(sms.hidden_as)
            if not msisdn:
                _reject("The network hides the number of the sender, who gave it in no call yet.", fields)
            sms = replace(sms, msisdn=msisdn, hidden_as="")
        await handlers.receive_sms(sms)

    async def handle_report(_: web.Request, fields: Fields) -> None:
        await _handle_each(record_one, batches.split_reports(fields) if batches else [fields], fields)

    async def record_one(fields: Fields) -> None:
        report = provider.parse_delivery_report(fields)
        if report is None:
            _reject("A delivery report has an id and a status that is one word.", fields)
        message = await handlers.record_report(report)
        log.info(
            "delivery_report",
            message=message,
            id=report.provider_id,
            delivery=report.status,
            word=report.provider_status,
            reason=report.reason,
        )

    path = inbound_path(provider)
    sms_format = provider.body_format
    report_format = batches.report_format if batches else sms_format
    read_sms = partial(FIELD_READERS[sms_format], max_bytes=MAX_SMS_BODY_BYTES)
    read_report = FIELD_READERS[report_format]
    store, acknowledge = handlers.store_unparsed, _build_acknowledgement(provider)
    inbound = AcknowledgedWebhook(path, guard, read_sms, handle_inbound, store, acknowledge, stores_too_large=True)
    reports = AcknowledgedWebhook(f"{path}/delivery", guard, read_report, handle_report, store, acknowledge)
    found = [
        build_webhook_route(sms_format, inbound.route, inbound.handle),
        build_webhook_route(report_format, reports.route, reports.handle),
    ]
    if isinstance(provider, OptOutParser):
        handle = _build_opt_out_handler(provider, provider.name, handlers)
        opt_outs = AcknowledgedWebhook(f"{path}/optout", guard, FIELD_READERS[sms_format], handle, store, acknowledge)
        found.append(build_webhook_route(sms_format, opt_outs.route, opt_outs.handle))
    return found


def _build_opt_out_handler(
    provider: OptOutParser, name: str, handlers: WebhookHandlers
) -> Callable[[web.Request, Fields], Awaitable[None]]:
    async def handle_opt_out(_: web.Request, fields: Fields) -> None:
        msisdn = provider.parse_opt_out(fields)
        if msisdn is None:
            _reject("An opt-out has a phone number in the form +254700000001.", fields)
        await handlers.record_opt_out(msisdn)
        log.info("opt_out_by_provider", provider=name)

    return handle_opt_out


async def _handle_each(handle: Callable[[Fields], Awaitable[None]], items: Sequence[Fields], webhook: Fields) -> None:
    """Handle every item of a webhook, the readable ones too where another is not.

    Raises:
        UnparsedWebhookError: an item was not readable; the error has the fields of the whole webhook.
    """
    reasons = []
    for item in items:
        try:
            await handle(item)
        except UnparsedWebhookError as error:
            reasons.append(error.reason)
    if reasons:
        raise UnparsedWebhookError(reasons[0], fields_as_text(webhook))


def _build_acknowledgement(provider: SmsWebhooks) -> Callable[[], web.Response]:
    if not isinstance(provider, AcknowledgingSmsWebhooks):
        return web.Response
    reply = provider.render_acknowledgement()
    return lambda: web.Response(text=reply.text, content_type=reply.content_type)


def _reject(reason: str, fields: Fields) -> NoReturn:
    raise UnparsedWebhookError(reason, fields_as_text(fields))
