"""The routes that a provider calls with inbound SMS, delivery reports and opt-outs."""

from collections.abc import Awaitable, Callable
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
    fields_as_text,
)
from core.http.webhooks import MAX_BODY_BYTES, WebhookGuard
from services.messaging.delivery_status import DeliveryReport
from services.messaging.inbound import InboundSms
from sms.provider import AcknowledgingSmsWebhooks, KeyedHash, SmsWebhooks

MAX_SEGMENTS: Final = 255  # of one SMS
UNITS_PER_SEGMENT: Final = 67
ESCAPED_BYTES_PER_UNIT: Final = 9  # %E0%A6%95 is one unit
# The longest body of an inbound SMS: no network carries a longer text.
MAX_SMS_BODY_BYTES: Final = MAX_SEGMENTS * UNITS_PER_SEGMENT * ESCAPED_BYTES_PER_UNIT + MAX_BODY_BYTES

log = structlog.get_logger()


class WebhookHandlers(NamedTuple):
    """Handlers for parsed webhooks, for unparsed ones, and the hash that identifies an SMS without an id."""

    record_report: Callable[[DeliveryReport], Awaitable[object]]
    record_opt_out: Callable[[str], Awaitable[object]]
    receive_sms: Callable[[InboundSms], Awaitable[object]]
    store_unparsed: StoreUnparsed
    keyed_hash: KeyedHash


def inbound_path(provider: SmsWebhooks) -> str:
    """The path that a provider posts inbound SMS to."""
    return f"/sms/{provider.name}"


def routes(provider: SmsWebhooks, guard: WebhookGuard, handlers: WebhookHandlers) -> list[web.RouteDef]:
    """`POST /sms/<provider>`, `POST /sms/<provider>/delivery` and `POST /sms/<provider>/optout`.

    Webhooks are processed in the order and as often as they arrive. An inbound SMS whose body breaks off is lost unless
    it is repeated, since neither its text nor its sender is known: its response is 503.
    """

    async def handle_inbound(_: web.Request, fields: Fields) -> None:
        sms = provider.parse_inbound_sms(fields, handlers.keyed_hash)
        if sms is None:
            _reject("An SMS has a sender and a text.", fields)
        await handlers.receive_sms(sms)

    async def handle_report(_: web.Request, fields: Fields) -> None:
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

    async def handle_opt_out(_: web.Request, fields: Fields) -> None:
        msisdn = provider.parse_opt_out(fields)
        if msisdn is None:
            _reject("An opt-out has a phone number in the form +254700000001.", fields)
        await handlers.record_opt_out(msisdn)
        log.info("opt_out_by_provider", provider=provider.name)

    path = inbound_path(provider)
    read = FIELD_READERS[provider.body_format]
    read_sms = partial(read, max_bytes=MAX_SMS_BODY_BYTES)
    store, acknowledge = handlers.store_unparsed, _build_acknowledgement(provider)
    webhooks = (
        AcknowledgedWebhook(path, guard, read_sms, handle_inbound, store, acknowledge, stores_too_large=True),
        AcknowledgedWebhook(f"{path}/delivery", guard, read, handle_report, store, acknowledge),
        AcknowledgedWebhook(f"{path}/optout", guard, read, handle_opt_out, store, acknowledge),
    )
    return [web.post(webhook.route, webhook.handle) for webhook in webhooks]


def _build_acknowledgement(provider: SmsWebhooks) -> Callable[[], web.Response]:
    if not isinstance(provider, AcknowledgingSmsWebhooks):
        return web.Response
    reply = provider.render_acknowledgement()
    return lambda: web.Response(text=reply.text, content_type=reply.content_type)


def _reject(reason: str, fields: Fields) -> NoReturn:
    raise UnparsedWebhookError(reason, fields_as_text(fields))
