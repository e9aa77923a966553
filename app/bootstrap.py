"""Open and close the gateway: resources, menus and services, workers, routes."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import web
from prometheus_client import CollectorRegistry, disable_created_metrics

from app.admin import open_metrics
from app.catalogue_reload import follow_catalogue_edits
from app.channels import build_conversations, build_inbound_worker
from app.context import AppContext, build_webhook_guard
from app.first_sign_in import FIRST_SIGN_IN, ensure_first_sign_in
from app.keys import check_keys
from app.menu import CheckedMenu, build_menu
from app.resources import ensure_tables, open_resources, stub_resources
from app.routes import Workers, build_application
from app.workers import (
    build_sms_outboxes,
    count_live_sessions,
    expire_consents,
    export_report_metrics,
    release_silent_numbers,
    run_department_deliveries,
    run_email_worker,
    run_escalation,
    run_payment_worker,
    run_retention,
    track_usage,
    write_move_counts,
)
from config.settings import Settings
from core.claim_worker import running_worker
from core.hop_metrics import HopMetrics
from providers.registry import open_sms_providers
from sessions.live_sessions import LiveSessions
from sms.conversation import SmsConversations
from sms.inbound_worker import InboundWorker, run_inbound_worker
from sms.provider import SmsProvider


@asynccontextmanager
async def open_app(settings: Settings, *, shares_metrics: bool = False) -> AsyncIterator[web.Application]:
    """Open the web application. At exit the workers finish the messages being sent, then all resources are closed.

    With `shares_metrics`, the admin server shows the metrics of all worker processes of this server.

    Raises:
        ValidationFailedError: the catalogue, the menus or the locales are invalid.
        EmbeddedStoreError: another process uses the embedded store.
        MigrationsPendingError: the tables are older than this program.
    """
    async with (
        open_sms_providers(settings) as sms_providers,
        open_context(settings, sms_providers) as context,
        AsyncExitStack() as stack,
    ):
        render_metrics = await stack.enter_async_context(
            open_metrics(settings, context.registry, is_shared=shares_metrics)
        )
        workers = await _start_workers(context, stack)
        app = build_application(context, workers, render_metrics)
        app[FIRST_SIGN_IN] = await ensure_first_sign_in(context)
        yield app


@asynccontextmanager
async def open_context(settings: Settings, sms_providers: Mapping[str, SmsProvider]) -> AsyncIterator[AppContext]:
    """Open what every process needs that answers callers; at exit it is closed.

    Raises:
        ValidationFailedError: the catalogue, the menus or the locales are invalid.
        EmbeddedStoreError: another process uses the embedded store.
        MigrationsPendingError: the tables are older than this program.
    """
    async with open_resources(settings) as resources:
        registry = _build_registry()
        live_sessions = LiveSessions(registry, resources.store.client, resources.cipher.keyed_hash)
        yield AppContext(
            settings=settings,
            resources=resources,
            checked_menu=build_menu(settings, resources),
            sms_providers=sms_providers,
            webhook_guard=build_webhook_guard(settings),
            registry=registry,
            hops=HopMetrics(registry),
            live_sessions=live_sessions,
        )


async def check_startup(settings: Settings) -> None:
    """Check what `open_app` needs, so that a server with many worker processes reports a problem once.

    Raises:
        ValidationFailedError: the catalogue, the menus or the locales are invalid, or a key is not the right one.
        MigrationsPendingError: the tables are older than this program.
    """
    await build_checked_menu(settings)
    await ensure_tables(settings)
    await check_keys(settings)


async def build_checked_menu(settings: Settings) -> CheckedMenu:
    """The menus with the checks of `open_app`; no server is contacted.

    Raises:
        ValidationFailedError: the catalogue, the menus or the locales are invalid.
    """
    async with stub_resources(settings) as resources:
        return build_menu(settings, resources)


async def _start_workers(context: AppContext, stack: AsyncExitStack) -> Workers:
    """Start every background task; `stack` stops them when it is closed."""
    services = context.checked_menu.services
    outboxes = build_sms_outboxes(context)
    await stack.enter_async_context(run_retention(context))
    await stack.enter_async_context(run_escalation(services.complaints))
    await stack.enter_async_context(expire_consents(services.consents))
    await stack.enter_async_context(run_payment_worker(services.payments))
    for outbox in outboxes.values():
        await stack.enter_async_context(running_worker(outbox))
    await stack.enter_async_context(run_department_deliveries(context))
    await stack.enter_async_context(
        run_email_worker(context.settings, services.messages, context.resources.cipher, context.registry)
    )
    conversations, inbound_worker = await start_caller_workers(context, stack)
    return Workers(outboxes=outboxes, conversations=conversations, inbound_worker=inbound_worker)


async def start_caller_workers(context: AppContext, stack: AsyncExitStack) -> tuple[SmsConversations, InboundWorker]:
    """Start the background tasks of every process that answers callers; `stack` stops them when it is closed."""
    services = context.checked_menu.services
    export_report_metrics(services.messages, context.registry)
    await stack.enter_async_context(write_move_counts(services.move_counter))
    conversations = build_conversations(context)
    inbound_worker = build_inbound_worker(context, conversations)
    await stack.enter_async_context(run_inbound_worker(inbound_worker))
    await stack.enter_async_context(track_usage(services.usage))
    await stack.enter_async_context(count_live_sessions(context.live_sessions))
    await stack.enter_async_context(release_silent_numbers(context))
    await stack.enter_async_context(
        follow_catalogue_edits(context.settings.catalogue, context.checked_menu, context.registry)
    )
    return conversations, inbound_worker


def _build_registry() -> CollectorRegistry:
    # Without this, each counter has a timestamp beside it, and its digits look like a phone number to the privacy tests.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    return CollectorRegistry()
