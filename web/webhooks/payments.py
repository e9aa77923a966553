"""The webhooks through which wallets report the outcome of payment requests.

A webhook is not signed. The payment's key is in the path, where nobody can guess it, beside the token of every webhook.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeAlias

import structlog
from aiohttp import web

from core.http.provider_webhooks import AcknowledgedWebhook, StoreUnparsed, UnparsedWebhookError
from core.http.webhooks import WebhookGuard, read_body
from services.payments.wallets.base import PaymentReport, WalletWebhook

PAYMENT_KEY_PATTERN: Final = "[0-9A-Za-z_-]+"  # any other path was never one of our callback addresses

RecordReport: TypeAlias = Callable[[str, PaymentReport], Awaitable[object]]
"""Records the outcome of the payment with this key; None where there is no such payment."""

log = structlog.get_logger()


def routes(
    webhooks: Iterable[WalletWebhook],
    guard: WebhookGuard,
    record_report: RecordReport,
    store_unparsed: StoreUnparsed,
) -> list[web.RouteDef]:
    """Return `POST /payments/<wallet>/{key}` for each wallet."""
    return [_build_route(webhook, guard, record_report, store_unparsed) for webhook in webhooks]


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
