"""Build the web application: the routes of every channel and API, the health checks and the metrics."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry

from app import (
    api_routes,
    channels,
    console,
    kaios,
    link_routes,
)
from app.adapters import find_pay_bill, signing_keys, wallet_webhooks
from app.admin import ADMIN_APP, build_admin_application
from app.context import AppContext
from app.open_files import highest_connection_descriptor
from app.runner import SHUTDOWN_TIMEOUT
from app.workers import check_not_suspended, check_queue_moves
from config.settings import Settings
from core.http import unrouted
from core.http.addresses import parse_network
from core.http.descriptors import CHECK_INTERVAL, DescriptorGuard
from core.http.draining import Drain
from core.http.fast_router import CLOSED_CONNECTIONS, DESCRIPTORS, DRAIN, HTTP_LIMITS
from core.http.limits import HttpLimits
from core.http.request_limiter import RequestLimiter, build_middleware, build_unavailable_response
from core.http.server_protocol import CLOSE_REASONS
from core.http.sns import SnsVerifier
from core.http.webhooks import MAX_BODY_BYTES
from core.metrics import CounterExporter, CounterSpec
from core.periodic import PeriodicJob, run_periodically
from core.types import utc_now
from services.citizens.accounts import Accounts
from services.citizens.number_checks import NumberChecks
from services.citizens.one_time_codes import OneTimeCodes
from services.citizens.sms_pumping import AREA_KINDS, REJECTION_REASONS
from services.citizens.unverified_sms import UnverifiedSmsLimiter
from services.departments.webhooks import DepartmentEvents
from services.documents.sign_ins import DocumentSignIns
from services.messaging.outbox import Outbox
from services.messaging.unparsed_webhooks import UnparsedWebhooks
from services.payments.lookup_limits import LookupLimits
from services.payments.wallets import daraja_c2b
from services.tracking.lookup import TrackingLookup
from sms.conversation import SmsConversations
from sms.inbound_worker import InboundWorker
from ussd.admission import Admission
from web import health
from web.api.errors import UNAVAILABLE, ApiError
from web.console.now.routes import STREAM_PATH
from web.health import RenderMetrics
from web.webhooks import bkash as bkash_webhooks
from web.webhooks import departments as department_webhooks
from web.webhooks import payments as payment_webhooks
from web.webhooks import sim_swap as sim_swap_webhooks

REQUEST_KINDS: Final = {
    "/sms/": "sms",
    "/voice/": "voice",
    "/payments/": "payments",
    "/departments/": "departments",
    "/sim-swap/": "sim_swap",
    "/api/": "api",
    "/d/": "links",
    "/console": "console",
    "/kaios": "kaios",
}
"""The kinds of requests beside key presses that are limited, by the beginning of their paths."""
CODE_OUTCOMES: Final = ("sent", "right", "wrong", "gone")
WEBHOOK_PATHS: Final = ("/sms/", "/voice/", "/payments/", "/departments/", "/sim-swap/")
"""Webhooks, which are repeated where they are not acknowledged."""
PROVIDER_PATHS: Final = ("/ussd/", *WEBHOOK_PATHS)
"""What providers, wallets and departments post to."""
PROBLEM_PATHS: Final = ("/api/", "/departments/")
"""Requests whose errors are problem documents."""


@dataclass(frozen=True, slots=True)
class Workers:
    """The background workers that routes use."""

    outboxes: Mapping[str, Outbox]
    conversations: SmsConversations
    inbound_worker: InboundWorker


def build_application(context: AppContext, workers: Workers, render_metrics: RenderMetrics) -> web.Application:
    """The web application with all routes, and under `ADMIN_APP` that of the admin server."""
    services = context.checked_menu.services
    admission = Admission(context.settings.ussd.max_in_flight)
    limiter = _build_request_limiter(context, admission)
    app = web.Application(
        client_max_size=MAX_BODY_BYTES,
        middlewares=[build_middleware(limiter), unrouted.build_middleware(PROVIDER_PATHS)],
    )
    app[HTTP_LIMITS] = build_http_limits(context.settings)
    app[DRAIN] = Drain(seconds=context.settings.server.drain_seconds, finish_seconds=SHUTDOWN_TIMEOUT)
    app[DESCRIPTORS] = DescriptorGuard(highest_connection_descriptor())
    app.cleanup_ctx.append(_check_descriptors)
    app[CLOSED_CONNECTIONS] = Counter(dict.fromkeys(CLOSE_REASONS, 0))
    _export_connection_metrics(app[CLOSED_CONNECTIONS], context.registry)
    app.add_routes(api_routes.build_routes(context))
    channels.add_channels(
        app, context, admission=admission, worker=workers.inbound_worker, menu_sender=workers.conversations
    )
    app.add_routes(link_routes.build_routes(context))
    if context.settings.console.enabled:
        console.add_console(app, context, render_metrics)
    if context.settings.kaios.enabled:
        kaios.add_kaios(app, context)
    app.add_routes(_build_payment_routes(context))
    app.add_routes(_build_department_event_routes(context))
    app.add_routes(_build_sim_swap_routes(context))
    app.add_routes(health.public_routes())
    app[ADMIN_APP] = build_admin_application(
        _health_checks(context, workers.outboxes), render_metrics, is_draining=lambda: app[DRAIN].is_active
    )
    _export_code_metrics(services.codes, context.registry)
    _export_unverified_sms_metrics(services.unverified_sms, context.registry)
    _export_lookup_metrics(services.payments.lookup_limits, context.registry)
    _export_sign_in_alarms(services.document_sign_ins, context.registry)
    _export_tracking_metrics(services.tracking, context.registry)
    _export_account_metrics(services.accounts, context.registry)
    return app


async def _check_descriptors(app: web.Application) -> AsyncIterator[None]:
    """Look for free file descriptors while the application runs."""
    job = PeriodicJob(app[DESCRIPTORS].check, "file_descriptors_not_checked")
    async with run_periodically(CHECK_INTERVAL, job, initial_delay=CHECK_INTERVAL):
        yield


def _build_request_limiter(context: AppContext, admission: Admission) -> RequestLimiter:
    """The limit of requests beside key presses."""

    def build_refusal(request: web.Request) -> web.Response:
        is_for_system = request.path.startswith(PROBLEM_PATHS)
        return ApiError(UNAVAILABLE).to_response() if is_for_system else build_unavailable_response()

    limiter = RequestLimiter(
        context.settings.server.max_requests,
        kinds=REQUEST_KINDS,
        webhooks=WEBHOOK_PATHS,
        streams=frozenset({STREAM_PATH}),
        is_overloaded=lambda: admission.is_overloaded,
        build_refusal=build_refusal,
    )
    description = "Requests beside key presses that were refused with status 503, by kind."
    CounterExporter(context.registry, CounterSpec("ekdial_requests_shed", description, "kind", limiter.refused))
    return limiter


def build_http_limits(settings: Settings) -> HttpLimits:
    """The limits of connections."""
    server = settings.server
    return HttpLimits(
        header_deadline=server.header_deadline,
        body_deadline=server.body_deadline,
        send_deadline=server.send_deadline,
        keep_alive=server.keep_alive,
        max_connections=server.max_connections,
        max_connections_per_address=server.max_connections_per_address,
        trusted_proxies=tuple(map(parse_network, settings.webhooks.trusted_proxies)),
    )


def _health_checks(context: AppContext, outboxes: Mapping[str, Outbox]) -> health.HealthChecks:
    """A check for each server that the gateway needs, by name. `sms` is the default provider; others have their names."""
    default = context.settings.sms.provider
    senders = {
        "sms" if name == default else f"sms_{name}": _build_sms_check(context, outboxes, name)
        for name in context.settings.sms.providers
    }
    return {
        "redis": context.resources.store.sessions.ping,
        "database": context.resources.database.ping,
        **senders,
    }


def _build_sms_check(context: AppContext, outboxes: Mapping[str, Outbox], provider: str) -> health.HealthCheck:
    """The check of one provider: by its outbox here, or by the queue of the process that sends for it."""
    if provider in outboxes:
        return partial(check_not_suspended, outboxes[provider])
    return partial(check_queue_moves, context.checked_menu.services.messages, provider)


def _build_payment_routes(context: AppContext) -> list[web.RouteDef]:
    """Return the routes of wallet callbacks; a callback that cannot be parsed is stored."""
    resources = context.resources
    payments = context.checked_menu.services.payments.payments
    unparsed = UnparsedWebhooks(resources.database, resources.cipher)
    description = "Payments by the outcome that the wallet reported; unmatched: of no payment of ours."
    CounterExporter(context.registry, CounterSpec("ekdial_payments", description, "outcome", payments.outcome_counts))
    routes = payment_webhooks.routes(
        wallet_webhooks(context.settings), context.webhook_guard, payments.record_report, unparsed.record
    )
    if find_pay_bill(context.settings):
        by_reference = context.checked_menu.services.payments.reference_payments
        routes += payment_webhooks.reference_routes(
            daraja_c2b.WEBHOOK, context.webhook_guard, by_reference.check, by_reference.record, unparsed.record
        )
    if context.settings.payments.bkash.enabled:
        verifier = SnsVerifier(context.settings.payments.bkash.topics, resources.wallet_client)
        record = context.checked_menu.services.payments.bkash_payments.record
        routes += bkash_webhooks.routes(verifier, context.webhook_guard, record, unparsed.record)
    return routes


def _build_department_event_routes(context: AppContext) -> list[web.RouteDef]:
    """Return the routes of events from connected departments' systems."""
    services = context.checked_menu.services
    events = DepartmentEvents(
        context.resources.database,
        move_application=services.department_applications.move,
        move_complaint=services.complaints.department_view.move,
    )
    keys = {code: signing_keys(connector) for code, connector in context.settings.departments.items()}
    signed = {code: of_department for code, of_department in keys.items() if of_department}
    return department_webhooks.routes(signed, events.record, utc_now)


def _build_sim_swap_routes(context: AppContext) -> list[web.RouteDef]:
    """Return the route of SIM swap reports, if a provider is asked."""
    resources, checks = context.resources, context.checked_menu.services.number_checks
    _export_number_check_metrics(checks, context.registry)
    if resources.sim_swap is None:
        return []
    unparsed = UnparsedWebhooks(resources.database, resources.cipher)
    return sim_swap_webhooks.routes(resources.sim_swap, context.webhook_guard, checks.record_report, unparsed.record)


def _export_number_check_metrics(checks: NumberChecks, registry: CollectorRegistry) -> None:
    description = "Checks whether the SIM of a number was swapped, by state."
    CounterExporter(registry, CounterSpec("ekdial_sim_swap_checks", description, "state", checks.counts))


def _export_connection_metrics(closed: Counter[str], registry: CollectorRegistry) -> None:
    description = "Connections that the server closed: full, or late headers, body or reader."
    CounterExporter(registry, CounterSpec("ekdial_connections_closed", description, "reason", closed))


def _export_tracking_metrics(tracking: TrackingLookup, registry: CollectorRegistry) -> None:
    description = "Lookups of tracking, complaint and feedback numbers, by kind; held: the caller has to wait."
    CounterExporter(registry, CounterSpec("ekdial_numbers_asked", description, "kind", tracking.lookups))


def _export_code_metrics(codes: OneTimeCodes, registry: CollectorRegistry) -> None:
    CounterExporter(
        registry,
        CounterSpec(
            "ekdial_codes", "One-time codes sent, and checks by outcome.", "outcome", codes.counts, CODE_OUTCOMES
        ),
        CounterSpec(
            "ekdial_codes_refused",
            "One-time codes not sent, by the limit reached.",
            "reason",
            codes.rejections,
            REJECTION_REASONS,
        ),
        CounterSpec(
            "ekdial_codes_alarms",
            "Alarms about codes that are not entered, or that unverified callers request up to a limit, by area.",
            "area",
            codes.alarms,
            AREA_KINDS,
        ),
    )


def _export_account_metrics(accounts: Accounts, registry: CollectorRegistry) -> None:
    description = "Alarms about accounts whose PIN or answers somebody tries for days."
    CounterExporter(
        registry, CounterSpec("ekdial_guessing_alarms", description, "kind", accounts.guessing_alarms, ("account",))
    )


def _export_unverified_sms_metrics(limiter: UnverifiedSmsLimiter, registry: CollectorRegistry) -> None:
    CounterExporter(
        registry,
        CounterSpec(
            "ekdial_unverified_sms_refused",
            "SMS that unverified callers would have caused, by the limit reached.",
            "reason",
            limiter.rejections,
            REJECTION_REASONS,
        ),
        CounterSpec(
            "ekdial_unverified_sms_alarms",
            "Limits of unverified SMS that were reached, by area.",
            "area",
            limiter.alarms,
            AREA_KINDS,
        ),
    )


def _export_lookup_metrics(limits: LookupLimits, registry: CollectorRegistry) -> None:
    description = "Bills that were not looked up, by the limit reached."
    CounterExporter(registry, CounterSpec("ekdial_bill_lookups_refused", description, "reason", limits.rejections))


def _export_sign_in_alarms(sign_ins: DocumentSignIns, registry: CollectorRegistry) -> None:
    description = "Requests and codes for an Aadhaar number beyond the limit of all callers, by limit."
    CounterExporter(
        registry,
        CounterSpec(
            "ekdial_document_sign_in_alarms", description, "limit", sign_ins.alarms, ("requests", "wrong_codes")
        ),
    )
