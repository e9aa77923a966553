"""The interface to a provider of voice calls. Every call is rejected, so that the caller pays nothing."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from core.http.provider_webhooks import BodyFormat, Fields, WebhookReply


@dataclass(frozen=True, slots=True)
class IncomingCall:
    """One webhook about a call. `caller_msisdn` and `called_number` are E.164, or empty where the number is hidden.

    `is_active`: the phone still rings. `is_inbound`: the call was made to us. `is_from_client`: a SIP or web client of
    our own account made it. `began_at`: aware; None where the provider does not tell it.
    """

    session_id: str
    caller_msisdn: str = field(repr=False)
    called_number: str
    is_active: bool
    is_inbound: bool
    is_from_client: bool
    began_at: datetime | None = None


class VoiceProvider(Protocol):
    """Parses a provider's voice webhooks and renders the action that it asks for."""

    @property
    def name(self) -> str:
        """The provider's name in routes, settings and logs."""

    @property
    def body_format(self) -> BodyFormat:
        """The format of its webhooks."""

    def parse_call(self, fields: Fields) -> IncomingCall:
        """The call that a webhook describes.

        Raises:
            BadWebhookError: a field is missing or malformed (400).
        """

    def render_action(self, call: IncomingCall) -> WebhookReply:
        """The response that rejects an active call, or the acknowledgement of one that has ended."""
