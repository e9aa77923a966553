"""The webhook to which bKash tells of payments by reference, by Amazon SNS: `POST /payments/bkash/notifications`.

A message is signed, so that what is not from one of our topics is refused with 403 and is not stored. What is signed and has no
payment in it is stored for a person. 503 asks for a repetition.
"""

from http import HTTPStatus
from typing import Final

import structlog
from aiohttp import web

from core.http.provider_webhooks import AcknowledgedWebhook, StoreUnparsed, UnparsedWebhookError
from core.http.sns import (
    SUBSCRIPTION,
    UNSUBSCRIPTION,
    SnsMessage,
    SnsRejectedError,
    SnsUnavailableError,
    SnsVerifier,
)
from core.http.webhooks import BadWebhookError, WebhookGuard, read_body
from core.types import UtcClock, utc_now
from services.payments.wallets import bkash
from web.webhooks.payments import RecordReference

PATH: Final = "/payments/bkash/notifications"
TOO_OLD: Final = "The message is of a time in which Amazon sends none any more."
REJECTED: Final = "This is no message of a topic of ours; look at payments.bkash.topics."

log = structlog.get_logger()


def routes(
    verifier: SnsVerifier,
    guard: WebhookGuard,
    record: RecordReference,
    store_unparsed: StoreUnparsed,
    clock: UtcClock = utc_now,
) -> list[web.RouteDef]:
    """Return the route."""

    async def read_message(request: web.Request) -> SnsMessage:
        try:
            message = await verifier.verify(await read_body(request))
            if message.kind == SUBSCRIPTION and message.is_current(clock()):
                await verifier.confirm_subscription(message)
        except SnsRejectedError as rejected:
            log.warning("bkash_message_rejected", why=str(rejected))
            raise BadWebhookError(HTTPStatus.FORBIDDEN, REJECTED) from None
        except SnsUnavailableError:
            raise BadWebhookError(HTTPStatus.SERVICE_UNAVAILABLE, "Amazon does not answer; send it again.") from None
        return message

    async def process(_: web.Request, message: SnsMessage) -> None:
        if not message.is_current(clock()):
            raise UnparsedWebhookError(TOO_OLD, {"message": message.text})
        if message.kind == SUBSCRIPTION:
            log.info("bkash_subscription_confirmed", topic=message.topic)
            return
        if message.kind == UNSUBSCRIPTION:
            log.error("bkash_subscription_ended", topic=message.topic, action_required=True)
            return
        notice = bkash.parse_notice(message.text, message.topic)
        if notice is None:
            raise UnparsedWebhookError(bkash.EXPECTED, {"message": message.text})
        log.info("payment_by_reference", payment=await record(notice))

    return [web.post(PATH, AcknowledgedWebhook(PATH, guard, read_message, process, store_unparsed).handle)]
