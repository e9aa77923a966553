"""The console of staff: its services, and its pages in the order of the menu."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web
from prometheus_client import CollectorRegistry

from app.console_pages import (
    account_page,
    applications_page,
    audit_page,
    catalogue_page,
    citizens_page,
    complaints_page,
    departments_page,
    feedback_page,
    journeys_page,
    messages_page,
    now_page,
    operators_page,
    payments_page,
    settings_page,
    staff_page,
)
from app.context import AppContext
from app.staff import StaffServices, build_staff_services
from core.http.addresses import describe_network
from core.http.fast_router import DRAIN
from core.http.webhooks import WebhookGuard
from core.metrics import CounterExporter, CounterSpec
from menus.rendering.localization import Locale
from services.catalogue.current import CurrentCatalogue
from services.staff.sign_in import StaffSignIn
from web.console.cases.names import CatalogueNames
from web.console.rendering import ConsoleRenderer
from web.console.requests import ConsolePage
from web.console.router import ConsoleAccess
from web.console.router import build_routes as build_page_routes
from web.console.sign_in.routes import SignInPage
from web.health import RenderMetrics


@dataclass(frozen=True, slots=True)
class ConsoleContext:
    """What a page of the console is built from."""

    app: AppContext
    staff: StaffServices
    render_metrics: RenderMetrics
    locales: Mapping[str, Locale]
    call_at_end: Callable[[Callable[[], Awaitable[None]]], None]
    """Has something called when the gateway is about to end: what streams without an end stops there."""


PageBuilder = Callable[[ConsoleContext], ConsolePage]

PAGE_BUILDERS: Final[Sequence[PageBuilder]] = (
    now_page.build_page,
    journeys_page.build_page,
    applications_page.build_page,
    complaints_page.build_page,
    feedback_page.build_page,
    citizens_page.build_page,
    messages_page.build_page,
    payments_page.build_page,
    operators_page.build_page,
    departments_page.build_page,
    catalogue_page.build_page,
    staff_page.build_page,
    audit_page.build_page,
    settings_page.build_page,
    account_page.build_page,
)
"""In the order of the menu."""


CONSOLE_PAGES: web.AppKey[Sequence[ConsolePage]] = web.AppKey("console_pages", Sequence)
"""Key of an application under which it has every page of the console."""


def add_console(app: web.Application, context: AppContext, render_metrics: RenderMetrics) -> None:
    """Serve the console at `/console`."""
    services, locales = build_staff_services(context.settings, context.resources), context.checked_menu.locales
    access = ConsoleAccess(
        sessions=services.sessions,
        sign_in=services.sign_in,
        locales=locales,
        renderer=ConsoleRenderer(
            zone=ZoneInfo(context.settings.countries.time_zone),
            is_public=context.settings.is_public,
            find_department_name=partial(_find_department_name, context.checked_menu.services.current_catalogue),
        ),
        needs_two_steps=context.settings.needs_two_steps,
        find_address=_build_address_lookup(context.webhook_guard),
    )
    _export_sign_in_metrics(services.sign_in, context.registry)
    sign_in = SignInPage(access)

    def call_at_end(end: Callable[[], Awaitable[None]]) -> None:
        app.on_shutdown.append(lambda _: end())
        app[DRAIN].on_start.append(end)

    console = ConsoleContext(context, services, render_metrics, locales, call_at_end)
    app[CONSOLE_PAGES] = pages = [sign_in.build_page(), *(build(console) for build in PAGE_BUILDERS)]
    app.add_routes([*sign_in.build_routes(), *build_page_routes(access, pages)])


def _find_department_name(current_catalogue: CurrentCatalogue, code: str, language: str) -> str:
    """The name of a department; empty for no code."""
    return CatalogueNames(current_catalogue, language).department(code)


def _build_address_lookup(guard: WebhookGuard) -> Callable[[web.Request], str]:
    """A function from a request to the network of its client, behind our own proxies; empty for an address that is none."""

    def find_network(request: web.Request) -> str:
        address = guard.client_address(request)
        return describe_network(address) if address else ""

    return find_network


def _export_sign_in_metrics(sign_in: StaffSignIn, registry: CollectorRegistry) -> None:
    CounterExporter(
        registry,
        CounterSpec(
            "ekdial_console_sign_ins", "Attempts to sign in to the console, by outcome.", "outcome", sign_in.outcomes
        ),
        CounterSpec(
            "ekdial_console_lockouts",
            "Members of staff locked after five failures, by what was wrong.",
            "reason",
            sign_in.lockouts,
        ),
    )
