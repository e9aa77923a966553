"""The context from which the channels, the workers and the routes are built."""

from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from app.menu import CheckedMenu
from app.resources import Resources
from config.settings import Settings
from core.hop_metrics import HopMetrics
from core.http.webhooks import WebhookGuard
from sessions.live_sessions import LiveSessions
from sms.provider import SmsProvider


@dataclass(frozen=True, slots=True)
class AppContext:
    """The settings, the resources opened from them, the checked menu with its services, and the metrics registry."""

    settings: Settings
    resources: Resources
    checked_menu: CheckedMenu
    sms_providers: Mapping[str, SmsProvider]
    """By name: those that this process sends by, without those whose messages a process of their own sends."""
    webhook_guard: WebhookGuard
    registry: CollectorRegistry
    hops: HopMetrics
    live_sessions: LiveSessions


def build_webhook_guard(settings: Settings) -> WebhookGuard:
    """Return the guard of every webhook, as the section `[webhooks]` sets it.

    Without a token, which is for development, a proxy or a tunnel must not bring in strangers.
    """
    webhooks = settings.webhooks
    return WebhookGuard(
        webhooks.secret_tokens,
        webhooks.allowed_ips,
        webhooks.trusted_proxies,
        local_only=not webhooks.tokens and not webhooks.trusted_proxies,
    )
