"""The webhooks through which wallets report the outcome of payment requests.

A webhook is not signed. The payment's key is in the path, where nobody can guess it, beside the token of every webhook.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeAlias

import structlog
from aiohttp import web

from core.http.provider_webhooks import AcknowledgedWebhook, StoreUnparsed, UnparsedWebhookError
from core.http.webhooks import BadWebhookError, WebhookGuard, read_body
from core.logging import error_facts
from services.payments.wallets.base import (
    PaymentReport,
    ReferenceNotice,
    ReferenceVerdict,
    ReferenceWebhook,
    WalletWebhook,
)

PAYMENT_KEY_PATTERN: Final = "[0-9A-Za-z_-]+"  # any other path was never one of our callback addresses

RecordReport: TypeAlias = Callable[[str, PaymentReport], Awaitable[object]]
"""Records the outcome of the payment with this key; None where there is no such payment."""

CheckReference: TypeAlias = Callable[[ReferenceNotice], Awaitable[ReferenceVerdict]]
"""Says whether the wallet may take this money."""
RecordReference: TypeAlias = Callable[[ReferenceNotice], Awaitable[object]]
"""Records money that came by reference."""

log = structlog.get_logger()


def routes(
    webhooks: Iterable[WalletWebhook],
    guard: WebhookGuard,
    record_report: RecordReport,
    store_unparsed: StoreUnparsed,
) -> list[web.RouteDef]:
    """Return `POST /payments/<wallet>/{key}` for each wallet."""
    return [_build_route(webhook, guard, record_report, store_unparsed) for webhook in webhooks]


def reference_routes(
    webhook: ReferenceWebhook,
    guard: WebhookGuard,
    check: CheckReference,
    record: RecordReference,
    store_unparsed: StoreUnparsed,
) -> list[web.RouteDef]:
    """Return `POST /payments/<wallet>/reference/validation` and `…/confirmation`."""
    path = f"/payments/{webhook.wallet}/reference"

    async def validate(request: web.Request) -> web.Response:
        if (rejection := guard.reject_unauthorized(request, f"{path}/validation")) is not None:
            return rejection
        try:
            notice = webhook.parse(await read_body(request))
            verdict: ReferenceVerdict = "unclear" if notice is None else await check(notice)
        except BadWebhookError as bad:
            return bad.to_response()
        except Exception as error:  # noqa: BLE001 - money that cannot be checked must not move
            log.error("payment_not_checked", **error_facts(error))
            verdict = "unclear"
        log.info("payment_checked", verdict=verdict)
        return web.json_response(webhook.build_answer(verdict))

    async def confirm(_: web.Request, body: bytes) -> None:
        notice = webhook.parse(body)
        if notice is None:
            raise UnparsedWebhookError(webhook.expected, {"body": body.decode(errors="replace")})
        log.info("payment_by_reference", payment=await record(notice))

    acknowledged = AcknowledgedWebhook(
        f"{path}/confirmation",
        guard,
        read_body,
        confirm,
        store_unparsed,
        acknowledge=lambda: web.json_response(webhook.acknowledgement),
    )
    return [web.post(f"{path}/validation", validate), web.post(f"{path}/confirmation", acknowledged.handle)]


def _build_route(
    webhook: WalletWebhook, guard: WebhookGuard, record_report: RecordReport, store_unparsed: StoreUnparsed
) -> web.RouteDef:
    async def handle_report(request: web.Request, body: bytes) -> None:
        key = request.match_info["key"]
        report = webhook.parse(body)
        if report is None:
            raise UnparsedWebhookError(webhook.expected, {"key": key, "body": body.decode(errors="replace")})
        payment = await record_report(key, report)
        log.info("payment_reported", payment=payment, outcome=report.outcome, reason=report.reason)

    path = f"/payments/{webhook.wallet}"
    acknowledged = AcknowledgedWebhook(
        path, guard, read_body, handle_report, store_unparsed, acknowledge=lambda: web.json_response(webhook.response)
    )
    return web.post(f"{path}/{{key:{PAYMENT_KEY_PATTERN}}}", acknowledged.handle)
