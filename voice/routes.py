"""The route that a provider calls when somebody rings one of our numbers, and again when the call has ended."""

from time import perf_counter
from typing import Final, get_args

import structlog
from aiohttp import web

from core.hop_metrics import HopMetrics
from core.http.provider_webhooks import FIELD_READERS
from core.http.webhooks import BadWebhookError, WebhookGuard, log_malformed
from voice.missed_calls import CallOutcome, MissedCallHandler
from voice.provider import VoiceProvider

CHANNEL: Final = "voice"
MALFORMED: Final = "malformed"
OUTCOMES: Final = (*get_args(CallOutcome), MALFORMED)
OUTCOME_HEADER: Final = "Ekdial-Call-Outcome"
UNTIL_HEADER: Final = "Ekdial-Cooldown-Until"
"""Headers for whoever tests: a provider ignores them."""

log = structlog.get_logger()


def routes(
    provider: VoiceProvider, handler: MissedCallHandler, guard: WebhookGuard, metrics: HopMetrics
) -> list[web.RouteDef]:
    """`POST /voice/<provider>`. The last webhook of every call is counted with the outcome `repeated`."""
    hops = metrics.open(CHANNEL, provider.name, OUTCOMES)
    path, read_fields = f"/voice/{provider.name}", FIELD_READERS[provider.body_format]

    async def handle_call(request: web.Request) -> web.Response:
        """Reject every active call, also after a failure: then nobody pays for the call."""
        if (rejection := guard.reject_unauthorized(request, path)) is not None:
            return rejection
        started = perf_counter()
        try:
            call = provider.parse_call(await read_fields(request))
        except BadWebhookError as bad:
            hops.count(MALFORMED)
            log_malformed(request, path, bad)
            return bad.to_response()
        outcome = await handler.handle(call)
        seconds = perf_counter() - started
        hops.record(outcome, seconds)
        log.info("call_handled", outcome=outcome, active=call.is_active, ms=round(seconds * 1000, 1))
        reply = provider.render_action(call)
        headers = {OUTCOME_HEADER: outcome, **(dict([reply.header]) if reply.header else {})}
        if outcome == "cooling" and (until := await handler.find_cooldown_end(call)):
            headers[UNTIL_HEADER] = until.isoformat(timespec="seconds")
        return web.Response(text=reply.text, content_type=reply.content_type, headers=headers)

    return [web.post(path, handle_call)]
