"""The webhook through which a provider reports whether the SIM of a number was swapped. The token of every webhook guards it."""

from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from core.http.provider_webhooks import AcknowledgedWebhook, StoreUnparsed, UnparsedWebhookError
from core.http.webhooks import WebhookGuard, read_body
from services.citizens.number_checks import SimSwapProvider, SimSwapReport

log = structlog.get_logger()


def routes(
    provider: SimSwapProvider,
    guard: WebhookGuard,
    record_report: Callable[[SimSwapReport], Awaitable[object]],
    store_unparsed: StoreUnparsed,
) -> list[web.RouteDef]:
    """`POST /sim-swap/<provider>`."""

    async def handle_report(_: web.Request, body: bytes) -> None:
        report = provider.parse_report(body)
        if report is None:
            raise UnparsedWebhookError(
                "A SIM swap report has a request id and a status of one word.", {"body": body.decode(errors="replace")}
            )
        await record_report(report)
        log.info("sim_swap_reported", provider=provider.name, state=report.result.state, reason=report.result.reason)

    path = f"/sim-swap/{provider.name}"
    return [web.post(path, AcknowledgedWebhook(path, guard, read_body, handle_report, store_unparsed).handle)]
