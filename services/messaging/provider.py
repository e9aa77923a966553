"""The interface to a provider of messages: SMS or e-mail."""

from typing import Protocol

from services.messaging.models import OutgoingMessage
from services.messaging.outcomes import Accepted, Rejected, Retry, SendOutcome, Suspended, Unknown

__all__ = ["Accepted", "MessageProvider", "OutgoingMessage", "Rejected", "Retry", "SendOutcome", "Suspended", "Unknown"]


class MessageProvider(Protocol):
    """A provider that sends messages."""

    @property
    def name(self) -> str:
        """The provider's name in settings, logs and routes."""

    async def send(self, message: OutgoingMessage) -> SendOutcome:
        """Send one message to one recipient within the provider's deadline; every failure is an outcome, not an exception."""
