"""All that the channels are put together out of."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from assembly.conversation import Conversation
from assembly.ground import Ground
from callbacks import Guard
from settings import Settings
from sms.provider import Provider


@dataclass(frozen=True, slots=True)
class Gateway:
    """The settings, what was opened and proved by them, who guards callbacks, and where everything is counted."""

    settings: Settings
    ground: Ground
    conversation: Conversation
    provider: Provider
    guard: Guard
    registry: CollectorRegistry


def guard_of(settings: Settings) -> Guard:
    """Knows who may post callbacks."""
    account = settings.africastalking
    return Guard(account.callback_token.get_secret_value(), account.allowed_ips, account.trusted_proxies)
