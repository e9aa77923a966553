"""Build the page for KaiOS phones over the menus and the services."""

from datetime import timedelta
from ipaddress import IPv6Address, IPv6Network
from typing import Final

from aiohttp import web

from app.context import AppContext
from app.localization import build_calendar, replace_not_offered
from core.metrics import CounterExporter, CounterSpec
from core.rate_limit import FallbackWindowCounter, LocalWindowCounter, RedisWindowCounter
from core.types import CHANNEL_KAIOS
from menus.rendering import localization
from menus.rendering.renderer import Renderer
from services.citizens.models import SignInResult
from sessions.message_turns import ConversationHandler
from web.kaios.browser_sessions import BrowserSessions
from web.kaios.conversation import KaiosConversations
from web.kaios.page_limit import PageLimit
from web.kaios.rendering import KaiosRenderer
from web.kaios.routes import OUTCOMES, KaiosPage
from web.kaios.sign_in import AddressLimits, KaiosSignIn

IPV6_PREFIX_LENGTH: Final = 64
"""The bits of an IPv6 address that identify one home or handset."""


def add_kaios(app: web.Application, context: AppContext) -> None:
    """Serve the page at `/kaios`."""
    app.add_routes(build_page(context).build_routes())


def build_page(context: AppContext) -> KaiosPage:
    """The page."""
    settings, resources = context.settings, context.resources
    lifetime = timedelta(seconds=settings.kaios.idle_seconds + settings.kaios.answer_seconds)
    context.live_sessions.open(CHANNEL_KAIOS)

    def find_address(request: web.Request) -> str:
        address = context.webhook_guard.client_address(request)
        if isinstance(address, IPv6Address):
            return str(IPv6Network((address, IPV6_PREFIX_LENGTH), strict=False))
        return str(address or "")

    def note_live(session_id: str, ended: bool) -> None:
        context.live_sessions.note(CHANNEL_KAIOS, session_id, ended=ended)

    return KaiosPage(
        sessions=BrowserSessions(
            store=resources.store.sessions, keyed_hash=resources.cipher.keyed_hash, lifetime=lifetime
        ),
        sign_in=_build_sign_in(context),
        conversations=_build_conversations(context),
        renderer=KaiosRenderer(settings.languages.offered, settings.kaios.answer_seconds),
        hops=context.hops.open(CHANNEL_KAIOS, CHANNEL_KAIOS, OUTCOMES),
        note_live=note_live,
        keyed_hash=resources.cipher.keyed_hash,
        client_address=find_address,
        default_language=settings.languages.default,
    )


def _build_sign_in(context: AppContext) -> KaiosSignIn:
    settings, resources, services = context.settings, context.resources, context.checked_menu.services

    async def check_pin(msisdn: str, pin: str, idempotency_key: str) -> SignInResult:
        return await services.accounts.sign_in(msisdn, pin, idempotency_key, vouched=False)

    limits = AddressLimits(
        counter=FallbackWindowCounter(RedisWindowCounter(resources.store.client), LocalWindowCounter()),
        keyed_hash=resources.cipher.keyed_hash,
        failures=settings.kaios.failures_per_address,
        codes=settings.kaios.codes_per_address,
    )
    sign_in = KaiosSignIn(
        codes=services.codes,
        check_pin=check_pin,
        limits=limits,
        countries=settings.countries.allowed,
    )
    description = "Sign-ins on the KaiOS page by code or PIN, and those refused by reason."
    CounterExporter(context.registry, CounterSpec("ekdial_kaios_sign_ins", description, "outcome", sign_in.counts))
    return sign_in


def _build_conversations(context: AppContext) -> KaiosConversations:
    settings, checked_menu = context.settings, context.checked_menu
    menu, services = checked_menu.menu.for_channel(CHANNEL_KAIOS), checked_menu.services
    spoken = replace_not_offered(checked_menu.locales, settings.languages)
    limit = PageLimit(settings.kaios.page_characters)
    handler = ConversationHandler(
        sessions=context.resources.store.sessions,
        menu=menu,
        renderer=Renderer(menu, localization.build_screen_locales(spoken)),
        today=build_calendar(settings),
        conversation_ttl=settings.kaios.idle_seconds + settings.kaios.answer_seconds,
        end_open_call=services.open_calls.end,
        count_move=services.move_counter.count,
    )
    return KaiosConversations(handler=handler, limit=limit, find_language=services.caller_activity.find_language_choice)
